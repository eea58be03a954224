"""Fees, adjustments and payouts of a settlement as Xero documents: pure functions, one for each document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from attrs import evolve, frozen

from xerosync.errors import InvalidInput
from xerosync.mapping.documents import marked_reference
from xerosync.mapping.settlement import Settlement
from xerosync.models import (
    Account,
    AccountCode,
    AccountId,
    BankTransaction,
    BankTransactionType,
    BankTransfer,
    Contact,
    ContactId,
    CreditNote,
    DocumentStatus,
    Invoice,
    InvoiceType,
    LineAmountTypes,
    LineItem,
)
from xerosync.money import Money, minor_unit

_NO_TAX = "NONE"


@frozen(kw_only=True, repr=False)
class Movement:
    """One line of money that left the clearing account beside the payout: below zero it came in."""

    amount: Money
    description: str
    account: str
    tax_type: str | None = None


def deductions(settlement: Settlement, *, fee_account: str, reserve_account: str | None) -> list[Movement]:
    """What *settlement* took out of the clearing account apart from its payout: fees, reserve, adjustments."""
    found = [
        Movement(
            amount=fee.amount,
            description=fee.description,
            account=fee.account or fee_account,
            tax_type=fee.tax_type,
        )
        for fee in settlement.all_fees
    ]
    found += [
        Movement(amount=-each.amount, description=each.description, account=each.account, tax_type=each.tax_type)
        for each in settlement.adjustments
    ]
    if settlement.reserve and reserve_account is not None:
        found.append(Movement(amount=settlement.reserve, description="Reserve", account=reserve_account))
    return [each for each in found if each.amount]


def money_moved(
    movements: Sequence[Movement], *, bank_account: AccountId, on: date, reference: str, rate: Decimal | None = None
) -> BankTransaction:
    """
    *movements* out of *bank_account* as one document: spent where their sum is above zero, else received.

    Amounts are in the account's currency, at *rate*, and contain their tax, which Xero works out (F 6.155). Contact and
    mark are left open.
    """
    total = Money.total((each.amount for each in movements), movements[0].amount.currency)
    spent = total.amount >= 0
    sign = 1 if spent else -1
    taxed = any(each.tax_type is not None for each in movements)
    return BankTransaction(
        type=BankTransactionType.SPEND if spent else BankTransactionType.RECEIVE,
        bank_account=Account(account_id=bank_account),
        date=on,
        reference=reference,
        currency_rate=rate,
        line_amount_types=LineAmountTypes.INCLUSIVE if taxed else LineAmountTypes.NO_TAX,
        line_items=tuple(
            _line(each.description or "-", sign * each.amount.amount, each.account, each.tax_type) for each in movements
        ),
    )


def marked_transaction(document: BankTransaction, contact: str, tag: str) -> BankTransaction:
    """*document* with *contact*, *tag* behind its reference (F 6.152)."""
    marked = marked_reference(document.reference or "", tag)
    return evolve(document, contact=Contact(contact_id=ContactId(contact)), reference=marked)


def transfer_document(*, source: AccountId, target: AccountId, amount: Money, on: date, reference: str) -> BankTransfer:
    """Money moved between two bank accounts (F 6.157)."""
    return BankTransfer(
        from_bank_account=Account(account_id=source),
        to_bank_account=Account(account_id=target),
        amount=amount.amount,
        date=on,
        reference=reference,
    )


def overpayment(
    amount: Money, *, bank_account: AccountId, on: date, reference: str, rate: Decimal | None = None
) -> BankTransaction:
    """
    Money of a customer's that pays nothing yet, as an overpayment: one line, to the debtors' account, without tax (F
    6.155). Its contact and mark are left open.
    """
    return BankTransaction(
        type=BankTransactionType.RECEIVE_OVERPAYMENT,
        bank_account=Account(account_id=bank_account),
        date=on,
        reference=reference,
        currency_rate=rate,
        line_amount_types=LineAmountTypes.NO_TAX,
        line_items=(LineItem(description=f"Overpayment {reference}", quantity=Decimal(1), unit_amount=amount.amount),),
    )


def credit_kept(amount: Money, *, account: str, on: date, reference: str) -> CreditNote:
    """
    Money of a customer's that pays nothing yet, where it lies in an *account* that is no bank account (F 6.133): a
    credit note to the customer with one line on that account.
    """
    return CreditNote(
        type=InvoiceType.ACCRECCREDIT,
        date=on,
        reference=reference,
        status=DocumentStatus.AUTHORISED,
        line_amount_types=LineAmountTypes.NO_TAX,
        line_items=(_line(f"Collected, not due {reference}", amount.amount, account),),
        currency_code=amount.currency,
    )


def charged_back_again(
    amount: Money, *, account: str, on: date, reference: str, rate: Decimal | None = None
) -> Invoice:
    """
    The debt of a customer whose payment was charged back and cannot be removed: an invoice with one line on *account*,
    which the payment went into, so that the money leaves it again.
    """
    return Invoice(
        type=InvoiceType.ACCREC,
        date=on,
        due_date=on,
        reference=reference,
        status=DocumentStatus.AUTHORISED,
        line_amount_types=LineAmountTypes.NO_TAX,
        line_items=(_line(f"Charged back {reference}", amount.amount, account),),
        currency_code=amount.currency,
        currency_rate=rate,
    )


def refund_note(sold: Invoice, amount: Money, *, on: date) -> CreditNote:
    """
    A credit note for *amount* of the invoice *sold*, tax included: its lines in proportion, to the cent.

    The cents that do not divide go to the lines that are short of most. It takes back the sale at the rate it was made
    at: what the rate has become meanwhile is gained or lost by its payment. Raises `InvalidInput` for more than was
    sold.
    """
    gross = [with_tax(line, sold.line_amount_types) for line in sold.line_items]
    whole = sum(gross, Decimal(0))
    if not 0 < amount.amount <= whole:
        raise InvalidInput("amount", "give at most what was sold: the invoice's own total")
    shares = in_proportion(amount, gross)
    taxed = sold.line_amount_types != LineAmountTypes.NO_TAX
    return CreditNote(
        type=InvoiceType.ACCRECCREDIT,
        date=on,
        reference=sold.invoice_number,
        status=DocumentStatus.AUTHORISED,
        line_amount_types=LineAmountTypes.INCLUSIVE if taxed else LineAmountTypes.NO_TAX,
        line_items=tuple(
            LineItem(
                description=line.description or "-",
                quantity=Decimal(1),
                unit_amount=share,
                account_code=line.account_code,
                tax_type=line.tax_type,
                tracking=line.tracking,
            )
            for line, share in zip(sold.line_items, shares, strict=True)
            if share
        ),
        currency_code=amount.currency,
        currency_rate=None if sold.currency_rate == 1 else sold.currency_rate,
    )


def in_proportion(amount: Money, weights: Sequence[Decimal]) -> list[Decimal]:
    """*amount* in parts like *weights*, which sum to it exactly: what does not divide goes where most is missing."""
    cent, whole = minor_unit(amount.currency), sum(weights, Decimal(0))
    exact = [amount.amount * weight / whole for weight in weights]
    parts = [each.quantize(cent, ROUND_FLOOR) for each in exact]
    left = int((amount.amount - sum(parts, Decimal(0))) / cent)
    for place in sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])[:left]:
        parts[place] += cent
    return parts


def with_tax(line: LineItem, kind: LineAmountTypes | None) -> Decimal:
    """What *line* comes to with its tax, in a document whose amounts are of this *kind*."""
    amount = line.line_amount or Decimal(0)
    return amount + (line.tax_amount or Decimal(0)) if kind == LineAmountTypes.EXCLUSIVE else amount


def _line(description: str, amount: Decimal, account: str, tax_type: str | None = None) -> LineItem:
    return LineItem(
        description=description,
        quantity=Decimal(1),
        unit_amount=amount,
        account_code=AccountCode(account),
        tax_type=tax_type or _NO_TAX,
    )


def fee_bill(movements: Sequence[Movement], *, number: str, on: date, rate: Decimal | None = None) -> Invoice:
    """*movements* as an authorised bill of the provider, amounts with their tax. Its contact and mark are left open."""
    taxed = any(each.tax_type is not None for each in movements)
    return Invoice(
        type=InvoiceType.ACCPAY,
        invoice_number=number,
        date=on,
        due_date=on,
        status=DocumentStatus.AUTHORISED,
        line_amount_types=LineAmountTypes.INCLUSIVE if taxed else LineAmountTypes.NO_TAX,
        line_items=tuple(
            _line(each.description or "-", each.amount.amount, each.account, each.tax_type) for each in movements
        ),
        currency_code=movements[0].amount.currency,
        currency_rate=rate,
    )
