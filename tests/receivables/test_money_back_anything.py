"""Whatever comes in and goes back, in whatever order: each line stands in the books once, or is one finding."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.conftest import CLEARING, DAY, found_product, nzd
from tests.receivables.test_money_back import CHOSEN, WITHOUT_A_BANK, Story

from xerosync import LineKind, Receivables, Settlement, SettlementLine, Surplus, WhenLocked

AMOUNTS = st.sampled_from(["30.00", "40.00", "50.00", "60.00", "70.00", "100.00", "150.00"])
PICKS = st.integers(0, 50)
SIGNS = {
    LineKind.COLLECTED: 1,
    LineKind.REINSTATED: 1,
    LineKind.CHARGED_BACK: -1,
    LineKind.REFUNDED: -1,
    LineKind.DECLINED: 0,
}
CHOICES = st.builds(
    lambda surplus, locked, batches: evolve(CHOSEN, surplus=surplus, when_locked=locked, batches=batches),
    st.sampled_from(Surplus),
    st.sampled_from([WhenLocked.MOVE, WhenLocked.REFUSE]),
    st.booleans(),
)


class MoneyBack(RuleBasedStateMachine):
    """Two invoices of one customer, whose money comes in, fails, is given back, and comes in again."""

    @initialize(chosen=CHOICES, clearing=st.sampled_from([CLEARING, WITHOUT_A_BANK]))
    def found(self, chosen: object, clearing: str) -> None:
        self.product = found_product()
        self.books = self.product.books
        self.books.add_account(WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
        self.transactions = [self.product.collectable(amount).id for amount in ("100.00", "60.00")]
        sales = Receivables(self.product.xero(), clearing_account=clearing, settlements=chosen)  # type: ignore[arg-type]
        self.story = Story(self.product, sales, self.transactions[0], clearing)
        self.today = DAY
        self.fresh: list[Settlement] = []

    @rule(
        kind=st.sampled_from([*LineKind, LineKind.COLLECTED, LineKind.CHARGED_BACK]),
        amount=AMOUNTS,
        which=st.integers(0, 1),
        day=st.integers(0, 1),
        first=st.booleans(),
    )
    def happens(self, kind: LineKind, amount: str, which: int, day: int, *, first: bool) -> None:
        """A line comes, of the day of the last one or the next, and its id says nothing of when."""
        self.add(self.line(kind, amount, which, first=first), day)

    @rule(picks=st.lists(st.tuples(st.sampled_from(LineKind), AMOUNTS, st.integers(0, 1)), min_size=2, max_size=4))
    def much_happens(self, picks: list[tuple[LineKind, str, int]]) -> None:
        lines = [
            self.line(kind, amount, which, first=bool(place % 2)) for place, (kind, amount, which) in enumerate(picks)
        ]
        on = self.today = self.today + timedelta(days=1)
        lines = [evolve(each, id=f"{each.id}.{place}") for place, each in enumerate(lines)]
        self.fresh.append(Settlement(id=f"S{self.count}", on=on, lines=lines))

    @rule(pick=PICKS, named=st.booleans())
    def fails_late(self, pick: int, *, named: bool) -> None:
        """One instalment fails, of those that came in."""
        came_in = [one for each in self.given for one in each.lines if SIGNS[one.kind] == 1]
        if came_in:
            failed = came_in[pick % len(came_in)]
            line = self.line(LineKind.CHARGED_BACK, str(failed.amount.amount), 0, first=named)
            self.add(evolve(line, transaction=failed.transaction, of=failed.id if named else ""), 1)

    @rule(pick=PICKS)
    def is_taken_whole(self, pick: int) -> None:
        """The bank takes whatever the books show as left of one of them."""
        left = sum((each.amount for each in self.books.payments_of(self.transactions[pick % 2])), Decimal(0))
        if left:
            self.add(self.line(LineKind.CHARGED_BACK, str(left), pick % 2, first=False), 1)

    @rule(pick=PICKS)
    def is_removed_by_hand(self, pick: int) -> None:
        live = self.removable()
        if live:
            self.books.remove_payment(live[pick % len(live)])

    @rule(pick=PICKS)
    def is_reconciled(self, pick: int) -> None:
        live = self.removable()
        if live:
            self.books.reconcile_payment(live[pick % len(live)])

    @rule(days=st.integers(0, 6))
    def is_closed(self, days: int) -> None:
        self.books.lock_period(self.today - timedelta(days=days + 1))

    def removable(self) -> list[str]:
        """The payments of invoices that somebody may remove by hand, while they are all of what their lines brought."""
        if any(each.amount_due for each in (*self.books.overpayments, *self.books.credit_notes) if each.is_posted):
            return []
        invoices = {each.id for each in self.books.invoices}
        return [
            each.id
            for each in self.product.live_payments()
            if each.document_id in invoices and not each.is_reconciled and not each.batch_id
        ]

    @property
    def given(self) -> list[Settlement]:
        return [*self.story.given, *self.fresh]

    @property
    def count(self) -> int:
        return sum(len(each.lines) for each in self.given)

    def line(self, kind: LineKind, amount: str, which: int, *, first: bool) -> SettlementLine:
        name = f"{'a' if first else 'z'}{self.count}"
        return SettlementLine(id=name, transaction=self.transactions[which], amount=nzd(amount), kind=kind)

    def add(self, line: SettlementLine, days: int) -> None:
        self.today += timedelta(days=days)
        self.fresh.append(Settlement(id=f"S{line.id}", on=self.today, lines=[line]))

    @invariant()
    def each_line_stands_once_or_is_one_finding(self) -> None:
        if not hasattr(self, "story"):
            return
        sales, self.fresh[:], fresh = self.story.sales, [], list(self.fresh)
        sales.apply(sales.settle(fresh))
        self.story.given += fresh
        sales.apply(sales.settle(self.story.given))
        plan = sales.settle(self.story.given)
        about = Counter(each.about for each in plan.findings)

        assert not plan, plan.rows()
        assert set(about.values()) <= {1}, about
        lines = {one.id: one for each in self.story.given for one in each.lines}
        assert about.keys() <= lines.keys()
        stands = [one for one in lines.values() if one.id not in about]
        clearing = sum((SIGNS[one.kind] * one.amount.amount for one in stands), Decimal(0))
        refunded = sum((one.amount.amount for one in stands if one.kind is LineKind.REFUNDED), Decimal(0))
        self.story.stands(clearing=clearing, owed=160 - refunded - clearing)
        assert sum(each.balance for each in self.books.trial_balance(date(2027, 1, 1))) == 0
        report = sales.reconcile(self.story.given)
        assert report.explained
        assert {each.about for each in report.discrepancies} == about.keys()
        assert {each.about for each in sales.settlement_report(self.story.given).crossed()} == about.keys()

    def teardown(self) -> None:
        if hasattr(self, "product"):
            self.product.simulator.close()


TestMoneyBack = MoneyBack.TestCase
TestMoneyBack.settings = settings(max_examples=8, stateful_step_count=8)
