"""
`Worker` and `AsyncWorker`: one run of one organisation, whoever calls it and however often, and a loop over them.

A run is bounded by its budget, ends between two calls when asked to, and is alone in its organisation; what it did is
not done again by the next. So any engine that calls `Worker.run` at least once will do, and none is needed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from typing import Final
from zlib import crc32

from attrs import evolve, frozen

from xerosync.client._books import QUARANTINE_S
from xerosync.client._driver import stepped
from xerosync.client._limits import Limits
from xerosync.client.connections import AsyncConnections
from xerosync.client.gate import RateGate
from xerosync.client.oauth import App, Endpoints
from xerosync.client.organisations import tenant_id
from xerosync.client.states import ConnectionState, state_of
from xerosync.client.store_gate import StoreGate
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine.connection_findings import CLOCK_WRONG, finding_of_clock, finding_of_connection
from xerosync.engine.intents import OPEN_STATES
from xerosync.engine.lease import Lease
from xerosync.engine.news import News, forget_old, gaps_of, look_over, news_of, payments_removed
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import recover
from xerosync.engine.run_gate import RunClock, RunGate, ShouldStop, Tally, begin_alone
from xerosync.engine.schedule import (
    SCHEDULE,
    TOLD,
    WAKE,
    Ended,
    Rhythm,
    Seen,
    Standing,
    Why,
    after_error,
    idle_after,
    is_same,
    next_time,
    read_standing,
    schedule_key,
    wake_keys,
    wake_record,
    why_now,
)
from xerosync.engine.sweeping import sweep as sweep_on
from xerosync.errors import InvalidInput, LeaseLost, VersionConflict, XerosyncError
from xerosync.events import Event, OnEvent, tell, unheard
from xerosync.events import every as every_listener
from xerosync.models import TenantId
from xerosync.ports import Clock, Transport
from xerosync.storage.adapt import port_for, put_instead
from xerosync.storage.owner import this_process
from xerosync.storage.protocol import AsyncStorage, Record, Storage

_PAGE: Final = 1000
_AGAIN: Final = timedelta(minutes=1)
_NAP_S: Final = 1.0
_TURN: Final = 20
_OFFERED: Final = 200
"""How many organisations a worker takes before it asks again, and from how many of those that are due first."""


def _never() -> bool:
    return False


@frozen
class Due:
    """That *organisation*, a tenant id, is due *at* (UTC): a run before that finds nothing to do."""

    organisation: TenantId
    at: datetime


@frozen(kw_only=True, repr=False)
class Ran:
    """
    One run of one *organisation*: *why* there was anything to do, how it *ended*, and when it is *due* again.

    *due* is None when only a new consent can help. *news* counts documents that had changed in Xero, *posted* those
    that were written, *payments_removed* are the ids of payments that people have removed there, and *day_left* are the
    calls that Xero said were left of the day. Where it did not come to its end, *error* is what it raised, and
    *finding* what to do when that concerns the connection; or, however it ended, when this machine's clock is more than
    a minute wrong.
    """

    organisation: TenantId
    why: Why
    ended: Ended
    due: datetime | None
    calls: int = 0
    bytes_down: int = 0
    news: int = 0
    posted: int = 0
    payments_removed: tuple[str, ...] = ()
    day_left: int | None = None
    error: Exception | None = None
    finding: Finding | None = None

    def __repr__(self) -> str:
        return f"<Ran {self.organisation}: {self.ended.value} ({self.why.value}), {self.calls} calls>"


@frozen(kw_only=True)
class _Client:
    """What the client of each run is made of."""

    app: App
    store: Storage | AsyncStorage
    transport: Transport | None
    clock: Clock
    endpoints: Endpoints | None
    limits: Limits | None
    gate: RateGate
    quarantine_s: float
    on_event: OnEvent


class AsyncWorker:
    """
    Works on organisations when they are due, awaited: *work* is called with a client of the organisation.

    What *work* does is yours: plan and apply, as often as you like, from what your product holds by then. What an
    earlier run left open is closed before. An organisation is worked on *every* so often, less often once nothing has
    changed for two hours, up to *max_silence*. Once webhooks come into the *store* (`AsyncWebhookInbox`), it is when
    they tell of a change, and after *max_silence* in any case; *gather* has it wait so long for further ones, which one
    run then reads. `wake` says that your product has news. A run makes *calls* at most, if given, and the next one goes
    on. What Xero changes unstamped is met by reading all again, in about the time
    *sweep*, a page a run at most.

    The store, the clock and the rest are as `AsyncXero` takes them. Every process may have its own worker on the same
    store. Raises `InvalidInput`.
    """

    def __init__(
        self,
        app: App,
        *,
        store: Storage | AsyncStorage,
        work: Callable[[AsyncXero], Awaitable[object]],
        every: timedelta = timedelta(minutes=15),
        max_silence: timedelta = timedelta(hours=6),
        gather: timedelta = timedelta(),
        calls: int | None = None,
        sweep: timedelta | None = timedelta(days=7),
        transport: Transport | None = None,
        clock: Clock | None = None,
        endpoints: Endpoints | None = None,
        limits: Limits | None = None,
        gate: RateGate | None = None,
        quarantine_s: float = QUARANTINE_S,
        on_event: OnEvent | None = None,
        _blocking: bool = False,
    ) -> None:
        if not timedelta() < every <= max_silence:
            raise InvalidInput("every", "give a time above zero, and no longer than max_silence")
        if not timedelta() <= gather <= max_silence:
            raise InvalidInput("gather", "give no negative time, and none longer than max_silence")
        if sweep is not None and sweep <= timedelta():
            raise InvalidInput("sweep", "give a time above zero, or None to leave it")
        if clock is None:
            from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

            clock = _http.BlockingClock() if _blocking else _http.AsyncClock()
        self._storage: Final = port_for(store, blocking=_blocking)
        gate = gate or StoreGate(self._storage, blocking=_blocking)
        self._work: Final = work
        self._rhythm: Final = Rhythm(every=every, max_silence=max_silence, gather=gather)
        self._calls: Final = calls
        self._sweep: Final = sweep
        self._blocking: Final = _blocking
        self._client: Final = _Client(
            app=app, store=self._storage if _blocking else store, transport=transport, clock=clock,
            endpoints=endpoints, limits=limits, gate=gate, quarantine_s=quarantine_s, on_event=on_event or unheard,
        )  # fmt: skip

    async def wake(
        self, organisation: str, *, at: datetime | None = None, store: Storage | AsyncStorage | None = None
    ) -> None:
        """
        Have *organisation* worked on *at* the latest (aware), or as soon as may be: your product has news.

        With ``store.within(connection)`` as *store* it is so if your own transaction is kept.
        """
        kept = self._storage if store is None else port_for(store, blocking=self._blocking)
        await kept.commit([wake_record(tenant_id(organisation), at or self._client.clock.now())])

    async def enrol(self) -> int:
        """
        Put the organisations that were connected since the last time on the schedule; how many there were.

        `run_forever` does it by itself. Nothing is asked of Xero.
        """
        now = self._client.clock.now()
        listed = await AsyncConnections(self._storage, _blocking=self._blocking).list()
        connected = [each.organisation for each in listed if each.state is ConnectionState.CONNECTED]
        enrolled = 0
        for start in range(0, len(connected), _PAGE):
            some = connected[start : start + _PAGE]
            records = await self._storage.get_many([schedule_key(tenant) for tenant in some])
            for tenant, record in zip(some, records, strict=True):
                if record is None or (record.due is None and record.state == Ended.REFUSED):
                    standing = read_standing(record) or Standing()
                    fresh = standing.record(tenant, now)
                    enrolled += await put_instead(self._storage, fresh, record)
        return enrolled

    async def due(self, organisations: Iterable[str] | None = None, *, limit: int = _PAGE) -> tuple[Due, ...]:
        """
        When each of *organisations* is due next, the earliest first; those never seen are due now, others may be never.

        Unless they are given, those of the whole store that are due now, the first *limit*.
        """
        now = self._client.clock.now()
        if organisations is None:
            found = [
                await self._storage.query(kind, "", due_before=now, order="due", limit=limit)
                for kind in (WAKE, SCHEDULE)
            ]
            return _earliest(chain.from_iterable(found))[:limit]
        wanted = [tenant_id(each) for each in organisations]
        known: list[Record] = []
        for start in range(0, len(wanted), _PAGE):
            keys = [key for each in wanted[start : start + _PAGE] for key in (schedule_key(each), *wake_keys(each))]
            known += filter(None, await self._storage.get_many(keys))
        seen = {record.key.removesuffix(TOLD) for record in known}
        strangers = [wake_record(each, now) for each in wanted if each not in seen]
        return _earliest([*known, *strangers])

    async def run(self, organisation: str, *, should_stop: ShouldStop = _never) -> Ran:
        """
        Work on *organisation* if there is anything to do; without a call to Xero when there is not.

        It never raises for what befell it in Xero, in the store's records of other workers, or in *work*: `Ran` says
        it, and when to come again. Raises `StoreFailed` when the store itself fails, and `InvalidInput`.
        """
        tenant = tenant_id(organisation)
        now = self._client.clock.now()
        known = await self._known(tenant, now)
        # Most runs have nothing to do, and need not be alone to say so.
        if (quiet := await self._quiet(tenant, known, now)) is not None:
            return quiet
        lease = await begin_alone(self._storage, self._client.clock, tenant, this_process("worker"))
        if lease is None:
            return Ran(organisation=tenant, why=Why.QUIET, ended=Ended.BUSY, due=now + _AGAIN)
        try:
            return await self._run(tenant, known, lease, should_stop, now)
        finally:
            await lease.release()

    async def run_forever(self, *, should_stop: ShouldStop = _never) -> None:
        """
        Work on whatever is due, one organisation after another, until *should_stop* says so.

        Start several, in tasks or processes, to work on several at a time. It sleeps a second at a time while nothing
        is due, and ends between two calls of a run, so that a SIGTERM that makes *should_stop* true is obeyed soon.
        """
        enrol_at = self._client.clock.now()
        while not should_stop():
            if self._client.clock.now() >= enrol_at:
                await self.enrol()
                enrol_at = self._client.clock.now() + self._rhythm.every
            worked = False
            for each in self._in_turn(await self.due(limit=_OFFERED)):
                if should_stop():
                    return
                worked |= (await self.run(each.organisation, should_stop=should_stop)).ended is not Ended.BUSY
            if not worked:
                await self._client.clock.sleep(_NAP_S)

    def _in_turn(self, due: Sequence[Due]) -> Sequence[Due]:
        """Whom to work on before asking again; of many, each worker takes others first, so that few meet."""
        if len(due) <= _TURN:
            return due
        return sorted(due, key=lambda each: crc32(f"{this_process('worker')} {each.organisation}".encode()))[:_TURN]

    async def _quiet(self, tenant: TenantId, known: _Known, now: datetime) -> Ran | None:
        """The run that finds nothing to do; None where there is something, or another worker came in between."""
        if why_now(known.standing, known.seen, self._rhythm, now) is not Why.QUIET or known.standing is None:
            return None
        await look_over(self._storage, tenant, known.news, now, read=False)
        quiet = known.standing.looked_at(known.seen, now)
        due = next_time(quiet, known.seen, self._rhythm, now)
        await self._obeyed(known.woken)
        record = quiet.record(tenant, due)
        if not is_same(record, known.schedule) and not await put_instead(self._storage, record, known.schedule):
            return None
        return Ran(organisation=tenant, why=Why.QUIET, ended=Ended.QUIET, due=due)

    async def _run(self, tenant: TenantId, known: _Known, lease: Lease, should_stop: ShouldStop, now: datetime) -> Ran:
        while True:
            under_way = evolve(known.standing or Standing(), ended="").record(tenant, now)
            expect = {under_way.identity: 0 if known.schedule is None else known.schedule.version}
            try:
                await self._storage.commit([under_way], expect=expect, fence=await lease.held())
            except VersionConflict:
                # Another worker has run since it was looked at.
                known = await self._known(tenant, now)
                if (quiet := await self._quiet(tenant, known, now)) is not None:
                    return quiet
                continue
            break
        why = why_now(known.standing, known.seen, self._rhythm, now)
        ran = await self._worked(tenant, why, lease, should_stop)
        try:
            ran = await (self._done(ran, known, lease, now) if ran.error is None else self._broken(ran, known, lease))
        except LeaseLost as lost:  # whoever has taken over keeps how it stands
            ran = evolve(ran, ended=Ended.BUSY, due=self._client.clock.now() + _AGAIN, error=ran.error or lost)
        self._tell(ran, known.since or now, now)
        return ran

    async def _known(self, tenant: TenantId, now: datetime) -> _Known:
        schedule, asked, told = await self._storage.get_many([schedule_key(tenant), *wake_keys(tenant)])
        news = await news_of(self._storage, tenant)
        webhooks, gaps = await gaps_of(self._storage)
        open_ = await self._storage.query("intent", tenant, states=OPEN_STATES, due_before=now, order="due", limit=1)
        is_asked = asked is not None and asked.due is not None and asked.due <= now
        due = [each.due for each in (schedule, asked, told) if each is not None and each.due is not None]
        return _Known(
            schedule=schedule,
            standing=read_standing(schedule),
            since=min(due, default=None),
            woken=tuple(each for each in (asked if is_asked else None, told) if each is not None),
            news=news,
            seen=Seen(asked=is_asked, told=news.is_news, open=bool(open_), gaps=gaps, webhooks=webhooks),
        )

    async def _worked(self, tenant: TenantId, why: Why, lease: Lease, should_stop: ShouldStop) -> Ran:
        """The run itself; what its work raised is in it, but for a failure of the store."""
        tally = Tally()
        made = self._client
        client = AsyncXero(
            made.app, tenant, store=made.store, transport=made.transport, clock=RunClock(made.clock, should_stop),
            endpoints=made.endpoints, limits=made.limits, gate=RunGate(made.gate, lease, should_stop), background=True,
            quarantine_s=made.quarantine_s, on_event=every_listener(tally, made.on_event), _blocking=self._blocking,
        )  # fmt: skip
        error: Exception | None = None
        try:
            with client.run(calls=self._calls):
                if await self._storage.query("intent", tenant, states=OPEN_STATES, limit=1):
                    await recover(client.books)
                await self._work(client)
                if self._sweep is not None:
                    await sweep_on(client.books, self._sweep)
        except Exception as raised:  # noqa: BLE001 - whatever the host's work raises, the others run on
            error = raised
        finally:
            await client.close()
        return Ran(
            organisation=tenant, why=why, ended=Ended.DONE, due=None, calls=client.usage.calls,
            bytes_down=client.usage.bytes_down, news=tally.news, posted=tally.posted, error=error,
            day_left=client.usage.day_left, finding=finding_of_clock(client.books.ahead, tenant),
        )  # fmt: skip

    async def _broken(self, ran: Ran, known: _Known, lease: Lease) -> Ran:
        """*ran*, which raised an error, with how it ended and when to try again, both kept."""
        now = self._client.clock.now()
        standing = (known.standing or Standing()).counting(ran.calls, ran.bytes_down, ran.day_left)
        ended, due = after_error(ran.error, standing.failed, self._rhythm, now)
        failed = standing.failed + (ended is not Ended.STOPPED)
        broken = evolve(standing, ended=ended, failed=failed, error=type(ran.error).__name__, clock=_clock(ran))
        # Obeyed though it came to nothing: it is tried again when it is due, and not at once, without end.
        await self._keep(broken.record(ran.organisation, due), known.woken, lease)
        return evolve(ran, ended=ended, due=due, finding=_finding(ran) or ran.finding)

    async def _done(self, ran: Ran, known: _Known, lease: Lease, began: datetime) -> Ran:
        """*ran*, which came to its end, with when to come again, which is kept."""
        now = self._client.clock.now()
        before = known.standing or Standing()
        lagging = await look_over(self._storage, ran.organisation, known.news, now, read=True)
        await forget_old(self._storage, ran.organisation, now)
        removed, cursor = await payments_removed(self._storage, ran.organisation, before.payments)
        is_news = bool(ran.news or ran.posted)
        idle = idle_after(before, self._rhythm, is_first=ran.why is Why.FIRST, is_news=is_news)
        counted = before.counting(ran.calls, ran.bytes_down, ran.day_left)
        after = evolve(counted, began=began, ended=Ended.DONE, idle=idle, failed=0, payments=cursor, clock=_clock(ran))
        due = now + _AGAIN if lagging else next_time(after, known.seen, self._rhythm, now)
        open_ = await self._storage.query("intent", ran.organisation, states=OPEN_STATES, order="due", limit=1)
        due = min([due, *(max(each.due, now) for each in open_ if each.due is not None)])
        await self._keep(after.record(ran.organisation, due), known.woken, lease)
        return evolve(ran, due=due, payments_removed=() if ran.why is Why.FIRST else removed)

    async def _keep(self, record: Record, woken: Sequence[Record], lease: Lease) -> None:
        """Keep *record*, and drop the wake-ups that were obeyed, but for those that came anew."""
        await self._obeyed(woken)
        await self._storage.commit([record], fence=await lease.held())

    async def _obeyed(self, woken: Sequence[Record]) -> None:
        """Drop the wake-ups that were obeyed, but for those that came anew."""
        for each in woken:
            expect = {each.identity: each.version}
            with suppress(VersionConflict):
                await self._storage.commit([], expect=expect, deletes=[each.identity])

    def _tell(self, ran: Ran, due: datetime, began: datetime) -> None:
        tell(self._client.on_event, Event.RUN_FINISHED, {
            "organisation": ran.organisation, "why": ran.why.value, "ended": ran.ended.value,
            "seconds": (self._client.clock.now() - began).total_seconds(),
            "lag": max(0.0, (began - due).total_seconds()), "calls": ran.calls, "bytes_down": ran.bytes_down,
            "news": ran.news, "posted": ran.posted,
            **({} if ran.error is None else {"error": type(ran.error).__name__}),
        })  # fmt: skip


class Worker:
    """
    Works on organisations when they are due: *work* is called with a client of the organisation.

    What *work* does is yours: plan and apply, as often as you like, from what your product holds by then. What an
    earlier run left open is closed before. An organisation is worked on *every* so often, less often once nothing has
    changed for two hours, up to *max_silence*. Once webhooks come into the *store* (`WebhookInbox`), it is when they
    tell of a change, and after *max_silence* in any case; *gather* has it wait so long for further ones, which one run
    then reads. `wake` says that your product has news. A run makes *calls* at most, if given, and the next one goes on.
    What Xero changes unstamped is met by reading all again, in about the time
    *sweep*, a page a run at most.

    The store, the clock and the rest are as `Xero` takes them. Every process may have its own worker on the same store.
    Raises `InvalidInput`.
    """

    def __init__(
        self,
        app: App,
        *,
        store: Storage,
        work: Callable[[Xero], object],
        every: timedelta = timedelta(minutes=15),
        max_silence: timedelta = timedelta(hours=6),
        gather: timedelta = timedelta(),
        calls: int | None = None,
        sweep: timedelta | None = timedelta(days=7),
        transport: Transport | None = None,
        clock: Clock | None = None,
        endpoints: Endpoints | None = None,
        limits: Limits | None = None,
        gate: RateGate | None = None,
        quarantine_s: float = QUARANTINE_S,
        on_event: OnEvent | None = None,
    ) -> None:
        async def plain(client: AsyncXero) -> None:
            work(Xero(app, client.books.tenant, store=store, _asynchronous=client))

        self._flows: Final = AsyncWorker(
            app, store=store, work=plain, every=every, max_silence=max_silence, gather=gather, calls=calls, sweep=sweep,
            transport=transport, clock=clock, endpoints=endpoints, limits=limits, gate=gate, quarantine_s=quarantine_s,
            on_event=on_event, _blocking=True,
        )  # fmt: skip

    wake: Final = stepped(AsyncWorker.wake)
    enrol: Final = stepped(AsyncWorker.enrol)
    due: Final = stepped(AsyncWorker.due)
    run: Final = stepped(AsyncWorker.run)
    run_forever: Final = stepped(AsyncWorker.run_forever)


@frozen(kw_only=True)
class _Known:
    """What is known of an organisation before its run: how it stands, the wake-ups to obey, and what webhooks told."""

    schedule: Record | None
    standing: Standing | None
    since: datetime | None
    woken: tuple[Record, ...]
    news: News
    seen: Seen


def _finding(ran: Ran) -> Finding | None:
    """What to do about the connection, where that is what *ran* ended by."""
    state = state_of(ran.error) if isinstance(ran.error, XerosyncError) else None
    if state is None or state is ConnectionState.CONNECTED:
        return None
    return finding_of_connection(state, ran.organisation)


def _clock(ran: Ran) -> str:
    """How far the clock was wrong that *ran* went by; "" where it was right."""
    return ran.finding.cause if ran.finding is not None and ran.finding.code == CLOCK_WRONG else ""


def _earliest(records: Iterable[Record]) -> tuple[Due, ...]:
    """When each organisation of *records* is due, the earliest first."""
    found: dict[str, datetime] = {}
    for record in records:
        tenant = record.key.removesuffix(TOLD)
        if record.due is not None:
            found[tenant] = min(found.get(tenant, record.due), record.due)
    return tuple(sorted((Due(TenantId(tenant), at) for tenant, at in found.items()), key=lambda each: each.at))
