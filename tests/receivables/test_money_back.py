"""What goes back is what had come in: each charge-back and each refund by the chain of its invoice, or a finding."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import define, evolve, field
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.receivables.test_currencies import EUROS, FOREIGN_BANK, eur, found, sold

from xerosync import (
    Fix,
    Ledger,
    LineKind,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    Xero,
)
from xerosync.errors import InvalidInput

COLLECTED, CHARGED_BACK, REFUNDED = LineKind.COLLECTED, LineKind.CHARGED_BACK, LineKind.REFUNDED
WITHOUT_A_BANK = "650"
CHOSEN = SettlementSettings(bank_account=BANK, charge_back_account="850", provider="Collections Ltd")


@define
class Story:
    """Settlements of one transaction, a line each, a day apart unless told; all are given every time."""

    product: Product
    sales: Receivables
    transaction: str
    clearing: str = CLEARING
    given: list[Settlement] = field(factory=list[Settlement])

    def add(self, name: str, amount: str, kind: LineKind, *, of: str = "", days: int | None = None) -> None:
        on = DAY + timedelta(days=len(self.given) if days is None else days)
        line = SettlementLine(id=name, transaction=self.transaction, amount=nzd(amount), kind=kind, of=of)
        self.given.append(Settlement(id=f"S {name}", on=on, lines=[line]))

    def settle(self) -> Plan:
        """Settle all that was given, and see that settling again plans nothing and finds the same."""
        plan = self.sales.settle(self.given)
        self.sales.apply(plan)
        again = self.sales.settle(self.given)
        assert not again, again.rows()
        assert [each.about for each in again.findings] == [each.about for each in plan.findings]
        assert sum(each.balance for each in self.product.books.trial_balance(date(2027, 1, 1))) == 0
        report = self.sales.reconcile(self.given)
        assert report.explained
        assert {each.about for each in report.discrepancies} <= {each.about for each in plan.findings}
        assert {each.about for each in self.sales.settlement_report(self.given).crossed()} == {
            each.about for each in plan.findings
        }
        return plan

    def stands(self, *, clearing: Decimal | int, owed: Decimal | int) -> None:
        """See what is in clearing, and what the customer owes, all invoices together, less her credit."""
        books = self.product.books
        assert books.balance(books.account(self.clearing).id) == clearing
        due = sum((each.amount_due for each in books.invoices if each.is_posted), Decimal(0))
        kept = sum((each.amount_due for each in books.credit_notes if each.is_posted), Decimal(0))
        kept += sum((each.amount_due for each in books.overpayments if each.is_posted), Decimal(0))
        assert due - kept == owed


def codes(plan: Plan) -> list[tuple[str, str]]:
    return [(each.code, each.about) for each in plan.findings]


@pytest.fixture(params=[CLEARING, WITHOUT_A_BANK])
def story(request: pytest.FixtureRequest, product: Product, xero: Xero) -> Story:
    return begun(product, xero, clearing=str(request.param))


def begun(product: Product, xero: Xero, *, clearing: str = CLEARING, chosen: SettlementSettings = CHOSEN) -> Story:
    product.books.add_account(WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
    sales = Receivables(xero, clearing_account=clearing, settlements=chosen)
    return Story(product, sales, product.collectable("100.00").id, clearing)


def test_a_second_charge_back_of_what_was_taken_back_is_a_finding(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.add("B1", "100.00", CHARGED_BACK)
    assert story.settle().findings == ()
    story.add("B2", "100.00", CHARGED_BACK)

    plan = story.settle()

    assert (len(plan), codes(plan)) == (0, [("nothing to take back", "B2")])
    story.stands(clearing=0, owed=100)


def test_a_second_charge_back_in_euros_is_a_finding() -> None:
    product = found()
    invoice = sold(product)
    chosen = SettlementSettings(bank_account=FOREIGN_BANK)
    sales = Receivables(product.xero(), clearing_account=EUROS, settlements=chosen)
    first = SettlementLine(id="L1", transaction=invoice.id, amount=eur("100.00"))
    lines = [first, *(evolve(first, id=name, kind=CHARGED_BACK) for name in ("B1", "B2"))]
    given = [
        Settlement(id=f"S {line.id}", on=DAY + timedelta(days=place), lines=[line], rate=Decimal("0.55"))
        for place, line in enumerate(lines)
    ]
    sales.apply(sales.settle(given[:2]))

    plan = sales.settle(given)

    assert (len(plan), codes(plan)) == (0, [("nothing to take back", "B2")])
    assert product.books.balance(product.books.account(EUROS).id) == 0
    product.simulator.close()


@pytest.mark.parametrize("together", [True, False])
def test_a_charge_back_of_more_than_was_collected_removes_nothing(story: Story, *, together: bool) -> None:
    story.add("L1", "100.00", COLLECTED)
    if not together:
        story.settle()
    story.add("B1", "150.00", CHARGED_BACK)

    plan = story.settle()

    assert codes(plan) == [("does not fit", "B1")]
    story.stands(clearing=100, owed=0)


@pytest.mark.parametrize("failed", ["60.00", "40.00"])
def test_one_instalment_that_fails_late_is_taken_back_alone_and_collected_again(story: Story, failed: str) -> None:
    story.add("L1", "40.00", COLLECTED)
    story.add("L2", "60.00", COLLECTED)
    story.settle()
    story.add("B1", failed, CHARGED_BACK)

    plan = story.settle()

    assert (plan.counts(), plan.findings) == ({"removal": 1}, ())
    story.stands(clearing=100 - Decimal(failed), owed=Decimal(failed))
    story.add("L3", failed, COLLECTED)
    assert story.settle().findings == ()
    story.stands(clearing=100, owed=0)


@pytest.mark.parametrize("together", [True, False])
def test_of_two_instalments_of_one_amount_the_newest_is_taken_back_unless_one_is_named(
    story: Story, *, together: bool
) -> None:
    story.add("L1", "50.00", COLLECTED)
    story.add("L2", "50.00", COLLECTED)
    if not together:
        story.settle()
    story.add("B1", "50.00", CHARGED_BACK)

    plan = story.settle()

    (removal,) = [each for each in plan if each.kind == "removal"]
    assert removal.host_ref == "L2"
    assert removal.reason == "charged back by B1, the newest of 2 payments of this amount"
    story.add("B2", "50.00", CHARGED_BACK, of="L1")
    assert [each.host_ref for each in story.settle()] == ["L1"]
    story.stands(clearing=0, owed=100)


def test_the_payment_that_a_charge_back_names_is_removed(story: Story) -> None:
    story.add("L1", "50.00", COLLECTED)
    story.add("L2", "50.00", COLLECTED)
    story.add("B1", "50.00", CHARGED_BACK, of="L1")
    story.add("B2", "50.00", CHARGED_BACK, of="L1")
    story.add("B3", "20.00", CHARGED_BACK, of="L2")

    plan = story.settle()

    assert [each.host_ref for each in plan if each.kind == "removal"] == ["L1"]
    assert codes(plan) == [("nothing to take back", "B2"), ("does not fit", "B3")]
    story.stands(clearing=50, owed=50)


def test_only_a_charge_back_names_another_line() -> None:
    with pytest.raises(InvalidInput, match="of: leave it out"):
        SettlementLine(id="L", transaction="t", amount=nzd(1), of="other")


def test_a_payment_removed_by_hand_and_settled_anew_is_not_counted_twice(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.settle()
    story.product.books.remove_payment(story.product.live_payments()[0].id)
    story.add("L2", "100.00", COLLECTED)
    assert codes(story.settle()) == [("removed in Xero", "L1")]
    story.add("B1", "100.00", CHARGED_BACK)

    plan = story.settle()

    assert (plan.counts(), codes(plan)) == ({"removal": 1}, [("removed in Xero", "L1")])
    story.stands(clearing=0, owed=100)
    story.add("B2", "100.00", CHARGED_BACK)
    assert codes(story.settle()) == [("removed in Xero", "L1"), ("nothing to take back", "B2")]


def test_a_payment_removed_by_hand_is_what_its_charge_back_would_have_removed(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.settle()
    story.product.books.remove_payment(story.product.live_payments()[0].id)
    story.add("B1", "100.00", CHARGED_BACK)

    plan = story.settle()

    assert (plan.counts(), plan.findings) == ({"adopt": 1}, ())
    assert plan.rows()[0]["reason"] == "charged back by B1; somebody removed its payment in Xero already"
    story.stands(clearing=0, owed=100)
    story.add("B2", "100.00", CHARGED_BACK)
    assert codes(story.settle()) == [("nothing to take back", "B2")]


@pytest.mark.parametrize("together", [True, False])
def test_what_was_not_refunded_is_charged_back_by_an_invoice_in_its_place(story: Story, *, together: bool) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    if not together:
        story.settle()
    story.add("B1", "70.00", CHARGED_BACK)

    plan = story.settle()

    assert plan.findings == ()
    (owed,) = [each for each in plan if each.kind == "sale"]
    assert owed.reason == "charged back by B1; its payment is partly refunded, so an invoice takes its place"
    story.stands(clearing=0, owed=70)
    assert [each.status for each in story.product.books.credit_notes] == ["PAID"]
    story.add("W1", "70.00", LineKind.REINSTATED)
    assert story.settle().findings == ()
    story.stands(clearing=70, owed=0)


def test_of_a_voided_invoice_in_a_payments_place_the_reason_is_said_why_it_stays_so(
    product: Product, xero: Xero
) -> None:
    story = begun(product, xero, clearing=WITHOUT_A_BANK)
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    story.add("B1", "70.00", CHARGED_BACK)
    story.settle()
    (owed,) = [each for each in product.books.invoices if each.total == 70]
    product.books.void_invoice(owed.id)

    (found,) = story.sales.reconcile(story.given).discrepancies
    (told,) = Ledger(xero).drift().restore().findings

    assert (found.code, found.about, found.fixes) == ("removed in Xero", "B1", (Fix.IGNORE,))
    assert "a plan cannot put it back: it was voided, which is for good" in found.fix
    assert "it was voided, which is for good" in told.cause


def test_a_won_dispute_pays_the_invoice_that_the_same_plan_puts_in_a_payments_place(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    story.add("B1", "70.00", CHARGED_BACK)
    story.add("W1", "70.00", LineKind.REINSTATED)

    assert story.settle().findings == ()
    story.stands(clearing=70, owed=0)


def test_of_instalments_whatever_was_not_refunded_is_charged_back(story: Story) -> None:
    story.add("L1", "60.00", COLLECTED)
    story.add("L2", "40.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    story.settle()
    story.add("B1", "70.00", CHARGED_BACK)

    plan = story.settle()

    assert (plan.counts().get("removal"), plan.counts().get("sale"), plan.findings) == (1, 1, ())
    story.stands(clearing=0, owed=70)


def test_what_was_refunded_cannot_be_charged_back_too(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    story.settle()
    story.add("B1", "100.00", CHARGED_BACK)

    plan = story.settle()

    assert (len(plan), codes(plan)) == (0, [("does not fit", "B1")])
    story.stands(clearing=70, owed=0)


def test_without_an_account_for_it_what_was_not_refunded_stays_and_is_a_finding(product: Product, xero: Xero) -> None:
    story = begun(product, xero, chosen=SettlementSettings())
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    story.add("B1", "70.00", CHARGED_BACK)

    plan = story.settle()

    assert codes(plan) == [("payment stays", "B1")]
    story.stands(clearing=70, owed=0)


@pytest.mark.parametrize("together", [True, False])
def test_no_more_is_refunded_than_was_collected(story: Story, *, together: bool) -> None:
    story.add("L1", "100.00", COLLECTED)
    for name in ("R1", "R2", "R3"):
        story.add(name, "100.00" if name != "R2" else "0.01", REFUNDED)
        if not together:
            story.settle()

    plan = story.settle()

    assert codes(plan) == [("nothing to refund", "R2"), ("nothing to refund", "R3")]
    story.stands(clearing=0, owed=0)
    assert [each.total for each in story.product.books.credit_notes] == [Decimal(100)]


def test_refunds_of_parts_are_made_as_long_as_something_is_left(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    for name, amount in (("R1", "40.00"), ("R2", "70.00"), ("R3", "60.00")):
        story.add(name, amount, REFUNDED)

    assert codes(story.settle()) == [("does not fit", "R2")]
    story.stands(clearing=0, owed=0)


def test_what_was_never_collected_or_was_charged_back_is_not_refunded(story: Story) -> None:
    story.add("R1", "30.00", REFUNDED)
    assert codes(story.settle()) == [("nothing to refund", "R1")]
    story.add("L1", "100.00", COLLECTED)
    story.add("B1", "100.00", CHARGED_BACK)
    story.add("R2", "30.00", REFUNDED)

    assert codes(story.settle()) == [("nothing to refund", "R1"), ("nothing to refund", "R2")]
    story.stands(clearing=0, owed=100)


def test_a_refund_that_somebody_removed_in_xero_is_a_finding_and_may_be_charged_back(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    story.settle()
    (refund,) = [each for each in story.product.live_payments() if each.amount == 30]
    story.product.books.remove_payment(refund.id)
    story.add("B1", "100.00", CHARGED_BACK)

    plan = story.settle()

    assert (plan.counts(), codes(plan)) == ({"removal": 1}, [("removed in Xero", "R1")])
    story.stands(clearing=0, owed=70)


def test_a_refund_waits_for_the_collection_of_its_plan(product: Product, xero: Xero) -> None:
    story = begun(product, xero)
    story.add("L1", "100.00", COLLECTED)
    story.add("R1", "30.00", REFUNDED)
    plan = story.sales.settle(story.given)
    product.books.void_invoice(story.transaction)

    story.sales.apply(plan)

    assert product.books.credit_notes == ()


DAYS = [("L z", COLLECTED), ("B a", CHARGED_BACK)]


@pytest.mark.parametrize("lines", [DAYS, DAYS[::-1]])
@pytest.mark.parametrize("one_settlement", [True, False])
def test_within_a_day_what_rests_on_another_line_comes_after_it(
    story: Story, lines: list[tuple[str, LineKind]], *, one_settlement: bool
) -> None:
    story.add("L0", "100.00", COLLECTED, days=0)
    story.add("B0", "100.00", CHARGED_BACK, days=1)
    for name, kind in lines:
        story.add(name, "100.00", kind, days=2)
    story.add("again", "100.00", COLLECTED, days=2)
    if one_settlement:
        joined = [line for each in story.given[2:] for line in each.lines]
        story.given[2:] = [evolve(story.given[2], lines=joined)]

    plan = story.settle()

    assert plan.findings == ()
    story.stands(clearing=100, owed=0)


def test_what_was_parked_is_charged_back_in_the_plan_that_parks_it(story: Story) -> None:
    story.sales = Receivables(
        story.product.xero(),
        clearing_account=story.clearing,
        settlements=evolve(CHOSEN, surplus=Surplus.PARK),
    )
    story.add("L1", "150.00", COLLECTED)
    story.add("B1", "150.00", CHARGED_BACK)

    assert story.settle().findings == ()
    story.stands(clearing=0, owed=100)


def test_a_payment_that_xero_would_not_remove_is_replaced_once_it_is_tried_again(story: Story) -> None:
    story.add("L1", "100.00", COLLECTED)
    story.settle()
    story.add("B1", "100.00", CHARGED_BACK)
    plan = story.sales.settle(story.given)
    story.product.books.reconcile_payment(story.product.live_payments()[0].id)
    story.sales.apply(plan)
    assert codes(story.sales.settle(story.given)) == [("refused by Xero", "B1")]

    story.sales.apply(story.sales.settle(story.given, retry_refused=True))

    assert (len(story.sales.settle(story.given)), story.sales.settle(story.given).findings) == (0, ())
    story.stands(clearing=0, owed=100)


def test_either_all_that_a_charge_back_takes_goes_or_nothing(product: Product, xero: Xero) -> None:
    story = begun(product, xero, chosen=SettlementSettings())
    story.add("L1", "40.00", COLLECTED)
    story.add("L2", "60.00", COLLECTED)
    story.settle()
    (first,) = [each for each in product.live_payments() if each.amount == 40]
    product.books.reconcile_payment(first.id)
    story.add("B1", "100.00", CHARGED_BACK)

    plan = story.settle()

    assert (len(plan), codes(plan)) == (0, [("payment stays", "B1")])
    story.stands(clearing=100, owed=0)


def test_what_a_second_charge_back_took_is_not_paid_out(product: Product, xero: Xero) -> None:
    story = begun(product, xero)
    story.add("L1", "100.00", COLLECTED)
    story.add("B1", "100.00", CHARGED_BACK)
    story.add("B2", "100.00", CHARGED_BACK)
    story.given[:] = [evolve(each, paid_out_on=each.on) for each in story.given]

    story.sales.apply(story.sales.settle(story.given))

    plan = story.sales.settle(story.given)
    assert not plan
    assert {each.about for each in plan.findings} == {"B2", "S B2"}
    story.stands(clearing=0, owed=100)
