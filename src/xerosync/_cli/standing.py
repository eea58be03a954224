"""``status`` and ``doctor``: how it stands with the organisations of a store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, cast

from attrs import frozen

from xerosync.client.connections import Connections, ConnectionSummary
from xerosync.client.states import ConnectionState
from xerosync.doctor import Check, Doctor
from xerosync.engine import strays
from xerosync.engine.actions import BILL_PAYMENT
from xerosync.engine.clearing import still_open
from xerosync.engine.intents import OPEN_STATES, Intent, read_intent
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.runs import LastRun, last_run_key, read_run
from xerosync.engine.states import State
from xerosync.errors import InvalidInput, Misconfigured, StoreFailed
from xerosync.storage.sqlite import SQLiteStore
from xerosync.testing.sandbox import kept_connection

Row = dict[str, object]

_PAGE: Final = 1000
_PERSON: Final = (State.PARKED, State.CONFLICT, State.SUSPECT)
"""States that a write stays in until a person has looked at it."""


@frozen(kw_only=True, repr=False)
class Standing:
    """How it stands with one organisation, as the store knows it."""

    connection: ConnectionSummary
    open: int
    parked: int
    refused: int
    last_run: LastRun | None
    findings: tuple[Finding, ...]

    def row(self) -> Row:
        """What JSON tells of it."""
        run = self.last_run
        return {
            "organisation": self.connection.organisation,
            "name": self.connection.name,
            "company": self.connection.company,
            "state": self.connection.state.value,
            "open": self.open,
            "parked": self.parked,
            "refused": self.refused,
            "last_run": None if run is None else _run_row(run),
            "findings": [finding_row(each) for each in self.findings],
        }

    def __str__(self) -> str:
        told = f"{self.open:,} open, {self.parked:,} parked, {self.refused:,} refused"
        head = f"{self.connection.name or self.connection.organisation}: {self.connection.state.value}"
        return "\n".join([head, f"  {told}", f"  last run: {_ran(self.last_run)}", *_lines(self.findings)])


def statuses(store: Path, organisation: str | None) -> tuple[Standing, ...]:
    """
    How it stands with each organisation of *store*, or the one asked for. Nothing is asked of Xero.

    Raises `StoreFailed` for a file that is no store, `InvalidInput` for an organisation that it does not know.
    """
    with closing(_opened(store)) as kept:
        return tuple(_standing(kept, each) for each in _connected(kept, organisation))


def examined(store: Path, organisation: str | None, xero: str | None) -> list[tuple[str, Check]]:
    """
    Every check of the connection to each organisation of *store*, or the one asked for, with its tenant id.

    What the store says was done there says what is needed: sales' payments a clearing account, bills a payment account.
    Raises as `statuses` does, and `Misconfigured` where there is no Xero to ask.
    """
    with closing(_opened(store)) as kept:
        wanted = [(each.organisation, _use_of(kept, each.organisation)) for each in _connected(kept, organisation)]
    found: list[tuple[str, Check]] = []
    for tenant, use in wanted:
        with kept_connection(store, tenant, xero=xero) as client:
            doctor = Doctor(client, features=use.features, clearing_account=use.clearing, payment_account=use.paid_from)
            found += [(tenant, check) for check in doctor.examine()]
    return found


def check_row(tenant: str, check: Check) -> Row:
    """What JSON tells of a check."""
    return {
        "organisation": tenant,
        "name": check.name,
        "passed": check.passed,
        "looked": check.looked,
        "note": check.note,
        "findings": [finding_row(each) for each in check.findings],
    }


def finding_row(finding: Finding) -> Row:
    """What JSON tells of a finding."""
    return {
        "code": finding.code,
        "about": finding.about,
        "cause": finding.cause,
        "fix": finding.fix,
        "who": finding.who,
        "retry": finding.retry,
    }


@frozen
class _Use:
    """What was done in an organisation: by which features, and through which accounts."""

    features: tuple[str, ...]
    clearing: str | None
    paid_from: str | None


def _opened(path: Path) -> SQLiteStore:
    if not path.is_file():
        raise StoreFailed(f"There is no store {path}: check its name.")
    try:
        return SQLiteStore(path)
    except sqlite3.Error as error:
        raise StoreFailed(f"The store {path} cannot be opened: SQLite says: {error}.") from error


def _connected(kept: SQLiteStore, organisation: str | None) -> Sequence[ConnectionSummary]:
    found = Connections(kept).list()
    if organisation is None:
        if not found:
            raise Misconfigured("the store knows no organisation: connect one first")
        return found
    asked = [each for each in found if organisation.lower() in {each.organisation, each.company.lower()}]
    if not asked:
        raise InvalidInput("organisation", "the store knows no such organisation: give the id that status shows")
    return asked


def _standing(kept: SQLiteStore, connection: ConnectionSummary) -> Standing:
    tenant = connection.organisation
    (record,) = kept.get_many([last_run_key(tenant)])
    opened = list(_intents(kept, tenant, OPEN_STATES))
    for_a_person = list(_intents(kept, tenant, _PERSON))
    written = [finding_for(intent) or still_open(intent) for intent in [*opened, *for_a_person]]
    return Standing(
        connection=connection,
        open=len(opened),
        parked=sum(each.state is State.PARKED for each in for_a_person),
        refused=sum(1 for _ in _intents(kept, tenant, [State.REJECTED])),
        last_run=None if record is None else read_run(record),
        findings=(*_connection(connection), *_strays(kept, tenant), *written),
    )


def _connection(connection: ConnectionSummary) -> Iterator[Finding]:
    if connection.state is not ConnectionState.CONNECTED:
        yield Finding(
            code="reconnect needed",
            about=connection.company,
            cause="the consent has ended, or the organisation was disconnected",
            fix="send the user to Xero to connect again",
            who="the user",
        )


def _strays(kept: SQLiteStore, tenant: str) -> Iterator[Finding]:
    found = kept.query("stray", tenant, states=[strays.OPEN], limit=_PAGE)
    if found:
        yield Finding(
            code="unknown to the ledger",
            about=tenant,
            cause=f"Xero holds {len(found):,} documents with our mark that the store does not know",
            fix="audit: it takes them over, and nothing is sent until then",
        )


def _intents(
    kept: SQLiteStore, tenant: str, states: Sequence[str] = (), *, kind: str | None = None
) -> Iterator[Intent]:
    lookup = None if kind is None else ("kind", kind)
    after: str | None = None
    while True:
        page = kept.query("intent", tenant, states=states, lookup=lookup, after=after, limit=_PAGE)
        yield from map(read_intent, page)
        if len(page) < _PAGE:
            return
        after = kept.cursor(page[-1], "key")


def _use_of(kept: SQLiteStore, tenant: str) -> _Use:
    # Keys are hashes, so the first page is a fair sample; what was written last says what is in use now.
    sample = kept.query("intent", tenant, lookup=("kind", "payment"), limit=_PAGE)
    paid = [read_intent(record) for record in sorted(sample, key=lambda each: each.changed)]
    clearing = [_account(each) for each in paid if not each.operation.host_ref.startswith(BILL_PAYMENT)]
    paid_from = [_account(each) for each in paid if each.operation.host_ref.startswith(BILL_PAYMENT)]
    sells = bool(clearing) or bool(kept.query("link", tenant, states=["transaction"], limit=1))
    buys = bool(paid_from) or bool(kept.query("intent", tenant, lookup=("kind", "bill"), limit=1))
    features = (*(["receivables", "clearing balance"] if sells else []), *(["payables"] if buys else []))
    return _Use(features, clearing[-1] if clearing else None, paid_from[-1] if paid_from else None)


def _account(intent: Intent) -> str:
    return str(cast(Mapping[str, object], intent.payload["Account"])["AccountID"])


def _run_row(run: LastRun) -> Row:
    row: Row = json.loads(run.record("").body)
    return row


def _ran(run: LastRun | None) -> str:
    if run is None:
        return "none"
    if run.ended is None:
        return f"{run.began:%Y-%m-%d %H:%M} UTC, not ended: it is under way, or was broken off"
    return f"{run.ended:%Y-%m-%d %H:%M} UTC, {run.done:,} of {run.actions:,} done, {run.calls:,} calls"


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.code, finding.fix), []).append(finding)
    for group in grouped.values():
        yield f"  {len(group):,} × {group[0].code}: {group[0].cause} → {group[0].fix} ({group[0].who})"
