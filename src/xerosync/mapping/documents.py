"""The host's bills and payments as Xero documents: pure functions, one for each document that is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from attrs import evolve, field, frozen

from xerosync.errors import InvalidInput
from xerosync.models import (
    Account,
    AccountCode,
    AccountId,
    Allocation,
    BatchPayment,
    Contact,
    ContactId,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    InvoiceType,
    LineAmountTypes,
    LineItem,
    Payment,
)
from xerosync.money import Money

MARK_URL: Final = "https://xerosync.invalid/{tag}"
"""Where a bill's link leads when the host has none: a name that never resolves (RFC 2606)."""

_LONGEST: Final = {"number": 255, "description": 4000, "reference": 255}
_NO_TAX: Final = "NONE"


def check_day(name: str, value: object) -> None:
    """Refuse a *value* that is no plain `date`. A moment is none, since its day is another in another time zone."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput(name, "give a date, without a time of day: Xero keeps days")


@frozen(kw_only=True, repr=False)
class BillLine:
    """One line of a bill: *amount* in its currency, negative for a deduction, on the expense account *account*."""

    description: str
    amount: Money
    account: AccountCode

    def __repr__(self) -> str:
        return "<BillLine>"


@frozen(kw_only=True, repr=False)
class Bill:
    """
    A bill, receipt or credit note as the host has it. *id* is the host's own and makes it known again.

    *vendor* is the vendor's name, *number* the vendor's number for the paper. A negative total makes it a supplier's
    credit note. *due* is the day the bill is due, *on* unless given.
    """

    id: str
    vendor: str
    number: str
    on: date
    lines: tuple[BillLine, ...] = field(converter=tuple[BillLine, ...])
    due: date | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)
        if self.due is not None:
            check_day("due", self.due)

    @property
    def total(self) -> Money:
        """The sum of the lines. Raises `InvalidInput` when there is none, or they differ in currency."""
        if not self.lines:
            raise InvalidInput("lines", "give at least one line")
        return Money.total((line.amount for line in self.lines), self.lines[0].amount.currency)

    def __repr__(self) -> str:
        return f"<Bill {self.id}>"


def checked(bill: Bill) -> Bill:
    """*bill*, if Xero can keep it. Raises `InvalidInput` naming the field, before anything is sent."""
    if not bill.id:
        raise InvalidInput("id", "give the host's own id of the bill")
    if not bill.vendor.strip():
        raise InvalidInput("vendor", "give the vendor's name")
    _fits("number", bill.number)
    for line in bill.lines:
        _fits("description", line.description)
        if not line.amount.to_the_cent:
            raise InvalidInput("amount", "give amounts to the currency's smallest coin")
    if abs(bill.total.amount) >= Decimal("1e10"):
        raise InvalidInput("amount", "Xero takes no line above 9,999,999,999.99 (F 6.85)")
    return bill


def contact_named(name: str) -> Contact:
    """A new contact of this *name*, blanks collapsed (F 5.20). Raises `InvalidInput` for a name Xero refuses."""
    plain = " ".join(name.split())
    if not 0 < len(plain) <= 255:
        raise InvalidInput("name", "give a contact name of 1 to 255 characters (F 6.22)")
    if "<" in plain or ">" in plain:
        raise InvalidInput("name", "Xero takes no < or > in a contact name (F 5.20)")
    if not plain.isprintable():
        raise InvalidInput("name", "take control characters out of the contact name")
    return Contact(name=plain)


def bill_document(bill: Bill) -> Invoice:
    """*bill* as an authorised ACCPAY invoice without tax, its contact and mark left open."""
    return Invoice(
        type=InvoiceType.ACCPAY,
        invoice_number=bill.number,
        date=bill.on,
        due_date=bill.due or bill.on,
        status=DocumentStatus.AUTHORISED,
        line_amount_types=LineAmountTypes.NO_TAX,
        line_items=tuple(_line(line, sign=1) for line in bill.lines),
        currency_code=bill.total.currency,
    )


def credit_note_document(bill: Bill) -> CreditNote:
    """*bill*, whose total is negative, as an authorised ACCPAYCREDIT, its contact and mark left open."""
    return CreditNote(
        type=InvoiceType.ACCPAYCREDIT,
        credit_note_number=bill.number,
        date=bill.on,
        status=DocumentStatus.AUTHORISED,
        line_amount_types=LineAmountTypes.NO_TAX,
        line_items=tuple(_line(line, sign=-1) for line in bill.lines),
        currency_code=bill.total.currency,
    )


def marked_bill(document: Invoice, contact: str, tag: str, url: str = MARK_URL) -> Invoice:
    """*document* for *contact*, *tag* in its Url: bills keep no reference, and numbers repeat (F 6.57, 6.58)."""
    return evolve(document, contact=Contact(contact_id=ContactId(contact)), url=url.format(tag=tag))


def marked_credit_note(document: CreditNote, contact: str, tag: str) -> CreditNote:
    """*document* for *contact*, with *tag* behind its first description: there is no other place for it."""
    first, *rest = document.line_items
    room = _LONGEST["description"] - len(tag) - 1
    tagged = evolve(first, description=f"{(first.description or '')[:room]} {tag}".lstrip())
    return evolve(document, contact=Contact(contact_id=ContactId(contact)), line_items=(tagged, *rest))


D = TypeVar("D", Invoice, CreditNote)


def marked_sale(document: D, contact: str, tag: str) -> D:
    """A sales invoice or a credit note to a customer for *contact*, *tag* behind its reference."""
    marked = marked_reference(document.reference or "", tag)
    return evolve(document, contact=Contact(contact_id=ContactId(contact)), reference=marked)


def payment_document(*, invoice: InvoiceId, account: AccountId, amount: Money, on: date, reference: str) -> Payment:
    """A payment on an invoice or bill."""
    return Payment(
        invoice=Invoice(invoice_id=invoice),
        account=Account(account_id=account),
        date=on,
        amount=amount.amount,
        reference=reference,
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
    *, credit_note: CreditNoteId, account: AccountId, amount: Money, on: date, reference: str
) -> Payment:
    """The money that came back for a credit note (F 6.103)."""
    return Payment(
        credit_note=CreditNote(credit_note_id=credit_note),
        account=Account(account_id=account),
        date=on,
        amount=amount.amount,
        reference=reference,
    )


def allocation_document(*, invoice: InvoiceId, amount: Money, on: date) -> Allocation:
    """A part of a credit note set against *invoice*. The specification wants a date; Xero derives its own (F 6.98)."""
    return Allocation(amount=amount.amount, date=on, invoice=Invoice(invoice_id=invoice))


def marked_reference(text: str, tag: str) -> str:
    """The host's *text* and our *tag*, within the 255 characters that are safe (F 6.128)."""
    return f"{text[: _LONGEST['reference'] - len(tag) - 1]} {tag}".lstrip()


def _line(line: BillLine, *, sign: int) -> LineItem:
    return LineItem(
        description=line.description or "-",
        quantity=Decimal(1),
        unit_amount=(line.amount if sign > 0 else -line.amount).amount,
        account_code=line.account,
        tax_type=_NO_TAX,
    )


def _fits(field_name: str, text: str) -> None:
    if len(text) > _LONGEST[field_name]:
        raise InvalidInput(field_name, f"give at most {_LONGEST[field_name]} characters")
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        raise InvalidInput(field_name, "take control characters out of it")
