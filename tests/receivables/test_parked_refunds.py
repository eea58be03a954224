"""What was collected beyond what was due, and given back to the customer: posted once, out of the clearing account."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.test_history_notes import NOTES, notes_on

from xerosync import (
    CreditRefund,
    Fix,
    Ledger,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
)
from xerosync.simulator import Fault

WITHOUT_A_BANK = "650"
BACK = DAY + timedelta(3)


@pytest.fixture(params=[CLEARING, WITHOUT_A_BANK])
def clearing(product: Product, request: pytest.FixtureRequest) -> str:
    product.books.add_account(WITHOUT_A_BANK, "Clearing", type="CURRENT", enable_payments=True)
    return str(request.param)


@pytest.fixture
def sales(product: Product, clearing: str) -> Receivables:
    chosen = SettlementSettings(surplus=Surplus.PARK, charge_back_account="850", notes=NOTES)
    return Receivables(product.xero(), clearing_account=clearing, settlements=chosen)


def collected(product: Product, sales: Receivables) -> list[Settlement]:
    """Twenty more than is due."""
    invoice = product.collectable("100.00")
    line = SettlementLine(id="c", transaction=invoice.id, amount=nzd("120.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line])
    sales.apply(sales.settle(settlement))
    return [settlement]


def refund(amount: str | None = "20.00", name: str = "r", credit: str = "c") -> CreditRefund:
    return CreditRefund(id=name, credit_id=credit, on=BACK, amount=None if amount is None else nzd(amount))


def in_clearing(product: Product, clearing: str) -> Decimal:
    assert sum(each.balance for each in product.books.trial_balance(date(2027, 1, 1))) == 0
    return product.books.balance(product.books.account(clearing).id)


def test_what_was_parked_is_given_back_once(product: Product, sales: Receivables, clearing: str) -> None:
    settlements = collected(product, sales)

    plan = sales.refund([refund()])
    report = sales.apply(plan)

    assert plan.counts() == {"refund": 1, "note": 1}
    assert report.done("refund") == 1
    assert in_clearing(product, clearing) == 100
    again = sales.refund([refund()])
    assert (len(again), again.findings) == (0, ())
    assert not sales.settle(settlements)
    assert not sales.allocate()
    assert sales.reconcile(settlements).explained
    (credit,) = [*product.books.overpayments, *[each for each in product.books.credit_notes if each.is_posted]]
    assert (credit.status, credit.amount_due) == ("PAID", Decimal(0))
    assert notes_on(product, credit.id)[-1] == "Acme Pay posted its refund: refund r"


def test_all_that_is_left_is_given_back_unless_an_amount_is_named(product: Product, sales: Receivables) -> None:
    collected(product, sales)
    sales.apply(sales.refund([refund("5.00", "r1")]))

    sales.apply(sales.refund([refund("5.00", "r1"), refund(None, "r2")]))
    more = sales.refund([refund("5.00", "r1"), refund(None, "r2"), refund("1.00", "r3")])

    assert [each.amount for each in product.live_payments() if each.date == BACK] == [5, 15]
    assert [(each.code, each.about) for each in more.findings] == [("does not fit", "r3")]


def test_it_may_leave_another_account(product: Product, sales: Receivables, clearing: str) -> None:
    collected(product, sales)

    other = CreditRefund(id="r", credit_id="c", on=BACK, account=BANK)
    sales.apply(sales.refund([other]))

    assert in_clearing(product, clearing) == 120
    assert product.books.balance(product.books.account(BANK).id) == -20


def test_a_line_of_which_nothing_was_parked_is_a_finding(product: Product, sales: Receivables) -> None:
    collected(product, sales)

    (finding,) = sales.refund([refund(credit="other")]).findings

    assert (finding.code, finding.about) == ("not created here", "r")
    assert "settle what was collected" in finding.fix


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_lost_answer_gives_nothing_back_twice(
    product: Product, sales: Receivables, clearing: str, fault: Fault
) -> None:
    collected(product, sales)
    product.simulator.faults.plan(fault, method="PUT", path="/Payments")

    sales.apply(sales.refund([refund("5.00")]))
    sales.recover()
    sales.apply(sales.refund([refund("5.00")]))

    assert in_clearing(product, clearing) == 115
    assert not sales.refund([refund("5.00")])


def test_a_refund_that_the_store_has_forgotten_is_taken_over(
    product: Product, sales: Receivables, clearing: str
) -> None:
    settlements = collected(product, sales)
    kept = {
        each.identity: each
        for kind in ("intent", "link")
        for each in product.store.query(kind, product.books.tenant_id)
    }
    sales.apply(sales.refund([refund()]))
    new = [
        each.identity for each in product.store.query("intent", product.books.tenant_id) if each.identity not in kept
    ]
    product.store.commit([], deletes=new)

    plan = sales.refund([refund()])
    sales.apply(plan)

    assert plan.counts()["adopt"] >= 1
    assert in_clearing(product, clearing) == 100
    assert not sales.refund([refund()])
    assert not sales.settle(settlements)


def test_a_charge_back_of_what_was_given_back_in_part_makes_the_customer_owe_all(
    product: Product, sales: Receivables, clearing: str
) -> None:
    settlements = collected(product, sales)
    sales.apply(sales.refund([refund()]))
    back = SettlementLine(
        id="b", transaction=settlements[0].lines[0].transaction, amount=nzd("120.00"), kind=LineKind.CHARGED_BACK
    )
    settlements.append(Settlement(id="S2", on=BACK + timedelta(1), lines=[back]))

    sales.apply(sales.settle(settlements))
    plan = sales.settle(settlements)

    assert (len(plan), plan.findings) == (0, ())
    assert in_clearing(product, clearing) == -20  # the bank took all, and the customer has twenty besides
    owed = [each.amount_due for each in product.books.invoices if each.type == "ACCREC" and each.is_posted]
    assert sum(owed, Decimal(0)) == 120


def test_a_charge_back_that_was_planned_before_the_refund_makes_the_customer_owe_all(
    product: Product, sales: Receivables, clearing: str
) -> None:
    settlements = collected(product, sales)
    back = SettlementLine(
        id="b", transaction=settlements[0].lines[0].transaction, amount=nzd("120.00"), kind=LineKind.CHARGED_BACK
    )
    settlements.append(Settlement(id="S2", on=BACK + timedelta(1), lines=[back]))
    plan = sales.settle(settlements)
    sales.apply(sales.refund([refund()]))

    sales.apply(plan)
    sales.apply(sales.settle(settlements))
    again = sales.settle(settlements)

    assert (len(again), again.findings) == (0, ())
    assert in_clearing(product, clearing) == -20
    owed = [each.amount_due for each in product.books.invoices if each.type == "ACCREC" and each.is_posted]
    assert sum(owed, Decimal(0)) == 120


def test_a_refund_is_undone_with_its_run(product: Product, sales: Receivables, clearing: str) -> None:
    collected(product, sales)
    report = sales.apply(sales.refund([refund()]))

    sales.apply(Ledger(product.xero()).undo(report.run))

    assert in_clearing(product, clearing) == 120


def test_a_refund_that_somebody_removed_is_told_and_put_back_when_asked(
    product: Product, sales: Receivables, clearing: str
) -> None:
    settlements = collected(product, sales)
    sales.apply(sales.refund([refund()]))
    (paid,) = [each for each in product.live_payments() if each.date == BACK]
    product.books.remove_payment(paid.id)

    assert [each.code for each in sales.refund([refund()]).findings] == ["removed in Xero"]
    sales.apply(sales.reconcile(settlements).plan(Fix.RESTORE))

    assert in_clearing(product, clearing) == 100
    assert sales.reconcile(settlements).explained
