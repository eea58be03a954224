"""
What every store decides alike, as pure functions: where a query goes on, who gets a lease, which commit is nonsense.

A host's own store may use them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, TypeAlias, cast, get_args

from attrs import frozen

from xerosync.errors import InvalidInput
from xerosync.storage._unread import Unread
from xerosync.storage.protocol import Order, Owner, Record, RecordKey

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ORDERS: Final[tuple[str, ...]] = get_args(Order)

StoredRow: TypeAlias = tuple[str, str, str, int | None, str, int, int]
"""Key, body, state, due time in microseconds, look-ups as they are written, version, and the number of its change."""


class _Fillable(Unread):
    # Filling the slots of a frozen class costs a call a field. A class of the same slots that is not frozen takes plain
    # assignments, and Python lets what it made change over to the real one.
    __slots__ = ("body", "changed", "due", "key", "kind", "lookups", "state", "tenant", "version")

    kind: str
    tenant: str
    key: str
    body: str
    state: str
    due: datetime | None
    version: int
    changed: int


_RECORD: Final = cast(type[_Fillable], Record)


def stored_record(
    kind: str, tenant: str, row: StoredRow, *, read: Callable[[str], tuple[tuple[str, str], ...]]
) -> Record:
    """The record of a store's own *row*. Its look-ups are *read* when somebody asks for them: most never are."""
    it = _Fillable()
    it.key, it.body, it.state, due, it.written, it.version, it.changed = row
    it.kind = kind
    it.tenant = tenant
    it.due = None if due is None else from_micros(due)
    it.read = read
    it.__class__ = _RECORD
    return cast(Record, it)


def to_micros(at: datetime) -> int:
    """The instant as whole microseconds since 1970, exact, so that it sorts as a number."""
    if at.utcoffset() is None:
        raise InvalidInput("time", "give an aware datetime, such as datetime.now(UTC)")
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The UTC instant *micros* microseconds after the start of 1970."""
    return _EPOCH + micros * _MICROSECOND


def place_of(record: Record, order: Order) -> tuple[int, str]:
    """What *record* is sorted by under *order*: a number (0 under ``key``), then its key."""
    match order:
        case "key":
            return 0, record.key
        case "changed":
            return record.changed, record.key
        case "due":
            if record.due is None:
                raise InvalidInput("record", "one without a due time has no place under order='due'")
            return to_micros(record.due), record.key


def cursor_of(record: Record, order: Order) -> str:
    """The text of the place of *record*, for a later query to go on after it."""
    number, key = place_of(record, order)
    return key if order == "key" else f"{number} {key}"


def place_after(cursor: str, order: Order) -> tuple[int, str]:
    """The place a `cursor_of` stands for. Raises `InvalidInput` for a text that is none."""
    if order == "key":
        return 0, cursor
    number, blank, key = cursor.partition(" ")
    if not (blank and number.removeprefix("-").isdecimal()):
        raise InvalidInput("after", f"give a cursor made for order={order!r}")
    return int(number), key


def check_commit(puts: Sequence[Record], deletes: Sequence[RecordKey]) -> None:
    """Refuse a commit that names one key twice: which of the two should stay, nobody could say."""
    named = {(put.kind, put.tenant, put.key) for put in puts}
    named.update((key.kind, key.tenant, key.key) for key in deletes)
    if len(named) < len(puts) + len(deletes):
        raise InvalidInput("commit", "name each record once, among puts and deletes together")


def check_text(puts: Sequence[Record]) -> None:
    """Refuse text that a database cannot keep, or could not find again: half a character, and NUL."""
    for put in puts:
        text = "".join((put.kind, put.tenant, put.key, put.body, put.state, *chain(*put.lookups)))
        if "\0" in text:
            raise InvalidInput("record", "a text holds a NUL character, which not every database keeps: leave it out")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidInput("record", "a text holds a lone surrogate, half a character: replace it") from None


def check_limit(limit: int) -> None:
    """Refuse a *limit* below 1, which SQL would read as no limit."""
    if limit < 1:
        raise InvalidInput("limit", "give a number of at least 1")


def check_order(order: str) -> None:
    """Refuse an *order* that is none, from a caller whose types nobody checks: it may become part of the SQL."""
    if order not in _ORDERS:
        raise InvalidInput("order", f"give one of {', '.join(_ORDERS)}")


@frozen
class Holding:
    """A lease as a store keeps it: the latest *epoch*, its *owner* (None once released), and when it runs out."""

    epoch: int
    owner: Owner | None
    until: datetime


def grant_lease(
    held: Holding | None, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None
) -> Holding | None:
    """What the lease becomes when *owner* asks for it; None when somebody else keeps it."""
    if not ttl_s > 0:
        raise InvalidInput("ttl_s", "give a time above 0 seconds")
    until = now + timedelta(seconds=ttl_s)
    if held is None:
        return Holding(1, owner, until)
    if held.owner == owner:
        return Holding(held.epoch, owner, until)
    if held.owner is None or held.until <= now or held.owner == force:
        return Holding(held.epoch + 1, owner, until)
    return None
