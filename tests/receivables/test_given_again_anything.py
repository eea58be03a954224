"""Whatever a host gives again, and otherwise: what was posted stays as it was, and every difference is told."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.conftest import BANK, CLEARING, DAY, found_product, nzd

from xerosync import (
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementReport,
    SettlementSettings,
    WhenLocked,
)

OTHER = "095"
CUSTOMERS = ("Ana Costa", "Ben Ode", "Cleo Fu")
POLICIES = (WhenLocked.REFUSE, WhenLocked.QUEUE, WhenLocked.DRAFT, WhenLocked.MOVE)


class GivesAgain(RuleBasedStateMachine):
    """Settlements of three customers, given again with lines changed or left out, through one account or another."""

    @initialize()
    def found(self) -> None:
        self.product = found_product()
        self.books = self.product.books
        self.books.add_account(OTHER, "Other clearing", type="BANK")
        self.invoices = [self.product.collectable("1000.00", name).id for name in CUSTOMERS]
        self.today = DAY
        self.lines = 0
        self.given: dict[str, Settlement] = {}
        self.first: dict[str, Settlement] = {}
        self.choose(clearing=CLEARING, when_locked=WhenLocked.REFUSE)

    @rule(clearing=st.sampled_from([CLEARING, OTHER]), when_locked=st.sampled_from(POLICIES))
    def choose(self, clearing: str, when_locked: WhenLocked) -> None:
        """The clearing account and the policy change, also in the middle of a settlement."""
        chosen = SettlementSettings(bank_account=BANK, when_locked=when_locked)
        self.sales = Receivables(self.product.xero(), clearing_account=clearing, settlements=chosen)

    @rule(
        picks=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=3), paid_out=st.booleans()
    )
    def settle(self, picks: list[tuple[int, int]], *, paid_out: bool) -> None:
        self.today += timedelta(days=1)
        lines: list[SettlementLine] = []
        for pick, amount in picks:
            self.lines += 1
            transaction = [*self.invoices, "unknown"][pick]
            lines.append(SettlementLine(id=f"L{self.lines}", transaction=transaction, amount=nzd(amount)))
        name = f"S{len(self.given)}"
        on = self.today if paid_out else None
        self.given[name] = self.first[name] = Settlement(
            id=name, on=self.today, lines=lines, paid_out_on=on, reserve=nzd(0)
        )

    @precondition(lambda self: bool(self.given))
    @rule(pick=st.integers(0, 50))
    def pay_out(self, pick: int) -> None:
        name = self.chosen(pick)
        self.given[name] = evolve(self.given[name], paid_out_on=self.today)
        self.first[name] = evolve(self.first[name], paid_out_on=self.first[name].paid_out_on or self.today)

    @precondition(lambda self: bool(self.given))
    @rule(
        pick=st.integers(0, 50),
        change=st.sampled_from(["kind", "amount", "transaction", "day", "left out", "as it was"]),
        kind=st.sampled_from([LineKind.DECLINED, LineKind.REFUNDED, LineKind.CHARGED_BACK]),
    )
    def give_again(self, pick: int, change: str, kind: LineKind) -> None:
        name = self.chosen(pick)
        settlement = self.given[name]
        if change == "as it was" or not settlement.lines:
            self.given[name] = self.first[name]
            return
        line, *others = settlement.lines
        match change:
            case "kind":
                other = [evolve(line, kind=kind)]
            case "amount":
                other = [evolve(line, amount=line.amount + nzd(1))]
            case "transaction":
                other = [evolve(line, transaction=self.invoices[0])]
            case "left out":
                other = []
            case _:
                other = [line]
        on = settlement.on + timedelta(days=change == "day")
        self.given[name] = evolve(settlement, lines=[*other, *others], on=on)

    @rule(by_host=st.booleans(), clearing=st.sampled_from([CLEARING, OTHER]))
    def reconnect(self, clearing: str, *, by_host: bool) -> None:
        self.product.let_in_again(by_host=by_host)
        self.choose(clearing=clearing, when_locked=WhenLocked.MOVE)

    @rule(days=st.integers(-3, 3))
    def close(self, days: int) -> None:
        self.books.lock_period(self.today + timedelta(days=days))

    @rule()
    def open(self) -> None:
        self.books.lock_period(None)

    def chosen(self, pick: int) -> str:
        return sorted(self.given)[pick % len(self.given)]

    @invariant()
    def what_stands_is_what_was_posted_and_every_difference_is_told(self) -> None:
        if not hasattr(self, "given"):
            return
        listed = list(self.given.values())
        self.sales.apply(self.sales.settle(listed))
        plan = self.sales.settle(listed)
        about = Counter(finding.about for finding in plan.findings)

        assert not plan, plan.rows()
        assert max(about.values(), default=0) <= 1, about
        for held in (each.about for each in plan.findings if each.code == "payout held"):
            assert {one.id for each in (self.given, self.first) for one in each[held].lines} & about.keys()
        assert sum(each.balance for each in self.books.trial_balance(date(2027, 1, 1))) == 0
        for code in (CLEARING, OTHER):
            assert self.books.balance(self.books.account(code).id) >= 0
            assert self.sales.reconcile(account=code).exceptions == ()
        if listed:
            self.report_and_books_agree(self.sales.settlement_report(listed), set(about))

    def report_and_books_agree(self, report: SettlementReport, about: set[str]) -> None:
        for each in report:
            crossed = {line.about for line in each.lines if line.mark.name == "CROSSED"}
            assert crossed == about & {line.about for line in each.lines}
            if crossed:
                continue
            # What is ticked whole is in the books whole, and was paid out if it says so.
            settlement = self.given[each.id]
            posted = [one for one in self.product.live_payments() if one.id in _documents(each.lines)]
            came_in = sum((one.amount for one in posted), Decimal(0))
            assert came_in == settlement.proof.gross.amount
            paid_out = settlement.paid_out_on is not None and settlement.proof.net.amount > 0
            assert any(line.what == "payout" and line.xero_ids for line in each.lines) == paid_out


def _documents(lines: object) -> set[str]:
    return {xero_id for line in lines for xero_id in line.xero_ids.values()}  # type: ignore[attr-defined]


TestGivesAgain = GivesAgain.TestCase
TestGivesAgain.settings = settings(max_examples=15, stateful_step_count=12)
