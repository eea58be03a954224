"""When each organisation is due, and why: what is kept of its runs, and pure decisions on it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, cast

from attrs import evolve, frozen

from xerosync.client._wire.codec import Json
from xerosync.client.states import ConnectionState, state_of
from xerosync.engine.inbox import Gap
from xerosync.errors import BudgetSpent, RateLimited, RunStopped, StoreFailed, Suspended, XerosyncError
from xerosync.storage.protocol import Record, RecordKey

SCHEDULE: Final = "schedule"
WAKE: Final = "wake"
TOLD: Final = "/told"
"""What ends the key of a wake-up by webhooks, so that it takes no host's place."""

_SOON: Final = timedelta(minutes=1)
_DOUBLINGS: Final = 10
_PATIENCE: Final = timedelta(hours=2)
_SLOWER: Final = 4


class Why(StrEnum):
    """Why an organisation is worked on now, or is not."""

    FIRST = "first"
    """It never was before."""
    ASKED = "asked"
    """The host asked for it, having news of its own."""
    TOLD = "told"
    """Webhooks told of changes in Xero."""
    GAP = "gap"
    """Deliveries of webhooks are missing, so that anything may have changed."""
    TIME = "time"
    """It was not looked at for as long as may be."""
    OPEN = "open"
    """A write whose answer was lost may be looked for now."""
    AGAIN = "again"
    """The last run did not come to its end."""
    QUIET = "quiet"
    """There is nothing to do: nothing was asked of Xero."""


class Ended(StrEnum):
    """How a run ended."""

    DONE = "done"
    """The work was done to its end."""
    QUIET = "quiet"
    """There was nothing to do, and nothing was asked of Xero."""
    BUSY = "busy"
    """Another worker is at it."""
    STOPPED = "stopped"
    """It was asked to stop, or its budget was spent: the next run goes on."""
    WAITING = "waiting"
    """Xero is away, or a limit is used up: the next run goes on when it opens."""
    REFUSED = "refused"
    """Xero does not let the app in: somebody must do what the finding says."""
    FAILED = "failed"
    """It raised an error that says nothing of the connection."""


@frozen(kw_only=True)
class Standing:
    """
    What is kept of an organisation's runs: when the last one that was done *began*, and how the last one *ended*, in
    words of `Ended`, or "" while it is under way.

    *told* is when it was first seen that webhooks tell of something that no run has read yet.
    *idle* counts those in a row that found nothing new, *failed* those that failed, and *error* is the class of what
    the last one raised; *clock* says how far the clock was wrong of the machine that it ran on, and is "" where it was
    right. *day_left* are the calls that Xero said were left of the day. *payments* is up to where the mirrored payments
    were looked through. *runs*, *calls* and *bytes_down* count all that there were.
    """

    began: datetime | None = None
    ended: str = ""
    told: datetime | None = None
    idle: int = 0
    failed: int = 0
    payments: str | None = None
    error: str = ""
    clock: str = ""
    runs: int = 0
    calls: int = 0
    bytes_down: int = 0
    day_left: int | None = None

    def counting(self, calls: int, bytes_down: int, day_left: int | None) -> Standing:
        """This standing after one more run, which took so much, and was told what is left of the day."""
        return evolve(
            self,
            runs=self.runs + 1,
            calls=self.calls + calls,
            bytes_down=self.bytes_down + bytes_down,
            day_left=self.day_left if day_left is None else day_left,
            error="",
        )

    def record(self, tenant: str, due: datetime | None) -> Record:
        """The record that keeps it, due for the next run."""
        began = None if self.began is None else self.began.isoformat()
        body = {
            "began": began,
            "idle": self.idle,
            "failed": self.failed,
            "told": None if self.told is None else self.told.isoformat(),
            "payments": self.payments,
            "error": self.error,
            "clock": self.clock,
            "runs": self.runs,
            "calls": self.calls,
            "bytes_down": self.bytes_down,
            "day_left": self.day_left,
        }
        return Record(SCHEDULE, "", tenant, json.dumps(body), self.ended, due)

    def looked_at(self, seen: Seen, now: datetime) -> Standing:
        """This standing after a look at *now* that found nothing to do yet."""
        return evolve(self, ended=Ended.QUIET, told=(self.told or now) if seen.told else None)


def read_standing(record: Record | None) -> Standing | None:
    """The standing that *record* keeps."""
    if record is None:
        return None
    body = cast(Json, json.loads(record.body))
    began = body["began"]
    return Standing(
        began=datetime.fromisoformat(began) if isinstance(began, str) else None,
        ended=record.state,
        idle=int(str(body["idle"])),
        failed=int(str(body["failed"])),
        payments=cast(str | None, body["payments"]),
        # Older records count nothing, and gather nothing.
        told=datetime.fromisoformat(told) if isinstance(told := body.get("told"), str) else None,
        error=str(body.get("error", "")),
        clock=str(body.get("clock", "")),
        runs=int(str(body.get("runs", 0))),
        calls=int(str(body.get("calls", 0))),
        bytes_down=int(str(body.get("bytes_down", 0))),
        day_left=cast(int | None, body.get("day_left")),
    )


def is_same(fresh: Record, known: Record | None) -> bool:
    """Whether *known* says what *fresh* does, so that nothing needs to be kept."""
    return known is not None and (fresh.body, fresh.state, fresh.due) == (known.body, known.state, known.due)


def schedule_key(tenant: str) -> RecordKey:
    """Where the standing of *tenant* is kept."""
    return RecordKey(SCHEDULE, "", tenant)


def wake_record(tenant: str, at: datetime, *, told: bool = False) -> Record:
    """The record that says that *tenant* is due *at* the latest, as the host asked, or as webhooks *told*."""
    return Record(WAKE, "", tenant + TOLD * told, "{}", due=at)


def wake_keys(tenant: str) -> tuple[RecordKey, RecordKey]:
    """Where it is kept that *tenant* was woken, by the host and by webhooks."""
    return RecordKey(WAKE, "", tenant), RecordKey(WAKE, "", tenant + TOLD)


@frozen(kw_only=True)
class Rhythm:
    """
    How often an organisation is worked on: *every* so often, less and less once nothing has changed for two hours, up
    to *max_silence*; with webhooks only after *max_silence*, as long as they tell of nothing, and when they do, once
    they have *gathered* for that long.
    """

    every: timedelta
    max_silence: timedelta
    gather: timedelta = timedelta()

    @property
    def patience(self) -> int:
        """How many runs in a row may find nothing new before it is worked on less often."""
        return _PATIENCE // self.every

    def after_idle(self, idle: int) -> timedelta:
        """How long is waited after so many runs in a row that found nothing new, without webhooks."""
        # Whoever has changed something goes on changing things, more often than not.
        further = min(max(idle - self.patience, 0), _DOUBLINGS)
        return min(self.max_silence, timedelta(seconds=self.every.total_seconds() * _SLOWER**further))


@frozen(kw_only=True)
class Seen:
    """What is known before a run: whether it was *asked* for, *told* of, and whether writes are *open*."""

    asked: bool = False
    told: bool = False
    open: bool = False
    gaps: tuple[Gap, ...] = ()
    webhooks: bool = False


def why_now(standing: Standing | None, seen: Seen, rhythm: Rhythm, now: datetime) -> Why:
    """Why an organisation is worked on at *now*."""
    if standing is None or standing.began is None:
        return Why.FIRST if standing is None or not standing.failed else Why.AGAIN
    reasons = {
        Why.AGAIN: standing.ended not in {Ended.DONE, Ended.QUIET},
        Why.ASKED: seen.asked,
        Why.TOLD: seen.told and (standing.told or now) + rhythm.gather <= now,
        Why.GAP: any(gap.noticed > standing.began and gap.counts_from() <= now for gap in seen.gaps),
        Why.OPEN: seen.open,
        Why.TIME: now - standing.began >= _silence(standing, seen, rhythm),
    }
    return next((why for why, holds in reasons.items() if holds), Why.QUIET)


def next_time(standing: Standing, seen: Seen, rhythm: Rhythm, now: datetime) -> datetime:
    """When to look again after a run that was done, or had nothing to do: looking costs no call."""
    began = standing.began or now
    due = began + _silence(standing, seen, rhythm)
    if standing.told is not None:
        due = min(due, standing.told + rhythm.gather)
    # Missing deliveries concern everybody, and wake nobody.
    return min(due, now + rhythm.every) if seen.webhooks else max(due, now)


def idle_after(standing: Standing, rhythm: Rhythm, *, is_first: bool, is_news: bool) -> int:
    """How many runs in a row have found nothing new after one more; that the first one did says nothing."""
    if is_first:
        return rhythm.patience
    return 0 if is_news else standing.idle + 1


def after_error(error: Exception | None, failed: int, rhythm: Rhythm, now: datetime) -> tuple[Ended, datetime | None]:
    """How a run ended that raised *error*, the one after *failed* others, and when to try again; None for never."""
    later = now + min(rhythm.max_silence, _SOON * 2 ** min(failed, _DOUBLINGS))
    match error:
        case BudgetSpent() | RunStopped():
            return Ended.STOPPED, now
        case RateLimited():
            return Ended.WAITING, now + timedelta(seconds=error.retry_after_s)
        case Suspended():
            return Ended.WAITING, max(error.retry_at, now)
        case StoreFailed():
            return Ended.FAILED, later
        case XerosyncError():
            return _by_state(state_of(error), later, now + rhythm.max_silence)
        case _:
            return Ended.FAILED, later


def _by_state(state: ConnectionState | None, later: datetime, much_later: datetime) -> tuple[Ended, datetime | None]:
    match state:
        case ConnectionState.RECONNECT:
            return Ended.REFUSED, None
        case ConnectionState.SCOPE_MISSING | ConnectionState.REFUSED | ConnectionState.MISCONFIGURED:
            return Ended.REFUSED, much_later
        case ConnectionState.PASSING:
            return Ended.WAITING, later
        case _:
            return Ended.FAILED, later


def _silence(standing: Standing, seen: Seen, rhythm: Rhythm) -> timedelta:
    return rhythm.max_silence if seen.webhooks else rhythm.after_idle(standing.idle)
