"""Payments of documents in another currency than the account's or the organisation's: what is sent, or why not."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from attrs import frozen

from xerosync.models import Account, Invoice, Payment
from xerosync.money import EXACT, Money, exactly, minor_unit

_FINEST_RATE: Final = Decimal("0.000001")


@frozen(repr=False)
class Exchange:
    """
    What a payment says beside its amount: what it *settled* in the account's currency, and its *rate* (F 6.115).

    *rate* is units of the document's currency for one of the organisation's own (F 6.70). Both are None where all is in
    one currency, and the rate where Xero is to take its own of the day.
    """

    settled: Money | None = None
    rate: Decimal | None = None


@frozen(repr=False)
class Mismatch:
    """Why a payment is not sent: what a finding says of it."""

    code: str
    cause: str
    fix: str


def currency_of(account: Account, base: str) -> str:
    """The currency that *account* is kept in: a bank account's own, any other one's the organisation's (F 6.12)."""
    return account.currency_code or base


@exactly
def exchanged(
    amount: Money, *, through: str, base: str, settled: Money | None = None, rate: Decimal | None = None
) -> Exchange | Mismatch:
    """
    How *amount*, in a document's currency, is paid through an account kept in *through*, in books kept in *base*.

    Xero pays through an account in the document's currency or the organisation's, and no other (F 6.116). In the
    organisation's, *settled* or the *rate* must say what it made there: a rate of Xero's would leave cents behind.
    """
    foreign = amount.currency
    if through == foreign:
        if settled is not None and settled != amount:
            cause = f"it says that {foreign} made another amount in {through}"
            return Mismatch("does not fit", cause, "leave out what it made in the account: the currency is the same")
        return Exchange(None, rate if through != base else None)
    if through != base:
        cause = f"the account is kept in {through}, the document in {foreign}, and Xero pays through neither (F 6.116)"
        return Mismatch(
            "another currency", cause, f"choose an account kept in {' or '.join(dict.fromkeys((foreign, base)))}"
        )
    if settled is None and rate is None:
        cause = f"the document is in {foreign}, the account in {through}, and nothing says what it made there (F 6.116)"
        return Mismatch("rate missing", cause, f"say what it made in {through}, as your provider or your bank does")
    made = amount.at_rate(rate, base) if settled is None and rate is not None else settled
    if made is None or made.currency != through:
        cause = f"what it made is not in {through}, which the account is kept in"
        return Mismatch("another currency", cause, f"give it in {through}")
    if made.amount <= 0 or not made.to_the_cent:
        cause = f"what it made is no amount of {through} that can be paid"
        return Mismatch("does not fit", cause, "give a positive amount, to the currency's smallest coin")
    return Exchange(made, rate_of(amount, made))


def rate_of(amount: Money, made: Money) -> Decimal | None:
    """The rate at which *amount* made what it *made*, to the six decimals that are safe; None if too few."""
    return (amount.amount / made.amount).quantize(_FINEST_RATE) or None


def in_base(amount: Decimal, rate: Decimal | None, base: str) -> Money:
    """*amount* of a document or movement in the organisation's currency, as Xero keeps it there (F 6.70)."""
    worth = amount if rate is None else EXACT.divide(amount, rate)
    return Money(worth.quantize(minor_unit(base), ROUND_HALF_UP, EXACT), base)


def realised(payment: Payment, invoice: Invoice, *, through: str, base: str) -> Money | None:
    """
    What *payment* of a foreign *invoice* gained over the invoice's own rate, or lost, in the organisation's currency.

    Xero books it to its account for realised gains (F 6.116). None where all is in one currency, or Xero told no rate.
    """
    amount = payment.amount or Decimal(0)
    if invoice.currency_code in {None, base} or invoice.currency_rate is None:
        return None
    if through == base and payment.bank_amount is not None:
        made = Money(payment.bank_amount, base)
    elif payment.currency_rate is not None:
        made = in_base(amount, payment.currency_rate, base)
    else:
        return None
    return made - in_base(amount, invoice.currency_rate, base)
