"""Whatever the bookkeeper, the payer and the host do: each transaction is what Xero says is due, or in one finding."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)
from tests.conftest import BANK, CLEARING, DAY, found_product, nzd
from tests.receivables.host import Host

from xerosync import ImportPolicy, Receivables, Settlement, SettlementLine, TransactionState, TransactionStatus
from xerosync.errors import InvalidInput
from xerosync.simulator import Document

AMOUNTS = st.integers(1, 40000).map(lambda cents: Decimal(cents) / 100)
DUE = st.integers(-20, 40).map(lambda days: DAY + timedelta(days))
UNDER_WAY = [TransactionStatus.SENT, TransactionStatus.PROCESSED, TransactionStatus.APPROVED]
ENDED = [TransactionStatus.DELETED, TransactionStatus.DECLINED]


class Follows(RuleBasedStateMachine):
    """One customer whose edits are followed; rules that Xero would refuse do nothing."""

    invoices = Bundle("invoices")
    payments = Bundle("payments")

    @initialize(target=invoices)
    def connect(self) -> MultipleResults[str]:
        self.product = found_product()
        self.books = self.product.books
        self.sales = Receivables(self.product.xero(), clearing_account=CLEARING)
        self.host = Host(self.sales)
        self.lines = 0
        self.product.collectable("1.00")
        self.contact = self.books.contacts[0].id
        self.sales.apply(self.sales.set_import_policies({"Ana": ImportPolicy.AUTOMATIC}))
        owed = [self.books.add_invoice(self.contact, amount=Decimal(n), due=DAY, date=DAY).id for n in (100, 60)]
        self.sales.apply(self.sales.import_invoices())
        self.host.look()
        return MultipleResults(tuple(owed))

    @rule(target=invoices, amount=AMOUNTS, due=DUE)
    def add(self, amount: Decimal, due: date) -> str:
        return self.books.add_invoice(self.contact, amount=amount, due=due, date=DAY).id

    @rule(invoice=invoices, amount=AMOUNTS)
    def edit_total(self, invoice: str, amount: Decimal) -> None:
        try:
            self.books.edit_invoice(invoice, amount=amount)
        except InvalidInput:
            return

    @rule(invoice=invoices, due=DUE)
    def edit_due_date(self, invoice: str, due: date) -> None:
        try:
            self.books.edit_invoice(invoice, due=due)
        except InvalidInput:
            return

    @rule(invoice=invoices, due=DUE)
    def edit_the_due_date_of_a_part_paid_one(self, invoice: str, due: date) -> None:
        self.pay_elsewhere(invoice, 30)
        self.wait(1)
        self.add(Decimal(10), due)  # the last to be stamped is read again anyhow
        self.host.follow()
        self.wait(1)
        self.edit_due_date(invoice, due)

    @rule(invoice=invoices)
    def void(self, invoice: str) -> None:
        try:
            self.books.void_invoice(invoice)
        except InvalidInput:
            return

    @rule(target=payments, invoice=invoices, part=st.sampled_from([30, 50, 100]))
    def pay_elsewhere(self, invoice: str, part: int) -> MultipleResults[str]:
        due = self.books.invoice(invoice).amount_due
        amount = (due * part / 100).quantize(Decimal("0.01"))
        if self.books.invoice(invoice).status != "AUTHORISED" or not amount:
            return MultipleResults(())
        return MultipleResults((self.books.add_payment(invoice, account=BANK, amount=amount).id,))

    @rule(payment=consumes(payments))
    def take_back(self, payment: str) -> None:
        self.books.remove_payment(payment)

    @rule(invoice=invoices)
    def choose(self, invoice: str) -> None:
        self.sales.apply(self.sales.import_invoices([invoice]))
        assert not self.sales.import_invoices([invoice])
        self.host.look()

    @rule()
    def import_all(self) -> None:
        self.sales.apply(self.sales.import_invoices())
        assert not self.sales.import_invoices()
        self.host.look()

    @rule(invoice=invoices, pick=st.integers(0, 3), status=st.sampled_from([*UNDER_WAY, *ENDED]))
    def come_to_stand(self, invoice: str, pick: int, status: TransactionStatus) -> None:
        """An earlier attempt may do so too: banks change their minds."""
        rows = [row for row in self._rows(invoice) if row.status is not TransactionStatus.DELETED]
        if rows:
            self.host.change(rows[pick % len(rows)].id, status)

    @rule(invoice=invoices, ended=st.sampled_from(ENDED))
    def end_and_try_again(self, invoice: str, ended: TransactionStatus) -> None:
        for row in self._rows(invoice):
            if row.status is TransactionStatus.FUTURE:
                self.host.change(row.id, ended)
        self.host.follow()
        self.choose(invoice)

    @rule(invoice=invoices)
    def approve_after_all(self, invoice: str) -> None:
        for row in self._rows(invoice):
            if row.status is TransactionStatus.DECLINED:
                self.host.change(row.id, TransactionStatus.APPROVED)

    @rule(invoice=invoices)
    def settle(self, invoice: str) -> None:
        for row in self._rows(invoice):
            if row.amount is not None and not row.status.has_ended:
                self.host.change(row.id, TransactionStatus.APPROVED)
                self.lines += 1
                line = SettlementLine(id=f"L{self.lines}", transaction=row.id, amount=row.amount)
                settlement = Settlement(id=line.id, on=DAY, lines=[line])
                self.sales.apply(self.sales.settle(settlement))
                assert not self.sales.settle(settlement)

    def _rows(self, invoice: str) -> list[TransactionState]:
        return [row for row in self.host.states() if row.id.partition("/")[0] == invoice]

    @rule()
    def follow_but_die_before_the_rows_are_changed(self) -> None:
        self.sales.apply(self.sales.follow(self.host.states()))

    @rule(by_host=st.booleans())
    def reconnect(self, *, by_host: bool) -> None:
        self.product.let_in_again(by_host=by_host)
        self.sales = self.host.sales = Receivables(self.product.xero(), clearing_account=CLEARING)

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.product.clock.advance(86400 * days)

    @invariant()
    def nothing_is_left_to_do_and_all_is_explained(self) -> None:
        for _ in range(2):  # what is cancelled is deleted in the first, and said to be in the second
            self.host.follow()
        plan = self.sales.follow(self.host.states())

        assert not plan, [*plan]
        assert sum(each.balance for each in self.books.trial_balance(date(2027, 1, 1))) == 0
        found = Counter(finding.about for finding in plan.findings)
        assert set(found.values()) <= {1}
        told = {each.id: each for each in self.sales.transactions()}
        for invoice in self.books.invoices:
            rows = self._rows(invoice.id)
            asked = {row.id: row.amount.amount for row in rows if row.amount is not None and not row.status.has_ended}
            collectable = self._due(invoice) + self._settled(invoice)
            explained = [amount for name, amount in asked.items() if name not in found]
            assert sum(explained) <= collectable
            assert explained in ([], [collectable])
            if len(asked) == 1:
                assert (explained == []) == ([*asked.values()] != [collectable])
            for row in rows:
                if row.status is TransactionStatus.FUTURE:
                    assert (told[row.id].due, row.amount) == (invoice.due_date, nzd(self._due(invoice)))
                    assert (row.on or date.min) >= (invoice.due_date or date.max)

    def _due(self, invoice: Document) -> Decimal:
        return invoice.amount_due if invoice.status == "AUTHORISED" else Decimal(0)

    def _settled(self, invoice: Document) -> Decimal:
        """What stands of the payments that settlements made."""
        clearing = self.books.account(CLEARING).id
        return sum(
            (each.amount for each in self.books.payments_of(invoice.id) if each.account_id == clearing), Decimal(0)
        )

    def teardown(self) -> None:
        if hasattr(self, "product"):
            self.product.simulator.close()


TestFollows = Follows.TestCase
TestFollows.settings = settings(max_examples=30, stateful_step_count=25)
