"""Two plans for the same line, made before either was applied: its money is posted once, by whichever comes first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import LineKind, Plan, Receivables, Settlement, SettlementLine, SettlementSettings, Surplus

CHANGED = "changed since planned"


def selling(product: Product, *, clearing: str = CLEARING, batches: bool = False) -> Receivables:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    product.books.add_account("651", "Charge-backs", type="CURRENT")
    chosen = SettlementSettings(surplus=Surplus.PARK, charge_back_account="651", batches=batches)
    return Receivables(product.xero(), clearing_account=clearing, settlements=chosen)


def settled(invoice: str, *, batches: bool = False) -> Settlement:
    lines = [SettlementLine(id="L1", transaction=invoice, amount=nzd("100.00"))]
    if batches:
        lines.append(SettlementLine(id="L2", transaction=invoice, amount=nzd("1.00")))
    return Settlement(id="S1", on=DAY, lines=lines)


def applied(sales: Receivables, plan: Plan) -> tuple[int, set[str]]:
    """How much of *plan* is done by applying it, and what is found."""
    report = sales.apply(plan)
    return report.done(*plan.counts()), {each.code for each in report.findings}


def in_clearing(product: Product, clearing: str = CLEARING) -> Decimal:
    return product.books.balance(product.books.account(clearing).id)


def both_ways(
    product: Product, sales: Receivables, invoice: str, elsewhere: str, given: Settlement
) -> tuple[Plan, Plan]:
    """How *given* is settled while so much was paid *elsewhere*, and how once that payment was taken away again."""
    paid = product.books.add_payment(invoice, account=BANK, amount=Decimal(elsewhere))
    parking = sales.settle(given)
    product.books.remove_payment(paid.id)
    return parking, sales.settle(given)


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
@pytest.mark.parametrize("elsewhere", ["100.00", "40.00"])
@pytest.mark.parametrize("parks_first", [True, False])
def test_what_another_plan_parked_is_not_paid_and_what_it_paid_is_not_parked(
    product: Product, clearing: str, elsewhere: str, *, parks_first: bool
) -> None:
    sales = selling(product, clearing=clearing)
    invoice = product.collectable("100.00")
    parking, paying = both_ways(product, sales, invoice.id, elsewhere, settled(invoice.id))
    first, second = (parking, paying) if parks_first else (paying, parking)

    assert applied(sales, first)[0] == 1
    assert applied(sales, second) == (0, {CHANGED})
    sales.apply(sales.settle(settled(invoice.id)))
    assert in_clearing(product, clearing) == 100
    assert not sales.settle(settled(invoice.id))


@pytest.mark.parametrize("parks_first", [True, False])
def test_a_batch_leaves_out_what_another_plan_parked(product: Product, *, parks_first: bool) -> None:
    sales = selling(product, batches=True)
    invoice = product.collectable("101.00")
    given = settled(invoice.id, batches=True)
    parking, paying = both_ways(product, sales, invoice.id, "101.00", given)
    first, second = (parking, paying) if parks_first else (paying, parking)

    sales.apply(first)

    assert applied(sales, second) == (0, {CHANGED})
    assert in_clearing(product) == 101


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
@pytest.mark.parametrize("removes_first", [True, False])
def test_a_payment_is_removed_or_an_invoice_takes_its_place_but_never_both(
    product: Product, clearing: str, *, removes_first: bool
) -> None:
    sales = selling(product, clearing=clearing)
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(settled(invoice.id)))
    line = SettlementLine(id="B1", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    back = Settlement(id="S2", on=date(2026, 2, 4), lines=[line])
    product.books.lock_period(date(2026, 1, 31))
    in_its_place = sales.settle(back)
    product.books.lock_period(None)
    removing = sales.settle(back)
    first, second = (removing, in_its_place) if removes_first else (in_its_place, removing)

    sales.apply(first)
    done, found = applied(sales, second)

    assert done == 0
    assert found <= {CHANGED, "held back"}
    assert in_clearing(product, clearing) == 0
    owed = sum((each.amount_due for each in product.books.invoices), Decimal(0))
    assert owed == 100, "it is owed once"
    assert not sales.settle(back)
