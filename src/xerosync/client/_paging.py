"""
A list by pages, whole whatever people do in Xero meanwhile: no row lost, and each once.

A page is a place in a list that moves (F 4.14): a row that leaves takes those behind it one place forward, over the
edge of a page already read. So lists are read in the order of an id, which nothing changes, and each page begins some
rows before the end of the last: rows that are known show that nothing has moved past the edge between the two. That
holds whenever each of them was read, so that several may be in flight. Where no known row shows, the page is read
again from further back.

Some lists no row ever leaves. Such a list is the same for as long as Xero counts as many rows on it, and then its
pages need not share any. A count may be older than the rows that come with it, so a page stands once those after it
bring the same count. When one brings another, the pages that do not stand yet are read again, and share rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import Final

from attrs import Factory, define, field, frozen

from xerosync.client._session import Query, Session
from xerosync.client._wire.answers import Envelope
from xerosync.client._wire.rows import Row
from xerosync.errors import Unavailable

PAGE_SIZE: Final = 1000
_SHARED: Final = 10
"""Rows that two pages have in common, at least: so many may leave meanwhile before a page must be read again."""
_SMALLEST: Final = 100
"""Rows of a page where Xero is not asked for another number (F 4.01)."""
_REMEMBERED: Final = 50_000
"""Ids that are known while pages overlap: more rows than ever leave between two of them."""
_NO_FILTERS: Final = frozenset({"order", "unitdp"})
"""Parameters by which a list has no fewer rows."""
_READINGS: Final = 8
_HALTS: Final = 40


@frozen
class Window:
    """The page of this *number*, where pages have *size* rows."""

    number: int
    size: int

    @property
    def start(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size

    @property
    def end(self) -> int:
        """How many rows have passed behind it, if it is full."""
        return self.number * self.size


def window_from(row: int, *, largest: int) -> Window:
    """The page that reaches furthest of those that begin at *row* (from 0) or before it."""
    size = max(range(largest // 2, largest + 1), key=lambda size: size - row % size)
    return Window(row // size + 1, size)


def windows_ahead(end: int, items: int, *, at_most: int, largest: int, shared: int) -> list[Window]:
    """The next *at_most* pages of a list of *items* rows, *end* of them read; each has *shared* rows of the last."""
    ahead: list[Window] = []
    while end < items and len(ahead) < at_most:
        ahead.append(window_from(max(end - shared, 0), largest=largest))
        end = ahead[-1].end
    return ahead


@define
class Latest:
    """The ids that were met last, so many at least: a list of half a million is not held in memory to be read."""

    _now: set[object] = field(factory=set[object])
    _before: set[object] = field(factory=set[object])

    def __contains__(self, name: object) -> bool:
        return name in self._now or name in self._before

    def add(self, name: object) -> None:
        """Know *name*, and forget what was met long before it."""
        if len(self._now) >= _REMEMBERED:
            self._before, self._now = self._now, set()
        self._now.add(name)


@frozen
class Place:
    """How far a list was read: to its row *end*, the *last* ids before which are known."""

    end: int
    last: frozenset[str]


@frozen
class Page:
    """
    The *rows* of a page that were on none before, each parsed as it is taken, and the server's time.

    Once they are kept, another reading of the list may begin at *place*; None where that cannot be.
    """

    rows: Iterator[Row]
    server_time: datetime | None
    place: Place | None = None


async def whole_rows(session: Session, query: Query, id_name: str) -> AsyncIterator[Row]:
    """The rows of *query* as `whole_pages` has them."""
    async for page in whole_pages(session, query, id_name):
        for row in page.rows:
            yield row


async def whole_pages(
    session: Session, query: Query, id_name: str, *, sized: bool = True, begin: Place | None = None
) -> AsyncIterator[Page]:
    """
    The pages of *query* in the order of the id called *id_name*, until every row was on one; each row comes once.

    *sized*: a page may have any number of rows here. With *begin* an earlier reading goes on there, if its last rows
    are still found; else it begins anew. Raises `Unavailable` when there is no getting to the end.
    """
    query = query.asking({"order": id_name, **query.params})
    size = PAGE_SIZE if sized else None
    first, end = await _first(session, query, id_name, begin, size)
    known = set[object]() if end is None else Latest()
    for name in () if begin is None else begin.last:
        known.add(name)
    pages: AsyncIterator[tuple[Envelope, Place | None]]
    if end is None:
        pages = _repeated(session, query, id_name, first, size)
    else:
        pages = _counted(session, query, id_name, (first, end), known)
    async for page, place in pages:
        rows = fresh(page.rows, id_name, known)
        yield Page(rows, page.server_time, place)
        for _ in rows:
            # What the reader has left is known all the same.
            pass


async def _first(
    session: Session, query: Query, id_name: str, begin: Place | None, size: int | None
) -> tuple[Envelope, int | None]:
    """The page that a reading begins with, and how many rows have passed with it; None where Xero tells no counts."""
    if begin is not None:
        window = window_from(max(begin.end - _SHARED, 0), largest=PAGE_SIZE)
        page = await session.read(query.page(window.number, window.size))
        is_known = any(_id(row, id_name) in begin.last for row in page.rows)
        if is_known and page.items is not None and page.page_size == window.size:
            return page, window.start + len(page.rows)
    first = await session.read(query.page(1, size))
    counts = size is not None and first.page_size == size and first.items is not None
    return first, len(first.rows) if counts else None


def _place(page: Envelope, id_name: str, end: int) -> Place:
    last = (_id(row, id_name) for row in page.rows[-2 * _SHARED :])
    return Place(end, frozenset(each for each in last if each is not None))


def fresh(rows: Iterable[Row], id_name: str, known: set[object] | Latest) -> Iterator[Row]:
    """Those of *rows* whose ids are not *known* yet; then they are."""
    for row in rows:
        name = _id(row, id_name)
        if name is None:
            yield row
        elif name not in known:
            known.add(name)
            yield row


async def _counted(
    session: Session, query: Query, id_name: str, first: tuple[Envelope, int], known: set[object] | Latest
) -> AsyncIterator[tuple[Envelope, Place | None]]:
    """The pages where Xero counts the rows of the list, and where another reading may go on."""
    page, end = first
    so_far = _SoFar(page.items or 0, _place(page, id_name, end))
    yield page, so_far.place
    if _only_grows(query):
        async for page in _standing(session, query, id_name, so_far):
            yield page, so_far.place
    async for page in _overlapping(session, query, id_name, so_far, known):
        yield page, so_far.place


@define
class _SoFar:
    """How far a list of so many *items* was read: the pages as far as *sure* stand, whatever comes after them."""

    items: int
    sure: Place
    end: int = field(default=Factory(lambda self: self.sure.end, takes_self=True))

    @property
    def place(self) -> Place | None:
        """Where another reading may go on; None at the end of the list."""
        return self.sure if self.end < self.items else None


def _only_grows(query: Query) -> bool:
    """Whether no row leaves the list: voided invoices stay (F 4.26), and archived contacts where asked for (F 6.33)."""
    asked = {name: value for name, value in query.params.items() if name not in _NO_FILTERS}
    return (query.collection, asked) in (("Invoices", {}), ("Contacts", {"includeArchived": "true"}))


async def _standing(session: Session, query: Query, id_name: str, so_far: _SoFar) -> AsyncIterator[Envelope]:
    """The pages of a list that only grows, for as long as it does not; none has a row of the one before."""
    read, items = so_far.sure, so_far.items
    while so_far.end < items:
        ahead = windows_ahead(so_far.end, items, at_most=session.pacer.limits.at_a_time, largest=PAGE_SIZE, shared=0)
        # The last page comes after all others, since its count makes sure of them.
        ahead = ahead[:-1] if len(ahead) > 1 and ahead[-1].end >= items else ahead
        pages = await session.read_all([query.page(each.number, each.size) for each in ahead])
        if not all(
            page.items == items and len(page.rows) == min(window.size, items - window.start)
            for window, page in zip(ahead, pages, strict=True)
        ):
            so_far.end = so_far.sure.end
            return
        so_far.sure, so_far.end = read, min(ahead[-1].end, items)
        read = _place(pages[-1], id_name, so_far.end)
        for page in pages:
            yield page


async def _overlapping(
    session: Session, query: Query, id_name: str, so_far: _SoFar, known: set[object] | Latest
) -> AsyncIterator[Envelope]:
    """The pages of a list that moves: each has rows of the one before, which show that none was lost between them."""
    back, furthest, halts = _SHARED, 0, 0
    while so_far.end < so_far.items:
        end = so_far.end
        halts = halts + 1 if end <= furthest else 0
        furthest = max(furthest, end)
        if halts > _HALTS:
            raise _restless(query)
        at_a_time = session.pacer.limits.at_a_time
        ahead = windows_ahead(end, so_far.items, at_most=at_a_time, largest=PAGE_SIZE, shared=_SHARED)
        if back > _SHARED:
            ahead = [window_from(max(end - back, 0), largest=PAGE_SIZE)]
        pages = await session.read_all([query.page(each.number, each.size) for each in ahead])
        for window, page in zip(ahead, pages, strict=True):
            if window.start > 0 and not any(_id(row, id_name) in known for row in page.rows):
                # So many have left that the page begins behind what is known: look from further back.
                back *= 4
                break
            so_far.end, back = window.start + len(page.rows), _SHARED
            so_far.sure = _place(page, id_name, so_far.end)
            yield page
            so_far.items = so_far.end + (len(page.rows) == window.size) if page.items is None else page.items


async def _repeated(
    session: Session, query: Query, id_name: str, first: Envelope, size: int | None
) -> AsyncIterator[tuple[Envelope, None]]:
    """
    The pages where Xero decides on their size and tells no counts (F 4.03, 4.04).

    They cannot overlap, so a list of several pages is read until two readings agree on what it holds. *size* is what is
    asked for, and need not be heeded.
    """
    before: set[object] | None = None
    page = first
    for _ in range(_READINGS):
        yield page, None
        seen, number = _ids(page, id_name), 1
        while len(page.rows) >= _SMALLEST:
            number += 1
            page = await session.read(query.page(number, size))
            yield page, None
            seen |= _ids(page, id_name)
        if number == 1 or seen == before:
            return
        before = seen
        page = await session.read(query.page(1, size))
    raise _restless(query)


def _restless(query: Query) -> Unavailable:
    return Unavailable(f"the list of {query.collection} never stood still while it was read: read it again later")


def _ids(page: Envelope, id_name: str) -> set[object]:
    return {_id(row, id_name) for row in page.rows}


def _id(row: Row, id_name: str) -> str | None:
    """The id of *row*; None for what is no id, which whoever reads the row as a document will refuse."""
    value = row.get(id_name)
    return value if isinstance(value, str) else None
