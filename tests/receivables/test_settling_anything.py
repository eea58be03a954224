"""Whatever bookkeeper, payer and host do: the books balance, and each host fact stands once or is one finding."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.conftest import BANK, CLEARING, DAY, found_product, nzd
from tests.receivables.planted import differences

from xerosync import (
    Customer,
    Fee,
    LineKind,
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
        self.reconnect()
        self.sales.apply(
            self.sales.match([Customer(id=name, custom_identifier=name) for name in ("Ana", "Ben", "Cleo")])
        )
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
        self.sales.apply(self.sales.allocate())

    @rule()
    def reconnect(self) -> None:
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

    @rule(pick=st.integers(0, 50))
    def decline(self, pick: int) -> None:
        transactions = self.sales.transactions()
        self.settle([self.line(transactions[pick % len(transactions)].id, Decimal(5), LineKind.DECLINED)], "0")

    @precondition(lambda self: bool(self.collected))
    @rule(pick=st.integers(0, 50), paid_out=st.booleans())
    def charge_back(self, pick: int, *, paid_out: bool) -> None:
        chosen = sorted(self.collected)[pick % len(self.collected)]
        found = {finding.about for finding in self.sales.settle(self.settlements).findings}
        posted = [line for line in self.collected[chosen] if line.id not in found]
        if posted:
            whole = sum((line.amount.amount for line in posted), Decimal(0))
            self.settle([self.line(chosen, whole, LineKind.CHARGED_BACK)], "0", paid_out=paid_out)
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
        self.sales.apply(self.sales.submit(self.sold))
        assert not self.sales.submit(self.sold)
        self.sales.apply(self.sales.settle(self.settlements))
        plan = self.sales.settle(self.settlements)
        about = Counter(finding.about for finding in plan.findings)

        assert not plan, plan.rows()
        assert max(about.values(), default=0) <= 2  # a settlement has fees and a payout
        assert sum(each.balance for each in self.books.trial_balance(date(2027, 1, 1))) == 0
        report = self.sales.reconcile()
        assert report.explained
        assert report.exceptions == ()
        held = {finding.about for finding in plan.findings if finding.code == "payout held"}
        others = {finding.about for finding in plan.findings if finding.code != "payout held"}
        assert report.in_flight == self.in_flight(others, held)

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
TestSettles.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
