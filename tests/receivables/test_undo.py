"""Undoing a settlement: everything that was posted for it goes, or nothing, with each reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import Fee, LineKind, Receivables, Settlement, SettlementLine, SettlementSettings, Surplus, Xero
from xerosync.simulator import Fault


def collecting(xero: Xero) -> Receivables:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", surplus=Surplus.PARK)
    return Receivables(xero, clearing_account=CLEARING, settlements=chosen)


def settled(*amounts: tuple[str, str], paid_out: bool = False, kind: LineKind = LineKind.COLLECTED) -> Settlement:
    lines = [
        SettlementLine(id=f"L{place}", transaction=transaction, amount=nzd(amount), kind=kind)
        for place, (transaction, amount) in enumerate(amounts)
    ]
    return Settlement(
        id="S1", on=DAY, lines=lines, fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY if paid_out else None
    )


def clearing(product: Product) -> Decimal:
    return product.books.balance(product.books.account(CLEARING).id)


def test_what_was_posted_is_taken_back_and_its_invoices_are_open_again(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "75.00"))
    sales.apply(sales.settle(settlement))
    assert clearing(product) == Decimal("174.00")

    plan = sales.undo_settlement(settlement)
    report = sales.apply(plan)

    assert plan.findings == ()
    assert plan.counts() == {"removal": 2, "bank_transaction_removal": 2}
    assert not report.unfinished
    assert clearing(product) == 0
    assert [product.books.invoice(each.id).amount_due for each in (first, second)] == [Decimal(100), Decimal(60)]
    assert sales.reconcile().clean
    assert not sales.undo_settlement(settlement)
    assert not sales.settle(settlement)
    assert {line.code for line in sales.settlement_report(settlement).crossed()} == {"undone"}


@pytest.mark.parametrize(
    ("touch", "cause"),
    [
        (lambda product, payment: product.books.reconcile_payment(payment), "it is reconciled"),
        (lambda product, _: product.books.lock_period(DAY + timedelta(days=1)), "it lies in closed books"),
    ],
)
def test_where_one_thing_must_stay_nothing_is_taken_back(
    product: Product, xero: Xero, touch: object, cause: str
) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "60.00"))
    sales.apply(sales.settle(settlement))
    before = clearing(product)
    assert callable(touch)
    touch(product, product.live_payments()[0].id)

    plan = sales.undo_settlement(settlement)
    sales.apply(plan)

    assert not plan
    assert {finding.code for finding in plan.findings} == {"cannot be undone"}
    assert cause in {finding.cause for finding in plan.findings}
    assert clearing(product) == before


def test_a_payout_by_transfer_must_be_deleted_in_xero_first(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"), paid_out=True)
    sales.apply(sales.settle(settlement))

    (finding,) = sales.undo_settlement(settlement).findings

    assert finding.about == "payout/S1"
    (transfer,) = product.books.bank_transfers
    xero.bank_transfers.delete(transfer.id)
    sales.apply(sales.undo_settlement(settlement))
    assert clearing(product) == 0


def test_a_charge_back_cannot_be_undone(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)

    plan = sales.undo_settlement(settled((invoice.id, "100.00"), kind=LineKind.CHARGED_BACK))

    assert not plan
    assert [finding.about for finding in plan.findings] == ["L0"]


def test_a_refund_is_undone_with_its_credit_note(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled((invoice.id, "100.00"))))
    back = SettlementLine(id="R1", transaction=invoice.id, amount=nzd("30.00"), kind=LineKind.REFUNDED)
    refund = Settlement(id="S2", on=DAY, lines=[back])
    sales.apply(sales.settle(refund))
    assert clearing(product) == Decimal("69.00")

    report = sales.apply(sales.undo_settlement(refund))

    assert not report.unfinished
    assert clearing(product) == Decimal("99.00")
    assert [note.status for note in product.books.credit_notes] == ["VOIDED"]


@settings(max_examples=10, deadline=None)
@given(lost=st.integers(0, 2), fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER]))
def test_a_lost_answer_on_the_way_leaves_nothing_behind(lost: int, fault: Fault) -> None:
    product = found_product()
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(product.xero())
    settlement = settled((first.id, "100.00"), (second.id, "60.00"))
    sales.apply(sales.settle(settlement))
    plan = sales.undo_settlement(settlement)
    product.simulator.faults.plan(fault, method="POST", after=lost)

    sales.apply(plan)
    sales.recover()
    sales.apply(plan)

    assert clearing(product) == 0
    assert product.live_payments() == []
