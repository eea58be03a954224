"""Reading lists: filters, order, pages, and what changed since (F 4.01–4.28)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar, cast

from attrs import frozen

from xerosync.simulator.entities import milliseconds
from xerosync.simulator.given import read_instant
from xerosync.simulator.query import Names, read_order, read_where, sort_rows
from xerosync.simulator.refusals import UnreadableQuery
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.tables import Stamped, by_stamp
from xerosync.simulator.wire import Row

T = TypeVar("T", bound=Stamped)
_LARGEST_RESULT = 100_000
_WHOLE: Final = re.compile("-?[0-9]{1,9}")


@frozen
class Listing(Generic[T]):
    """
    How one resource is listed: under which *plural*, filtered by which *names*, in pages or whole, sorted how.

    Without *sort* the rows come in the order of their stamps.
    """

    plural: str
    names: Names[T]
    paged: bool
    sort: Callable[[T], int | tuple[int | str, str]] | None = by_stamp


def changed_since(call: Call, rows: list[T]) -> list[T]:
    """The *rows* written after If-Modified-Since, to the second (F 4.18, 4.19); all without that header."""
    header = call.headers.get("if-modified-since", "")
    since = read_instant(header) if header else None
    if since is None:
        return rows
    floor = milliseconds(since.replace(microsecond=0))
    if not call.books.switches.modified_since_includes_equal:
        floor += 1000
    return [row for row in rows if row.updated_ms >= floor]


def chosen(call: Call, rows: list[T], names: Names[T]) -> list[T]:
    """The *rows* that ``where`` lets through. Raises `UnreadableQuery`."""
    where = call.query.get("where", "").strip()
    if not where:
        return rows
    test = read_where(where, names)
    return [row for row in rows if test(row)]


def ordered(call: Call, rows: list[T], listing: Listing[T]) -> list[T]:
    """*rows* as ``order`` says, else by write stamp and id (F 4.13)."""
    if listing.sort is not None:
        rows.sort(key=listing.sort)
    order = call.query.get("order", "").strip()
    return sort_rows(rows, read_order(order, listing.names)) if order else rows


def listed(
    call: Call,
    listing: Listing[T],
    rows: Callable[[], Iterable[T]],
    *,
    shown: Callable[[T], Row],
    light: Callable[[T], Row],
    always_paged: bool = False,
) -> Answer:
    """Answer a list call: *shown* draws the rows of a page, *light* those of a call without one (F 4.08)."""
    found = _found(call, listing, rows)
    if not found and "if-modified-since" in call.headers and call.books.switches.unchanged_is_304:
        return Answer(None, 304)
    page = _whole(call.query, "page", 0)
    if listing.paged and (page or always_paged or call.flag("summaryOnly") or "pagesize" in call.query):
        return _page(call, listing, found, shown=shown, page=max(page, 1))
    if len(found) > _LARGEST_RESULT:
        raise UnreadableQuery("The request would return more than 100,000 records: page it or filter it")
    return Answer({listing.plural: [light(row) for row in found]})


def _found(call: Call, listing: Listing[T], rows: Callable[[], Iterable[T]]) -> list[T]:
    """The rows a call lists; those of the call before when only the page is another and nothing changed."""
    asked = sorted((name, value) for name, value in call.query.items() if name not in {"page", "pagesize"})
    key = (listing.plural, asked, call.headers.get("if-modified-since"), call.app_id, call.books.version)
    if call.books.last_listing[0] == key:
        return cast("list[T]", call.books.last_listing[1])
    found = ordered(call, chosen(call, changed_since(call, list(rows())), listing.names), listing)
    call.books.last_listing = (key, found)
    return found


def _page(call: Call, listing: Listing[T], found: Sequence[T], *, shown: Callable[[T], Row], page: int) -> Answer:
    size = min(max(_whole(call.query, "pagesize", 100), 1), 1000)
    count = len(found)
    rows = found[(page - 1) * size : page * size]
    if not rows and page > 1 and not call.books.switches.page_past_end_keeps_counts:
        count = 0
    pagination: Row = {"page": page, "pageSize": size, "pageCount": -(-count // size), "itemCount": count}
    return Answer({"pagination": pagination, listing.plural: [shown(row) for row in rows]})


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "").strip()
    return int(text) if _WHOLE.fullmatch(text) else default
