"""A report of some days: what is accepted in it, and what is of settlements on other days."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import DAY, Product, nzd
from tests.receivables.collected import Collected, paid_out_and_in_flight
from tests.receivables.test_ordinary_account import ORDINARY, collecting

from xerosync import Fix


@pytest.fixture
def collected(product: Product) -> Collected:
    return paid_out_and_in_flight(product)


def test_what_is_accepted_in_one_range_of_days_stays_so_whatever_is_accepted_in_another() -> None:
    """The rest that nothing explains is 10.00 at the end of the one, and 15.00 at the end of the other."""
    made = collecting(paid_out=True)
    sales, books, later = made.sales, made.product.books, DAY + timedelta(days=10)
    for amount, on in (("10.00", DAY), ("5.00", later)):
        books.add_journal("moved", {ORDINARY: Decimal(amount), "404": -Decimal(amount)}, date=on)
    made.product.clock.advance(timedelta(days=20).total_seconds())
    days = [(None, DAY + timedelta(days=1)), (DAY, later), (None, None)]
    told = []
    for first, last in days:
        report = sales.reconcile([made.settlement], first=first, last=last)
        told.append([(each.code, each.amount) for each in report.discrepancies])
        sales.apply(report.plan(Fix.IGNORE))

    again = [sales.reconcile([made.settlement], first=first, last=last) for first, last in days]

    assert told == [[("other movements", nzd("10.00"))], [("other movements", nzd("15.00"))], []]
    assert [(each.clean, len(each.accepted), each.explained) for each in again] == [(True, 1, True)] * 3
    books.add_journal("moved", {ORDINARY: Decimal(1), "404": Decimal(-1)}, date=DAY)
    assert [each.amount for each in made.report().discrepancies] == [nzd("16.00")]
