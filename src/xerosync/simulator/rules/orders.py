"""Rules of purchase orders and quotes: statuses, numbers, edits (F 6.176, A.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypedDict, TypeVar

from attrs import evolve, field, frozen

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Line, Offer, PurchaseOrder, Quote
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import contacts, edits
from xerosync.simulator.rules.documents import BRANDING_THEME, LINE_AMOUNT_TYPES, changed_currency, currency_and_rate
from xerosync.simulator.rules.lines import LineSetting, Sums, draft_all, sums
from xerosync.simulator.tables import Table

ORDER_STATUSES: Final = ("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED")
QUOTE_STATUSES: Final = ("DRAFT", "SENT", "DECLINED", "ACCEPTED", "INVOICED", "DELETED")
_ORDER_NEXT: Final[Mapping[str, frozenset[str]]] = {
    "DRAFT": frozenset(ORDER_STATUSES),
    "SUBMITTED": frozenset(ORDER_STATUSES),
    "AUTHORISED": frozenset({"AUTHORISED", "BILLED", "DELETED"}),
    "BILLED": frozenset({"AUTHORISED", "BILLED", "DELETED"}),
    "DELETED": frozenset({"DELETED"}),
}
_QUOTE_NEXT: Final[Mapping[str, frozenset[str]]] = {
    "DRAFT": frozenset({"DRAFT", "SENT", "DELETED"}),
    "SENT": frozenset({"SENT", "ACCEPTED", "DECLINED", "DELETED"}),
    "ACCEPTED": frozenset({"ACCEPTED", "SENT", "INVOICED", "DELETED"}),
    "DECLINED": frozenset({"DECLINED", "SENT", "DELETED"}),
    "INVOICED": frozenset({"INVOICED", "SENT", "DELETED"}),
    "DELETED": frozenset(),
}
_LONGEST: Final = {"Reference": 4000, "Terms": 4000, "Title": 100, "Summary": 3000, "DeliveryInstructions": 500}
_LONGEST_NUMBER: Final = 255
_NO_LINES: Final = "One or more line items must be specified"
T = TypeVar("T", bound=Offer)


@frozen
class Wish:
    """One request to write a purchase order or a quote: what was *given*, by which app."""

    books: Books
    given: Given
    made_by: str
    warnings: list[str] = field(factory=list[str])

    def text(self, name: str, old: str = "") -> str:
        """The text *given* under *name*, else *old*. Raises `Invalid` when it is too long."""
        text = self.given.text(name) if self.given.has(name) else old
        if len(text) > _LONGEST.get(name, len(text)):
            raise Invalid(f"{name} must not be longer than {_LONGEST[name]} characters")
        return text


class _Common(TypedDict):
    """What every new purchase order and quote is made of, whichever it is."""

    id: str
    contact_id: str
    date: date
    currency: str
    rate: Decimal
    line_amount_types: str
    lines: tuple[Line, ...]
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    updated_ms: int
    reference: str
    made_by: str


def create_order(wish: Wish) -> PurchaseOrder:
    """Create a purchase order, of any status but DELETED (A.10). Raises `Invalid`."""
    books, given = wish.books, wish.given
    status = given.choice("Status", ORDER_STATUSES) or "DRAFT"
    if status == "DELETED":
        raise Invalid("PurchaseOrder status change is invalid")
    number = _number(wish, "PurchaseOrderNumber") or _next_number(books.purchase_orders, "PO")
    if books.purchase_orders.has("number", number.lower()):
        raise Invalid("Order number must be unique")
    order = PurchaseOrder(
        **_common(wish, quote=False), number=number, status=status, branding_theme=given.id("BrandingThemeID")
    )
    return books.purchase_orders.put(_with_delivery(wish, order))


def update_order(wish: Wish, old: PurchaseOrder) -> PurchaseOrder:
    """Change what is *given* of *old* and leave the rest. Raises `Invalid`."""
    books, given = wish.books, wish.given
    status = given.choice("Status", ORDER_STATUSES) or old.status
    faults = [] if status in _ORDER_NEXT[old.status] else ["PurchaseOrder status change is invalid"]
    if old.status == "DELETED":
        faults.append("Deleted PurchaseOrders cannot be updated")
    if faults:
        raise Invalid(*faults)
    number = _number(wish, "PurchaseOrderNumber") or old.number
    if any(other.id != old.id for other in books.purchase_orders.by("number", number.lower())):
        raise Invalid("Order number must be unique")
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or old.line_amount_types
    order = evolve(
        old,
        number=number,
        status=status,
        date=given.day("Date") or old.date,
        contact_id=_contact_id(wish) if given.has("Contact") else old.contact_id,
        reference=wish.text("Reference", old.reference),
        branding_theme=given.id("BrandingThemeID") or old.branding_theme,
    )
    return books.purchase_orders.put(_with_delivery(wish, _relined(wish, order, types, quote=False)))


def find_order(wish: Wish) -> PurchaseOrder | None:
    """The order that a POST means: by id, or silently by number, a deleted one too (F 6.176). Raises `Invalid`."""
    orders = wish.books.purchase_orders
    if order_id := wish.given.id("PurchaseOrderID"):
        found = orders.get(order_id)
        if found is None:
            raise Invalid("An existing PurchaseOrder with the specified PurchaseOrderID could not be found")
        return found
    number = wish.given.text("PurchaseOrderNumber").strip().lower()
    return next(iter(orders.by("number", number)), None) if number else None


def create_quote(wish: Wish) -> Quote:
    """Create a quote, as a draft or sent. Raises `Invalid`."""
    books, given = wish.books, wish.given
    status = given.choice("Status", QUOTE_STATUSES) or "DRAFT"
    if status not in {"DRAFT", "SENT"}:
        raise Invalid(f"A quote cannot be created with the status {status}")
    quote = Quote(
        **_common(wish, quote=True),
        number=_quote_number(wish, None),
        status=status,
        branding_theme=given.id("BrandingThemeID") or BRANDING_THEME,
    )
    return books.quotes.put(_with_words(wish, quote))


def update_quote(wish: Wish, old: Quote) -> Quote:
    """
    Change *old*. Lines, contact and dates that are not given stay; every other text is taken as blank.

    A quote whose number is not given takes the next one, and amounts are exclusive of tax unless it is said again:
    all as recorded. Raises `Invalid`.
    """
    books, given = wish.books, wish.given
    if old.status == "DELETED":
        raise Invalid("Deleted quotes cannot be updated")
    status = given.choice("Status", QUOTE_STATUSES) or old.status
    if status not in _QUOTE_NEXT[old.status]:
        raise Invalid(f"The status of the quote cannot be changed from {old.status} to {status}")
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or "Exclusive"
    quote = evolve(
        old,
        number=_quote_number(wish, old),
        status=status,
        date=given.day("Date") or old.date,
        contact_id=_contact_id(wish) if given.has("Contact") else old.contact_id,
        reference=wish.text("Reference"),
        branding_theme=given.id("BrandingThemeID") or old.branding_theme,
    )
    return books.quotes.put(_with_words(wish, _relined(wish, quote, types, quote=True)))


def find_quote(wish: Wish) -> Quote | None:
    """The quote that a POST means: by id, or by the number of a live one. Raises `Invalid`."""
    quotes = wish.books.quotes
    if quote_id := wish.given.id("QuoteID"):
        found = quotes.get(quote_id)
        if found is None:
            raise Invalid("An existing Quote with the specified QuoteID could not be found")
        return found
    number = wish.given.text("QuoteNumber").strip().lower()
    return next((one for one in quotes.by("number", number) if one.status != "DELETED"), None) if number else None


def draft_lines(
    wish: Wish,
    rows: Sequence[Given],
    types: str,
    old: Sequence[Line] = (),
    *,
    quote: bool,
    new_types: bool = False,
) -> tuple[Line, ...]:
    """The lines that *rows* give, prices to four places (F 5.21). A quote takes no tax from an account."""
    setting = LineSetting(
        books=wish.books,
        line_amount_types=types,
        strict=False,
        discounts=True,
        sale=quote,
        unit_places=4,
        new_types=new_types,
        tax_of_account=not quote,
        warnings=wish.warnings,
    )
    return draft_all(setting, rows, old)


def _common(wish: Wish, *, quote: bool) -> _Common:
    books, given = wish.books, wish.given
    contact_id = _contact_id(wish)
    rows = given.many("LineItems")
    if not rows:
        raise Invalid(_NO_LINES)
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or "Exclusive"
    lines = draft_lines(wish, rows, types, quote=quote)
    summed = _sums(lines, types)
    currency, rate = currency_and_rate(books, given)
    return {
        "id": books.draw(),
        "contact_id": contact_id,
        "date": given.day("Date") or books.today(),
        "currency": currency,
        "rate": rate,
        "line_amount_types": types,
        "lines": lines,
        "sub_total": summed.sub_total,
        "total_tax": summed.total_tax,
        "total": summed.total,
        "updated_ms": books.write_stamp(),
        "reference": wish.text("Reference"),
        "made_by": wish.made_by,
    }


def _relined(wish: Wish, offer: T, types: str, *, quote: bool) -> T:
    """*offer* with the lines, currency and sums that are given, and a new stamp."""
    given, lines = wish.given, offer.lines
    new_types = types != offer.line_amount_types
    if given.has("LineItems") or new_types:
        rows = given.many("LineItems") if given.has("LineItems") else None
        if rows is None:
            rows = edits.unchanged(offer.lines)
        if not rows:
            raise Invalid(_NO_LINES)
        lines = draft_lines(wish, rows, types, offer.lines, quote=quote, new_types=new_types)
    currency, rate = changed_currency(wish.books, given, offer.currency, offer.rate)
    summed = _sums(lines, types)
    return evolve(
        offer,
        line_amount_types=types,
        lines=lines,
        currency=currency,
        rate=rate,
        sub_total=summed.sub_total,
        total_tax=summed.total_tax,
        total=summed.total,
        updated_ms=wish.books.write_stamp(),
    )


def _sums(lines: Sequence[Line], types: str) -> Sums:
    found = sums(lines, types)
    if found.total < 0:
        raise Invalid("The total of the document cannot be less than zero")
    return found


def _contact_id(wish: Wish) -> str:
    contact = wish.given.one("Contact")
    if contact is None or not contact.names:
        raise Invalid("A Contact must be specified for this type of transaction")
    return contacts.for_document(wish.books, contact).id


def _number(wish: Wish, name: str) -> str:
    number = wish.given.text(name).strip()
    if len(number) > _LONGEST_NUMBER:
        raise Invalid(f"{name} must not be longer than {_LONGEST_NUMBER} characters")
    return number


def _quote_number(wish: Wish, old: Quote | None) -> str:
    quotes = wish.books.quotes
    number = _number(wish, "QuoteNumber") or _next_number(quotes, "QU")
    held = [one for one in quotes.by("number", number.lower()) if one.status != "DELETED"]
    if any(old is None or one.id != old.id for one in held):
        raise Invalid("Quote number must be unique")
    return number


def _next_number(table: Table[T], prefix: str) -> str:
    """The number after as many as there are, but for those that are in use: a deleted quote gives its number back."""
    count = len(table) + 1
    while True:
        number = f"{prefix}-{count:04d}"
        held = table.by("number", number.lower())
        if all(one.status == "DELETED" and isinstance(one, Quote) for one in held):
            return number
        count += 1


def _with_delivery(wish: Wish, order: PurchaseOrder) -> PurchaseOrder:
    given = wish.given
    sent = given.flag("SentToContact")
    if sent and order.status not in {"AUTHORISED", "BILLED"}:
        wish.warnings.append("Only AUTHORISED and BILLED purchase orders may have SentToContact updated.")
        sent = None
    return evolve(
        order,
        delivery_date=given.day("DeliveryDate") or order.delivery_date,
        arrival_date=given.day("ExpectedArrivalDate") or order.arrival_date,
        delivery_address=wish.text("DeliveryAddress", order.delivery_address),
        attention_to=wish.text("AttentionTo", order.attention_to),
        telephone=wish.text("Telephone", order.telephone),
        instructions=wish.text("DeliveryInstructions", order.instructions),
        sent_to_contact=order.sent_to_contact if sent is None else sent,
    )


def _with_words(wish: Wish, quote: Quote) -> Quote:
    return evolve(
        quote,
        expiry_date=wish.given.day("ExpiryDate"),
        title=wish.text("Title"),
        summary=wish.text("Summary"),
        terms=wish.text("Terms"),
    )
