"""How invoices, bills and credit notes are drawn: each of Xero's shapes leaves other keys out (F 4.08–4.12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Allocation, Document, Line, Payment, discount_of, total
from xerosync.simulator.query import Id, Value, at_midnight
from xerosync.simulator.resources import contacts
from xerosync.simulator.resources.attachments import attached
from xerosync.simulator.resources.items import item_part
from xerosync.simulator.resources.tracking_categories import tracking_rows
from xerosync.simulator.wire import (
    Row,
    currency_rate,
    day,
    day_string,
    money,
    quantity,
    stamp,
    stamp_string,
    unit_price,
)

GETTERS: Final[dict[str, Callable[[Document], Value]]] = {
    "type": lambda one: one.type,
    "status": lambda one: one.status,
    "reference": lambda one: one.reference or None,
    "date": lambda one: at_midnight(one.date),
    "duedate": lambda one: at_midnight(one.due_date),
    "total": lambda one: one.total,
    "subtotal": lambda one: one.sub_total,
    "totaltax": lambda one: one.total_tax,
    "currencycode": lambda one: one.currency,
    "updateddateutc": lambda one: one.updated.replace(tzinfo=None),
    "fullypaidondate": lambda one: at_midnight(one.fully_paid_on),
    "contact.contactid": lambda one: Id(one.contact_id),
    "senttocontact": lambda one: one.sent_to_contact,
    "lineamounttypes": lambda one: one.line_amount_types,
    "url": lambda one: one.url or None,
}


def contact_getters(books: Books) -> dict[str, Callable[[Document], Value]]:
    """The properties of a document's contact that filters may name (F 4.50)."""
    return {
        "contact.name": lambda one: books.contacts[one.contact_id].name,
        "contact.contactnumber": lambda one: books.contacts[one.contact_id].number or None,
    }


def contact_ahead_ms(books: Books) -> int:
    """How far the stamp of a contact inside a document that is read lies ahead of UTC (F 5.12a)."""
    if not books.switches.embedded_contact_stamp_is_local:
        return 0
    local: datetime = books.now().astimezone(books.zone())
    offset = local.utcoffset()
    return int(offset.total_seconds() * 1000) if offset is not None else 0


def line_row(books: Books, line: Line, *, one: bool, unit_places: int) -> Row:
    """One line; *one*: in the answer about a single document, which has more of its tracking (F 4.11)."""
    row: Row = {"ItemCode": line.item_code} if line.item_code else {}
    row["Description"] = line.description
    tracking = tracking_rows(books, line.tracking, one=one)
    if line.amount is None:
        return row | {"Tracking": tracking, "LineItemID": line.id}
    account = books.accounts.get(line.account_id)
    unit = line.unit_amount if line.unit_amount is not None else ZERO
    row["UnitAmount"] = unit_price(unit, unit_places)
    if line.tax_type:
        row["TaxType"] = line.tax_type
    row["TaxAmount"] = money(line.tax or ZERO)
    row["LineAmount"] = money(line.amount)
    if account is not None:
        row["AccountCode"] = account.code
    if line.item_code:
        row |= item_part(books, line.item_code)
    row["Tracking"] = tracking
    row["Quantity"] = quantity(line.quantity if line.quantity is not None else Decimal(1))
    if line.discount_rate:
        row["DiscountRate"] = money(line.discount_rate)
    if line.discount_amount:
        row["DiscountAmount"] = money(line.discount_amount)
    row["LineItemID"] = line.id
    if account is not None:
        row["AccountID"] = account.id
    if one:
        row["ValidationErrors"] = []
    return row


def amount_due(books: Books, document: Document) -> Decimal:
    """AmountDue as reads show it: zero once voided or deleted (F 6.77)."""
    if document.status in {"VOIDED", "DELETED"} and not books.switches.voided_keeps_amount_due:
        return ZERO
    return money(document.amount_due)


def dates(document: Document) -> Row:
    """The twin dates (F 5.10)."""
    row: Row = {"DateString": day_string(document.date), "Date": day(document.date)}
    if document.due_date is not None:
        row["DueDateString"] = day_string(document.due_date)
        row["DueDate"] = day(document.due_date)
    if document.planned_date is not None:
        row["ExpectedPaymentDate" if document.is_sale else "PlannedPaymentDate"] = day(document.planned_date)
    return row


def foot(document: Document, lines: list[Row] | None) -> Row:
    """What stands at the end of every document."""
    row: Row = {}
    if document.branding_theme:
        row["BrandingThemeID"] = document.branding_theme
    row["Status"] = document.status
    row["LineAmountTypes"] = document.line_amount_types
    if lines is not None:
        row["LineItems"] = lines
    row["SubTotal"] = money(document.sub_total)
    row["TotalTax"] = money(document.total_tax)
    row["Total"] = money(document.total)
    if any(map(discount_of, document.lines)):
        row["TotalDiscount"] = money(total(map(discount_of, document.lines)))
    row["UpdatedDateUTC"] = stamp(document.updated_ms)
    row["CurrencyCode"] = document.currency
    if document.fully_paid_on is not None:
        row["FullyPaidOnDate"] = day(document.fully_paid_on)
    return row


def lines_of(books: Books, document: Document, *, one: bool, unit_places: int) -> list[Row]:
    """The lines of *document*."""
    return [line_row(books, line, one=one, unit_places=unit_places) for line in document.lines]


def payment_part(payment: Payment) -> Row:
    """A payment inside a document: without account, status and reconciliation (F 6.78)."""
    return {
        "PaymentID": payment.id,
        **({"BatchPaymentID": payment.batch_id} if payment.batch_id else {}),
        "Date": day(payment.date),
        "Amount": money(payment.amount),
        "Reference": payment.reference,
        "CurrencyRate": currency_rate(payment.rate),
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def _credits_of(books: Books, document: Document, *, one: bool) -> dict[str, list[Row]]:
    """The credits that are allocated to an invoice, in part or whole, by their family (F 6.79)."""
    rows: dict[str, list[Row]] = {}
    for part in books.allocations_of(document.id):
        credit = books.documents[part.credit_id]
        rows.setdefault(credit.family, []).append(_credit_part(part, credit, one=one))
    return rows


def _credit_part(allocation: Allocation, credit: Document, *, one: bool) -> Row:
    name = credit.family.removesuffix("s")
    row: Row = {f"{name}ID": credit.id}
    if credit.is_credit_note:
        row["CreditNoteNumber"] = credit.number
    row["ID"] = credit.id
    if credit.is_credit_note:
        row["HasErrors"] = False
        row["InvoiceAddresses"] = []
    if one:
        row["CurrencyRate"] = currency_rate(credit.rate)
    row["AppliedAmount"] = money(allocation.amount)
    row["DateString"] = day_string(credit.date)
    row["Date"] = day(credit.date)
    row["LineItems"] = []
    row["Total"] = money(credit.total)
    return row


def invoice_part(books: Books, allocation: Allocation) -> Row:
    """An invoice inside an allocation."""
    invoice = books.documents[allocation.invoice_id]
    return {
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "IsDiscounted": False,
        "InvoiceAddresses": [],
        "HasErrors": False,
        "InvoicePaymentServices": [],
        "LineItems": [],
    }


_INSIDE_PAYMENTS: Final = {
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENT", "RECEIVE-PREPAYMENT": "ARPREPAYMENT", "SPEND-OVERPAYMENT": "APOVERPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENT",
}  # fmt: skip


def stub(books: Books, document: Document) -> Row:
    """A document inside a listed payment; a credit note, too, comes as an "Invoice" (F 6.118, 6.119)."""
    return {
        "Type": _INSIDE_PAYMENTS.get(document.type, document.type),
        "InvoiceID": document.id,
        "InvoiceNumber": document.number,
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "IsDiscounted": False,
        "InvoiceAddresses": [],
        "HasErrors": False,
        "InvoicePaymentServices": [],
        "Contact": contacts.stub(books.contacts[document.contact_id]),
        "LineItems": [],
        "CurrencyCode": document.currency,
    }


def invoice_written(books: Books, document: Document, *, unit_places: int = 2) -> Row:
    """An invoice in the reply to a write: no Payments, CreditNotes, AmountCredited, HasAttachments (F 4.12)."""
    row: Row = {
        "Type": _INSIDE_PAYMENTS.get(document.type, document.type),
        "InvoiceID": document.id,
        "InvoiceNumber": document.number,
        "Reference": document.reference,
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": money(document.amount_due),
        "AmountPaid": money(document.paid),
    }
    if document.is_sale:
        row["SentToContact"] = document.sent_to_contact
    row["CurrencyRate"] = currency_rate(document.rate)
    row["IsDiscounted"] = any(map(discount_of, document.lines))
    row["HasErrors"] = False
    row["InvoicePaymentServices"] = []
    if document.url:
        row["Url"] = document.url
    row["UpdatedDateUTCString"] = stamp_string(document.updated_ms)
    row["Contact"] = contacts.written_row(books, books.contacts[document.contact_id])
    row.update(dates(document))
    row.update(foot(document, lines_of(books, document, one=True, unit_places=unit_places)))
    return row


def _applied(books: Books, document: Document, shape: str) -> Row:
    """What is applied to an invoice; the unpaged list tells nothing of it, a single read only what there is."""
    if shape == "light":
        return {"Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": []}
    one = shape == "one"
    rows: Row = {}
    payments = [payment_part(payment) for payment in books.payments_of(document.id)]
    if payments or not one:
        rows["Payments"] = payments
    credited = _credits_of(books, document, one=one)
    if "CreditNotes" in credited or not one:
        rows["CreditNotes"] = credited.get("CreditNotes", [])
    rows["Prepayments"] = credited.get("Prepayments", [])
    rows["Overpayments"] = credited.get("Overpayments", [])
    return rows


def invoice_read(books: Books, document: Document, *, shape: str, unit_places: int = 2) -> Row:
    """An invoice as read: *shape* is ``one``, ``paged``, ``light`` (without lines) or ``summary`` (F 4.08, 4.15)."""
    one = shape == "one"
    row: Row = {"Type": document.type, "InvoiceID": document.id, "InvoiceNumber": document.number}
    row["Reference"] = document.reference
    if shape != "summary":
        row |= _applied(books, document, shape)
    row["AmountDue"] = amount_due(books, document)
    row["AmountPaid"] = money(document.paid)
    row["AmountCredited"] = money(document.credited)
    if document.sent_to_contact:
        row["SentToContact"] = True
    row["CurrencyRate"] = currency_rate(document.rate)
    row["IsDiscounted"] = any(map(discount_of, document.lines))
    if shape != "summary":
        row["HasAttachments"] = books.has_attachments(document.id)
    if not one:
        row["InvoiceAddresses"] = []
    row["HasErrors"] = False
    if one:
        row["Attachments"] = attached(books, "Invoices", document.id)
    row["InvoicePaymentServices"] = []
    if document.url:
        row["Url"] = document.url
    row["UpdatedDateUTCString"] = stamp_string(document.updated_ms)
    contact = books.contacts[document.contact_id]
    row["Contact"] = (
        contacts.written_row(books, contact, ahead_ms=contact_ahead_ms(books)) if one else contacts.stub(contact)
    )
    row.update(dates(document))
    lines = lines_of(books, document, one=one, unit_places=unit_places) if shape in {"one", "paged"} else []
    row.update(foot(document, None if shape == "summary" else lines))
    return row
