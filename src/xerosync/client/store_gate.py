"""
The rate gate that workers of several processes share: what is known of the calls lies in their store, or in Redis.

An organisation's log of the last minute is one record, changed by compare-and-set, so that two workers never take the
same place. Of the app's own minute, which all organisations share, a worker takes a slice of calls at a time: a record
that everybody wrote for every call would hold everybody up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Protocol

import msgspec
from attrs import define, evolve, field, frozen

from xerosync.client._limits import (
    APP_A_MINUTE,
    AppCalls,
    Flight,
    Limits,
    OrganisationCalls,
    Others,
    Wait,
    past,
    wait_before,
)
from xerosync.client._wire.answers import Counters
from xerosync.client.gate import Account, Permit
from xerosync.storage.adapt import port_for, put_instead
from xerosync.storage.protocol import AsyncStorage, Record, RecordKey, Storage

GATE: Final = "gate"
APP_GATE: Final = "gate.app"

_SPARE: Final = 2
"""Calls of each minute that processes which share it leave, since the clocks of their machines differ a little."""
_SLICE: Final = 50
_SLICE_LASTS: Final = timedelta(seconds=10)
_COUNTS_FOR: Final = timedelta(seconds=80)
"""A slice's last call may leave ten seconds after it was taken and travel for ten; then it counts for a minute."""
_MINUTE: Final = timedelta(seconds=60)
_DAY: Final = timedelta(hours=24)


class _Calls(msgspec.Struct):
    """`OrganisationCalls` as they are stored, with the last *number* that was given out."""

    number: int = 0
    flights: list[tuple[int, datetime, datetime | None]] = []
    others: tuple[int, datetime | None] = (0, None)
    heard: datetime | None = None
    closed: dict[str, datetime] = {}
    left_today: int | None = None
    day_heard: datetime | None = None
    day_began: datetime | None = None


class _App(msgspec.Struct):
    """The slices of an app's minute, each with when it was taken; and until when Xero refuses the app."""

    slices: list[tuple[datetime, int]] = []
    others: tuple[int, datetime | None] = (0, None)
    closed_until: datetime | None = None

    def known_at(self, now: datetime) -> _App:
        """As it is known at *now*: what a clock that was wrong has dated later was just now."""
        told = self.told().known_at(now)
        slices = [(past(at, now), count) for at, count in self.slices]
        return _App(slices, (told.others.count, told.others.until), told.closed_until)

    def told(self) -> AppCalls:
        """What Xero said of the app."""
        return AppCalls((), Others(*self.others), self.closed_until)

    def room(self, limits: Limits, now: datetime) -> int:
        """How many more calls may be given out at *now*."""
        count, until = self.others
        others = count if until is not None and until > now else 0
        return limits.app_a_minute - others - self.taken(now)

    def taken(self, now: datetime) -> int:
        """How many calls of the last minute were given out."""
        return sum(count for at, count in self.slices if at + _COUNTS_FOR > now)

    def opens_in(self, now: datetime) -> float:
        """In how many seconds the oldest slice counts no more."""
        return min(
            [(at + _COUNTS_FOR - now).total_seconds() for at, _ in self.slices if at + _COUNTS_FOR > now] or [1.0]
        )


@frozen
class _Slice:
    """Calls of an app's minute that this process may still send: how many are *left*, and *until* when."""

    left: int
    until: datetime


class GateRecords(Protocol):
    """Where a shared gate keeps what it knows."""

    async def read(self, keys: Sequence[RecordKey]) -> Sequence[Record | None]:
        """The records under *keys*, in order, None where there is none."""
        ...

    async def replace(self, fresh: Record, known: Record | None) -> bool:
        """Whether *fresh* took the place of *known*, None for nothing: not where another process was faster."""
        ...


@define(eq=False, repr=False)
class SharedGate:
    """
    What processes that share *records* decide together: one log of each organisation's calls, one of each app's.

    Of `Limits.a_minute` they leave two: 58 calls in any 60 seconds, unless it is set.
    """

    _records: GateRecords
    _slices: dict[Account, _Slice] = field(factory=dict[Account, _Slice], init=False)
    _turn: Lock = field(factory=Lock, init=False)
    _over: set[tuple[Account, int]] = field(factory=set[tuple[Account, int]], init=False)

    async def acquire(self, account: Account, limits: Limits, now: datetime, *, background: bool) -> Permit | Wait:
        """See `RateGate.acquire`."""
        while True:
            record, app_record = await self._records.read([_key(account), _app_key(account)])
            app = _read_app(app_record)
            calls, number = _read(record)
            if calls.known_at(now) is not calls:
                await self._records.replace(_record(account, calls.known_at(now), number), record)
                continue
            if app.known_at(now) != app:
                await self._records.replace(_app_record(account, app.known_at(now)), app_record)
                continue
            known = app.told()
            wait = wait_before(calls, known, _with_spare(limits), now, background=background)
            wait = wait or await self._sliced(account, app, app_record, limits, now)
            if wait is not None:
                return wait
            sent = calls.sent(number + 1, limits, now)
            if await self._records.replace(_record(account, sent, number + 1), record):
                self._use(account)
                return Permit(account, number + 1, now)

    async def observe(self, permit: Permit, counters: Counters, limits: Limits, now: datetime) -> None:
        """See `RateGate.observe`; the call has ended with its answer, which is kept in the same commit."""
        account = permit.account
        record, app_record = await self._records.read([_key(account), _app_key(account)])
        await self._change(
            account, record, lambda calls: calls.ended(permit.number, now).told(permit.sent, counters, limits, now)
        )
        with self._turn:
            self._over.add((account, permit.number))
        while True:
            known = _read_app(app_record)
            app = _app_told(known, counters, limits, now)
            if app == known or await self._records.replace(_app_record(account, app), app_record):
                return
            (app_record,) = await self._records.read([_app_key(account)])

    async def release(self, permit: Permit, now: datetime) -> None:
        """See `RateGate.release`."""
        with self._turn:
            if (permit.account, permit.number) in self._over:
                self._over.discard((permit.account, permit.number))
                return
        (record,) = await self._records.read([_key(permit.account)])
        await self._change(permit.account, record, lambda calls: calls.ended(permit.number, now))

    async def _change(
        self, account: Account, record: Record | None, change: Callable[[OrganisationCalls], OrganisationCalls]
    ) -> None:
        """Keep the calls of *record*, or of what took its place meanwhile, as *change* makes them."""
        while True:
            calls, number = _read(record)
            changed = change(calls)
            if changed == calls or await self._records.replace(_record(account, changed, number), record):
                return
            (record,) = await self._records.read([_key(account)])

    async def _sliced(
        self, account: Account, app: _App, record: Record | None, limits: Limits, now: datetime
    ) -> Wait | None:
        """None when this process has calls of the app's minute in hand, taking some if need be."""
        with self._turn:
            mine = self._slices.get(_app_of(account))
        if mine is not None and mine.left > 0 and now < mine.until <= now + _SLICE_LASTS:
            return None
        room = app.room(limits, now)
        if room <= 0:
            return Wait("appminute", app.opens_in(now))
        count = min(_SLICE, room)
        slices = [each for each in app.slices if each[0] + _COUNTS_FOR > now]
        taken = _App([*slices, (now, count)], app.others, app.closed_until)
        if not await self._records.replace(_app_record(account, taken), record):
            return Wait("appminute", 0.0)
        with self._turn:
            self._slices[_app_of(account)] = _Slice(count, now + _SLICE_LASTS)
        return None

    def _use(self, account: Account) -> None:
        with self._turn:
            mine = self._slices[_app_of(account)]
            self._slices[_app_of(account)] = evolve(mine, left=mine.left - 1)


@frozen
class _InStore:
    """Records in a host's store."""

    storage: AsyncStorage

    async def read(self, keys: Sequence[RecordKey]) -> Sequence[Record | None]:
        return await self.storage.get_many(keys)

    async def replace(self, fresh: Record, known: Record | None) -> bool:
        return await put_instead(self.storage, fresh, known)


class StoreGate(SharedGate):
    """
    A gate for every process that works on *store*: ``Xero(…, gate=StoreGate(store))``.

    It counts as `Limits` say, whichever process calls, and a worker that was killed frees its place by itself. A
    `Worker` has one unless it is given another. *blocking* is False under `AsyncXero`.
    """

    def __init__(self, store: Storage | AsyncStorage, *, blocking: bool = True) -> None:
        super().__init__(_InStore(port_for(store, blocking=blocking)))


def left_today(record: Record, now: datetime) -> int | None:
    """The calls of the day that are left, as a *record* of the gate knows it at *now*; None before the day's first."""
    calls, _ = _read(record)
    is_over = calls.day_began is None or now >= calls.day_began + _DAY
    return None if is_over else calls.left_today


def _with_spare(limits: Limits) -> Limits:
    return evolve(limits, a_minute=max(limits.a_minute - _SPARE, 1))


def _app_told(app: _App, counters: Counters, limits: Limits, now: datetime) -> _App:
    """*app* after an answer showed these *counters*: Xero's word wins over what was given out."""
    closed, others = app.closed_until, app.others
    if counters.refused == "appminute":
        closed = now + timedelta(seconds=counters.retry_after_s)
    if counters.app_minute_left is not None:
        hidden = max(APP_A_MINUTE, limits.app_a_minute) - counters.app_minute_left - app.taken(now)
        if hidden > 0:
            others = (hidden, now + _MINUTE)
    return _App(app.slices, others, closed)


def _app_of(account: Account) -> Account:
    return evolve(account, organisation="")


def _name(account: Account) -> str:
    return f"{account.app} {account.api}"


def _key(account: Account) -> RecordKey:
    return RecordKey(GATE, account.organisation, _name(account))


def _app_key(account: Account) -> RecordKey:
    return RecordKey(APP_GATE, "", _name(account))


def _record(account: Account, calls: OrganisationCalls, number: int) -> Record:
    kept = _Calls(
        number,
        [(flight.number, flight.sent, flight.ended) for flight in calls.flights],
        (calls.others.count, calls.others.until),
        calls.heard,
        dict(calls.closed),
        calls.left_today,
        calls.day_heard,
        calls.day_began,
    )
    return Record(GATE, account.organisation, _name(account), _encode(kept))


def _read(record: Record | None) -> tuple[OrganisationCalls, int]:
    """The calls that *record* keeps, and the last number that was given out."""
    kept = _Calls() if record is None else _CALLS.decode(record.body)
    calls = OrganisationCalls(
        tuple(Flight(*each) for each in kept.flights),
        Others(*kept.others),
        kept.heard,
        kept.closed,
        kept.left_today,
        kept.day_heard,
        kept.day_began,
    )
    return calls, kept.number


def _app_record(account: Account, app: _App) -> Record:
    return Record(APP_GATE, "", _name(account), _encode(app))


def _read_app(record: Record | None) -> _App:
    return _App() if record is None else _APPS.decode(record.body)


def _encode(kept: msgspec.Struct) -> str:
    return _ENCODER.encode(kept).decode()


_ENCODER: Final = msgspec.json.Encoder()
_CALLS: Final = msgspec.json.Decoder(_Calls)
_APPS: Final = msgspec.json.Decoder(_App)
