"""Which states a document may go to, and what may still change once money is applied to it (F 6.51–6.53, 6.66)."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document, Line
from xerosync.simulator.given import Given, Json
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules.tracking import tracked

_NEXT: Final = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"AUTHORISED", "PAID", "VOIDED"},
}
_HAS_MONEY: Final = "This document cannot be edited as it has a payment or credit note allocated to it."


def next_status(noun: str, document: Document, wanted: str) -> str:
    """The state *document* goes to when *wanted* (blank: stays) is asked for. Raises `Invalid` in Xero's words."""
    current = document.status
    if current not in _NEXT:
        raise Invalid(f"{noun} not of valid status for modification")
    if wanted in {"", current}:
        return current
    if document.paid or document.credited:
        if wanted == "AUTHORISED":
            return current
        raise Invalid(
            f"The status {wanted} cannot be applied to the {noun.lower()} because it has payments or credit notes "
            "allocated to it."
        )
    if wanted not in _NEXT[current]:
        raise Invalid(f"{noun} not of valid status for modification")
    return current if current == "PAID" and wanted == "AUTHORISED" else wanted


def refuse_paid(given: Given, old: Document) -> None:
    """Raise `Invalid` when *given* would change more of a paid or part-paid document than may change."""
    changes = [
        (on := given.day("Date")) is not None and on != old.date,
        bool(given.text("CurrencyCode")) and given.text("CurrencyCode").upper() != old.currency,
        bool(given.text("LineAmountTypes")) and given.text("LineAmountTypes").lower() != old.line_amount_types.lower(),
        _moves_contact(given, old) and bool(old.credited),
        bool(given.text("Type")) and given.text("Type").upper() != old.type,
    ]
    if any(changes):
        raise Invalid("Invoice not of valid status for modification" if old.status == "PAID" else _HAS_MONEY)
    rows = given.many("LineItems") or []
    known = {line.id: line for line in old.lines}
    if any(not row.id("LineItemID") for row in rows):
        raise Invalid("To update fields on a paid invoice line item, you must supply a LineItemID")
    sent = {row.id("LineItemID") for row in rows}
    if (given.has("LineItems") and sent != set(known)) or any(_moves_money(row, known) for row in rows):
        raise Invalid("Invoice not of valid status for modification" if old.status == "PAID" else _HAS_MONEY)


def paid_lines(books: Books, given: Given, old: Document) -> tuple[Line, ...]:
    """The lines of *old* with the descriptions, accounts and tracking that were given."""
    known = {line.id: line for line in old.lines}
    for row in given.many("LineItems") or []:
        line = known[row.id("LineItemID")]
        code = row.text("AccountCode").strip()
        account = books.account(code) if code else None
        if code and (account is None or account.status != "ACTIVE" or account.type == "BANK"):
            raise Invalid(f"Account code '{code}' is not a valid code for this document.")
        tracking = tracked(books, row, [])
        known[line.id] = evolve(
            line,
            description=row.text("Description") or line.description,
            account_id=account.id if account is not None else line.account_id,
            tracking=tracking if row.has("Tracking") else line.tracking,
        )
    return tuple(known.values())


def as_given(books: Books, line: Line) -> Given:
    """*line* as a caller would give it, to be checked anew when its document is approved."""
    fields: dict[str, Json] = {"LineItemID": line.id, "Description": line.description, "ItemCode": line.item_code}
    if line.amount is not None:
        account = books.accounts.get(line.account_id)
        fields |= {
            "Quantity": line.quantity,
            "UnitAmount": line.unit_amount,
            "LineAmount": line.amount,
            "TaxType": line.tax_type,
            "DiscountRate": line.discount_rate,
            "AccountCode": account.code if account is not None else "",
            "AccountID": line.account_id,
        }
    fields["Tracking"] = [
        {"TrackingCategoryID": category, "TrackingOptionID": option} for category, option in line.tracking
    ]
    return Given(fields)


def _moves_contact(given: Given, old: Document) -> bool:
    contact = given.one("Contact")
    return contact is not None and contact.id("ContactID") not in {"", old.contact_id}


def _moves_money(row: Given, known: dict[str, Line]) -> bool:
    line = known.get(row.id("LineItemID"))
    if line is None:
        return True
    pairs = (
        (row.amount("Quantity"), line.quantity),
        (row.amount("UnitAmount"), line.unit_amount),
        (row.amount("LineAmount"), line.amount),
        (row.amount("TaxAmount"), line.tax),
    )
    if any(given is not None and given != kept for given, kept in pairs):
        return True
    return bool(row.text("TaxType")) and row.text("TaxType").upper() != line.tax_type
