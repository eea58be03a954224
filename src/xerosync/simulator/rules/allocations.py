"""Rules of allocations: credit notes, over- and prepayments set against invoices (F 6.97–6.102, 6.154)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ZERO, Allocation, Document
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import payments
from xerosync.simulator.rules.dates import refuse_locked, refuse_locked_edit
from xerosync.simulator.rules.documents import settle

_CENT: Final = Decimal("0.01")
_NOUNS: Final = {"CreditNotes": "credit note", "Overpayments": "overpayment", "Prepayments": "prepayment"}


def allocate(books: Books, credit: Document, given: Given) -> Allocation:
    """Set part of *credit* against an invoice of the same contact and kind (F 6.97). Raises `Invalid`."""
    invoice = payments.invoice(books, given.one("Invoice") or Given({}))
    amount = given.amount("Amount")
    if amount is None:
        amount = given.amount("AppliedAmount")  # A.11: clients in use send it under this name
    amount = (amount or ZERO).quantize(_CENT, ROUND_HALF_UP)
    if amount <= 0:
        raise Invalid("The allocation amount must be greater than zero")
    _refuse_strangers(credit, invoice)
    noun, chosen = _NOUNS[credit.family], books.switches.over_allocation_text
    if amount > credit.amount_due:
        raise Invalid(
            f"The amount allocated cannot exceed the remaining credit of the {noun}" if chosen is None else chosen
        )
    if amount > invoice.amount_due:
        raise Invalid(
            "The amount allocated cannot exceed the amount outstanding on the invoice" if chosen is None else chosen
        )
    on = max(credit.date, invoice.date)
    refuse_locked(books, on)
    stamp = books.write_stamp()
    allocation = Allocation(books.draw(), credit.id, invoice.id, amount, on, stamp)
    books.allocations.put(allocation)
    for document in (credit, invoice):
        settle(books, document, paid=document.paid, credited=document.credited + amount, stamp=stamp)
    return allocation


def unallocate(books: Books, allocation: Allocation) -> None:
    """Take *allocation* back. Raises `Invalid` when its date is locked."""
    refuse_locked_edit(books, allocation.date)
    stamp = books.write_stamp()
    books.allocations.drop(allocation.id)
    for document_id in (allocation.credit_id, allocation.invoice_id):
        document = books.documents[document_id]
        settle(books, document, paid=document.paid, credited=document.credited - allocation.amount, stamp=stamp)


def _refuse_strangers(credit: Document, invoice: Document) -> None:
    noun = _NOUNS[credit.family]
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Invalid("Allocations can only be made against Authorised documents")
    if invoice.is_sale != credit.is_sale:
        raise Invalid(f"The {noun} and the invoice are not of the same kind")
    if invoice.contact_id != credit.contact_id:
        raise Invalid(f"The {noun} and the invoice must belong to the same contact")
    if invoice.currency != credit.currency:
        raise Invalid(f"The {noun} and the invoice must be in the same currency")
