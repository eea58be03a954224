"""The last run of an organisation: kept before anything is sent and again at its end, so that a broken one shows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from xerosync._version import __version__
from xerosync.engine.plans import Plan, Report
from xerosync.engine.posting import Poster
from xerosync.engine.trail import TrailStep
from xerosync.storage.protocol import Record, RecordKey

_UNDER_WAY: Final = "under way"
_ENDED: Final = "ended"


@frozen(kw_only=True)
class LastRun:
    """
    The last time a plan with anything to do was applied: when it *began*, and what it did.

    *ended* is None while it is under way, and stays so when it was broken off. *actions* counts what was to be done,
    *done* what this run itself did, *calls* those to Xero.
    """

    began: datetime
    ended: datetime | None = None
    actions: int = 0
    done: int = 0
    findings: int = 0
    calls: int = 0

    def record(self, tenant: str) -> Record:
        """The record that keeps it."""
        body = {
            "began": self.began.isoformat(),
            "ended": None if self.ended is None else self.ended.isoformat(),
            "actions": self.actions,
            "done": self.done,
            "findings": self.findings,
            "calls": self.calls,
        }
        return Record("run", tenant, "last", json.dumps(body), _ENDED if self.ended else _UNDER_WAY)


def last_run_key(tenant: str) -> RecordKey:
    """Where the last run is kept."""
    return RecordKey("run", tenant, "last")


def read_run(record: Record) -> LastRun:
    """The run that *record* keeps."""
    body = json.loads(record.body)
    ended = body.pop("ended")
    return LastRun(
        began=datetime.fromisoformat(body.pop("began")),
        ended=None if ended is None else datetime.fromisoformat(ended),
        **body,
    )


async def begin(poster: Poster, plan: Plan) -> LastRun:
    """Keep that a run begins, which applies *plan*."""
    books = poster.books
    run = LastRun(began=books.clock.now(), actions=len(plan))
    kinds, findings = kinds_in_words(plan), len(plan.findings)
    poster.trail.note(TrailStep.BEGAN, actions=len(plan), kinds=kinds, findings=findings, version=__version__)
    poster.trail.findings(plan.findings)
    await poster.commit([run.record(books.tenant)])
    return run


def kinds_in_words(plan: Plan) -> str:
    """What *plan* is to do, such as ``payment 3, contact 1``."""
    return ", ".join(f"{kind} {count}" for kind, count in plan.counts().items())


async def end(poster: Poster, run: LastRun, report: Report, *, done: int) -> None:
    """Keep how *run* ended."""
    books = poster.books
    ended = evolve(run, ended=books.clock.now(), done=done, findings=len(report.findings), calls=report.calls)
    poster.trail.findings(report.findings)
    poster.trail.note(TrailStep.ENDED, done=done, findings=len(report.findings), calls=report.calls)
    await poster.commit([ended.record(books.tenant)])
