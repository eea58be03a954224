"""/Invoices: sales invoices and bills."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources import documents as shapes
from xerosync.simulator.resources import pdf
from xerosync.simulator.resources.attempts import attempted
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, warned, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import INVOICES, TRANSACTIONS, Route
from xerosync.simulator.rules import documents as rules
from xerosync.simulator.wire import Row

_getters: Final[dict[str, Callable[[Document], Value]]] = {
    **shapes.GETTERS,
    "invoiceid": lambda one: Id(one.id),
    "invoicenumber": lambda one: one.number or None,
    "amountpaid": lambda one: one.paid,
    "amountcredited": lambda one: one.credited,
}


def get_many(call: Call) -> Answer:
    """GET /Invoices."""
    books = call.books
    due: dict[str, Callable[[Document], Value]] = {"amountdue": lambda one: shapes.amount_due(books, one)}
    getters = {**_getters, **due, **shapes.contact_getters(books)}
    names = Names("Invoice", getters)
    shape = "summary" if call.flag("summaryOnly") else "paged"
    places = call.unit_places
    return listed(
        call,
        Listing("Invoices", names, paged=True, sort=None),
        lambda: _wanted(call),
        shown=lambda one: shapes.invoice_read(books, one, shape=shape, unit_places=places),
        light=lambda one: shapes.invoice_read(books, one, shape="light", unit_places=places),
        always_paged="statuses" in call.query,
    )


def _wanted(call: Call) -> Iterable[Document]:
    rows: Iterable[Document] = call.books.documents_in_order.rows("Invoices")
    tests: tuple[tuple[set[str], Callable[[Document], str]], ...] = (
        (call.ids("IDs"), lambda one: one.id),
        ({number.lower() for number in call.listed("InvoiceNumbers")}, lambda one: one.number.lower()),
        (call.ids("ContactIDs"), lambda one: one.contact_id),
        ({status.lower() for status in call.listed("Statuses")}, lambda one: one.status.lower()),
    )
    for wanted, read in tests:
        if wanted:
            rows = [one for one in rows if read(one) in wanted]
    if call.flag("createdByMyApp"):
        rows = [one for one in rows if one.made_by == call.app_id]
    if term := call.query.get("searchterm", "").strip().lower():
        rows = [one for one in rows if term in one.number.lower() or term in one.reference.lower()]
    return rows


def get_one(call: Call, key: str) -> Answer:
    """GET /Invoices/{InvoiceID or InvoiceNumber} (F 6.80)."""
    found = _found(call.books, key)
    if pdf.wanted(call):
        return pdf.of_document(call.books, found)
    return Answer({"Invoices": [shapes.invoice_read(call.books, found, shape="one", unit_places=call.unit_places)]})


def get_pdf(call: Call, key: str) -> Answer:
    """GET /Invoices/{InvoiceID}/pdf."""
    return pdf.of_document(call.books, _found(call.books, key))


def create(call: Call) -> Answer:
    """PUT /Invoices."""
    return _write(call, rules.create)


def save(call: Call) -> Answer:
    """POST /Invoices: creates, or updates the one of the id or, for sales, the number (F 6.60)."""

    def write(wish: rules.Wish) -> rules.Saved:
        old = rules.find(wish)
        return rules.create(wish) if old is None else rules.update(wish, old)

    return _write(call, write)


def update(call: Call, key: str) -> Answer:
    """POST /Invoices/{InvoiceID}."""
    old = _found(call.books, key)
    only(call.given("Invoices"))
    return _write(call, lambda wish: rules.update(wish, old), old)


def _write(call: Call, write: Callable[[rules.Wish], rules.Saved], old: Document | None = None) -> Answer:
    def saved(given: Given) -> rules.Saved:
        return write(rules.Wish(call.books, given, rules.INVOICE, call.app_id, call.unit_places))

    def shown(done: rules.Saved) -> Row:
        row = shapes.invoice_written(call.books, done.document, unit_places=call.unit_places)
        return warned(row, done.warnings)

    return write_each(
        call,
        "Invoices",
        call.given("Invoices"),
        write=saved,
        shown=shown,
        failed=lambda given: _failed(call, given, old),
    )


def _failed(call: Call, given: Given, old: Document | None) -> Row:
    """A refused element: what was given, enriched; a refused update keeps its ids and shows no number (A.05)."""
    known = old or call.books.documents.get(given.id("InvoiceID"))
    if known is not None:
        row = echo(given)
        row.pop("InvoiceNumber", None)
        return row | {"InvoiceID": known.id, "HasErrors": True}
    return attempted(call, given) | no_id("InvoiceID") | {"HasErrors": True}


def _found(books: Books, key: str) -> Document:
    document = books.documents.get(key.lower())
    if document is None:
        document = next((one for one in books.documents.by("number", key.lower()) if one.is_invoice), None)
    if document is None or not document.is_invoice:
        raise NotThere
    return document


ROUTES: Final = (
    Route(
        ("invoices",),
        INVOICES,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": save},
    ),
    Route(("invoices", "{}"), INVOICES, TRANSACTIONS, by_id={"GET": get_one, "POST": update}),
    Route(("invoices", "{}", "pdf"), INVOICES, TRANSACTIONS, by_id={"GET": get_pdf}),
)
