"""/PurchaseOrders: what is ordered from suppliers (F 6.176)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast
from uuid import UUID

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Contact, Line, PurchaseOrder, discount_of, total
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import Invalid, NotThere, Refused
from xerosync.simulator.resources import contacts, documents, pdf
from xerosync.simulator.resources.attachments import attached
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, warned, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.offers import GETTERS, filtered, in_order, is_discounted, plain
from xerosync.simulator.resources.route import INVOICES, TRANSACTIONS, Route
from xerosync.simulator.rules import orders as rules
from xerosync.simulator.rules.contacts import resolve
from xerosync.simulator.rules.documents import LINE_AMOUNT_TYPES
from xerosync.simulator.rules.lines import sums
from xerosync.simulator.wire import Row, currency_rate, day, day_string, money, stamp

_getters: Final[dict[str, Callable[[PurchaseOrder], Value]]] = {
    **GETTERS,
    "purchaseorderid": lambda one: Id(one.id),
    "purchaseordernumber": lambda one: one.number,
    "deliverydate": lambda one: at_midnight(one.delivery_date),
}
_LISTING: Final = Listing("PurchaseOrders", Names("PurchaseOrder", _getters), paged=True)


def get_many(call: Call) -> Answer:
    """GET /PurchaseOrders: always in pages, filtered by parameters and never by ``where`` (F 4.07, 4.34)."""
    books = call.books

    def shown(order: PurchaseOrder) -> Row:
        return read_row(books, order, one=False)

    return listed(
        plain(call),
        _LISTING,
        lambda: filtered(call, books.purchase_orders, rules.ORDER_STATUSES),
        shown=shown,
        light=shown,
        always_paged=True,
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /PurchaseOrders/{PurchaseOrderID or PurchaseOrderNumber}."""
    order = _found(call.books, key)
    if pdf.wanted(call):
        return pdf.of_offer(call.books, order)
    return Answer({"PurchaseOrders": [read_row(call.books, order, one=True)]})


def get_pdf(call: Call, key: str) -> Answer:
    """GET /PurchaseOrders/{PurchaseOrderID}/pdf."""
    return pdf.of_offer(call.books, _found(call.books, key))


def create(call: Call) -> Answer:
    """PUT /PurchaseOrders."""
    return _write(call, rules.create_order)


def save(call: Call) -> Answer:
    """POST /PurchaseOrders: creates, or updates the one of the id or, silently, the number."""

    def write(wish: rules.Wish) -> PurchaseOrder:
        old = rules.find_order(wish)
        return rules.create_order(wish) if old is None else rules.update_order(wish, old)

    return _write(call, write)


def update(call: Call, key: str) -> Answer:
    """POST /PurchaseOrders/{PurchaseOrderID}."""
    old = _found(call.books, key)
    only(call.given("PurchaseOrders"))
    return _write(call, lambda wish: rules.update_order(wish, old))


def _write(call: Call, write: Callable[[rules.Wish], PurchaseOrder]) -> Answer:
    def saved(given: Given) -> tuple[PurchaseOrder, list[str]]:
        wish = rules.Wish(call.books, given, call.app_id)
        return write(wish), wish.warnings

    return write_each(
        call,
        "PurchaseOrders",
        call.given("PurchaseOrders"),
        write=saved,
        shown=lambda done: warned(written_row(call.books, done[0]), done[1]),
        failed=lambda given: _failed(call.books, given),
    )


def _found(books: Books, key: str) -> PurchaseOrder:
    try:
        order = books.purchase_orders.get(str(UUID(key)))
    except ValueError:
        order = next(iter(books.purchase_orders.by("number", key.lower())), None)
    if order is None:
        raise NotThere
    return order


def read_row(books: Books, order: PurchaseOrder, *, one: bool) -> Row:
    """A purchase order as read: alone it has more of its contact, SentToContact and the list of its files."""
    row = _head(order)
    if is_discounted(order.lines):
        row["TotalDiscount"] = money(order.total_discount)
    if one:
        row["SentToContact"] = order.sent_to_contact
    row |= _middle(order)
    row["Contact"] = _contact(books, books.contacts[order.contact_id], whole=one)
    lines = [_line(books, line, written=False) for line in order.lines]
    row |= _foot(order, lines) | {"HasAttachments": books.has_attachments(order.id)}
    return row | {"Attachments": attached(books, "PurchaseOrders", order.id)} if one else row


def written_row(books: Books, order: PurchaseOrder) -> Row:
    """A purchase order in the reply to a write: nothing of its files."""
    row = _head(order)
    row["TotalDiscount"] = money(order.total_discount)
    row["SentToContact"] = order.sent_to_contact
    row |= _middle(order)
    row["Contact"] = _contact(books, books.contacts[order.contact_id], whole=True)
    return row | _foot(order, [_line(books, line, written=True) for line in order.lines])


def _head(order: PurchaseOrder) -> Row:
    row: Row = {"PurchaseOrderID": order.id, "PurchaseOrderNumber": order.number}
    days = (("Date", order.date), ("DeliveryDate", order.delivery_date), ("ExpectedArrivalDate", order.arrival_date))
    for name, on in days:
        if on is not None:
            row |= {f"{name}String": day_string(on), name: day(on)}
    texts = {
        "DeliveryAddress": order.delivery_address,
        "AttentionTo": order.attention_to,
        "Telephone": order.telephone,
        "DeliveryInstructions": order.instructions,
    }
    row |= {name: text for name, text in texts.items() if text}
    return row | {"HasErrors": False, "IsDiscounted": is_discounted(order.lines)}


def _middle(order: PurchaseOrder) -> Row:
    row: Row = {"Reference": order.reference} if order.reference else {}
    return row | {
        "Type": "PURCHASEORDER",
        "CurrencyRate": currency_rate(order.rate),
        "CurrencyCode": order.currency,
    }


def _foot(order: PurchaseOrder, lines: list[Row]) -> Row:
    row: Row = {"BrandingThemeID": order.branding_theme} if order.branding_theme else {}
    return row | {
        "Status": order.status,
        "LineAmountTypes": order.line_amount_types,
        "LineItems": lines,
        "SubTotal": money(order.sub_total),
        "TotalTax": money(order.total_tax),
        "Total": money(order.total),
        "UpdatedDateUTC": stamp(order.updated_ms),
    }


def _line(books: Books, line: Line, *, written: bool) -> Row:
    """A line, prices always to four places (F 5.21); AccountID in replies to writes only."""
    row = documents.line_row(books, line, one=True, unit_places=4)
    row.pop("ValidationErrors", None)
    if not written:
        row.pop("AccountID", None)
    return row


_CONTACT: Final = (
    "ContactID", "ContactNumber", "AccountNumber", "ContactStatus", "Name", "FirstName", "LastName", "EmailAddress",
    "BankAccountDetails", "TaxNumber", "AccountsReceivableTaxType", "AccountsPayableTaxType", "Addresses", "Phones",
    "UpdatedDateUTC", "ContactGroups", "IsSupplier", "IsCustomer", "DefaultCurrency", "SalesTrackingCategories",
    "PurchasesTrackingCategories", "ContactPersons", "HasValidationErrors",
)  # fmt: skip
_WHOLE_ONLY: Final = frozenset({
    "EmailAddress", "BankAccountDetails", "TaxNumber", "AccountsReceivableTaxType", "AccountsPayableTaxType",
    "IsSupplier", "IsCustomer", "SalesTrackingCategories", "PurchasesTrackingCategories",
})  # fmt: skip


def _contact(books: Books, contact: Contact, *, whole: bool) -> Row:
    """The supplier inside an order: only the addresses and phones there are, the stamp in local time (F 5.12a)."""
    row = contacts.written_row(books, contact, ahead_ms=documents.contact_ahead_ms(books))
    row.setdefault("DefaultCurrency", books.organisation.currency)
    given = {address.type for address in contact.addresses}
    dialled = {phone.type for phone in contact.phones if phone.number}
    row["Addresses"] = _those(row["Addresses"], "AddressType", given)
    row["Phones"] = _those(row["Phones"], "PhoneType", dialled)
    return in_order(row, (name for name in _CONTACT if whole or name not in _WHOLE_ONLY))


def _those(rows: object, name: str, kinds: set[str]) -> list[Row]:
    return [row for row in cast("list[Row]", rows) if row[name] in kinds]


def _failed(books: Books, given: Given) -> Row:
    """A refused order: what was given, with what Xero could make of it (F 5.36)."""
    row = no_id("PurchaseOrderID") | {name: part for name, part in echo(given).items() if name != "PurchaseOrderID"}
    try:
        return row | _enriched(books, given)
    except (Invalid, Refused):
        return row | {"HasErrors": True}


def _enriched(books: Books, given: Given) -> Row:
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or "Exclusive"
    wish = rules.Wish(books, given, "")
    lines = rules.draft_lines(wish, given.many("LineItems") or [], types, quote=False)
    summed = sums(lines, types)
    on = given.day("Date") or books.today()
    row: Row = {
        "DateString": day_string(on),
        "Date": day(on),
        "HasErrors": True,
        "IsDiscounted": is_discounted(lines),
        "TotalDiscount": money(total(map(discount_of, lines))),
        "Type": "PURCHASEORDER",
        "CurrencyCode": given.text("CurrencyCode").strip().upper() or books.organisation.currency,
    }
    named = given.one("Contact")
    contact = resolve(books, named) if named is not None else None
    if contact is not None:
        whole = contacts.written_row(books, contact, ahead_ms=documents.contact_ahead_ms(books))
        whole.setdefault("DefaultCurrency", books.organisation.currency)
        left_out = {"IsSupplier", "IsCustomer", "SalesTrackingCategories", "PurchasesTrackingCategories"}
        row["Contact"] = in_order(whole, (name for name in _CONTACT if name not in left_out))
    drawn = [_line(books, line, written=True) for line in lines]
    return row | {
        "Status": given.text("Status").strip().upper() or "DRAFT",
        "LineAmountTypes": types,
        "LineItems": [
            {name: part for name, part in line.items() if name != "LineItemID"} | {"ValidationErrors": list[Row]()}
            for line in drawn
        ],
        "SubTotal": money(summed.sub_total),
        "TotalTax": money(summed.total_tax),
        "Total": money(summed.total),
    }


ROUTES: Final = (
    Route(
        ("purchaseorders",),
        INVOICES,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": save},
    ),
    Route(("purchaseorders", "{}"), INVOICES, TRANSACTIONS, by_id={"GET": get_one, "POST": update}),
    Route(("purchaseorders", "{}", "pdf"), INVOICES, TRANSACTIONS, by_id={"GET": get_pdf}),
)
