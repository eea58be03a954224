"""/CreditNotes and their allocations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources import allocations, contacts, pdf
from xerosync.simulator.resources import documents as shapes
from xerosync.simulator.resources.attempts import attempted
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, warned, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import INVOICES, TRANSACTIONS, Route
from xerosync.simulator.rules import documents as rules
from xerosync.simulator.wire import Row, currency_rate, money, stamp_string

_getters: Final[dict[str, Callable[[Document], Value]]] = {
    **shapes.GETTERS,
    "creditnoteid": lambda one: Id(one.id),
    "creditnotenumber": lambda one: one.number or None,
    "remainingcredit": lambda one: one.amount_due,
}


def get_many(call: Call) -> Answer:
    """GET /CreditNotes."""
    books = call.books
    getters = {**_getters, **shapes.contact_getters(books)}
    names = Names("CreditNote", getters)
    places = call.unit_places
    return listed(
        call,
        Listing("CreditNotes", names, paged=True, sort=None),
        lambda: books.documents_in_order.rows("CreditNotes"),
        shown=lambda one: read_row(books, one, shape="paged", unit_places=places),
        light=lambda one: read_row(books, one, shape="light", unit_places=places),
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /CreditNotes/{CreditNoteID or CreditNoteNumber}."""
    note = _found(call.books, key)
    if pdf.wanted(call):
        return pdf.of_document(call.books, note)
    return Answer({"CreditNotes": [read_row(call.books, note, shape="one", unit_places=call.unit_places)]})


def get_pdf(call: Call, key: str) -> Answer:
    """GET /CreditNotes/{CreditNoteID}/pdf."""
    return pdf.of_document(call.books, _found(call.books, key))


def create(call: Call) -> Answer:
    """PUT /CreditNotes."""
    return _write(call, rules.create)


def save(call: Call) -> Answer:
    """POST /CreditNotes: creates, or updates the one of the id or, for sales, the number."""

    def write(wish: rules.Wish) -> rules.Saved:
        old = rules.find(wish)
        return rules.create(wish) if old is None else rules.update(wish, old)

    return _write(call, write)


def update(call: Call, key: str) -> Answer:
    """POST /CreditNotes/{CreditNoteID}."""
    old = _found(call.books, key)
    only(call.given("CreditNotes"))
    return _write(call, lambda wish: rules.update(wish, old), old)


def _write(call: Call, write: Callable[[rules.Wish], rules.Saved], old: Document | None = None) -> Answer:
    def saved(given: Given) -> rules.Saved:
        return write(rules.Wish(call.books, given, rules.CREDIT_NOTE, call.app_id, call.unit_places))

    def shown(done: rules.Saved) -> Row:
        return warned(written_row(call.books, done.document, unit_places=call.unit_places), done.warnings)

    return write_each(
        call,
        "CreditNotes",
        call.given("CreditNotes"),
        write=saved,
        shown=shown,
        failed=lambda given: _failed(call, given, old),
    )


def _failed(call: Call, given: Given, old: Document | None) -> Row:
    known = old or call.books.documents.get(given.id("CreditNoteID"))
    if known is not None:
        return echo(given) | {"CreditNoteID": known.id, "HasErrors": True}
    return attempted(call, given) | no_id("CreditNoteID") | {"HasErrors": True}


def _found(books: Books, key: str) -> Document:
    document = books.documents.get(key.lower())
    if document is None:
        document = next((one for one in books.documents.by("number", key.lower()) if one.is_credit_note), None)
    if document is None or not document.is_credit_note:
        raise NotThere
    return document


def _head(document: Document) -> Row:
    row: Row = {"CreditNoteID": document.id, "CreditNoteNumber": document.number}
    if document.sent_to_contact:
        row["SentToContact"] = True
    return row


def read_row(books: Books, document: Document, *, shape: str, unit_places: int = 2) -> Row:
    """A credit note as read: *shape* is ``one``, ``paged`` or ``light`` (without lines)."""
    one = shape == "one"
    row = _head(document)
    row["Payments"] = [shapes.payment_part(payment) for payment in books.payments_of(document.id)]
    row["ID"] = document.id
    row["HasErrors"] = False
    row["InvoiceAddresses"] = []
    row["CurrencyRate"] = currency_rate(document.rate)
    row["Type"] = document.type
    row["Reference"] = document.reference
    row["RemainingCredit"] = shapes.amount_due(books, document)
    row["Allocations"] = allocations.rows_of(books, document)
    row["HasAttachments"] = books.has_attachments(document.id)
    row["UpdatedDateUTCString"] = stamp_string(document.updated_ms)
    contact = books.contacts[document.contact_id]
    row["Contact"] = (
        contacts.written_row(books, contact, ahead_ms=shapes.contact_ahead_ms(books)) if one else contacts.stub(contact)
    )
    row.update(shapes.dates(document))
    lines = [] if shape == "light" else shapes.lines_of(books, document, one=one, unit_places=unit_places)
    row.update(shapes.foot(document, lines))
    return row


def written_row(books: Books, document: Document, *, unit_places: int = 2) -> Row:
    """A credit note in the reply to a write."""
    row = _head(document)
    row["ID"] = document.id
    row["HasErrors"] = False
    row["CurrencyRate"] = currency_rate(document.rate)
    row["Type"] = document.type
    row["Reference"] = document.reference
    row["RemainingCredit"] = money(document.amount_due)
    row["Allocations"] = allocations.rows_of(books, document)
    row["UpdatedDateUTCString"] = stamp_string(document.updated_ms)
    row["Contact"] = contacts.written_row(books, books.contacts[document.contact_id])
    row.update(shapes.dates(document))
    row.update(shapes.foot(document, shapes.lines_of(books, document, one=True, unit_places=unit_places)))
    return row


ROUTES: Final = (
    Route(
        ("creditnotes",),
        INVOICES,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": save},
    ),
    Route(
        ("creditnotes", "{}"),
        INVOICES,
        TRANSACTIONS,
        by_id={"GET": get_one, "POST": update},
    ),
    Route(("creditnotes", "{}", "pdf"), INVOICES, TRANSACTIONS, by_id={"GET": get_pdf}),
    Route(
        ("creditnotes", "{}", "allocations"),
        INVOICES,
        TRANSACTIONS,
        by_id={
            "GET": lambda call, key: allocations.get_allocations(call, _found(call.books, key)),
            "PUT": lambda call, key: allocations.allocate(call, _found(call.books, key)),
        },
    ),
    Route(
        ("creditnotes", "{}", "allocations", "{}"),
        INVOICES,
        TRANSACTIONS,
        by_two_ids={"DELETE": lambda call, key, inner: allocations.unallocate(call, _found(call.books, key), inner)},
    ),
)
