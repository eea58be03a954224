"""A settlement may be dated later than the organisation's today; its payments are explained all the same."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import Product, nzd

from xerosync import Receivables, Settlement, SettlementLine


def test_what_is_settled_on_a_later_day_is_in_flight(product: Product, sales: Receivables) -> None:
    """Xero's trial balance as at today leaves out what is dated later."""
    invoice = product.collectable("100.00")
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    on = product.books.today + timedelta(days=3)
    sales.apply(sales.settle(Settlement(id="S1", on=on, lines=[line])))

    report = sales.reconcile()

    assert report.clean
    assert (report.balance, report.in_flight) == (nzd("100.00"), nzd("100.00"))
