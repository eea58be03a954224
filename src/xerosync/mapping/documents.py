"""The host's bills and payments as Xero documents: pure functions, one for each document that is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.mapping.lines import LONGEST
from xerosync.models import (
    Account,
    AccountId,
    Allocation,
    BatchPayment,
    Contact,
    ContactId,
    CreditNote,
    Invoice,
    InvoiceId,
    Overpayment,
    Payment,
)
from xerosync.money import Money
from xerosync.texts import check_text

MARK_URL: Final = "https://xerosync.invalid/{tag}"
"""Where a bill's link leads when the host has none: a name that never resolves (RFC 2606)."""
_FIRST_DAY: Final = date(1753, 1, 1)


def check_day(name: str, value: object) -> None:
    """Refuse a *value* that is no plain `date`. A moment is none, since its day is another in another time zone."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput(name, "give a date, as .date() makes of a moment: Xero keeps days")


def check_written_day(name: str, day: date | None) -> None:
    """Refuse a *day* that Xero cannot read: it refuses all that is sent in the same call. Raises `InvalidInput`."""
    if day is not None and day < _FIRST_DAY:
        raise InvalidInput(name, f"give a day from {_FIRST_DAY.isoformat()} on: Xero reads none before")


def contact_named(name: str, *, field: str = "name") -> Contact:
    """A new contact of this *name*, given as *field*, blanks collapsed. Raises `InvalidInput` for one Xero refuses."""
    plain = " ".join(name.split())
    if not 0 < len(plain) <= 255:
        raise InvalidInput(field, "give a contact name of 1 to 255 characters (F 6.22)")
    if "<" in plain or ">" in plain:
        raise InvalidInput(field, "Xero takes no < or > in a contact name (F 5.20)")
    check_text(field, plain)
    if not plain.isprintable():
        raise InvalidInput(field, "take invisible characters out of the contact name")
    return Contact(name=plain)


def marked_bill(document: Invoice, contact: str, tag: str, url: str = MARK_URL) -> Invoice:
    """*document* for *contact*, *tag* in its Url: bills keep no reference, and numbers repeat (F 6.57, 6.58)."""
    return evolve(document, contact=Contact(contact_id=ContactId(contact)), url=url.format(tag=tag))


def marked_credit_note(document: CreditNote, contact: str, tag: str) -> CreditNote:
    """*document* for *contact*, with *tag* on it."""
    return evolve(tagged_credit_note(document, tag), contact=Contact(contact_id=ContactId(contact)))


def tagged_credit_note(document: CreditNote, tag: str) -> CreditNote:
    """A supplier's credit note with *tag* behind its first description: there is no other place for it."""
    first, *rest = document.line_items
    room = LONGEST["description"] - len(tag) - 1
    tagged = evolve(first, description=f"{(first.description or '')[:room]} {tag}".lstrip())
    return evolve(document, line_items=(tagged, *rest))


D = TypeVar("D", Invoice, CreditNote)


def marked_sale(document: D, contact: str, tag: str) -> D:
    """A sales invoice or a credit note to a customer for *contact*, *tag* behind its reference."""
    marked = marked_reference(document.reference or "", tag)
    return evolve(document, contact=Contact(contact_id=ContactId(contact)), reference=marked)


def payment_document(
    *,
    invoice: InvoiceId,
    account: AccountId,
    amount: Money,
    on: date,
    reference: str,
    settled: Money | None = None,
    rate: Decimal | None = None,
) -> Payment:
    """A payment on an invoice or bill; *settled* is what it moves in the account's currency, if another (F 6.115)."""
    return Payment(
        invoice=Invoice(invoice_id=invoice),
        account=Account(account_id=account),
        date=on,
        amount=amount.amount,
        reference=reference,
        bank_amount=settled.amount if settled is not None else None,
        currency_rate=rate,
    )


def batch_document(
    *, account: AccountId, on: date, reference: str, payments: Sequence[tuple[InvoiceId, Money]]
) -> BatchPayment:
    """Several payments, each of a bill or invoice of its own, as one sum (F 6.140)."""
    return BatchPayment(
        account=Account(account_id=account),
        date=on,
        reference=reference,
        payments=tuple(
            Payment(invoice=Invoice(invoice_id=invoice), amount=amount.amount) for invoice, amount in payments
        ),
    )


def refund_document(
    *,
    credit: CreditNote | Overpayment,
    account: AccountId,
    amount: Money,
    on: date,
    reference: str,
    settled: Money | None = None,
    rate: Decimal | None = None,
) -> Payment:
    """The money that went back for a *credit* (F 6.103, 6.154); *settled* is as of a payment."""
    return Payment(
        credit_note=credit if isinstance(credit, CreditNote) else None,
        overpayment=credit if isinstance(credit, Overpayment) else None,
        account=Account(account_id=account),
        date=on,
        amount=amount.amount,
        reference=reference,
        bank_amount=settled.amount if settled is not None else None,
        currency_rate=rate,
    )


def allocation_document(*, invoice: InvoiceId, amount: Money, on: date) -> Allocation:
    """A part of a credit note set against *invoice*. The specification wants a date; Xero derives its own (F 6.98)."""
    return Allocation(amount=amount.amount, date=on, invoice=Invoice(invoice_id=invoice))


def marked_reference(text: str, tag: str) -> str:
    """The host's *text* and our *tag*, within the 255 characters that are safe (F 6.128)."""
    return f"{text[: LONGEST['reference'] - len(tag) - 1]} {tag}".lstrip()
