"""
`Fleet` and `AsyncFleet`: how it stands with every organisation of a store, for a page, a screen, or an alarm.

Nothing is asked of Xero, and nothing is written: who looks may look as often as they like.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from xerosync.client._driver import stepped
from xerosync.client.connections import AsyncConnections, ConnectionSummary
from xerosync.client.states import ConnectionState
from xerosync.client.store_gate import GATE, left_today
from xerosync.engine import strays
from xerosync.engine.connection_findings import clock_wrong, finding_of_connection
from xerosync.engine.intents import OPEN_STATES, Intent, read_intent
from xerosync.engine.outcomes import finding_for
from xerosync.engine.plans import Finding
from xerosync.engine.runs import LastRun, last_run_key, read_run
from xerosync.engine.schedule import Ended, Standing, read_standing, schedule_key, wake_keys
from xerosync.engine.states import State
from xerosync.errors import InvalidInput
from xerosync.events import Event, OnEvent, tell, unheard
from xerosync.models import TenantId
from xerosync.ports import Clock
from xerosync.storage.adapt import pages_of, port_for
from xerosync.storage.protocol import AsyncStorage, Record, RecordKey, Storage
from xerosync.tables import Listing, Tabular

_PAGE: Final = 1000
_PERSON: Final = (State.PARKED, State.CONFLICT, State.SUSPECT)
"""States that a write stays in until a person has looked at it."""
_DAY: Final = timedelta(days=1)
_OVERDUE: Final = timedelta(hours=1)
_NEAR: Final = timedelta(days=14)
"""Half of the time that is left to a token set after it ought to have been refreshed for want of use."""
_FAILED_OFTEN: Final = 3

Row = dict[str, object]


@frozen(kw_only=True, repr=False)
class OrganisationStatus:
    """
    How it stands with one organisation, as the store knows it.

    *open* counts writes that an interrupted run left, *parked* those that only a person can go on with, *refused* those
    that Xero would not take. *last_run* is the last plan that was applied. Of a worker: *runs* and the *calls* and
    *bytes_down* of all of them so far, how the last one *ended* ("" before the first, and while it is under way), when
    the next is *due* (UTC; None for never), and how many seconds late it is (*lag_s*). *day_left* are the calls left of
    the day, as workers that share the store know it, or as Xero told the last run; None where none was made today.
    """

    connection: ConnectionSummary
    open: int
    parked: int
    refused: int
    last_run: LastRun | None
    findings: Listing[Finding] = field(converter=Listing[Finding])
    runs: int = 0
    calls: int = 0
    bytes_down: int = 0
    ended: str = ""
    due: datetime | None = None
    lag_s: float = 0.0
    day_left: int | None = None

    @property
    def organisation(self) -> TenantId:
        """Its tenant id."""
        return self.connection.organisation

    def row(self) -> Row:
        """What JSON tells of it; times are UTC, as ISO 8601."""
        run, dies_at = self.last_run, self.connection.dies_at
        return {
            "organisation": self.organisation,
            "name": self.connection.name,
            "company": self.connection.company,
            "state": self.connection.state.value,
            "consent_dies": None if dies_at is None else dies_at.isoformat(),
            "open": self.open,
            "parked": self.parked,
            "refused": self.refused,
            "last_run": None if run is None else json.loads(run.record("").body),
            "runs": self.runs,
            "calls": self.calls,
            "bytes_down": self.bytes_down,
            "ended": self.ended,
            "due": None if self.due is None else self.due.isoformat(),
            "lag_s": round(self.lag_s),
            "day_left": self.day_left,
            "findings": [finding_row(each) for each in self.findings],
        }

    def __str__(self) -> str:
        told = f"{self.open:,} open, {self.parked:,} parked, {self.refused:,} refused"
        head = f"{headline(self.connection)}: {self.connection.state.value}"
        worker = [f"  worker: {self._worker()}"] if self.runs or self.due is not None else []
        return "\n".join([head, f"  {told}", f"  last run: {_ran(self.last_run)}", *worker, *_lines(self.findings)])

    def _worker(self) -> str:
        due = "never due" if self.due is None else f"next due {self.due:%Y-%m-%d %H:%M} UTC"
        left = "" if self.day_left is None else f", {self.day_left:,} left of the day"
        runs = "1 run" if self.runs == 1 else f"{self.runs:,} runs"
        return f"{runs}, {self.calls:,} calls{left}, {due}"

    def __repr__(self) -> str:
        return f"<OrganisationStatus of {self.organisation}: {len(self.findings)} findings>"


@frozen(repr=False)
class FleetStatus(Tabular):
    """How it stood with each of *organisations* at *at* (UTC). ``str()`` is a page of text."""

    at: datetime
    organisations: tuple[OrganisationStatus, ...]

    @property
    def findings(self) -> Listing[Finding]:
        """What needs somebody, in all of them."""
        return Listing(finding for each in self.organisations for finding in each.findings)

    def counts(self) -> dict[str, int | float]:
        """
        What an alarm is set on: sums over all organisations, and the longest ``lag`` in seconds.

        ``overdue`` are those that no worker has come to for an hour, ``reconnect`` those whose user must connect again,
        ``dying`` those whose consent dies of disuse within two weeks.
        """
        codes = [finding.code for finding in self.findings]
        every = self.organisations
        return {
            "organisations": len(every),
            "runs": sum(each.runs for each in every),
            "calls": sum(each.calls for each in every),
            "bytes_down": sum(each.bytes_down for each in every),
            "open": sum(each.open for each in every),
            "parked": sum(each.parked for each in every),
            "refused": sum(each.refused for each in every),
            "findings": len(codes),
            "lag": max((each.lag_s for each in every), default=0.0),
            "overdue": codes.count("overdue"),
            "reconnect": sum(each.connection.state is ConnectionState.RECONNECT for each in every),
            "dying": codes.count("consent dies"),
        }

    def rows(self) -> list[Row]:
        """A row for each organisation, as JSON has it."""
        return [each.row() for each in self.organisations]

    def json(self) -> str:
        """All of it as one JSON object: ``organisations``, and how many ``findings``."""
        return json.dumps({"organisations": self.rows(), "findings": len(self.findings)})

    def __str__(self) -> str:
        if len(self.organisations) < 2:
            return "\n".join(str(each) for each in self.organisations)
        counts = self.counts()
        told = ", ".join(f"{counts[name]:,} {name}" for name in ("organisations", "open", "findings", "overdue"))
        return "\n".join([*(str(each) for each in self.organisations), f"in all: {told}"])

    def __repr__(self) -> str:
        return f"<FleetStatus of {len(self.organisations)} organisations: {len(self.findings)} findings>"


class AsyncFleet:
    """
    All organisations of *store*, awaited. Each `status` is told to *on_event* as one event, for metrics.

    Raises what the store raises.
    """

    def __init__(
        self,
        store: Storage | AsyncStorage,
        *,
        clock: Clock | None = None,
        on_event: OnEvent | None = None,
        _blocking: bool = False,
    ) -> None:
        if clock is None:
            from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

            clock = _http.BlockingClock() if _blocking else _http.AsyncClock()
        self._storage: Final = port_for(store, blocking=_blocking)
        self._connections: Final = AsyncConnections(self._storage, _blocking=_blocking)
        self._clock: Final = clock
        self._on_event: Final = on_event or unheard

    async def status(self, organisations: Iterable[str] | None = None) -> FleetStatus:
        """
        How it stands with *organisations*, by tenant id or the company's own id, or with all that were ever connected.

        Raises `InvalidInput` for one that the store does not know.
        """
        found = await self._connections.list()
        if organisations is not None:
            wanted = {each.strip().lower() for each in organisations}
            found = Listing(each for each in found if wanted & {each.organisation.lower(), each.company.lower()})
            known = {name.lower() for each in found for name in (each.organisation, each.company)}
            if wanted - known:
                raise InvalidInput("organisation", "the store knows no such one: give the id that status shows")
        now = self._clock.now()
        status = FleetStatus(now, tuple([each async for each in self._each(found, now)]))
        tell(self._on_event, Event.FLEET_SEEN, status.counts())
        return status

    async def _each(self, found: Sequence[ConnectionSummary], now: datetime) -> AsyncIterator[OrganisationStatus]:
        for start in range(0, len(found), _PAGE):
            some = found[start : start + _PAGE]
            kept = await self._storage.get_many([key for each in some for key in _keys(each.organisation)])
            for place, each in enumerate(some):
                yield await self._of(each, kept[4 * place : 4 * place + 4], now)

    async def _of(
        self, connection: ConnectionSummary, kept: Sequence[Record | None], now: datetime
    ) -> OrganisationStatus:
        tenant = connection.organisation
        run, schedule, *woken = kept
        standing = read_standing(schedule) or Standing()
        due = min((each.due for each in (schedule, *woken) if each is not None and each.due is not None), default=None)
        lag = timedelta() if due is None else max(now - due, timedelta())
        undone = [each async for each in _intents(self._storage, tenant, [*OPEN_STATES, *_PERSON, State.REJECTED])]
        opened = [each for each in undone if each.state in OPEN_STATES]
        for_a_person = [each for each in undone if each.state in _PERSON]
        written = filter(None, map(finding_for, [*opened, *for_a_person]))
        gates = await self._storage.query(GATE, tenant)
        left = [each for each in (left_today(record, now) for record in gates) if each is not None]
        return OrganisationStatus(
            connection=connection,
            open=len(opened),
            parked=sum(each.state is State.PARKED for each in for_a_person),
            refused=sum(each.state is State.REJECTED for each in undone),
            last_run=None if run is None else read_run(run),
            findings=(
                *_connection(connection, now),
                *_worker(connection, standing, due, lag),
                *await _strays(self._storage, tenant),
                *written,
            ),
            runs=standing.runs,
            calls=standing.calls,
            bytes_down=standing.bytes_down,
            ended=standing.ended,
            due=due,
            lag_s=lag.total_seconds(),
            day_left=min(left, default=_told_of_day(standing, now)),
        )


class Fleet:
    """
    All organisations of *store*, in plain calls. Each `status` is told to *on_event* as one event, for metrics.

    Raises what the store raises.
    """

    def __init__(self, store: Storage, *, clock: Clock | None = None, on_event: OnEvent | None = None) -> None:
        self._flows: Final = AsyncFleet(store, clock=clock, on_event=on_event, _blocking=True)

    status: Final = stepped(AsyncFleet.status)


def headline(connection: ConnectionSummary) -> str:
    """Which organisation it is about, by its name, if it is known, and its tenant id."""
    return ", ".join(filter(None, (connection.name, connection.organisation)))


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


def _keys(tenant: str) -> tuple[RecordKey, ...]:
    return last_run_key(tenant), schedule_key(tenant), *wake_keys(tenant)


def _connection(connection: ConnectionSummary, now: datetime) -> Iterator[Finding]:
    if connection.state is not ConnectionState.CONNECTED:
        yield finding_of_connection(connection.state, connection.company)
    elif connection.dies_at is not None and connection.dies_at - now < _NEAR:
        yield Finding(
            code="consent dies",
            about=connection.company,
            cause=f"its tokens were not renewed for weeks, and Xero forgets them on {connection.dies_at:%Y-%m-%d}",
            fix="call keep_alive() each day",
            retry=True,
        )


def _told_of_day(standing: Standing, now: datetime) -> int | None:
    """What a run of today was told is left of the day, where the gate's count lies elsewhere, as in Redis."""
    is_today = standing.began is not None and now - standing.began < _DAY
    return standing.day_left if is_today else None


def _worker(
    connection: ConnectionSummary, standing: Standing, due: datetime | None, lag: timedelta
) -> Iterator[Finding]:
    if connection.state is not ConnectionState.CONNECTED:
        return
    often = standing.ended == Ended.FAILED and standing.failed >= _FAILED_OFTEN
    if standing.ended == Ended.REFUSED or often:
        yield Finding(
            code="runs fail" if often else "run refused",
            about=connection.organisation,
            cause=f"the last run ended with {standing.error or 'an error'}",
            fix="do what Ran.finding said, or let the doctor examine it",
            retry=True,
        )
    if standing.clock:
        yield clock_wrong(standing.clock, connection.organisation)
    if due is not None and lag > _OVERDUE:
        yield Finding(
            code="overdue",
            about=connection.organisation,
            cause=f"it is due since {due:%Y-%m-%d %H:%M} UTC, and no worker has come",
            fix="start a worker, or more of them",
            retry=True,
        )


async def _strays(storage: AsyncStorage, tenant: str) -> list[Finding]:
    found = await storage.query("stray", tenant, states=[strays.OPEN], limit=_PAGE)
    if not found:
        return []
    return [
        Finding(
            code="unknown to the ledger",
            about=tenant,
            cause=f"Xero holds {len(found):,} documents with our mark that the store does not know",
            fix="audit: it takes them over, and nothing is sent until then",
        )
    ]


async def _intents(storage: AsyncStorage, tenant: str, states: Sequence[str]) -> AsyncIterator[Intent]:
    async for page in pages_of(storage, "intent", tenant, states=states):
        for record in page:
            yield read_intent(record)


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
