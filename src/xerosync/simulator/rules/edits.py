"""Which states a document may go to, and what may still change once money is applied to it (F 6.51–6.53, 6.66)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Document, Line
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import contacts
from xerosync.simulator.rules.lines import each_line, line_account
from xerosync.simulator.rules.tracking import tracked

_NEXT: Final = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID", "VOIDED"},
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
        raise Invalid(
            f"The status {wanted} cannot be applied to the {noun.lower()} because it has payments or credit notes "
            "allocated to it."
        )
    if wanted not in _NEXT[current]:
        raise Invalid(f"{noun} not of valid status for modification")
    return wanted


def refuse_paid(books: Books, noun: str, given: Given, old: Document) -> None:
    """Raise `Invalid` when *given* would change more of a paid or part-paid document than may change (F 6.66)."""
    names_payment = old.status != "PAID" and books.switches.part_paid_names_payment
    refused = _HAS_MONEY if names_payment else f"{noun} not of valid status for modification"
    changes = [
        (on := given.day("Date")) is not None and on != old.date,
        bool(given.text("CurrencyCode")) and given.text("CurrencyCode").upper() != old.currency,
        bool(given.text("LineAmountTypes")) and given.text("LineAmountTypes").lower() != old.line_amount_types.lower(),
        bool(old.credited) and _moves_contact(books, given, old),
        (rate := given.amount("CurrencyRate")) is not None and rate != old.rate,
        bool(given.text("Type")) and given.text("Type").upper() != old.type,
    ]
    if any(changes):
        raise Invalid(refused)
    rows = given.many("LineItems") or []
    known = {line.id: line for line in old.lines}
    if any(not row.id("LineItemID") for row in rows):
        raise Invalid("To update fields on a paid invoice line item, you must supply a LineItemID")
    sent = {row.id("LineItemID") for row in rows}
    if (given.has("LineItems") and sent != set(known)) or any(_moves_money(row, known) for row in rows):
        raise Invalid(refused)


def paid_lines(books: Books, given: Given, old: Document) -> tuple[Line, ...]:
    """The lines of *old* with the descriptions, accounts and tracking that were given."""
    known = {line.id: line for line in old.lines}

    def changed(row: Given) -> Line:
        line = known[row.id("LineItemID")]
        account_id, code = row.id("AccountID"), row.text("AccountCode").strip()
        account = line_account(books, account_id=account_id, code=code) if account_id or code else None
        return evolve(
            line,
            description=row.text("Description") or line.description,
            account_id=account.id if account is not None else line.account_id,
            tracking=tracked(books, row, []) if row.has("Tracking") else line.tracking,
        )

    known |= {line.id: line for line in each_line(books, given.many("LineItems") or [], changed)}
    return tuple(known.values())


def unchanged(lines: Sequence[Line]) -> list[Given]:
    """*lines* as a caller gives those he keeps as they are, to be checked anew (F 6.65)."""
    return [Given({"LineItemID": line.id}) for line in lines]


def _moves_contact(books: Books, given: Given, old: Document) -> bool:
    contact = given.one("Contact")
    if contact is None or not contact.names:
        return False
    found = contacts.resolve(books, contact)
    return found is None or found.id != old.contact_id


def _moves_money(row: Given, known: dict[str, Line]) -> bool:
    line = known.get(row.id("LineItemID"))
    if line is None:
        return True
    pairs = (
        (row.amount("Quantity"), line.quantity),
        (row.amount("UnitAmount"), line.unit_amount),
        (row.amount("LineAmount"), line.amount),
        (row.amount("TaxAmount"), line.tax),
        (row.amount("DiscountRate"), line.discount_rate or ZERO),
        (row.amount("DiscountAmount"), line.discount_amount or ZERO),
    )
    if any(given is not None and given != kept for given, kept in pairs):
        return True
    if row.text("ItemCode") and row.text("ItemCode").strip().lower() != line.item_code.lower():
        return True
    return bool(row.text("TaxType")) and row.text("TaxType").upper() != line.tax_type
