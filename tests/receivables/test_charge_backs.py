"""A charge-back removes every payment of its transaction, and the invoice is open again (R23, R24)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.conftest import CLEARING, DAY, Product, nzd

from xerosync import LineKind, Receivables, Settlement, SettlementLine
from xerosync.simulator import Fault

LATER = date(2026, 2, 4)


def collected(transaction: str, *amounts: str) -> Settlement:
    lines = [
        SettlementLine(id=f"{transaction}/{part}", transaction=transaction, amount=nzd(amount))
        for part, amount in enumerate(amounts)
    ]
    return Settlement(id="S1", on=DAY, lines=lines)


def charged_back(transaction: str, amount: str = "100.00") -> Settlement:
    back = SettlementLine(
        id=f"{transaction}/back", transaction=transaction, amount=nzd(amount), kind=LineKind.CHARGED_BACK
    )
    return Settlement(id="S2", on=LATER, lines=[back])


def assert_open_again(product: Product, invoice_id: str, payments: int) -> None:
    invoice = product.books.invoice(invoice_id)
    assert (invoice.status, invoice.amount_due) == ("AUTHORISED", invoice.total)
    assert [payment.status for payment in product.books.payments] == ["DELETED"] * payments
    assert product.books.balance(product.books.account(CLEARING).id) == 0


def test_all_payments_of_the_transaction_are_removed_in_a_later_settlement(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "60.00", "40.00")))

    plan = sales.settle(charged_back(invoice.id))
    report = sales.apply(plan)

    assert (plan.counts(), report.done("removal")) == ({"removal": 2}, 2)
    assert_open_again(product, invoice.id, payments=2)


def test_what_is_collected_and_charged_back_in_one_plan_ends_open(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    both = [charged_back(invoice.id), collected(invoice.id, "60.00", "40.00")]

    plan = sales.settle(both)
    sales.apply(plan)

    assert plan.counts() == {"payment": 2, "removal": 2}
    assert_open_again(product, invoice.id, payments=2)
    assert (len(sales.settle(both)), sales.settle(both).findings) == (0, ())


def test_a_charge_back_leaves_other_transactions_alone(product: Product, sales: Receivables) -> None:
    disputed, kept = product.collectable("100.00"), product.collectable("50.00")
    sales.apply(sales.settle([collected(disputed.id, "100.00"), collected(kept.id, "50.00")]))

    sales.apply(sales.settle(charged_back(disputed.id)))

    assert product.standing(disputed.id) == []
    assert product.standing(kept.id) == [(Decimal(50), DAY)]


def test_charging_back_again_plans_nothing(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    sales.apply(sales.settle(charged_back(invoice.id)))

    again = sales.settle([collected(invoice.id, "100.00"), charged_back(invoice.id)])

    assert (len(again), again.findings) == (0, ())


def test_nothing_to_take_back_is_a_finding(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")

    plan = sales.settle(charged_back(invoice.id))

    assert [(finding.code, finding.retry) for finding in plan.findings] == [("nothing to take back", True)]
    assert not plan


def test_nothing_to_take_back_is_said_of_a_collection_that_xero_refused(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    plan = sales.settle(collected(invoice.id, "100.00"))
    product.books.lock_period(LATER)
    sales.apply(plan)

    assert [each.code for each in sales.settle(charged_back(invoice.id)).findings] == ["nothing to take back"]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_charge_back_waits_aloud_for_a_payment_whose_outcome_is_open(
    product: Product, sales: Receivables, fault: Fault
) -> None:
    invoice = product.collectable("100.00")
    product.simulator.faults.plan(fault, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id, "60.00")))

    waiting = sales.settle(charged_back(invoice.id))
    sales.recover()
    sales.apply(sales.settle(charged_back(invoice.id)))

    assert [(finding.code, finding.retry) for finding in waiting.findings] == [("still open", True)]
    assert_open_again(product, invoice.id, payments=1)


def test_a_payment_removed_by_hand_needs_no_removal(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "60.00", "40.00")))
    product.books.remove_payment(product.live_payments()[0].id)

    plan = sales.settle(charged_back(invoice.id))
    sales.apply(plan)

    assert plan.counts() == {"removal": 1}
    assert_open_again(product, invoice.id, payments=2)


def test_a_reconciled_payment_cannot_be_removed_and_xero_says_why(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    product.books.reconcile_payment(product.live_payments()[0].id)

    report = sales.apply(sales.settle(charged_back(invoice.id)))

    assert [finding.code for finding in report.findings] == ["refused by Xero"]
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]
    assert [each.code for each in sales.settle(charged_back(invoice.id)).findings] == ["refused by Xero"]


def test_a_charge_back_of_less_than_was_collected_removes_nothing_and_says_so(
    product: Product, sales: Receivables
) -> None:
    """A payment is removed whole or not at all, and 60.00 of it was rightly collected."""
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))

    plan = sales.settle(charged_back(invoice.id, "40.00"))

    assert (len(plan), [(each.code, each.worth) for each in plan.findings]) == (0, [("does not fit", nzd("40.00"))])
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]
