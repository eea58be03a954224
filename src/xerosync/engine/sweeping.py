"""
The slow sweep: what Xero changed without a stamp, which no incremental read can see (F 4.23), is met page by page.

A round goes through the lists of which Xero changes something unstamped, one page a run at most, so that it is done in
about the time that was chosen. A row that people move over the edge of a page meanwhile is met by the next round.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from attrs import evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._paging import PAGE_SIZE
from xerosync.client._session import Query
from xerosync.client._wire.codec import Json
from xerosync.client._wire.names import id_name
from xerosync.engine.mirror import CONTACTS, INVOICES, Shelf, cursor_key, keep
from xerosync.errors import StoreFailed, XerosyncError
from xerosync.storage.protocol import Record, RecordKey

SWEEP: Final = "sweep"

_SWEPT: Final = {shelf.name: shelf for shelf in (CONTACTS, INVOICES)}
"""Whether somebody is a supplier, and the day a part-paid document is due, change without a stamp."""


@frozen
class Sweep:
    """How far a round has come: *page* of *shelf* is read at *due*; *pages* tells how many each list had last."""

    shelf: str
    page: int
    due: datetime
    pages: Mapping[str, int] = field(factory=dict[str, int])

    def record(self, tenant: str) -> Record:
        """The record that keeps it."""
        body = {"shelf": self.shelf, "page": self.page, "due": self.due.isoformat(), "pages": dict(self.pages)}
        return Record(SWEEP, tenant, "round", json.dumps(body))

    def after(self, pages: int, shelves: tuple[str, ...], every: timedelta, now: datetime) -> Sweep:
        """As it is when its page was read and the list has so many *pages*; a round of *shelves* takes *every*."""
        known = {**self.pages, self.shelf: pages}
        in_all = sum(known.get(name, 1) for name in shelves)
        going_on = evolve(self, due=now + every / max(in_all, 1), pages=known)
        if self.page < pages:
            return evolve(going_on, page=self.page + 1)
        behind = [*shelves[shelves.index(self.shelf) + 1 :], *shelves]
        return evolve(going_on, shelf=behind[0], page=1)


def read_sweep(record: Record | None) -> Sweep | None:
    """The round that *record* keeps."""
    if record is None:
        return None
    body = cast(Json, json.loads(record.body))
    pages = cast(Mapping[str, int], body["pages"])
    return Sweep(str(body["shelf"]), int(str(body["page"])), datetime.fromisoformat(str(body["due"])), pages)


async def sweep(books: Books, every: timedelta) -> None:
    """
    Read the page that is next, if it is time and anything is mirrored, and keep what is news; a round takes *every*.

    One call at most. What is wrong with Xero or the budget ends it quietly: the run whose work was done before is none
    the worse, and the next one meets it. Raises `StoreFailed`.
    """
    shelves = await _mirrored(books)
    if not shelves:
        return
    now = books.clock.now()
    (record,) = await books.storage.get_many([RecordKey(SWEEP, books.tenant, "round")])
    known = read_sweep(record)
    if known is None or known.shelf not in shelves:
        # All of it was read a moment ago.
        begun = Sweep(shelves[0], 1, now + every / len(shelves))
        await books.storage.commit([begun.record(books.tenant)])
        return
    if known.due > now:
        return
    try:
        pages = await _read(books, _SWEPT[known.shelf], known.page)
    except StoreFailed:
        raise
    except XerosyncError:
        return
    await books.storage.commit([known.after(pages, shelves, every, now).record(books.tenant)])


async def _mirrored(books: Books) -> tuple[str, ...]:
    """The lists to be swept that were ever read to their end here."""
    cursors = await books.storage.get_many([cursor_key(books.tenant, shelf) for shelf in _SWEPT.values()])
    return tuple(name for name, cursor in zip(_SWEPT, cursors, strict=True) if cursor is not None)


async def _read(books: Books, shelf: Shelf, number: int) -> int:
    """Read the page of this *number*, and keep what is news; how many pages there are."""
    params = {"order": id_name(shelf.model), **shelf.params}
    query = Query(shelf.collection, shelf.collection, params, wanted=shelf.header)
    page = await (await books.session()).read(query.page(number, PAGE_SIZE))
    await keep(books, shelf, page.rows)
    return page.pages if page.pages is not None else number + bool(page.rows)
