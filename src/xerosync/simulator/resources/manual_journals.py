"""/ManualJournals (F 6.165)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import JournalLine, ManualJournal
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources.attachments import attached
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, warned, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import TRANSACTIONS, Route
from xerosync.simulator.resources.tracking_categories import tracking_rows
from xerosync.simulator.rules import documents
from xerosync.simulator.rules import journals as rules
from xerosync.simulator.wire import Row, day, money, stamp

_JOURNALS: Final = "accounting.manualjournals"
_getters: Final[dict[str, Callable[[ManualJournal], Value]]] = {
    "manualjournalid": lambda one: Id(one.id),
    "narration": lambda one: one.narration,
    "status": lambda one: one.status,
    "date": lambda one: at_midnight(one.date),
    "url": lambda one: one.url or None,
    "updateddateutc": lambda one: one.updated.replace(tzinfo=None),
}
_LISTING: Final = Listing("ManualJournals", Names("ManualJournal", _getters), paged=True)


def get_many(call: Call) -> Answer:
    """GET /ManualJournals: without their lines unless paged (F 4.08)."""
    books = call.books
    return listed(
        call,
        _LISTING,
        lambda: books.manual_journals,
        shown=lambda one: read_row(books, one, shape="paged"),
        light=lambda one: read_row(books, one, shape="light"),
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /ManualJournals/{ManualJournalID}."""
    return Answer({"ManualJournals": [read_row(call.books, _found(call.books, key), shape="one")]})


def create(call: Call) -> Answer:
    """PUT /ManualJournals."""
    return _write(call, rules.create, shape="created")


def save(call: Call) -> Answer:
    """POST /ManualJournals: creates, or updates the one of the id."""
    return _write(call, rules.save, shape="created")


def update(call: Call, key: str) -> Answer:
    """POST /ManualJournals/{ManualJournalID}."""
    old = _found(call.books, key)
    only(call.given("ManualJournals"))
    return _write(call, lambda wish: rules.update(wish, old), shape="one", old=old)


def _write(
    call: Call, write: Callable[[documents.Wish], ManualJournal], *, shape: str, old: ManualJournal | None = None
) -> Answer:
    def saved(given: Given) -> tuple[ManualJournal, documents.Wish]:
        wish = documents.Wish(call.books, given, documents.MANUAL_JOURNAL, call.app_id)
        return write(wish), wish

    def shown(done: tuple[ManualJournal, documents.Wish]) -> Row:
        return warned(read_row(call.books, done[0], shape=shape), done[1].warnings)

    def failed(given: Given) -> Row:
        known = old or call.books.manual_journals.get(given.id("ManualJournalID"))
        return echo(given) | ({"ManualJournalID": known.id} if known is not None else no_id("ManualJournalID"))

    elements = call.given("ManualJournals")
    return write_each(call, "ManualJournals", elements, write=saved, shown=shown, failed=failed)


def _found(books: Books, key: str) -> ManualJournal:
    journal = books.manual_journals.get(key.lower())
    if journal is None:
        raise NotThere
    return journal


def read_row(books: Books, journal: ManualJournal, *, shape: str) -> Row:
    """
    A manual journal: *shape* is ``one``, ``paged``, ``light`` (without lines) or ``created``.

    What was created shows neither taxes of nothing nor attachments; what was updated is shown like one that is read.
    """
    created = shape == "created"
    row: Row = {
        "Date": day(journal.date),
        "Status": journal.status,
        "LineAmountTypes": journal.line_amount_types,
        "UpdatedDateUTC": stamp(journal.updated_ms),
        "ManualJournalID": journal.id,
        "Narration": journal.narration,
        "JournalLines": [] if shape == "light" else [_line_row(books, line, bare=created) for line in journal.lines],
    }
    if journal.url:
        row["Url"] = journal.url
    row["ShowOnCashBasisReports"] = journal.on_cash_basis
    if not created:
        row["HasAttachments"] = books.has_attachments(journal.id)
    if shape == "one":
        row["Attachments"] = attached(books, "ManualJournals", journal.id)
    return row


def _line_row(books: Books, line: JournalLine, *, bare: bool) -> Row:
    row: Row = {"Description": line.description} if line.description else {}
    row["TaxType"] = line.tax_type
    if line.tax or not bare:
        row["TaxAmount"] = money(line.tax)
    row["LineAmount"] = money(line.amount)
    account = books.accounts.get(line.account_id)
    if account is not None and account.code:
        row["AccountCode"] = account.code
    row["Tracking"] = tracking_rows(books, line.tracking, one=True)
    if account is not None:
        row["AccountID"] = account.id
    return row | {"IsBlank": False}


ROUTES: Final = (
    Route(("manualjournals",), _JOURNALS, TRANSACTIONS, plain={"GET": get_many, "PUT": create, "POST": save}),
    Route(("manualjournals", "{}"), _JOURNALS, TRANSACTIONS, by_id={"GET": get_one, "POST": update}),
)
