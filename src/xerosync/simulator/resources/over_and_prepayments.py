"""/Overpayments and /Prepayments: read, allocated and refunded; made by bank transactions only (F 6.154–6.156)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document
from xerosync.simulator.query import Id, Names, Value
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources import allocations, contacts
from xerosync.simulator.resources import documents as shapes
from xerosync.simulator.resources.attachments import attached
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import PAYMENTS, TRANSACTIONS, Route
from xerosync.simulator.wire import Row, currency_rate, stamp_string


def read_row(books: Books, document: Document, *, shape: str, unit_places: int = 2) -> Row:
    """An over- or prepayment as read: *shape* is ``one``, ``paged`` or ``light`` (without lines)."""
    one = shape == "one"
    name = document.family.removesuffix("s")
    row: Row = {f"{name}ID": document.id, "ID": document.id, "CurrencyRate": currency_rate(document.rate)}
    row["Type"] = document.type
    row["Reference"] = document.reference
    if name == "Prepayment":
        row["InvoiceNumber"] = document.reference
    row["RemainingCredit"] = shapes.amount_due(books, document)
    row["Allocations"] = allocations.rows_of(books, document)
    row["Payments"] = [shapes.payment_part(payment) for payment in books.payments_of(document.id)]
    row["HasAttachments"] = books.has_attachments(document.source_id)
    if one:
        row["Attachments"] = attached(books, "BankTransactions", document.source_id)
    row["UpdatedDateUTCString"] = stamp_string(document.updated_ms)
    contact = books.contacts[document.contact_id]
    ahead_ms = shapes.contact_ahead_ms(books)
    row["Contact"] = contacts.written_row(books, contact, ahead_ms=ahead_ms) if one else contacts.stub(contact)
    row.update(shapes.dates(document))
    lines = [] if shape == "light" else shapes.lines_of(books, document, one=one, unit_places=unit_places)
    foot = shapes.foot(document, lines)
    return row | {name: part for name, part in foot.items() if name != "FullyPaidOnDate"}


def _wanted(call: Call, family: str) -> Iterable[Document]:
    rows = call.books.documents_in_order.rows(family)
    numbers = {part.lower() for name in ("References", "InvoiceNumbers") for part in call.listed(name)}
    return [one for one in rows if one.reference.lower() in numbers] if numbers else rows


def _routes(family: str) -> tuple[Route, ...]:
    getters: Final[dict[str, Callable[[Document], Value]]] = {
        **shapes.GETTERS,
        f"{family.removesuffix('s').lower()}id": lambda one: Id(one.id),
        "remainingcredit": lambda one: one.amount_due,
    }

    def get_many(call: Call) -> Answer:
        books, places = call.books, call.unit_places
        names = Names(family.removesuffix("s"), {**getters, **shapes.contact_getters(books)})
        return listed(
            call,
            Listing(family, names, paged=True, sort=None),
            lambda: _wanted(call, family),
            shown=lambda one: read_row(books, one, shape="paged", unit_places=places),
            light=lambda one: read_row(books, one, shape="light", unit_places=places),
        )

    def get_one(call: Call, key: str) -> Answer:
        return Answer({family: [read_row(call.books, found(call, key), shape="one", unit_places=call.unit_places)]})

    def found(call: Call, key: str) -> Document:
        document = call.books.documents.get(key.lower())
        if document is None or document.family != family:
            raise NotThere
        return document

    path = family.lower()
    return (
        Route((path,), PAYMENTS, TRANSACTIONS, plain={"GET": get_many}),
        Route((path, "{}"), PAYMENTS, TRANSACTIONS, by_id={"GET": get_one}),
        Route(
            (path, "{}", "allocations"),
            PAYMENTS,
            TRANSACTIONS,
            by_id={
                "GET": lambda call, key: allocations.get_allocations(call, found(call, key)),
                "PUT": lambda call, key: allocations.allocate(call, found(call, key)),
            },
        ),
        Route(
            (path, "{}", "allocations", "{}"),
            PAYMENTS,
            TRANSACTIONS,
            by_two_ids={"DELETE": lambda call, key, inner: allocations.unallocate(call, found(call, key), inner)},
        ),
    )


ROUTES: Final = (*_routes("Overpayments"), *_routes("Prepayments"))
