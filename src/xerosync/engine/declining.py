"""What is remembered of declines, and which attempts the retry policy forbids: pure decisions (R37)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Final

from attrs import evolve, frozen

from xerosync.engine.chains import Chain
from xerosync.engine.plans import Finding
from xerosync.mapping.declines import Decline, RetryPolicy
from xerosync.mapping.settlement import ATTEMPTS, FAILED, Settlement, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import InvoiceId
from xerosync.money import Money, exactly

REASON: Final = "reason"
"""The fact of what took money back that says why."""
TOLD: Final = "it is said why it was declined"
RETRIED: Final = "retry not allowed"
"""The code of the finding on an attempt that was made although the policy forbids it; its money is booked as well."""

_CAUSE: Final = "it was tried again, and your retry policy forbids that: {why}"
_FIX: Final = (
    "get the payer's agreement and say so on the line, agreed_anew=True, or give the money back: the payer may claim it"
)


def declined(
    settlements: Sequence[Settlement], transactions: Mapping[str, Transaction], waiting: AbstractSet[str]
) -> dict[str, Transaction]:
    """
    *transactions* with what *settlements* say why each failed, and when the payer last agreed to another attempt at it;
    not what the lines *waiting* for a person say.

    What a line said before, and does not say now, is kept.
    """
    lines = {line.id: (each, line) for each in settlements for line in each.lines}
    found = dict(transactions)
    for settlement, line in lines.values():
        transaction = found.get(line.transaction)
        if transaction is None or line.id in waiting:
            continue
        if line.agreed_anew:
            agreed_on = max(settlement.on, transaction.agreed_on or settlement.on)
            transaction = found[transaction.id] = evolve(transaction, agreed_on=agreed_on)
        if line.reason is None:
            continue
        told = Decline(reason=line.reason, on=settlement.on, amount=line.amount, line=line.id)
        others = [each for each in transaction.declines if each.line not in {"", line.id}]
        declines = sorted([*others, told], key=lambda each: (each.on, each.line))
        found[transaction.id] = evolve(transaction, declines=tuple(declines))
    return {name: _without_others(one, lines) for name, one in found.items()}


def _without_others(transaction: Transaction, lines: Mapping[str, tuple[Settlement, SettlementLine]]) -> Transaction:
    """*transaction* without the declines of those lines that say something else of it now."""
    kept = tuple(
        each
        for each in transaction.declines
        if each.line not in lines
        or (lines[each.line][1].kind in FAILED and lines[each.line][1].transaction == transaction.id)
    )
    return transaction if kept == transaction.declines else evolve(transaction, declines=kept)


@exactly
def forbidden(
    policy: RetryPolicy,
    attempts: Sequence[Transaction],
    transaction: Transaction,
    *,
    on: date | None = None,
    asked: Money | None = None,
    before: Decimal = Decimal(0),
) -> str:
    """
    Why *transaction*, of the *attempts* at its invoice in order, may not be collected by *policy*; blank where it may.

    Without *asked* it is the attempt as a whole, on its own day; else one line of it, *on* that day, of which *before*
    had come in already. Instalments are no retries: one begins where more was asked than the transaction is of. Where
    the payer agreed to another attempt, what was before that counts no more.
    """
    earlier = [each for each in attempts if each.attempt < transaction.attempt]
    agreed = [place for place, each in enumerate(earlier) if each.agreed_anew or each.agreed_on is not None]
    has_agreed = transaction.agreed_anew or _agreed_by(transaction, on) is not None
    earlier = [] if has_agreed else earlier[max(agreed, default=0) :]
    day = transaction.on or on or date.max
    # The day of a settlement may lie ahead: what it says was declined is known, and was before what is collected next.
    met = [each for one in earlier for each in _counting(one) if on is None or each.on <= max(on, day)]
    own = [each for each in _counting(transaction, on) if on is not None and each.on < on]
    failed = sum((each.amount.amount for each in own), Decimal(0))
    retries = sum(_times(_failed(each), each) for each in earlier if _counting(each))
    if asked is not None:
        retries += max(_times(before + failed + asked.amount, transaction) - 1, 0)
    return policy.forbids([*met, *own], retries=retries, on=on if own and on is not None else day)


def _agreed_by(transaction: Transaction, on: date | None = None) -> date | None:
    """The day by which the payer had agreed to another attempt at *transaction*; *on* that day at the latest."""
    agreed_on = transaction.agreed_on
    return agreed_on if agreed_on is not None and (on is None or agreed_on <= on) else None


def _counting(transaction: Transaction, on: date | None = None) -> list[Decline]:
    """The declines of *transaction* since the payer last agreed to another attempt, as known *on* a day."""
    # Those of the same day count: the attempt agreed on may be among them.
    since = _agreed_by(transaction, on) or date.min
    return [each for each in transaction.declines if each.on >= since]


def _failed(transaction: Transaction) -> Decimal:
    return sum((each.amount.amount for each in _counting(transaction)), Decimal(0))


def _times(amount: Decimal, transaction: Transaction) -> int:
    """How often at least the payer was asked for *transaction*, so that *amount* came of it."""
    whole = transaction.amount.amount
    return max(int((amount / whole).to_integral_value(ROUND_CEILING)), 1) if whole > 0 else 1


@frozen(kw_only=True)
class Tried:
    """
    What is known of the *transactions* of settlements, as they failed, and of the *attempts* at their invoices.

    *chains* are the money of each invoice of which something was declined, *days* those that it came in on, by line.
    """

    transactions: Mapping[str, Transaction]
    attempts: Mapping[InvoiceId, Sequence[Transaction]]
    chains: Mapping[str, Chain]
    days: Mapping[str, str]

    def why_not(self, settlement: Settlement, line: SettlementLine, policy: RetryPolicy) -> str:
        """Why *line* should not have been tried by *policy*; blank where it might, and where its money went back."""
        transaction = self.transactions.get(line.transaction)
        if transaction is None or line.kind not in ATTEMPTS or line.agreed_anew:
            return ""
        chain = self.chains.get(transaction.invoice_id, Chain())
        parts = [each for each in chain.parts if each.transaction == transaction.id]
        if any(each.name == line.id and not (each.stands and chain.left) for each in parts):
            return ""
        since = (_agreed_by(transaction, settlement.on) or date.min).isoformat()
        upto = settlement.on.isoformat()
        before = sum((each.left for each in parts if since <= self.days.get(each.name, since) < upto), Decimal(0))
        others = [self.transactions.get(each.id, each) for each in self.attempts.get(transaction.invoice_id, ())]
        return forbidden(policy, others, transaction, on=settlement.on, asked=line.amount, before=before)


@exactly
def retried(settlements: Sequence[Settlement], tried: Tried, policy: RetryPolicy) -> list[Finding]:
    """The findings on lines of *settlements* that were attempts which *policy* forbids."""
    return [
        Finding(code=RETRIED, about=line.id, cause=_CAUSE.format(why=why), fix=_FIX, worth=line.amount)
        for settlement in settlements
        for line in settlement.lines
        if (why := tried.why_not(settlement, line, policy))
    ]
