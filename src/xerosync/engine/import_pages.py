"""
Importing half a million invoices page by page: each page is planned, applied, handed out, and marked as done.

What was imported lies in the store with each page, and the mark of how far it has come behind it: a process that dies
in between hands the page out once more, and makes nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.engine import applying
from xerosync.engine.actions import ImportInvoice
from xerosync.engine.importing import (
    Choice,
    Importable,
    ImportRow,
    Imports,
    LeftOut,
    ids_taken,
    importable,
    judged,
    judged_again,
)
from xerosync.engine.mirror import INVOICES, cursor_key, record_pages, refresh, stored
from xerosync.engine.plans import Report
from xerosync.engine.transactions import chains_of
from xerosync.errors import InvalidInput
from xerosync.mapping.transactions import ImportSettings
from xerosync.storage.protocol import Record, RecordKey

PER_PAGE: Final = 1000

_KIND: Final = "import"
_SAME_READING: Final = timedelta(hours=1)
"""How long ago what is read for the first time may have been read, so that nothing of it is read again."""
_STALE: Final = timedelta(minutes=10)


@frozen(kw_only=True)
class _Mark:
    """How far an import by *choice* has come: *after* the invoice of this cursor. All were *read_whole* then."""

    choice: str
    after: str | None = None
    read_whole: datetime | None = None

    def record(self, tenant: str) -> Record:
        read_whole = None if self.read_whole is None else self.read_whole.isoformat()
        body = json.dumps({"choice": self.choice, "after": self.after, "read_whole": read_whole})
        return Record(_KIND, tenant, "pages", body)


async def import_in_pages(
    books: Books, settings: ImportSettings, choice: Choice, *, per_page: int
) -> AsyncIterator[Report]:
    """What became of each page of invoices of which there is anything to tell; see `AsyncReceivables`."""
    if not 1 <= per_page <= PER_PAGE:
        raise InvalidInput("per_page", f"give a number from 1 to {PER_PAGE}")
    books.check_may_write()
    mark, is_resumed = await _begun(books, choice)
    known = await importable(books, settings)
    read_at = books.clock.now()
    is_whole = mark.read_whole is not None and read_at - mark.read_whole < _SAME_READING
    async for page in record_pages(books, INVOICES.kind, after=mark.after, size=per_page):
        some = page
        if books.clock.now() - read_at > _STALE:
            await refresh(books, INVOICES)
            read_at = books.clock.now()
            some = await stored(books, [each.identity for each in page])
        rows, unsure = judged(some, choice, evolve(known, is_read_now=is_whole))
        rows += await judged_again(books, unsure, choice, known)
        report = await _imported(books, rows, choice, known, once_more=is_resumed)
        if report.results or report.findings:
            yield report
        is_resumed = False
        mark = evolve(mark, after=await books.storage.cursor(some[-1], "key"))
        await books.storage.commit([mark.record(books.tenant)])
    await books.storage.commit([], deletes=[_key(books)])


async def _begun(books: Books, choice: Choice) -> tuple[_Mark, bool]:
    """How far an import by *choice* has come, and whether it is one that was broken off."""
    kept, cursor = await books.storage.get_many([_key(books), cursor_key(books.tenant, INVOICES)])
    wanted = f"{choice.due_from} {choice.automatic}"
    if kept is not None:
        body = json.loads(kept.body)
        if body["choice"] == wanted:
            read_whole = body["read_whole"]
            at = None if read_whole is None else datetime.fromisoformat(read_whole)
            return _Mark(choice=wanted, after=body["after"], read_whole=at), True
    mark = _Mark(choice=wanted, read_whole=books.clock.now() if cursor is None else None)
    await books.storage.commit([mark.record(books.tenant)])
    return mark, False


async def _imported(
    books: Books, rows: Sequence[ImportRow], choice: Choice, known: Importable, *, once_more: bool
) -> Report:
    """What became of *rows*; *once_more* with what was made of them before, which may not have been handed out."""
    imports = Imports(choice, {*known.ids, *await ids_taken(books, rows)})
    for row in rows:
        imports.take(row)
    plan = imports.plan(books.tenant)
    made = await _made_before(books, rows) if once_more else ()
    report = await applying.apply(books, evolve(plan, actions=(*made, *plan.actions), findings=()), is_fresh=True)
    return evolve(report, findings=(*plan.findings, *report.findings))


async def _made_before(books: Books, rows: Sequence[ImportRow]) -> list[ImportInvoice]:
    """The imports of those *rows* that were imported before: done already, as their report will say."""
    ids = [row.invoice.invoice_id for row in rows if row.left_out is LeftOut.IMPORTED_BEFORE]
    chains = await chains_of(books, filter(None, ids))
    live = [chain[-1] for chain in chains.values() if chain[-1].is_live]
    return [ImportInvoice.remember(each, reason="imported before it was broken off") for each in live]


def _key(books: Books) -> RecordKey:
    return RecordKey(_KIND, books.tenant, "pages")
