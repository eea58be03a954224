"""The clearing account: which accounts may be one, and why its balance is what it is. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from xerosync.engine.intents import Intent, tag_in
from xerosync.engine.movements import (
    Movements,
    amount_on,
    gone_from,
    said_to_move,
    signed_payment,
    signed_transfer,
    worth_in_base,
)
from xerosync.engine.outcomes import about_of
from xerosync.engine.paper_actions import AddNote
from xerosync.engine.plans import Finding
from xerosync.engine.states import OPEN, POSTED
from xerosync.engine.ticked import Ticked
from xerosync.models import (
    Account,
    AccountId,
    AccountStatus,
    AccountType,
    BankTransactionStatus,
    Payment,
    PaymentStatus,
)
from xerosync.money import Money, exactly
from xerosync.tables import Listing, Tabular

OTHER_MOVEMENTS: Final = "other movements"
"""The code of what nothing explains."""
DOUBLE: Final = "posted twice"
DOUBLE_CAUSE: Final = "it bears our mark of something else that stands in Xero: one write took effect there twice"
DOUBLE_FIX: Final = "remove it: the other one is known here"


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

    def row(self) -> dict[str, object]:
        """Its line of a table."""
        account = self.account
        return {
            "code": account.code or "",
            "name": account.name or "",
            "type": account.type or "",
            "answer": self.answer.value,
            "reason": self.reason,
        }


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
class InBase:
    """
    An account that is kept in another currency, in the organisation's own: Xero's *balance*, debit positive, and what
    all that moved there was *worth* at the rates it moved at (F 6.70).
    """

    balance: Money
    worth: Money

    @property
    def revalued(self) -> Money:
        """What the balance is beyond that: Xero values what an account holds at another rate, and no money moved."""
        return self.balance - self.worth

    def told(self) -> dict[str, str]:
        """Its parts, as strings."""
        return {"balance": str(self.balance), "worth": str(self.worth), "revalued": str(self.revalued)}

    def __str__(self) -> str:
        return f"{self.balance} = {self.worth} as it moved + {self.revalued} of rates"

    def __repr__(self) -> str:
        return "<InBase>"


def balance_rows(balance: Money, in_base: InBase | None) -> list[dict[str, str]]:
    """The last lines of a sum: Xero's balance, and where that is in another currency how it comes from *balance*."""
    if in_base is None:
        return [{"what": "balance in Xero", "amount": str(balance), "why": "TrialBalance"}]
    lines = (
        ("balance", balance, "all that moved"),
        ("worth as it moved", in_base.worth, "at the rates of each movement"),
        ("revalued", in_base.revalued, "Xero's rate of the day, and no money"),
        ("balance in Xero", in_base.balance, "TrialBalance"),
    )
    return [{"what": what, "amount": str(amount), "why": why} for what, amount, why in lines]


@frozen(kw_only=True, repr=False)
class ClearingReport(Tabular):
    """
    The clearing account explained: *balance* (debit positive) = *in_flight* + the sum of *exceptions*, in the account's
    own currency.

    *in_flight* is what was collected and posted and not yet paid out. *findings* are what moves no money but needs a
    person. The balance is Xero's own. Of an account in another currency than the organisation's Xero reports none but
    in that: it is the sum of all that moved then, and *in_base* sets that against Xero's.
    """

    account: AccountId
    balance: Money
    in_flight: Money
    payments: int
    exceptions: tuple[ExceptionItem, ...] = ()
    findings: Listing[Finding] = field(factory=Listing[Finding], converter=Listing[Finding])
    in_base: InBase | None = None

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
        told = [{"what": what, "amount": amount, "why": why} for what, amount, why in lines]
        return [*told, *balance_rows(self.balance, self.in_base)]

    def __str__(self) -> str:
        listed = [f"  {item.amount} {item.code}: {item.cause} → {item.fix}" for item in self.exceptions]
        count = len(self.exceptions)
        head = f"clearing {self.balance} = {self.in_flight} in flight + {count} exception{'s' * (count != 1)}"
        worth = [f"  in Xero: {self.in_base}"] if self.in_base is not None else []
        return "\n".join([head, *listed, *worth, *(f"  {finding.code}: {finding.fix}" for finding in self.findings)])

    def __repr__(self) -> str:
        return f"<ClearingReport with {len(self.exceptions)} exceptions>"


@exactly
def explain_clearing(
    *,
    account: AccountId,
    balance: Money,
    movements: Movements,
    open_intents: Sequence[Intent] = (),
    own: Money | None = None,
    ticked: Ticked | None = None,
    removed: Sequence[ExceptionItem] = (),
) -> ClearingReport:
    """
    Split *balance* into what is in flight and what is not, to the cent.

    In flight is what the library posted and nobody took back: payments in, less fees, refunds and payouts. What people
    entered is an exception each, and what they *removed* of it, which should still be there; what nothing explains
    (journals, say) is one more, the rest of the sum. *balance* is Xero's; *own* what that of an account in another
    currency is in its own. What was *ticked* off besides is in flight.
    """
    in_base = None
    if own is not None and own.currency != balance.currency:
        worth = worth_in_base(account, movements, own.currency, balance.currency)
        balance, in_base = own, InBase(balance=balance, worth=worth)
    currency = balance.currency
    in_flight, count = (ticked.amount, ticked.count) if ticked is not None else (Money.zero(currency), 0)
    exceptions: list[ExceptionItem] = []
    standing = _tags_standing(movements)
    findings = [still_open(intent) for intent in open_intents if intent.state in OPEN]
    for payment in movements.standing_payments():
        amount = signed_payment(payment, currency)
        ours = movements.paid.get(payment.payment_id or "")
        if ours is None:
            exceptions.append(_foreign(payment, amount, standing))
            continue
        said = said_to_move(payment, ours, currency)
        in_flight, count = in_flight + said, count + 1
        if amount != said:
            exceptions.append(_at_another_rate(payment, amount - said))
    gone = {*gone_from(movements), *(each.about for each in removed)}
    for xero_id, intent in movements.moved.items():
        if xero_id not in gone:
            in_flight += Money(intent.facts["effect"], currency)
    in_flight += Money.total((amount for _, amount in _for_others(account, movements, currency)), currency)
    in_flight -= Money.total((item.amount for item in removed), currency)
    exceptions += [*removed, *_entered(account, movements, currency), *_transferred(account, movements, currency)]
    by_hand = Money.total((item.amount for item in exceptions), currency)
    rest = balance - in_flight - by_hand
    if rest:
        exceptions.append(other_movements(rest))
    return ClearingReport(
        account=account,
        balance=balance,
        in_flight=in_flight,
        payments=count,
        exceptions=tuple(exceptions),
        findings=tuple(findings),
        in_base=in_base,
    )


def _for_others(account: AccountId, movements: Movements, currency: str) -> Iterator[tuple[date | None, Money]]:
    """The day and amount of what stands on *account* of what the library wrote for other accounts."""
    for each in movements.transactions:
        if each.bank_transaction_id in movements.others and (amount := amount_on(account, each, currency)):
            yield each.date, amount
    for transfer in movements.transfers:
        if transfer.bank_transfer_id in movements.others:
            yield transfer.date, signed_transfer(account, transfer, movements, currency)


def _entered(account: AccountId, movements: Movements, currency: str) -> Iterator[ExceptionItem]:
    """Money that people spent or received through the clearing account itself."""
    posted, standing = _posted(account, movements, currency), _tags_standing(movements)
    for each in movements.transactions:
        amount = amount_on(account, each, currency)
        if movements.is_ours(each.bank_transaction_id) or not amount:
            continue
        item = ExceptionItem(
            code="bank transaction not posted here",
            about=each.bank_transaction_id or "",
            amount=amount,
            cause="somebody entered it in Xero",
            fix="move it to another account, or leave it if it belongs there",
        )
        is_double = tag_in(each.reference or "") in standing
        yield _double(item.about, item.amount) if is_double else _or_twice(item, each.date, posted)


def _transferred(account: AccountId, movements: Movements, currency: str) -> Iterator[ExceptionItem]:
    """Money that people transferred out of the clearing account, or into it."""
    posted, standing = _posted(account, movements, currency), _tags_standing(movements)
    for each in movements.transfers:
        amount = signed_transfer(account, each, movements, currency)
        if movements.is_ours(each.bank_transfer_id) or not amount:
            continue
        item = ExceptionItem(
            code="transfer not posted here",
            about=each.bank_transfer_id or "",
            amount=amount,
            cause="somebody moved money between this account and another one",
            fix="if it is a payout, settle without paid_out_on, or delete it in Xero and settle again",
        )
        is_double = tag_in(each.reference or "") in standing
        yield _double(item.about, item.amount) if is_double else _or_twice(item, each.date, posted)


_Posted = frozenset[tuple[str, Decimal]]
"""The day and effect of each thing that the library posted and that still stands."""


def _posted(account: AccountId, movements: Movements, currency: str) -> _Posted:
    gone = gone_from(movements)
    for_this = (
        (intent.facts.get("dated", ""), Decimal(intent.facts["effect"]))
        for xero_id, intent in movements.moved.items()
        if xero_id not in gone
    )
    for_others = ((str(on), amount.amount) for on, amount in _for_others(account, movements, currency))
    return frozenset((*for_this, *for_others))


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


def _tags_standing(movements: Movements) -> frozenset[str]:
    """Our marks on what stands as the library wrote it."""
    found: list[str | None] = [
        *(each.reference for each in movements.standing_payments() if each.payment_id in movements.paid),
        *(
            each.reference
            for each in movements.transactions
            if each.bank_transaction_id in movements.moved and each.status == BankTransactionStatus.AUTHORISED
        ),
        *(
            each.reference
            for each in movements.transfers
            if each.bank_transfer_id in movements.moved and each.status != PaymentStatus.DELETED
        ),
    ]
    return frozenset(tag for text in found if (tag := tag_in(text or "")) is not None)


def _foreign(payment: Payment, amount: Money, standing: AbstractSet[str]) -> ExceptionItem:
    tag = tag_in(payment.reference or "")
    tagged = tag is not None
    if tag in standing:
        return _double(payment.payment_id, amount)
    return ExceptionItem(
        code="payment the store does not know" if tagged else "payment not posted here",
        about=payment.payment_id or "",
        amount=amount,
        cause="it carries our mark, but the store has no record of it" if tagged else "somebody entered it in Xero",
        fix="settle its line again: it is taken over"
        if tagged
        else "move it to another account, or pay it out by hand",
    )


def _double(xero_id: str | None, amount: Money) -> ExceptionItem:
    return ExceptionItem(code=DOUBLE, about=xero_id or "", amount=amount, cause=DOUBLE_CAUSE, fix=DOUBLE_FIX)


def _at_another_rate(payment: Payment, rest: Money) -> ExceptionItem:
    return ExceptionItem(
        code="at another rate",
        about=payment.payment_id or "",
        amount=rest,
        cause="Xero worked out from its rate what it made on this account, and it is not what was settled (F 6.115)",
        fix="enter the difference by hand, on your account for exchange differences",
    )


def other_movements(rest: Money) -> ExceptionItem:
    """The *rest* of a sum, which nothing explains."""
    return ExceptionItem(
        code=OTHER_MOVEMENTS,
        about="",
        amount=rest,
        cause="money moved on this account in another way: journals, or lines of other documents",
        fix="look at the account's transactions in Xero",
    )


def still_open(intent: Intent) -> Finding:
    """What is to be said of a write that an interrupted run left open."""
    is_note = intent.operation.kind == AddNote.kind
    return Finding(
        code="still open",
        about=about_of(intent),
        cause=f"an earlier run was interrupted while writing {'its note' if is_note else 'it'}",
        fix="call recover()",
        retry=True,
    )


def posted_by_id(intents: Iterable[Intent]) -> dict[str, Intent]:
    """Those of *intents* that were posted, whether or not they still stand, by the id Xero gave."""
    return {intent.xero_id: intent for intent in intents if intent.state in POSTED and intent.xero_id}
