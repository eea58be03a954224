"""The host's bills and payments as Xero documents: pure functions, one for each document that is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Self, TypeVar, cast

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
    LineTracking,
    Payment,
)
from xerosync.money import EXACT, Money

MARK_URL: Final = "https://xerosync.invalid/{tag}"
"""Where a bill's link leads when the host has none: a name that never resolves (RFC 2606)."""

_LONGEST: Final = {"number": 255, "description": 4000, "reference": 255}
_NO_TAX: Final = "NONE"
_PRICE: Final = Decimal("0.0001")
_POSTED_AS: Final = (DocumentStatus.DRAFT, DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED)


def check_day(name: str, value: object) -> None:
    """Refuse a *value* that is no plain `date`. A moment is none, since its day is another in another time zone."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput(name, "give a date, without a time of day: Xero keeps days")


def as_pairs(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names with what each is, given either way, in order."""
    pairs = cast(Mapping[str, str], given).items() if isinstance(given, Mapping) else given
    return tuple(pairs)


@frozen(kw_only=True, repr=False)
class BillLine:
    """
    One line of a bill or a card's receipt: *amount* in its currency, negative for a deduction, on *account*.

    The amount is *quantity* × *unit_price* to the coin (`priced` works it out); a unit price has four decimals at most
    (F 5.21), and follows from the amount unless given. *tax_type* is Xero's word for the tax, *tax* its amount where
    the paper's is not what Xero would work out (F 5.27), *tracking* an option for each of two categories at most,
    *item* the code of an item. What is left out is chosen by `Rules`, by the host's own *category* among others; a tax
    that nobody chose is the account's own (F 6.15).
    """

    description: str
    amount: Money
    account: AccountCode | None = None
    tax_type: str | None = None
    tax: Money | None = None
    tracking: tuple[tuple[str, str], ...] = field(default=(), converter=as_pairs)
    item: str | None = None
    quantity: Decimal = Decimal(1)
    unit_price: Money | None = None
    category: str = ""

    @classmethod
    def priced(
        cls,
        *,
        description: str,
        quantity: Decimal,
        unit_price: Money,
        account: AccountCode | None = None,
        tax_type: str | None = None,
        tracking: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        item: str | None = None,
        category: str = "",
    ) -> Self:
        """A line of *quantity* × *unit_price*, whose amount is rounded to the coin as Xero does (F 5.23, 5.25)."""
        return cls(
            description=description,
            amount=_product(quantity, unit_price),
            account=account,
            tax_type=tax_type,
            tracking=tracking,
            item=item,
            quantity=quantity,
            unit_price=unit_price,
            category=category,
        )

    def __repr__(self) -> str:
        return "<BillLine>"


@frozen(kw_only=True, repr=False)
class Bill:
    """
    A bill, receipt or credit note as the host has it. *id* is the host's own and makes it known again.

    *vendor* is the vendor's name, *number* the vendor's number for the paper. A negative total makes it a supplier's
    credit note. *due* is the day the bill is due, *on* unless given. *amounts* says whether the lines' amounts contain
    tax, or bear none. *status* is a draft, awaiting approval (`SUBMITTED`) or approved (`AUTHORISED`), as the story is
    set up unless given. *currency_rate* is units of the bill's currency for one of the organisation's own (F 6.70);
    Xero's day rate unless given. *stated_total* is what the paper says is to be paid: cents that the taxes of its lines
    do not add up to become a line of their own.
    """

    id: str
    vendor: str
    number: str
    on: date
    lines: tuple[BillLine, ...] = field(converter=tuple[BillLine, ...])
    due: date | None = None
    amounts: LineAmountTypes = LineAmountTypes.NO_TAX
    status: DocumentStatus | None = None
    currency_rate: Decimal | None = None
    stated_total: Money | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)
        if self.due is not None:
            check_day("due", self.due)

    @property
    def total(self) -> Money:
        """
        The sum of the lines, with the taxes they state where amounts exclude them.

        Raises `InvalidInput` when there is no line, or they differ in currency.
        """
        return lines_total(self.lines, self.amounts)

    def __repr__(self) -> str:
        return f"<Bill {self.id}>"


def lines_total(lines: Sequence[BillLine], amounts: LineAmountTypes) -> Money:
    """The sum of *lines*, with the taxes they state where *amounts* exclude them. Raises `InvalidInput`."""
    if not lines:
        raise InvalidInput("lines", "give at least one line")
    total = Money.total((line.amount for line in lines), lines[0].amount.currency)
    if amounts != LineAmountTypes.EXCLUSIVE:
        return total
    return sum((line.tax for line in lines if line.tax is not None), start=total)


def checked(bill: Bill) -> Bill:
    """*bill*, if Xero can keep it. Raises `InvalidInput` naming the field, before anything is sent."""
    if not bill.id:
        raise InvalidInput("id", "give the host's own id of the bill")
    _fits("number", bill.number)
    if bill.status not in {None, *_POSTED_AS}:
        raise InvalidInput("status", f"give one of {', '.join(_POSTED_AS)}")
    if bill.stated_total is not None and not bill.stated_total.to_the_cent:
        raise InvalidInput("stated_total", "give a total to the currency's smallest coin")
    check_lines(bill.vendor, bill.lines, bill.amounts, bill.currency_rate)
    return bill


def check_lines(
    vendor: str, lines: Sequence[BillLine], amounts: LineAmountTypes, currency_rate: Decimal | None
) -> None:
    """Refuse what Xero could not keep of a vendor's *lines*. Raises `InvalidInput` naming the field."""
    if not vendor.strip():
        raise InvalidInput("vendor", "give the vendor's name")
    for line in lines:
        _check_line(line, amounts)
    if abs(lines_total(lines, amounts).amount) >= Decimal("1e10"):
        raise InvalidInput("amount", "Xero takes no line above 9,999,999,999.99 (F 6.85)")
    if currency_rate is not None and currency_rate <= 0:
        raise InvalidInput("currency_rate", "give units of the document's currency for one of the organisation's own")


def _check_line(line: BillLine, amounts: LineAmountTypes) -> None:
    _fits("description", line.description)
    if not line.amount.to_the_cent:
        raise InvalidInput("amount", "give amounts to the currency's smallest coin")
    if line.tax is not None and (amounts == LineAmountTypes.NO_TAX or not line.tax.to_the_cent):
        raise InvalidInput("tax", "give it to the coin, on a bill whose amounts include or exclude tax")
    if len(line.tracking) > 2 or len(dict(line.tracking)) < len(line.tracking):
        raise InvalidInput("tracking", "give an option for each of two categories at most (F 6.63)")
    price = unit_price(line)
    if _is_too_fine(price) or _is_too_fine(line.quantity):
        raise InvalidInput("unit_price", "give unit price and quantity with four decimals at most (F 5.21)")
    if _product(line.quantity, Money(price, line.amount.currency)) != line.amount:
        raise InvalidInput("unit_price", "give an amount that is quantity × unit price, as BillLine.priced() does")


def unit_price(line: BillLine) -> Decimal:
    """The price of one, as given or as it follows from the amount. Raises `InvalidInput` for a quantity of nothing."""
    if line.unit_price is not None:
        if line.unit_price.currency != line.amount.currency:
            raise InvalidInput("unit_price", "give it in the currency of the amount")
        return line.unit_price.amount
    if line.quantity == 1:
        return line.amount.amount
    if not line.quantity:
        raise InvalidInput("quantity", "give a quantity other than nothing")
    return EXACT.divide(line.amount.amount, line.quantity).quantize(_PRICE, ROUND_HALF_UP, EXACT)


def _is_too_fine(number: Decimal) -> bool:
    return number != number.quantize(_PRICE, context=EXACT)


def _product(quantity: Decimal, unit: Money) -> Money:
    return Money(
        EXACT.multiply(quantity, unit.amount).quantize(Decimal("1E-9"), context=EXACT), unit.currency
    ).rounded()


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


def map_bill(bill: Bill) -> Invoice | CreditNote:
    """
    *bill* as the document it becomes in Xero: a bill, or a supplier's credit note where its total is negative.

    A mapper of your own may wrap this one: evolve what it gives. Contact and mark are put in after it.
    """
    return credit_note_document(bill) if bill.total.amount < 0 else bill_document(bill)


def bill_document(bill: Bill) -> Invoice:
    """*bill* as an ACCPAY invoice, its contact and mark left open."""
    return Invoice(
        type=InvoiceType.ACCPAY,
        invoice_number=bill.number,
        date=bill.on,
        due_date=bill.due or bill.on,
        status=bill.status or DocumentStatus.AUTHORISED,
        line_amount_types=bill.amounts,
        line_items=line_items(bill.lines, bill.amounts),
        currency_code=bill.total.currency,
        currency_rate=bill.currency_rate,
    )


def credit_note_document(bill: Bill) -> CreditNote:
    """*bill*, whose total is negative, as an ACCPAYCREDIT, its contact and mark left open."""
    return CreditNote(
        type=InvoiceType.ACCPAYCREDIT,
        credit_note_number=bill.number,
        date=bill.on,
        status=bill.status or DocumentStatus.AUTHORISED,
        line_amount_types=bill.amounts,
        line_items=line_items(bill.lines, bill.amounts, sign=-1),
        currency_code=bill.total.currency,
        currency_rate=bill.currency_rate,
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


def line_items(lines: Iterable[BillLine], amounts: LineAmountTypes, *, sign: int = 1) -> tuple[LineItem, ...]:
    """*lines* as Xero's, each amount times *sign*."""
    return tuple(_line(line, amounts, sign) for line in lines)


def _line(line: BillLine, amounts: LineAmountTypes, sign: int) -> LineItem:
    return LineItem(
        description=line.description or "-",
        quantity=line.quantity,
        unit_amount=sign * unit_price(line),
        item_code=line.item,
        account_code=line.account,
        tax_type=_NO_TAX if amounts == LineAmountTypes.NO_TAX else line.tax_type,
        tax_amount=sign * line.tax.amount if line.tax is not None else None,
        tracking=tuple(LineTracking(name=category, option=option) for category, option in line.tracking),
    )


def _fits(field_name: str, text: str) -> None:
    if len(text) > _LONGEST[field_name]:
        raise InvalidInput(field_name, f"give at most {_LONGEST[field_name]} characters")
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        raise InvalidInput(field_name, "take control characters out of it")
