"""The clearing account: which accounts may be one, and why its balance is what it is. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from attrs import evolve, field, frozen

from xerosync.engine.intents import Intent, tag_in
from xerosync.engine.plans import Finding
from xerosync.engine.states import OPEN, State
from xerosync.models import (
    Account,
    AccountId,
    AccountStatus,
    AccountType,
    BankTransaction,
    BankTransactionStatus,
    BankTransfer,
    Payment,
    PaymentStatus,
)
from xerosync.money import Money, exactly


class Eligibility(StrEnum):
    """The three answers to whether an account may be the clearing account (R7)."""

    ELIGIBLE = "eligible"
    ONCE_ENABLED = "eligible once payments are enabled"
    REFUSED = "refused"


@frozen(kw_only=True)
class ClearingChoice:
    """An account of the organisation, the *answer* to whether it may be the clearing account, and why."""

    account: Account
    answer: Eligibility
    reason: str


def clearing_choice(account: Account) -> ClearingChoice:
    """
    Whether *account* may be the clearing account.

    Payments go to active accounts that are banks or have payments enabled (F 6.14); an ordinary current asset becomes
    one when payments are enabled on it.
    """
    answer, reason = _answer(account)
    return ClearingChoice(account=account, answer=answer, reason=reason)


def _answer(account: Account) -> tuple[Eligibility, str]:
    if account.status != AccountStatus.ACTIVE:
        return Eligibility.REFUSED, f"the account is {account.status or 'without a status'}, not ACTIVE"
    if account.type == AccountType.BANK:
        return Eligibility.ELIGIBLE, "an active bank account"
    if account.system_account:
        return Eligibility.REFUSED, f"a system account ({account.system_account}) takes no payments"
    if account.enable_payments_to_account:
        return Eligibility.ELIGIBLE, "payments are enabled on it"
    if account.type == AccountType.CURRENT:
        return Eligibility.ONCE_ENABLED, "a current asset on which payments are not enabled yet"
    return Eligibility.REFUSED, f"of type {account.type}, and payments are not enabled on it"


@frozen(kw_only=True, repr=False)
class ExceptionItem:
    """An amount in the clearing account that is not in flight: debit positive, and what to do about it."""

    code: str
    about: str
    amount: Money
    cause: str
    fix: str

    def __repr__(self) -> str:
        return f"<ExceptionItem {self.code} about {self.about}>"


@frozen(kw_only=True, repr=False)
class ClearingReport:
    """
    The clearing account explained: *balance* (Xero's own, debit positive) = *in_flight* + the sum of *exceptions*.

    *in_flight* is what was collected and posted and not yet paid out. *findings* are what moves no money but needs a
    person.
    """

    account: AccountId
    balance: Money
    in_flight: Money
    payments: int
    exceptions: tuple[ExceptionItem, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether the sum holds; it always does, since what nothing explains is listed as such."""
        return self.balance == self.in_flight + Money.total(
            (item.amount for item in self.exceptions), self.balance.currency
        )

    @property
    def clean(self) -> bool:
        """Whether all of the balance is in flight."""
        return not self.exceptions and not self.findings

    def rows(self) -> list[dict[str, str]]:
        """The sum line by line, for a table. Rows hold amounts: mind where they are shown."""
        lines = [("in flight", str(self.in_flight), f"{self.payments:,} payments posted, not yet paid out")]
        lines += [(item.code, str(item.amount), item.cause) for item in self.exceptions]
        lines.append(("balance in Xero", str(self.balance), "TrialBalance"))
        return [{"what": what, "amount": amount, "why": why} for what, amount, why in lines]

    def __str__(self) -> str:
        listed = [f"  {item.amount} {item.code}: {item.cause} → {item.fix}" for item in self.exceptions]
        count = len(self.exceptions)
        head = f"clearing {self.balance} = {self.in_flight} in flight + {count} exception{'s' * (count != 1)}"
        return "\n".join([head, *listed, *(f"  {finding.code}: {finding.fix}" for finding in self.findings)])

    def __repr__(self) -> str:
        return f"<ClearingReport with {len(self.exceptions)} exceptions>"


@frozen(kw_only=True)
class Movements:
    """
    What moved on the clearing account: *payments* on it, and the bank *transactions* and *transfers* of the books.

    *paid* are the confirmed intents of payments and refunds, *moved* those of everything else that changed the account,
    both by Xero id; *removed* are the ids of what the library took back, *removals* what took it back, and *taken_back*
    the payments among it.
    """

    payments: Sequence[Payment]
    transactions: Sequence[BankTransaction] = ()
    transfers: Sequence[BankTransfer] = ()
    paid: Mapping[str, Intent]
    moved: Mapping[str, Intent] = field(factory=dict[str, Intent])
    removed: frozenset[str] = frozenset()
    removals: Mapping[str, Intent] = field(factory=dict[str, Intent])
    taken_back: Sequence[Payment] = ()

    def days(self) -> list[date]:
        """The days on which something moved."""
        listed = [each.date for group in (self.payments, self.transactions, self.transfers) for each in group]
        written = [date.fromisoformat(each.facts["dated"]) for each in self.moved.values() if "dated" in each.facts]
        return [each for each in [*listed, *written] if each is not None]


@exactly
def explain_clearing(
    *, account: AccountId, balance: Money, movements: Movements, open_intents: Sequence[Intent] = ()
) -> ClearingReport:
    """
    Split *balance* into what is in flight and what is not, to the cent.

    In flight is what the library posted and nobody took back: payments in, less fees, refunds and payouts. What people
    entered is an exception each; what nothing explains (journals, say) is one more, the rest of the sum.
    """
    currency = balance.currency
    in_flight, count = Money.zero(currency), 0
    exceptions: list[ExceptionItem] = []
    findings = [still_open(intent) for intent in open_intents if intent.state in OPEN]
    for payment in movements.payments:
        if payment.status == PaymentStatus.DELETED:
            continue
        amount = signed_payment(payment, currency)
        if payment.payment_id in movements.paid:
            in_flight, count = in_flight + amount, count + 1
        else:
            exceptions.append(_foreign(payment, amount))
    gone = gone_from(movements)
    for xero_id, intent in movements.moved.items():
        if xero_id not in gone:
            in_flight += Money(intent.facts["effect"], currency)
    exceptions += [*_entered(account, movements, currency), *_transferred(account, movements, currency)]
    by_hand = Money.total((item.amount for item in exceptions), currency)
    rest = balance - in_flight - by_hand
    if rest:
        exceptions.append(_other_movement(rest))
    return ClearingReport(
        account=account,
        balance=balance,
        in_flight=in_flight,
        payments=count,
        exceptions=tuple(exceptions),
        findings=tuple(findings),
    )


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


def _entered(account: AccountId, movements: Movements, currency: str) -> Iterator[ExceptionItem]:
    """Money that people spent or received through the clearing account itself."""
    posted = _posted(movements)
    for each in movements.transactions:
        if each.bank_transaction_id in movements.moved or not is_on(account, each):
            continue
        item = ExceptionItem(
            code="bank transaction not posted here",
            about=each.bank_transaction_id or "",
            amount=signed_transaction(each, currency),
            cause="somebody entered it in Xero",
            fix="move it to another account, or leave it if it belongs there",
        )
        yield _or_twice(item, each.date, posted)


def _transferred(account: AccountId, movements: Movements, currency: str) -> Iterator[ExceptionItem]:
    """Money that people transferred out of the clearing account, or into it."""
    posted = _posted(movements)
    for each in movements.transfers:
        amount = signed_transfer(account, each, currency)
        if each.bank_transfer_id in movements.moved or not amount:
            continue
        item = ExceptionItem(
            code="transfer not posted here",
            about=each.bank_transfer_id or "",
            amount=amount,
            cause="somebody moved money between this account and another one",
            fix="if it is a payout, settle without paid_out_on, or delete it in Xero and settle again",
        )
        yield _or_twice(item, each.date, posted)


_Posted = frozenset[tuple[str, Decimal]]
"""The day and effect of each thing that the library posted and that still stands."""


def _posted(movements: Movements) -> _Posted:
    gone = gone_from(movements)
    return frozenset(
        (intent.facts.get("dated", ""), Decimal(intent.facts["effect"]))
        for xero_id, intent in movements.moved.items()
        if xero_id not in gone
    )


def _or_twice(item: ExceptionItem, on: date | None, posted: _Posted) -> ExceptionItem:
    """*item*, unless the library posted the same on the same day: then it was perhaps typed besides."""
    if on is None or (on.isoformat(), item.amount.amount) not in posted:
        return item
    return evolve(
        item,
        code="perhaps entered twice",
        cause="somebody entered in Xero what was posted here too: the same amount on the same day",
        fix="if it is the same money, delete the one that was typed; if not, leave it",
    )


def is_on(account: AccountId, transaction: BankTransaction) -> bool:
    """Whether *transaction* stands, is of *account*, and is no half of a transfer."""
    here = transaction.bank_account is not None and transaction.bank_account.account_id == account
    stands = transaction.status == BankTransactionStatus.AUTHORISED
    return here and stands and not (transaction.type or "").endswith("TRANSFER")


def signed_transaction(transaction: BankTransaction, currency: str) -> Money:
    """A bank transaction's effect on its account."""
    received = (transaction.type or "").startswith("RECEIVE")
    return Money((transaction.total or Decimal(0)) * (1 if received else -1), currency)


def signed_transfer(account: AccountId, transfer: BankTransfer, currency: str) -> Money:
    """A transfer's effect on *account*; nothing where it was deleted, or is of other accounts."""
    away = transfer.from_bank_account is not None and transfer.from_bank_account.account_id == account
    here = transfer.to_bank_account is not None and transfer.to_bank_account.account_id == account
    if transfer.status == PaymentStatus.DELETED or away == here:
        return Money.zero(currency)
    return Money((transfer.amount or Decimal(0)) * (1 if here else -1), currency)


def signed_payment(payment: Payment, currency: str) -> Money:
    """A payment's effect on the account: money in from customers and suppliers' refunds, out otherwise."""
    out = payment.payment_type in {"ACCPAYPAYMENT", "ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "ARPREPAYMENTPAYMENT"}
    amount = payment.amount or Decimal(0)
    return Money(-amount if out else amount, currency)


def _foreign(payment: Payment, amount: Money) -> ExceptionItem:
    tagged = tag_in(payment.reference or "") is not None
    return ExceptionItem(
        code="payment the store does not know" if tagged else "payment not posted here",
        about=payment.payment_id or "",
        amount=amount,
        cause="it carries our mark, but the store has no record of it" if tagged else "somebody entered it in Xero",
        fix="settle its line again: it is taken over"
        if tagged
        else "move it to another account, or pay it out by hand",
    )


def _other_movement(rest: Money) -> ExceptionItem:
    return ExceptionItem(
        code="other movements",
        about="",
        amount=rest,
        cause="money moved on this account in another way: journals, or lines of other documents",
        fix="look at the account's transactions in Xero",
    )


def still_open(intent: Intent) -> Finding:
    """What is to be said of a write that an interrupted run left open."""
    return Finding(
        code="still open",
        about=intent.operation.host_ref,
        cause="an earlier run was interrupted while writing it",
        fix="call recover()",
        retry=True,
    )


def confirmed_by_id(intents: Iterable[Intent]) -> dict[str, Intent]:
    """The confirmed ones among *intents* by the id Xero gave."""
    return {intent.xero_id: intent for intent in intents if intent.state is State.CONFIRMED and intent.xero_id}
