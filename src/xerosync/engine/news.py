"""What webhooks have told of one organisation and nobody has looked at yet, and which of it is no news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from xerosync.client._wire import dates
from xerosync.engine.actions import RemovePayment
from xerosync.engine.inbox import DONE, EVENT, SEQUENCE, WAITING, Gap, Told, read_numbers, read_told
from xerosync.engine.intents import PAID, read_intent
from xerosync.engine.mirror import (
    CONTACTS,
    CREDIT_NOTES,
    INVOICES,
    PAYMENTS,
    Shelf,
    cursor_key,
    mirror_key,
    read_mirrored,
)
from xerosync.errors import VersionConflict
from xerosync.models import Payment, PaymentStatus
from xerosync.storage.protocol import AsyncStorage, Record, RecordKey

_SHELVES: Final[dict[str, Shelf]] = {"INVOICE": INVOICES, "CREDITNOTE": CREDIT_NOTES, "CONTACT": CONTACTS}
_KEPT: Final = timedelta(days=2)
"""How long an event that was looked at is known, so that its doubles are seen for what they are."""
_LAGS: Final = timedelta(minutes=1)
"""How long a change that was told of and does not show in Xero yet is waited for."""
_ECHOES: Final = timedelta(milliseconds=100)
"""How long before a write of our own, by the date in its answer, Xero may tell of it: elements of a batch differ."""
_PAGE: Final = 1000


@frozen
class News:
    """The events of an organisation that are *waiting*, and those of them that tell *nothing_new*."""

    waiting: tuple[Record, ...] = ()
    nothing_new: frozenset[RecordKey] = frozenset()

    @property
    def is_news(self) -> bool:
        """Whether any event tells of a change that is not known."""
        return len(self.nothing_new) < len(self.waiting)


async def news_of(storage: AsyncStorage, tenant: str) -> News:
    """What waits for *tenant*, up to a thousand events; what was read since, or is a write of our own, is not new."""
    waiting = await storage.query(EVENT, tenant, states=[WAITING], limit=_PAGE)
    known = await _known(storage, tenant, [read_told(record) for record in waiting]) if waiting else set[RecordKey]()
    return News(tuple(waiting), frozenset(known))


async def gaps_of(storage: AsyncStorage) -> tuple[bool, tuple[Gap, ...]]:
    """Whether webhooks come into *storage* at all, and the deliveries that are missing."""
    numbers = await storage.query(SEQUENCE, "", limit=_PAGE)
    return bool(numbers), tuple(gap for record in numbers for gap in read_numbers(record).gaps)


async def look_over(storage: AsyncStorage, tenant: str, news: News, now: datetime, *, read: bool) -> int:
    """
    Mark as done what waited in *news*, after the organisation was *read*, or else what told nothing new.

    A change of the last minute that does not show in Xero yet goes on waiting. Returns how many do.
    """
    told = {record.identity: read_told(record) for record in news.waiting}
    known = await _known(storage, tenant, list(told.values())) if read else news.nothing_new
    late = await _late(storage, tenant, told, now) if read else set[RecordKey]()
    done = [each for each in news.waiting if each.identity in known or (read and each.identity not in late)]
    await _mark_done(storage, done, now)
    return len(told) - len(done)


async def forget_old(storage: AsyncStorage, tenant: str, now: datetime) -> None:
    """Drop the events of *tenant* that were looked at days ago."""
    old = await storage.query(EVENT, tenant, states=[DONE], due_before=now, order="due", limit=_PAGE)
    if old:
        await storage.commit([], deletes=[record.identity for record in old])


async def payments_removed(storage: AsyncStorage, tenant: str, after: str | None) -> tuple[tuple[str, ...], str | None]:
    """The ids of the payments that people have removed, as was learnt after the cursor *after*; and the next one."""
    removed: list[str] = []
    while True:
        changed = await storage.query(PAYMENTS.kind, tenant, order="changed", after=after, limit=_PAGE)
        payments = [read_mirrored(record, Payment) for record in changed]
        gone = [str(each.payment_id) for each in payments if each.status == PaymentStatus.DELETED]
        removed += [each for each in gone if not await _removed_by_us(storage, tenant, each)]
        if changed:
            after = await storage.cursor(changed[-1], "changed")
        if len(changed) < _PAGE:
            return tuple(removed), after


async def _removed_by_us(storage: AsyncStorage, tenant: str, payment_id: str) -> bool:
    ours = await storage.query("intent", tenant, lookup=("xero_id", payment_id), limit=_PAGE)
    return any(read_intent(record).operation.kind == RemovePayment.kind for record in ours)


async def _late(storage: AsyncStorage, tenant: str, told: Mapping[RecordKey, Told], now: datetime) -> set[RecordKey]:
    """Those of *told* that are so fresh that Xero may not show them yet, if their lists are read here at all."""
    fresh = {key: _SHELVES.get(each.category) for key, each in told.items() if abs(now - each.at) < _LAGS}
    shelves = {shelf.name: cursor_key(tenant, shelf) for shelf in fresh.values() if shelf is not None}
    cursors = await storage.get_many(list(shelves.values()))
    mirrored = {name for name, cursor in zip(shelves, cursors, strict=True) if cursor is not None}
    return {key for key, shelf in fresh.items() if shelf is not None and shelf.name in mirrored}


async def _mark_done(storage: AsyncStorage, looked_at: Sequence[Record], now: datetime) -> None:
    """Mark what was *looked_at* as done, but for what was told anew meanwhile: that is looked at next time."""
    left = {record.identity: record for record in looked_at}
    while left:
        current = await storage.get_many(list(left))
        left = {
            each.identity: each for each in current if each is not None and each.version == left[each.identity].version
        }
        done = [evolve(record, state=DONE, due=now + _KEPT) for record in left.values()]
        try:
            await storage.commit(done, expect={record.identity: record.version for record in done})
        except VersionConflict:
            continue
        return


async def _known(storage: AsyncStorage, tenant: str, told: Sequence[Told]) -> set[RecordKey]:
    """Those of *told* whose change is in the mirror already, or is a write of the library's own (F 7.16)."""
    on_shelves = [each for each in told if each.category in _SHELVES]
    mirrored = await storage.get_many([mirror_key(_SHELVES[e.category], tenant, e.resource_id) for e in on_shelves])
    known: set[RecordKey] = set()
    for each, record in zip(on_shelves, mirrored, strict=True):
        unseen = [at for at in each.waiting if not _shows(record, at)]
        ours = await _our_moments(storage, tenant, each.resource_id) if unseen else []
        if all(any(timedelta() <= moment - at <= _ECHOES for moment in ours) for at in unseen):
            known.add(each.identity)
    return known


async def _our_moments(storage: AsyncStorage, tenant: str, document: str) -> list[datetime]:
    """When *document* was changed by writes of the library's own, payments on it among them."""
    moments: list[datetime] = []
    for name in ("xero_id", PAID):
        for record in await storage.query("intent", tenant, lookup=(name, document), limit=_PAGE):
            with suppress(ValueError, OverflowError):
                moments.append(dates.instant(read_intent(record).stamp))
    return moments


def _shows(record: Record | None, at: datetime) -> bool:
    return record is not None and _is_since(record.state, at)


def _is_since(stamp: str, at: datetime) -> bool:
    try:
        return dates.instant(stamp) >= at
    except (ValueError, OverflowError):
        return False
