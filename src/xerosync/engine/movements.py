"""What moved on the clearing account: amounts with their sign, in the account's currency and in the organisation's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from xerosync.engine.exchange import in_base
from xerosync.engine.intents import Intent
from xerosync.models import (
    AccountId,
    BankTransaction,
    BankTransactionStatus,
    BankTransactionType,
    BankTransfer,
    LineAmountTypes,
    Payment,
    PaymentStatus,
)
from xerosync.money import Money, exactly

_CODED: Final = frozenset({BankTransactionType.SPEND, BankTransactionType.RECEIVE})
"""The bank transactions whose lines are on accounts of somebody's choice."""


@frozen(kw_only=True)
class Movements:
    """
    What moved on the clearing account: *payments* on it, and the bank *transactions* and *transfers* of the books.

    *paid* are the confirmed intents of payments and refunds, *moved* those of everything else that changed the account,
    both by Xero id; *removed* are the ids of what the library took back, *removals* what took it back, and *taken_back*
    the payments among it. *others* are the intents of what the library wrote for other accounts, and stands on this one
    too: a payout on the bank account that it went to, say.
    """

    payments: Sequence[Payment]
    transactions: Sequence[BankTransaction] = ()
    transfers: Sequence[BankTransfer] = ()
    paid: Mapping[str, Intent]
    moved: Mapping[str, Intent] = field(factory=dict[str, Intent])
    removed: frozenset[str] = frozenset()
    removals: Mapping[str, Intent] = field(factory=dict[str, Intent])
    taken_back: Sequence[Payment] = ()
    others: Mapping[str, Intent] = field(factory=dict[str, Intent])

    def standing_payments(self) -> list[Payment]:
        """Those of the payments that were not removed."""
        return [each for each in self.payments if each.status != PaymentStatus.DELETED]

    def half(self, transaction_id: str | None) -> BankTransaction | None:
        """The half of a transfer of this id."""
        return next((each for each in self.transactions if each.bank_transaction_id == transaction_id), None)

    def is_ours(self, xero_id: str | None) -> bool:
        """Whether the library wrote the bank transaction or transfer of this id, for this account or another."""
        return xero_id in self.moved or xero_id in self.others

    def days(self) -> list[date]:
        """The days on which something moved."""
        listed = [each.date for group in (self.payments, self.transactions, self.transfers) for each in group]
        written = [date.fromisoformat(each.facts["dated"]) for each in self.moved.values() if "dated" in each.facts]
        return [each for each in [*listed, *written] if each is not None]


def gone_from(movements: Movements) -> set[str]:
    """What was moved, and was taken back or removed by somebody, by id."""
    return {*movements.removed, *_gone(movements)}


def _gone(movements: Movements) -> Iterator[str]:
    """What was moved and is not in the books any more, by id."""
    for transaction in movements.transactions:
        if transaction.status != BankTransactionStatus.AUTHORISED:
            yield transaction.bank_transaction_id or ""
    for transfer in movements.transfers:
        if transfer.status == PaymentStatus.DELETED:
            yield transfer.bank_transfer_id or ""


def is_on(account: AccountId, transaction: BankTransaction) -> bool:
    """Whether *transaction* stands, is of *account*, and is no half of a transfer."""
    here = transaction.bank_account is not None and transaction.bank_account.account_id == account
    stands = transaction.status == BankTransactionStatus.AUTHORISED
    return here and stands and not is_half(transaction)


def amount_on(account: AccountId, transaction: BankTransaction, currency: str) -> Money | None:
    """
    The effect of *transaction* on *account*, the bank account that it is of or one that its lines are on.

    Nothing where it does not stand, or has none; None where it is of another account and nobody knows of its lines.
    """
    if is_on(account, transaction):
        return signed_transaction(transaction, currency)
    if transaction.type not in _CODED or transaction.status != BankTransactionStatus.AUTHORISED:
        return Money.zero(currency)
    if not transaction.line_items or any(each.account_id is None for each in transaction.line_items):
        return None
    contained = transaction.line_amount_types == LineAmountTypes.INCLUSIVE
    amounts = [
        (each.line_amount or Decimal(0)) - ((each.tax_amount or Decimal(0)) if contained else 0)
        for each in transaction.line_items
        if each.account_id == account
    ]
    received = transaction.type == BankTransactionType.RECEIVE
    moved = in_base(sum(amounts, Decimal(0)), transaction.currency_rate, currency)
    return -moved if received else moved


def is_half(transaction: BankTransaction) -> bool:
    """Whether *transaction* is one side of a transfer."""
    return (transaction.type or "").endswith("TRANSFER")


def signed_transaction(transaction: BankTransaction, currency: str) -> Money:
    """A bank transaction's effect on its account."""
    received = (transaction.type or "").startswith("RECEIVE")
    return Money((transaction.total or Decimal(0)) * (1 if received else -1), currency)


def signed_transfer(account: AccountId, transfer: BankTransfer, movements: Movements, currency: str) -> Money:
    """
    A transfer's effect on *account*; nothing where it was deleted, or is of other accounts.

    Its amount is in the currency of the account it leaves: what came of it in another one stands on its other half.
    """
    away = transfer.from_bank_account is not None and transfer.from_bank_account.account_id == account
    here = transfer.to_bank_account is not None and transfer.to_bank_account.account_id == account
    if transfer.status == PaymentStatus.DELETED or away == here:
        return Money.zero(currency)
    if away:
        return Money(-(transfer.amount or Decimal(0)), currency)
    half = movements.half(transfer.to_bank_transaction_id)
    came = half.total if half is not None else transfer.amount
    return Money(came or Decimal(0), currency)


@exactly
def signed_payment(payment: Payment, currency: str) -> Money:
    """A payment's effect on the account: money in from customers and suppliers' refunds, out otherwise (F 6.115)."""
    moved = payment.bank_amount
    if moved is None:
        of = payment.invoice.currency_code if payment.invoice is not None else None
        rate = payment.currency_rate if of not in {None, currency} else None
        moved = in_base(payment.amount or Decimal(0), rate, currency).amount
    return Money(moved * _sign(payment), currency)


def _sign(payment: Payment) -> int:
    out = payment.payment_type in {"ACCPAYPAYMENT", "ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "ARPREPAYMENTPAYMENT"}
    return -1 if out else 1


def said_to_move(payment: Payment, intent: Intent, currency: str) -> Money:
    """The effect that *payment* was posted to have by *intent*: what was settled in the account's currency."""
    settled = intent.facts.get("settled")
    return signed_payment(payment, currency) if settled is None else Money(Decimal(settled) * _sign(payment), currency)


@exactly
def worth_in_base(account: AccountId, movements: Movements, currency: str, base: str) -> Money:
    """What moved on *account*, kept in *currency*, in the organisation's own at the rates it moved at (F 6.70)."""
    found = [
        in_base(signed_payment(each, currency).amount, each.currency_rate, base)
        for each in movements.standing_payments()
    ]
    found += [
        in_base(signed_transaction(each, currency).amount, each.currency_rate, base)
        for each in movements.transactions
        if is_on(account, each)
    ]
    for each in movements.transfers:
        moved = signed_transfer(account, each, movements, currency)
        half = movements.half(each.to_bank_transaction_id) if moved.amount > 0 else None
        rate = half.currency_rate if half is not None else each.currency_rate
        found.append(in_base(moved.amount, rate, base))
    return Money.total(found, base)
