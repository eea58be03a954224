"""Whatever bookkeeper, payer and host do: the books balance, and each host fact stands once or is one finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.conftest import BANK, CLEARING, DAY, found_product, nzd
from tests.receivables.planted import differences

from xerosync import (
    Customer,
    DeclineReason,
    Fee,
    LineKind,
    Plan,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    WhenLocked,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode

CUSTOMERS = [Customer(id=name, custom_identifier=name) for name in ("Ana", "Ben", "Cleo")]
WHY = st.sampled_from([None, DeclineReason.NSF, DeclineReason.ACCOUNT_CLOSED])
RETRIED = "retry not allowed"
"""What is said of money that stands none the less."""
CENTS = st.integers(1, 20000).map(lambda cents: Decimal(cents) / 100)
SETTINGS = SettlementSettings(
    bank_account=BANK,
    fee_account="404",
    charge_back_account="850",
    provider="Collections Ltd",
    surplus=Surplus.PARK,
    when_locked=WhenLocked.MOVE,
)


class Settles(RuleBasedStateMachine):
    """Three customers, whose invoices are collected, charged back and paid out in whatever order."""

    @initialize(through_a_bank=st.booleans())
    def found(self, *, through_a_bank: bool) -> None:
        self.product = found_product()
        self.books = self.product.books
        self.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
        self.clearing = CLEARING if through_a_bank else "650"
        self.lines = 0
        self.settlements: list[Settlement] = []
        self.sold: list[Sale] = []
        self.collected: dict[str, list[SettlementLine]] = {}
        self.today = DAY
        for name in ("Ana", "Ben", "Cleo"):
            self.books.add_contact(name)
        self.reopen()
        self.sales.apply(self.sales.match(CUSTOMERS))
        for name, amount in (("Ana", 100), ("Ben", 60), ("Ana", 45)):
            self.add(name, Decimal(amount))

    def add(self, contact: str, amount: Decimal) -> None:
        (owner,) = [each.id for each in self.books.contacts if each.name == contact]
        self.books.add_invoice(owner, amount=amount, date=self.today)
        self.sales.apply(self.sales.import_invoices())

    @rule(contact=st.sampled_from(["Ana", "Ben", "Cleo"]), amount=CENTS)
    def sell(self, contact: str, amount: Decimal) -> None:
        names = {each.name for each in self.books.contacts if each.status == "ACTIVE"}
        if contact in names:
            self.add(contact, amount)

    @rule(contact=st.sampled_from(["Ana", "Ben", "Cleo"]), amount=CENTS, credit=st.booleans())
    def submit(self, contact: str, amount: Decimal, *, credit: bool) -> None:
        """The host itself invoices, or gives credit."""
        line = SaleLine(description="Dues", amount=nzd(-amount if credit else amount), account=AccountCode("200"))
        self.sold.append(Sale(id=f"sale {len(self.sold)}", customer=contact, on=self.today, lines=[line]))

    @rule()
    def allocate(self) -> None:
        self.done(self.sales.allocate)

    @rule(by_host=st.booleans())
    def reconnect(self, *, by_host: bool) -> None:
        self.product.let_in_again(by_host=by_host)
        self.reopen()

    @rule()
    def reopen(self) -> None:
        self.sales = Receivables(self.product.xero(), clearing_account=self.clearing, settlements=SETTINGS)

    @rule(loser=st.sampled_from(["Ben", "Cleo"]))
    def merge(self, loser: str) -> None:
        found = {each.name: each for each in self.books.contacts if each.status == "ACTIVE"}
        if {"Ana", loser} <= set(found):
            self.books.merge_contacts(found[loser].id, into=found["Ana"].id)

    @rule(pick=st.integers(0, 50), amount=CENTS)
    def edit(self, pick: int, amount: Decimal) -> None:
        sales = [each for each in self.books.invoices if each.type == "ACCREC" and "XS-" not in each.reference]
        try:
            self.books.edit_invoice(sales[pick % len(sales)].id, amount=amount)
        except InvalidInput:
            return

    @rule(pick=st.integers(0, 50))
    def void(self, pick: int) -> None:
        sales = [each for each in self.books.invoices if each.type == "ACCREC" and "XS-" not in each.reference]
        try:
            self.books.void_invoice(sales[pick % len(sales)].id)
        except InvalidInput:
            return

    @rule(pick=st.integers(0, 50), amount=CENTS)
    def pay_elsewhere(self, pick: int, amount: Decimal) -> None:
        sales = [each for each in self.books.invoices if each.type == "ACCREC"]
        try:
            self.books.add_payment(sales[pick % len(sales)].id, account=BANK, amount=amount, date=self.today)
        except InvalidInput:
            return

    @precondition(lambda self: bool(self.books.payments))
    @rule(pick=st.integers(0, 50))
    def reconcile_one(self, pick: int) -> None:
        live = self.product.live_payments()
        if live:
            self.books.reconcile_payment(live[pick % len(live)].id)

    @rule(days=st.integers(0, 20))
    def close(self, days: int) -> None:
        self.books.lock_period(self.today - timedelta(days=days + 1))

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(
        picks=st.lists(st.tuples(st.integers(0, 50), CENTS, st.booleans()), min_size=1, max_size=3),
        fee=st.sampled_from(["0", "1.30", "0.07"]),
        paid_out=st.booleans(),
    )
    def collect(self, picks: list[tuple[int, Decimal, bool]], fee: str, *, paid_out: bool) -> None:
        transactions = self.sales.transactions()
        lines = []
        for pick, amount, whole in picks:
            transaction = transactions[pick % len(transactions)]
            line = self.line(transaction.id, transaction.amount.amount if whole else amount, LineKind.COLLECTED)
            self.collected.setdefault(transaction.id, []).append(line)
            lines.append(line)
        self.settle(lines, fee, paid_out=paid_out)

    @rule(pick=st.integers(0, 50), reason=WHY)
    def decline(self, pick: int, reason: DeclineReason | None) -> None:
        transaction = self.sales.transactions()[pick % len(self.sales.transactions())]
        line = self.line(transaction.id, transaction.amount.amount or Decimal(5), LineKind.DECLINED)
        self.settle([evolve(line, reason=reason)], "0")

    @precondition(lambda self: bool(self.collected))
    @rule(pick=st.integers(0, 50), reason=WHY, paid_out=st.booleans())
    def charge_back(self, pick: int, reason: DeclineReason | None, *, paid_out: bool) -> None:
        chosen = sorted(self.collected)[pick % len(self.collected)]
        found = {each.about for each in self.sales.settle(self.settlements).findings if each.code != RETRIED}
        posted = [line for line in self.collected[chosen] if line.id not in found]
        if posted:
            whole = sum((line.amount.amount for line in posted), Decimal(0))
            line = evolve(self.line(chosen, whole, LineKind.CHARGED_BACK), reason=reason)
            self.settle([line], "0", paid_out=paid_out)
        # What was a finding then is not settled any more: the host has been told.
        del self.collected[chosen]

    def line(self, transaction: str, amount: Decimal, kind: LineKind) -> SettlementLine:
        self.lines += 1
        return SettlementLine(id=f"L{self.lines}", transaction=transaction, amount=nzd(amount), kind=kind)

    def settle(self, lines: list[SettlementLine], fee: str, *, paid_out: bool = False) -> None:
        self.today += timedelta(days=1)
        self.settlements.append(
            Settlement(
                id=f"S{len(self.settlements)}",
                on=self.today,
                lines=lines,
                fees=[Fee(amount=nzd(fee))] if Decimal(fee) else [],
                paid_out_on=self.today if paid_out else None,
            )
        )

    @invariant()
    def each_fact_stands_once_or_is_one_finding(self) -> None:
        if not hasattr(self, "settlements"):
            return
        self.done(partial(self.sales.match, CUSTOMERS))
        self.done(self.sales.import_invoices)
        self.done(partial(self.sales.submit, self.sold))
        plan = self.done(partial(self.sales.settle, self.settlements))
        assert sum(each.balance for each in self.books.trial_balance(date(2027, 1, 1))) == 0
        report = self.sales.reconcile()
        assert report.explained
        assert report.exceptions == ()
        held = {finding.about for finding in plan.findings if finding.code == "payout held"}
        others = {finding.about for finding in plan.findings if finding.code not in {"payout held", RETRIED}}
        assert report.in_flight == self.in_flight(others, held)
        for settlement in self.settlements:
            waits = bool({line.id for line in settlement.lines} & others)
            assert waits or settlement.id not in held

    def done(self, planned: Callable[[], Plan]) -> Plan:
        """What is *planned* again once done: nothing, and one finding a fact; fees and payout are two facts."""
        self.sales.apply(planned())
        plan = planned()
        about = Counter((getattr(each, "part", ""), each.about) for each in plan.findings)
        assert not plan, plan.rows()
        assert max(about.values(), default=0) <= 1, plan.findings
        return plan

    @invariant()
    def a_brief_report_finds_what_a_whole_one_does(self) -> None:
        whole, brief = (self.sales.reconcile(self.settlements, brief=each) for each in (False, True))
        assert differences(whole, brief) == []

    def in_flight(self, found: set[str], held: set[str]) -> object:
        """What the host's facts leave in clearing, but for those that are findings, and payouts that are *held*."""
        left = Decimal(0)
        for settlement in self.settlements:
            for line in settlement.lines:
                sign = {LineKind.COLLECTED: 1, LineKind.CHARGED_BACK: -1}.get(line.kind, 0)
                left += sign * line.amount.amount * (line.id not in found)
            proof, posted = settlement.proof, settlement.id not in found
            paid_out = settlement.paid_out_on is not None and settlement.id not in held
            left -= proof.fees.amount * (posted and (paid_out or self.clearing == CLEARING))
            left -= proof.net.amount * (posted and paid_out)
        return nzd(left)


TestSettles = Settles.TestCase
TestSettles.settings = settings(max_examples=12, stateful_step_count=12)
