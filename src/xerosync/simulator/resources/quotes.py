"""/Quotes: what is offered to customers. Answered by a younger part of Xero, in its own manner: see `_answer`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Contact, Line, Quote, discount_of, instant
from xerosync.simulator.given import Given, dashed
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources import documents, pdf
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, warned, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.offers import GETTERS, between, filtered, in_order, plain
from xerosync.simulator.resources.route import INVOICES, TRANSACTIONS, Route
from xerosync.simulator.rules import orders as rules
from xerosync.simulator.wire import Row, bare_stamp, currency_rate, day, day_string, money

_getters: Final[dict[str, Callable[[Quote], Value]]] = {
    **GETTERS,
    "quoteid": lambda one: Id(one.id),
    "quotenumber": lambda one: one.number,
    "expirydate": lambda one: at_midnight(one.expiry_date),
}
_LISTING: Final = Listing("Quotes", Names("Quote", _getters), paged=True)


def get_many(call: Call) -> Answer:
    """GET /Quotes: a hundred at a time, with lines and without a word on how many there are (F 4.04, 4.35)."""
    books = call.books

    def shown(quote: Quote) -> Row:
        return read_row(books, quote, one=False)

    answer = listed(
        plain(call, "pagesize"), _LISTING, lambda: _wanted(call), shown=shown, light=shown, always_paged=True
    )
    if answer.row is None:
        return answer
    return _answer(call, Answer({"Quotes": answer.row["Quotes"]}))


def _wanted(call: Call) -> Iterable[Quote]:
    rows = filtered(call, call.books.quotes, rules.QUOTE_STATUSES)
    rows = between(call, rows, "ExpiryDate", lambda one: one.expiry_date)
    contact, number = call.query.get("contactid", "").lower(), call.query.get("quotenumber", "").lower()
    if contact:
        rows = [one for one in rows if one.contact_id == dashed(contact).lower()]
    return [one for one in rows if one.number.lower() == number] if number else rows


def get_one(call: Call, key: str) -> Answer:
    """GET /Quotes/{QuoteID}."""
    quote = _found(call.books, key)
    if pdf.wanted(call):
        return pdf.of_offer(call.books, quote)
    return _answer(call, Answer({"Quotes": [read_row(call.books, quote, one=True)]}))


def get_pdf(call: Call, key: str) -> Answer:
    """GET /Quotes/{QuoteID}/pdf."""
    return pdf.of_offer(call.books, _found(call.books, key))


def create(call: Call) -> Answer:
    """PUT /Quotes."""
    return _write(call, rules.create_quote)


def save(call: Call) -> Answer:
    """POST /Quotes: creates, or updates the one of the id or the number."""

    def write(wish: rules.Wish) -> Quote:
        old = rules.find_quote(wish)
        return rules.create_quote(wish) if old is None else rules.update_quote(wish, old)

    return _write(call, write)


def update(call: Call, key: str) -> Answer:
    """POST /Quotes/{QuoteID}."""
    old = _found(call.books, key)
    only(call.given("Quotes"))
    return _write(call, lambda wish: rules.update_quote(wish, old))


def _write(call: Call, write: Callable[[rules.Wish], Quote]) -> Answer:
    def saved(given: Given) -> tuple[Quote, list[str]]:
        wish = rules.Wish(call.books, given, call.app_id)
        return write(wish), wish.warnings

    answer = write_each(
        call,
        "Quotes",
        call.given("Quotes"),
        write=saved,
        shown=lambda done: warned(read_row(call.books, done[0], one=True), done[1]),
        failed=lambda given: no_id("QuoteID") | {name: part for name, part in echo(given).items() if name != "QuoteID"},
    )
    return _answer(call, answer)


def _answer(call: Call, answer: Answer) -> Answer:
    """*answer* as recorded for quotes: no charset, and SummarizeErrors before everything else."""
    summarize = call.flag("summarizeErrors", default=True)
    return evolve(answer, content_type="application/json", head={"SummarizeErrors": summarize})


def _found(books: Books, key: str) -> Quote:
    quote = books.quotes.get(key.lower())
    if quote is None:
        raise NotThere
    return quote


def read_row(books: Books, quote: Quote, *, one: bool) -> Row:
    """A quote as read: alone it says that it has no terms, in a list it says what every discount is."""
    row: Row = {"QuoteID": quote.id, "QuoteNumber": quote.number}
    if quote.reference:
        row["Reference"] = quote.reference
    if quote.terms or one:
        row["Terms"] = quote.terms
    row["Contact"] = _contact(books.contacts[quote.contact_id])
    row["LineItems"] = [_line(books, line, one=one) for line in quote.lines]
    row |= {"Date": _day(day(quote.date)), "DateString": day_string(quote.date)}
    if quote.expiry_date is not None:
        row |= {"ExpiryDate": _day(day(quote.expiry_date)), "ExpiryDateString": day_string(quote.expiry_date)}
    row |= {
        "Status": quote.status,
        "CurrencyRate": currency_rate(quote.rate),
        "CurrencyCode": quote.currency,
        "SubTotal": money(quote.sub_total),
        "TotalTax": money(quote.total_tax),
        "Total": money(quote.total),
    }
    if not one or quote.total_discount:
        row["TotalDiscount"] = money(quote.total_discount)
    row |= {name: text for name, text in (("Title", quote.title), ("Summary", quote.summary)) if text}
    return row | {
        "BrandingThemeID": quote.branding_theme,
        "UpdatedDateUTC": bare_stamp(instant(quote.updated_ms)),
        "LineAmountTypes": quote.line_amount_types.upper(),
    }


def _contact(contact: Contact) -> Row:
    texts = dict(contact.texts)
    row: Row = {"ContactID": contact.id, "Name": contact.name, "EmailAddress": texts.get("EmailAddress", "")}
    return row | {name: texts[name] for name in ("FirstName", "LastName") if texts.get(name)}


_LINE: Final = (
    "LineItemID", "AccountCode", "Description", "UnitAmount", "DiscountRate", "DiscountAmount", "LineAmount",
    "ItemCode", "Quantity", "TaxAmount", "TaxType", "Tracking",
)  # fmt: skip


def _line(books: Books, line: Line, *, one: bool) -> Row:
    row = documents.line_row(books, line, one=True, unit_places=4)
    if one:
        row.setdefault("ItemCode", "")
    elif line.amount is not None:
        row["DiscountAmount"] = money(discount_of(line))
    return in_order(row, _LINE)


def _day(text: str) -> str:
    """A day as quotes write it: without the offset."""
    return text.replace("+0000", "")


ROUTES: Final = (
    Route(
        ("quotes",),
        INVOICES,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": save},
    ),
    Route(("quotes", "{}"), INVOICES, TRANSACTIONS, by_id={"GET": get_one, "POST": update}),
    Route(("quotes", "{}", "pdf"), INVOICES, TRANSACTIONS, by_id={"GET": get_pdf}),
)
