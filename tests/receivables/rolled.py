"""
Books that change step by step, whose report is rolled forward after each and compared with one of all.

``python -m tests.receivables.rolled --seeds 300`` plays as many, and says where the two disagree.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from random import Random, SystemRandom
from typing import Final

from attrs import define, evolve, field
from tests.conftest import nzd
from tests.receivables.planted import KINDS, OF_BANKS, OF_OTHERS, differences
from tests.receivables.settled_books import Books, founded

from xerosync import Fix, LineKind, Reconciliation, Settlement, SettlementLine
from xerosync.errors import XerosyncError
from xerosync.models import BankTransaction, BankTransactionId

Step = Callable[["Rolling"], None]
STEPS: Final[dict[str, Step]] = {}
_FORGETS: Final = "the store lost the record of a payment"
"""What no report of changes can see: nothing says that a record is gone."""


def step(name: str) -> Callable[[Step], Step]:
    def add(change: Step) -> Step:
        STEPS[name] = change
        return change

    return add


@define(eq=False)
class Rolling:
    """*books*, the *report* that was rolled forward last, and the settlements that it was *given*."""

    books: Books
    report: Reconciliation
    given: list[Settlement]
    days: Iterator[int] = field(factory=lambda: iter(range(30, 10_000)))

    @classmethod
    def begun(cls, seed: int, *, through_a_bank: bool) -> Rolling:
        books = founded(Random(f"rolled {seed}"), through_a_bank=through_a_bank)
        return cls(books, books.reconciled(brief=True), list(books.settlements))

    @property
    def chance(self) -> Random:
        return self.books.chance

    def play(self, name: str) -> list[str]:
        """Do the step of this *name*, roll the report forward, and say where one of all differs."""
        with suppress(ValueError, XerosyncError):  # as these books are, it cannot always be done, or not all of it
            STEPS[name](self)
        return self.roll()

    def roll(self) -> list[str]:
        """Where the report differs from one of all when it is rolled forward."""
        settlements = self.books.settlements
        changed = [each for each in settlements if each not in self.given]
        withdrawn = {each.id for each in self.given} - {each.id for each in settlements}
        self.report = self.books.sales.reconcile(changed, since=self.report, withdrawn=withdrawn)
        self.given = list(settlements)
        whole = self.books.reconciled(brief=True)
        # What was ticked off is found in the store again, which does not know the order of a settlement's lines.
        wrong = differences(in_order(whole), in_order(self.report))
        return wrong if by_day(whole) == by_day(self.report) else [*wrong, "other days"]

    def settle(self, *lines: SettlementLine, paid_out: bool = False) -> Settlement:
        """Settle *lines* on a day of their own, and post it."""
        on = DAYS_FROM + timedelta(days=next(self.days))
        name = self.books.name("settlement")
        settlement = Settlement(id=name, on=on, lines=lines, paid_out_on=on if paid_out else None)
        self.books.settlements.append(settlement)
        self.post(settlement)
        return settlement

    def post(self, *settlements: Settlement) -> None:
        self.books.sales.apply(self.books.sales.settle(settlements or self.books.settlements))

    def any_line(self, *kinds: LineKind) -> tuple[Settlement, SettlementLine] | None:
        """A line of these *kinds*, whatever became of it."""
        found = [(each, line) for each in self.books.settlements for line in each.lines if line.kind in kinds]
        return self.chance.choice(found) if found else None


DAYS_FROM: Final = date(2026, 1, 6)


def in_order(report: Reconciliation) -> Reconciliation:
    """*report* with its discrepancies, and what would be done about them, in an order of their own."""
    plan = report.settling
    return evolve(
        report,
        discrepancies=sorted(report.discrepancies, key=lambda each: (each.code, each.about)),
        accepted=sorted(report.accepted, key=lambda each: (each.code, each.about)),
        settling=evolve(plan, actions=tuple(sorted(plan.actions, key=lambda each: str(each.itself)))),
    )


def by_day(report: Reconciliation) -> dict[date, Decimal]:
    """What moved on each day."""
    found: dict[date, Decimal] = defaultdict(Decimal)
    for each in report.statement.movements:
        found[each.on] += each.amount.amount
    return {day: amount for day, amount in found.items() if amount}


@step("nothing happens")
def _nothing(_: Rolling) -> None:
    pass


@step("something is collected")
def _collected(rolling: Rolling) -> None:
    if rolling.books.spare:
        transaction = rolling.books.spare.pop()
        total = nzd(rolling.books.product.books.invoice(transaction).total)
        line = SettlementLine(id=rolling.books.name("line"), transaction=transaction, amount=total)
        rolling.settle(line, paid_out=rolling.chance.random() < 0.5)


@step("a late instalment comes in")
def _instalment(rolling: Rolling) -> None:
    for settlement in rolling.books.settlements:
        line = settlement.lines[0]
        invoice = rolling.books.product.books.invoice(line.transaction) if line.transaction != "nobody's" else None
        if invoice is not None and invoice.amount_due > 0 and invoice.status == "AUTHORISED":
            amount = nzd(invoice.amount_due)
            rolling.settle(evolve(line, id=rolling.books.name("line"), amount=amount, kind=LineKind.COLLECTED))
            return


@step("something is charged back")
def _charged_back(rolling: Rolling) -> None:
    if found := rolling.any_line(LineKind.COLLECTED):
        _, line = found
        rolling.settle(evolve(line, id=rolling.books.name("line"), kind=LineKind.CHARGED_BACK))


@step("something is charged back and collected anew on one day")
def _charged_back_and_anew(rolling: Rolling) -> None:
    if found := rolling.any_line(LineKind.COLLECTED):
        _, line = found
        back = rolling.settle(evolve(line, id=rolling.books.name("line"), kind=LineKind.CHARGED_BACK))
        rolling.books.settlements.append(
            Settlement(
                id=rolling.books.name("settlement"), on=back.on, lines=[evolve(line, id=rolling.books.name("line"))]
            )
        )
        rolling.post(rolling.books.settlements[-1])


@step("a charge-back is won")
def _reinstated(rolling: Rolling) -> None:
    if found := rolling.any_line(LineKind.CHARGED_BACK):
        _, line = found
        rolling.settle(evolve(line, id=rolling.books.name("line"), kind=LineKind.REINSTATED))


@step("something is refunded")
def _refunded(rolling: Rolling) -> None:
    if found := rolling.any_line(LineKind.COLLECTED):
        _, line = found
        rolling.settle(evolve(line, id=rolling.books.name("line"), kind=LineKind.REFUNDED))


@step("a settlement is paid out")
def _paid_out(rolling: Rolling) -> None:
    waiting = [each for each in rolling.books.settlements if each.paid_out_on is None]
    if waiting:
        settlement = rolling.chance.choice(waiting)
        rolling.books.replace(settlement, evolve(settlement, paid_out_on=settlement.on + timedelta(days=5)))
        rolling.post()


@step("a settlement is undone")
def _undone(rolling: Rolling) -> None:
    settlement = rolling.chance.choice(rolling.books.settlements)
    rolling.books.sales.apply(rolling.books.sales.undo_settlement(settlement))
    if rolling.chance.random() < 0.5:
        rolling.books.settlements.remove(settlement)


@step("a settlement is given without a line")
def _without_a_line(rolling: Rolling) -> None:
    long = [each for each in rolling.books.settlements if len(each.lines) > 1]
    if long:
        settlement = rolling.chance.choice(long)
        rolling.books.replace(settlement, evolve(settlement, lines=settlement.lines[1:]))


@step("a line is given in another settlement")
def _line_moved(rolling: Rolling) -> None:
    long = [each for each in rolling.books.settlements if len(each.lines) > 1]
    if len(long) > 1:
        one, other = rolling.chance.sample(long, 2)
        rolling.books.replace(one, evolve(one, lines=one.lines[1:]))
        rolling.books.replace(other, evolve(other, lines=(*other.lines, one.lines[0])))


@step("a settlement is given again as it was")
def _again(rolling: Rolling) -> None:
    rolling.given.remove(rolling.chance.choice([each for each in rolling.books.settlements if each in rolling.given]))


@step("somebody moves a payout to another day")
def _payout_moved(rolling: Rolling) -> None:
    moved = [
        each
        for each in rolling.books.product.books.bank_transactions
        if each.reference.startswith(("Payout", "Fees")) and each.status == "AUTHORISED" and "TRANSFER" not in each.type
    ]
    if moved:
        chosen = rolling.chance.choice(moved)
        edited = BankTransaction(bank_transaction_id=BankTransactionId(chosen.id), date=chosen.date + timedelta(days=1))
        rolling.books.product.xero().bank_transactions.update_one(edited)


@step("what plans can fix is fixed")
def _fixed(rolling: Rolling) -> None:
    rolling.books.sales.recover()
    rolling.books.sales.apply(rolling.report.plan(lambda each: next(iter(each.fixes), None)))


@step("what there is, is accepted")
def _accepted(rolling: Rolling) -> None:
    rolling.books.sales.apply(rolling.report.plan(Fix.IGNORE))


def _planting(name: str) -> Step:
    def plant(rolling: Rolling) -> None:
        if name not in (OF_OTHERS if rolling.books.through_a_bank else OF_BANKS):
            KINDS[name](rolling.books)

    return plant


STEPS.update({name: _planting(name) for name in KINDS if name != _FORGETS})


def drawn(chance: Random) -> tuple[int, list[str], bool]:
    """A seed, some steps, and whether the clearing account is a bank account."""
    return chance.randrange(2**32), chance.choices(sorted(STEPS), k=chance.randint(1, 8)), chance.random() < 0.6


def wrong_with(seed: int, names: Sequence[str], *, through_a_bank: bool) -> list[str]:
    """Where a report that is rolled forward after each step of these *names* differs from one of all."""
    rolling = Rolling.begun(seed, through_a_bank=through_a_bank)
    wrong = [f"{name}: {what}" for name in names for what in rolling.play(name)]
    rolling.books.product.simulator.close()
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, roll, and compare, over and over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=None)
    chosen = parser.parse_args(arguments)
    first = SystemRandom().randrange(2**32) if chosen.first is None else chosen.first
    played: Counter[str] = Counter()
    bad = 0
    for number in range(first, first + chosen.seeds):
        seed, names, through_a_bank = drawn(Random(number))
        played.update(names)
        wrong = wrong_with(seed, names, through_a_bank=through_a_bank)
        if wrong:
            bad += 1
            print(f"{number}: {names}, bank {through_a_bank}: {wrong}", flush=True)  # noqa: T201
    print(f"{chosen.seeds:,} books from {first}, {played.total():,} steps, {bad:,} wrong")  # noqa: T201
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
