"""What the lists of purchase orders and quotes have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final, TypeVar

from attrs import evolve

from xerosync.simulator.entities import Line, Offer, discount_of, instant
from xerosync.simulator.given import read_day
from xerosync.simulator.query import Id, Value, at_midnight
from xerosync.simulator.refusals import Refused
from xerosync.simulator.resources.call import Call
from xerosync.simulator.wire import Row

T = TypeVar("T", bound=Offer)

GETTERS: Final[dict[str, Callable[[Offer], Value]]] = {
    "status": lambda one: one.status,
    "reference": lambda one: one.reference or None,
    "date": lambda one: at_midnight(one.date),
    "total": lambda one: one.total,
    "subtotal": lambda one: one.sub_total,
    "totaltax": lambda one: one.total_tax,
    "currencycode": lambda one: one.currency,
    "updateddateutc": lambda one: instant(one.updated_ms).replace(tzinfo=None),
    "contact.contactid": lambda one: Id(one.contact_id),
}


def plain(call: Call, *ignored: str) -> Call:
    """*call* without the parameters that these lists do not know (F 4.34, 4.35): they are not refused."""
    dropped = {"where", *ignored}
    return evolve(call, query={name: value for name, value in call.query.items() if name not in dropped})


def filtered(call: Call, rows: Iterable[T], statuses: tuple[str, ...]) -> list[T]:
    """The *rows* of the Status and between the DateFrom and DateTo that are asked for. Raises `Refused`."""
    status = call.query.get("status", "").strip().upper()
    if status and status not in statuses:
        raise Refused(f"The value '{status}' is not a valid Status")
    kept = between(call, rows, "Date", lambda one: one.date)
    return [one for one in kept if not status or one.status == status]


def between(call: Call, rows: Iterable[T], name: str, read: Callable[[T], date | None]) -> list[T]:
    """The *rows* whose day lies in the range that ``{name}From`` and ``{name}To`` give, both included."""
    first, last = _day(call, f"{name}From"), _day(call, f"{name}To")
    if first is None and last is None:
        return list(rows)
    return [
        one
        for one in rows
        if (on := read(one)) is not None and (first is None or on >= first) and (last is None or on <= last)
    ]


def _day(call: Call, name: str) -> date | None:
    text = call.query.get(name.lower(), "").strip()
    found = read_day(text) if text else None
    if text and found is None:
        raise Refused(f"The value '{text}' is not a valid {name}")
    return found


def is_discounted(lines: Iterable[Line]) -> bool:
    """Whether any of *lines* has a discount."""
    return any(map(discount_of, lines))


def in_order(row: Row, names: Iterable[str]) -> Row:
    """The members *names* of *row* that it has, in that order."""
    return {name: row[name] for name in names if name in row}
