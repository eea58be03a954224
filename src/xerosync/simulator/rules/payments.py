"""Rules of payments and allocations (F 6.97–6.103, 6.110–6.132)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Account, Allocation, Document, Payment
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules.dates import refuse_locked, refuse_locked_edit
from xerosync.simulator.rules.documents import settle

_CENT: Final = Decimal("0.01")
_SMALLEST_RATE: Final = Decimal("0.000001")
_TYPES: Final = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}
_TARGETS: Final = ("Invoice", "CreditNote", "Prepayment", "Overpayment")


def pay(books: Books, given: Given, *, made_by: str) -> Payment:
    """Record a payment of an invoice or bill, or the refund of a credit note. Raises `Invalid`."""
    document = _target(books, given)
    account = _account(books, given, document)
    amount = given.amount("Amount")
    if amount is None or amount <= 0:
        raise Invalid("The payment amount must be greater than zero")
    amount = amount.quantize(_CENT, ROUND_HALF_UP)
    faults: list[str] = []
    if amount > (document.amount_due if document.is_posted else Decimal(0)) and document.status != "DRAFT":
        faults.append("Payment amount exceeds the amount outstanding on this document")
    if document.status != "AUTHORISED":
        faults.append("Payments can only be made against Authorised documents")
    if faults:
        raise Invalid(*faults)
    on = given.day("Date") or books.today()
    refuse_locked(books, on)
    reference = given.text("Reference")
    if len(reference) > 255:
        raise Invalid("Reference must not be longer than 255 characters")
    rate, bank_amount = _exchange(books, given, document, account, amount)
    stamp = books.write_stamp()
    payment = Payment(
        id=books.draw(),
        document_id=document.id,
        account_id=account.id,
        date=on,
        amount=amount,
        bank_amount=bank_amount,
        rate=rate,
        type=_TYPES[document.type],
        updated_ms=stamp,
        reference=reference,
        is_reconciled=given.flag("IsReconciled") or False,
        made_by=made_by,
    )
    books.payments.put(payment)
    settle(books, document, paid=document.paid + amount, credited=document.credited, stamp=stamp)
    return payment


def remove(books: Books, payment: Payment, given: Given) -> Payment:
    """Delete *payment* as *given* asks; anything else it asks is refused. Raises `Invalid`."""
    if given.text("Status").strip().upper() != "DELETED" or set(given.names) - {"status", "paymentid"}:
        raise Invalid("Only Status accepted for updates.")
    if payment.status == "DELETED":
        raise Invalid("This payment has already been deleted and cannot be modified")
    if payment.is_reconciled and not books.switches.reconciled_payments_can_be_deleted:
        raise Invalid("This payment cannot be deleted as it has been reconciled")
    return take_back(books, payment)


def take_back(books: Books, payment: Payment) -> Payment:
    """Delete *payment* and reopen its document (F 6.122). Raises `Invalid` when its date is locked."""
    refuse_locked_edit(books, payment.date)
    stamp = books.write_stamp()
    deleted = books.payments.put(evolve(payment, status="DELETED", updated_ms=stamp))
    document = books.documents[payment.document_id]
    settle(books, document, paid=document.paid - payment.amount, credited=document.credited, stamp=stamp)
    return deleted


def allocate(books: Books, credit_note: Document, given: Given) -> Allocation:
    """Set part of *credit_note* against an invoice of the same contact and kind (F 6.97). Raises `Invalid`."""
    invoice = _invoice(books, given.one("Invoice") or Given({}))
    amount = given.amount("Amount")
    if amount is None:
        amount = given.amount("AppliedAmount")  # A.11: clients in use send it under this name
    if amount is None or amount <= 0:
        raise Invalid("The allocation amount must be greater than zero")
    amount = amount.quantize(_CENT, ROUND_HALF_UP)
    if credit_note.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Invalid("Allocations can only be made against Authorised documents")
    if not invoice.is_invoice or invoice.is_sale != credit_note.is_sale:
        raise Invalid("The credit note and the invoice are not of the same kind")
    if invoice.contact_id != credit_note.contact_id:
        raise Invalid("The credit note and the invoice must belong to the same contact")
    if invoice.currency != credit_note.currency:
        raise Invalid("The credit note and the invoice must be in the same currency")
    if amount > credit_note.amount_due:
        raise Invalid("The amount allocated cannot exceed the remaining credit of the credit note")
    if amount > invoice.amount_due:
        raise Invalid("The amount allocated cannot exceed the amount outstanding on the invoice")
    on = max(credit_note.date, invoice.date)
    refuse_locked(books, on)
    stamp = books.write_stamp()
    allocation = Allocation(books.draw(), credit_note.id, invoice.id, amount, on, stamp)
    books.allocations.put(allocation)
    for document in (credit_note, invoice):
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


def _target(books: Books, given: Given) -> Document:
    named = [name for name in _TARGETS if (one := given.one(name)) is not None and one.names]
    if len(named) > 1:
        raise Invalid("Payment is applied to more than one document")
    if not named:
        raise Invalid("You must specify an Invoice ID or Invoice Number for the payment")
    target = given.one(named[0]) or Given({})
    if named[0] == "Invoice":
        return _invoice(books, target)
    if named[0] == "CreditNote":
        return _credit_note(books, target)
    raise Invalid(f"{named[0]} could not be found")


def _invoice(books: Books, given: Given) -> Document:
    invoice_id, number = given.id("InvoiceID"), given.text("InvoiceNumber").strip()
    if not invoice_id and not number:
        raise Invalid("You must specify an Invoice ID or Invoice Number for the payment")
    if invoice_id:
        found = books.documents.get(invoice_id)
    else:
        same = [one for one in books.documents.by("number", number.lower()) if one.is_invoice]
        found = next((one for one in same if one.is_posted), same[0] if same else None)
    if found is None or not found.is_invoice:
        raise Invalid("Invoice could not be found")
    return found


def _credit_note(books: Books, given: Given) -> Document:
    note_id, number = given.id("CreditNoteID"), given.text("CreditNoteNumber").strip()
    found = books.documents.get(note_id) if note_id else None
    if found is None and number:
        found = next((one for one in books.documents.by("number", number.lower()) if one.is_credit_note), None)
    if found is None or not found.is_credit_note:
        raise Invalid("An existing Credit Note with the specified CreditNoteID could not be found")
    return found


def _account(books: Books, given: Given, document: Document) -> Account:
    named = given.one("Account") or Given({})
    account_id, code = named.id("AccountID"), named.text("Code").strip()
    account = books.accounts.get(account_id) if account_id else books.account(code) if code else None
    if account is None:
        raise Invalid("Account could not be found")
    if account.status != "ACTIVE" and account.type == "BANK":
        raise Invalid("The bank account is archived and cannot be used")
    if account.status != "ACTIVE" or not account.is_payable or account.system:
        raise Invalid("Account type is invalid for making a payment to/from")
    base_currency = books.organisation.currency
    if account.type == "BANK" and account.currency not in {"", base_currency, document.currency}:
        raise Invalid("The currency of the bank account does not match the currency of the document")
    return account


def _exchange(
    books: Books, given: Given, document: Document, account: Account, amount: Decimal
) -> tuple[Decimal, Decimal]:
    """The rate of a payment and what it moves in the account's own currency (F 6.115, 6.116)."""
    if document.currency == books.organisation.currency:
        return Decimal(1), amount
    rate = given.amount("CurrencyRate") or document.rate
    if rate < _SMALLEST_RATE:
        rate = document.rate
    if account.currency == document.currency:
        return rate, amount
    stated = given.amount("BankAmount")
    if stated is not None and stated > 0:
        return amount / stated, stated.quantize(_CENT, ROUND_HALF_UP)
    return rate, (amount / rate).quantize(_CENT, ROUND_HALF_UP)
