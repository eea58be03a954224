"""Undoing a settlement that the store has forgotten, whole or in part: what stands is not passed over in silence."""

from __future__ import annotations

from tests.conftest import BANK, Product
from tests.engine.backups import backup, restore
from tests.receivables.test_undo import clearing, collecting, settled

from xerosync import Ledger, Xero


def test_what_the_store_has_forgotten_is_said_to_stand_until_it_is_taken_over(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    settlement = settled((first.id, "100.00"), (second.id, "60.00"), paid_out=True)
    sales, kept = collecting(xero), backup(product)
    sales.apply(sales.settle(settlement))
    restore(product, kept)
    sales, ledger = collecting(product.xero()), Ledger(product.xero())

    for adopt in (False, True):
        plan = sales.undo_settlement(settlement)
        assert not plan
        assert [(each.code, each.about) for each in plan.findings] == [("cannot be undone", "S1")]
        assert "bear our marks in Xero" in plan.findings[0].cause
        assert len(product.live_payments()) == 2
        assert ledger.audit(adopt=True).adopted == (0 if adopt else 4)

    sales.apply(sales.settle(settlement))
    sales.apply(sales.undo_settlement(settlement))
    assert product.live_payments() == []
    assert clearing(product) == product.books.balance(product.books.account(BANK).id) == 0
    assert sales.undo_settlement(settlement).findings == ()


def test_a_part_that_the_store_has_forgotten_keeps_the_rest_from_being_undone(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    part = settled((first.id, "100.00"))
    whole = settled((first.id, "100.00"), (second.id, "60.00"))
    sales = collecting(xero)
    sales.apply(sales.settle(part))
    kept = backup(product)
    sales.apply(sales.settle(whole))
    restore(product, kept)
    sales = collecting(product.xero())

    plan = sales.undo_settlement(whole)

    assert (plan.counts(), [each.code for each in plan.findings]) == ({}, ["cannot be undone"])
    Ledger(product.xero()).audit(adopt=True)
    sales.apply(sales.settle(whole))
    sales.apply(sales.undo_settlement(whole))
    assert product.live_payments() == []
    assert clearing(product) == 0


def test_a_settlement_that_nothing_is_recorded_of_is_a_finding(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")

    plan = collecting(xero).undo_settlement(settled((invoice.id, "100.00")))

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [("cannot be undone", "S1")]
    assert plan.findings[0].cause.startswith("nothing is recorded of it")
