"""Rules of payments (F 6.103, 6.110–6.132)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Account, Document, Payment
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules.dates import refuse_locked, refuse_locked_edit
from xerosync.simulator.rules.documents import day_rate, settle

_CENT: Final = Decimal("0.01")
_SMALLEST_RATE: Final = Decimal("0.000001")
_TYPES: Final = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
}
_TARGETS: Final = ("Invoice", "CreditNote", "Prepayment", "Overpayment")


def pay(books: Books, given: Given, *, made_by: str) -> Payment:
    """Record a payment of an invoice or bill, or the refund of a credit. Raises `Invalid`."""
    if given.text("Status").strip().upper() not in {"", "AUTHORISED"}:
        raise Invalid("Payment not of valid status for creation")
    document = _target(books, given)
    account = _account(books, given, document)
    amount = given.amount("Amount")
    amount = (amount or Decimal(0)).quantize(_CENT, ROUND_HALF_UP)
    if amount <= 0:
        raise Invalid("The payment amount must be greater than zero")
    faults: list[str] = []
    if amount > document.amount_due and document.status in {"AUTHORISED", "PAID"}:
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
    if payment.batch_id:
        raise Invalid("This payment cannot be deleted as it is part of a batch payment: delete the batch")
    if payment.is_reconciled and not books.switches.reconciled_payments_can_be_deleted:
        chosen = books.switches.reconciled_payment_text
        raise Invalid("This payment cannot be deleted as it has been reconciled" if chosen is None else chosen)
    return take_back(books, payment)


def take_back(books: Books, payment: Payment) -> Payment:
    """Delete *payment* and reopen its document (F 6.122). Raises `Invalid` when its date is locked."""
    refuse_locked_edit(books, payment.date)
    stamp = books.write_stamp()
    deleted = books.payments.put(evolve(payment, status="DELETED", updated_ms=stamp))
    document = books.documents[payment.document_id]
    settle(books, document, paid=document.paid - payment.amount, credited=document.credited, stamp=stamp)
    return deleted


def _target(books: Books, given: Given) -> Document:
    named = [name for name in _TARGETS if (one := given.one(name)) is not None and one.names]
    if len(named) > 1:
        raise Invalid("Payment is applied to more than one document")
    if not named:
        raise Invalid("You must specify an Invoice ID or Invoice Number for the payment")
    target = given.one(named[0]) or Given({})
    if named[0] == "Invoice":
        return invoice(books, target)
    if named[0] == "CreditNote":
        return _credit_note(books, target)
    found = books.documents.get(target.id(f"{named[0]}ID"))
    if found is None or found.family != f"{named[0]}s":
        raise Invalid(f"{named[0]} could not be found")
    return found


def invoice(books: Books, given: Given) -> Document:
    """The invoice or bill that *given* means, by InvoiceID or InvoiceNumber. Raises `Invalid`."""
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


def paying_account(books: Books, given: Given) -> Account:
    """The account that *given* names, fit to be paid from and into (F 6.113). Raises `Invalid`."""
    named = given.one("Account") or Given({})
    account_id, code = named.id("AccountID"), named.text("Code").strip()
    account = books.accounts.get(account_id) if account_id else books.account(code) if code else None
    if account is None:
        raise Invalid("Account could not be found")
    if account.status != "ACTIVE" and account.type == "BANK":
        raise Invalid("The bank account is archived and cannot be used")
    if account.status != "ACTIVE" or not account.is_payable or account.system:
        raise Invalid("Account type is invalid for making a payment to/from")
    return account


def _account(books: Books, given: Given, document: Document) -> Account:
    account = paying_account(books, given)
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
    usual = document.rate if books.switches.payment_rate == "document" else day_rate(books, document.currency)
    rate = given.amount("CurrencyRate") or usual
    if rate < _SMALLEST_RATE:
        rate = usual
    if account.currency == document.currency:
        return rate, amount
    stated = (given.amount("BankAmount") or Decimal(0)).quantize(_CENT, ROUND_HALF_UP)
    if stated > 0 and books.switches.payment_takes_bank_amount:
        return amount / stated, stated
    return rate, (amount / rate).quantize(_CENT, ROUND_HALF_UP)
