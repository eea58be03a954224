"""/Reports/AgedReceivablesByContact and AgedPayablesByContact: what one contact owes, or is owed (F 6.195)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Document
from xerosync.simulator.given import Given
from xerosync.simulator.ledger import base
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.resources.report import NONE, day_asked, header, report, section, summary, text_row, written
from xerosync.simulator.wire import Row, day_string

_TITLES: Final = ("Date", "Number", "Due Date", "", "Total", "Paid", "Credited", "Due")
Amounts = tuple[Decimal, Decimal, Decimal, Decimal]


def get_aged_receivables(call: Call) -> Answer:
    """GET /Reports/AgedReceivablesByContact?contactId&date&fromDate&toDate. Raises `Invalid`."""
    return _aged(call, "Receivables", sales=True)


def get_aged_payables(call: Call) -> Answer:
    """GET /Reports/AgedPayablesByContact?contactId&date&fromDate&toDate. Raises `Invalid`."""
    return _aged(call, "Payables", sales=False)


def _aged(call: Call, side: str, *, sales: bool) -> Answer:
    books = call.books
    contact = books.contacts.get(Given({"contactId": call.query.get("contactid", "")}).id("contactId"))
    if contact is None:
        raise Invalid("A valid contactId must be specified for this report")
    paid_until = day_asked(call, "date") or books.today()
    last = day_asked(call, "toDate") or paid_until
    mine = [
        one for one in books.documents.by("contact", contact.id)
        if one.is_posted and one.family != "Prepayments" and one.is_sale == sales and one.date <= last
    ]  # fmt: skip
    first = day_asked(call, "fromDate") or min((one.date for one in mine), default=last)
    told = [(one, _amounts(books, one, paid_until)) for one in sorted(mine, key=lambda one: one.date)]
    before = sum((amounts[3] for one, amounts in told if one.date < first), ZERO)
    shown = [(one, amounts) for one, amounts in told if one.date >= first and amounts[3]]
    sums = [sum((amounts[place] for _, amounts in shown), ZERO) for place in range(4)]
    opening = [day_string(first), "Opening Balance", "", "", "", "", "", f"{before:.2f}"]
    rows = [
        header(*_TITLES),
        section([text_row(opening, [NONE] * len(opening))]),
    ]
    if shown:
        lines = [_row(one, amounts, paid_until) for one, amounts in shown]
        rows.append(section([*lines, summary(["Total", "", "", "", *_texts(sums)])]))
    closing = [*sums[:3], sums[3] + before]
    rows.append(section([summary(["Closing Balance", "", "", "", *_texts(closing)])]))
    titles = (
        "Invoices" if sales else "Bills", contact.name, f"From {written(first)} to {written(last)}",
        f"Showing payments to {written(paid_until)}",
    )  # fmt: skip
    return report(call, f"Aged{side}ByContact", name=f"Aged {side} By Contact", titles=titles, rows=rows)


def _amounts(books: Books, document: Document, until: date) -> Amounts:
    """Total, paid, credited and due of *document* as at *until*, in base currency at its own rate, credits negative."""
    sign = -1 if document.is_credit else 1
    paid = sum((one.amount for one in books.payments_of(document.id) if one.date <= until), ZERO)
    credited = sum((one.amount for one in books.allocations_of(document.id) if one.date <= until), ZERO)
    whole, settled, both = (sign * base(one, document.rate) for one in (document.total, paid, paid + credited))
    return whole, settled, both - settled, whole - both


def _row(document: Document, amounts: Amounts, until: date) -> Row:
    late = (until - document.due_date).days if document.due_date is not None else 0
    due = day_string(document.due_date) if document.due_date is not None else ""
    overdue = f"{late} days overdue" if late > 0 else ""
    named = document.number or document.family.removesuffix("s")
    values = [day_string(document.date), named, due, overdue, *_texts(amounts)]
    return text_row(values, [{"invoiceID": document.id}] * len(values))


def _texts(amounts: list[Decimal] | Amounts) -> list[str]:
    return [f"{amount:.2f}" for amount in amounts]
