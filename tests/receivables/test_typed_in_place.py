"""What somebody typed in the place of what is not posted yet: a fix takes it over, and posts nothing beside it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import Discrepancy, Fix, Receivables, Settlement, SettlementLine, SettlementSettings

TYPED = "perhaps typed by hand"


@pytest.fixture(params=[False, True], ids=["one by one", "in batches"])
def sales(product: Product, request: pytest.FixtureRequest) -> Receivables:
    """Two customers' invoices of 100.00 to collect, one of which somebody booked 40.00 of by hand."""
    chosen = SettlementSettings(bank_account=BANK, batches=request.param)
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)
    for name in ("Ana Costa", "Bo Li"):
        product.collectable("100.00", name)
    first = product.books.invoices[0]
    product.books.add_payment(first.id, account=CLEARING, amount=Decimal(40), date=DAY)
    return sales


def settlement(product: Product) -> Settlement:
    """40.00 of the first invoice and all of the second, paid out in one sum."""
    first, second = product.books.invoices
    lines = [
        SettlementLine(id="L1", transaction=first.id, amount=nzd("40.00")),
        SettlementLine(id="L2", transaction=second.id, amount=nzd("100.00")),
    ]
    return Settlement(id="S1", on=DAY, lines=lines, paid_out_on=DAY + timedelta(days=2))


def collected(product: Product) -> list[Decimal]:
    return sorted(each.amount for each in product.live_payments())


def is_payout(found: Discrepancy) -> bool:
    return found.about == "S1"


def test_a_line_somebody_typed_is_taken_over_and_the_rest_posted(product: Product, sales: Receivables) -> None:
    given = settlement(product)
    report = sales.reconcile([given])
    assert {(each.code, each.about) for each in report.discrepancies} == {
        (TYPED, "L1"),
        ("not posted yet", "L2"),
        ("not posted yet", "S1"),
    }

    sales.apply(report.plan(Fix.POST))

    assert collected(product) == [Decimal(40), Decimal(100)]
    assert sales.reconcile([given]).clean
    assert not sales.settle(given)


def test_what_was_removed_since_is_not_taken_over(product: Product, sales: Receivables) -> None:
    given = settlement(product)
    plan = sales.reconcile([given]).plan(Fix.POST, only=lambda each: each.about == "L1")
    product.clock.advance(60)
    product.books.remove_payment(product.live_payments()[0].id)

    report = sales.apply(plan)

    assert [each.code for each in report.findings] == ["changed since planned"]
    sales.apply(sales.reconcile([given]).plan(Fix.POST))
    assert collected(product) == [Decimal(40), Decimal(100)]
    assert sales.reconcile([given]).clean


def test_a_payout_alone_takes_the_line_over_on_which_it_rests(product: Product, sales: Receivables) -> None:
    given = settlement(product)

    sales.apply(sales.reconcile([given]).plan(Fix.POST, only=is_payout))

    assert collected(product) == [Decimal(40), Decimal(100)]
    assert sales.reconcile([given]).clean


def test_a_payout_somebody_typed_is_taken_over_once(product: Product, sales: Receivables) -> None:
    given = settlement(product)
    sales.apply(sales.reconcile([given]).plan(Fix.POST, only=lambda each: not is_payout(each)))
    product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(140), date=DAY + timedelta(days=2))
    report = sales.reconcile([given])
    assert [(each.code, each.about) for each in report.discrepancies] == [(TYPED, "S1")]

    sales.apply(report.plan(Fix.POST))

    assert product.books.balance(product.books.account(BANK).id) == Decimal(140)
    assert len(product.books.bank_transfers) == 1
    assert sales.reconcile([given]).clean
