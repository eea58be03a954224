"""What Xero shows of an invoice or credit note that it did not make: all that it could work out (F 5.36)."""

from __future__ import annotations

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Line
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid, Refused
from xerosync.simulator.resources import contacts, documents
from xerosync.simulator.resources.call import Call, echo
from xerosync.simulator.rules.documents import LINE_AMOUNT_TYPES
from xerosync.simulator.rules.lines import LineSetting, draft_all, sums
from xerosync.simulator.wire import Row, day, day_string, money


def attempted(call: Call, given: Given) -> Row:
    """What was *given* for a new document, with its contact, twin dates, taxes and sums as far as they can be had."""
    row = echo(given)
    try:
        return row | _contact(call.books, given) | _dates(call.books, given) | _lines(call, given)
    except Refused:
        return row


def _contact(books: Books, given: Given) -> Row:
    named = given.one("Contact")
    found = books.contacts.get(named.id("ContactID")) if named is not None else None
    return {"Contact": contacts.written_row(books, found)} if found is not None else {}


def _dates(books: Books, given: Given) -> Row:
    on, due = given.day("Date") or books.today(), given.day("DueDate")
    row: Row = {"DateString": day_string(on), "Date": day(on)}
    return row if due is None else row | {"DueDateString": day_string(due), "DueDate": day(due)}


def _lines(call: Call, given: Given) -> Row:
    """The lines without ids, and the sums of the document where every line has an amount."""
    types = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES) or "Exclusive"
    sale = given.text("Type").strip().upper().startswith("ACCREC")
    setting = LineSetting(
        books=call.books, line_amount_types=types, strict=False, discounts=sale, unit_places=call.unit_places, sale=sale
    )
    rows = given.many("LineItems") or []
    drafted = [_drafted(setting, row) for row in rows]
    drawn = [_drawn(call, row, line) for row, line in zip(rows, drafted, strict=True)]
    whole = [line for line in drafted if line is not None]
    shown: Row = {"LineAmountTypes": types, "LineItems": drawn}
    if len(whole) < len(rows):
        return shown
    summed = sums(whole, types)
    return shown | {
        "SubTotal": money(summed.sub_total),
        "TotalTax": money(summed.total_tax),
        "Total": money(summed.total),
    }


def _drafted(setting: LineSetting, row: Given) -> Line | None:
    try:
        (line,) = draft_all(setting, [row])
    except Invalid:
        return None
    return line


def _drawn(call: Call, row: Given, line: Line | None) -> Row:
    worked_out = documents.line_row(call.books, line, one=True, unit_places=call.unit_places) if line else {}
    return {name: part for name, part in (echo(row) | worked_out).items() if name != "LineItemID"}
