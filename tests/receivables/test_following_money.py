"""What settlements did with a transaction's money is no edit of its invoice, wherever the money went."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    TransactionState,
    TransactionStatus,
    Xero,
)

LATER = date(2026, 2, 4)


def settled(transaction: str, kind: LineKind = LineKind.COLLECTED, amount: str = "100.00") -> Settlement:
    on = DAY if kind is LineKind.COLLECTED else LATER
    line = SettlementLine(id=f"{transaction}/{kind}", transaction=transaction, amount=nzd(amount), kind=kind)
    return Settlement(id=f"S {kind}", on=on, lines=[line])


def approved(transaction: str) -> TransactionState:
    return TransactionState(id=transaction, status=TransactionStatus.APPROVED, amount=nzd("100.00"))


@pytest.fixture
def collects(product: Product, xero: Xero) -> Receivables:
    product.books.add_account("651", "Charge-backs", type="CURRENT")
    settlements = SettlementSettings(charge_back_account="651", surplus=Surplus.PARK)
    return Receivables(xero, clearing_account=CLEARING, settlements=settlements)


@pytest.mark.parametrize("elsewhere", ["30.00", "100.00"])
def test_what_was_collected_too_much_is_explained_once_it_is_parked(
    product: Product, collects: Receivables, elsewhere: str
) -> None:
    invoice = product.collectable("100.00")
    product.books.add_payment(invoice.id, account=BANK, amount=Decimal(elsewhere))
    assert [each.code for each in collects.follow([approved(invoice.id)]).findings] == ["edited after it was sent"]

    collects.apply(collects.settle(settled(invoice.id)))

    assert collects.follow([approved(invoice.id)]).findings == ()


def test_a_surplus_that_was_taken_back_is_no_longer_explained(product: Product, collects: Receivables) -> None:
    """The host forgot that it was charged back."""
    invoice = product.collectable("100.00")
    product.books.add_payment(invoice.id, account=BANK)
    collects.apply(collects.settle(settled(invoice.id)))

    collects.apply(collects.settle(settled(invoice.id, LineKind.CHARGED_BACK)))

    assert [each.code for each in collects.follow([approved(invoice.id)]).findings] == ["edited after it was sent"]


@pytest.mark.parametrize("stays", [True, False])
def test_a_dispute_that_was_won_is_no_edit(product: Product, collects: Receivables, *, stays: bool) -> None:
    invoice = product.collectable("100.00")
    collects.apply(collects.settle(settled(invoice.id)))
    if stays:
        product.books.reconcile_payment(product.live_payments()[0].id)
    collects.apply(collects.settle(settled(invoice.id, LineKind.CHARGED_BACK)))
    assert collects.follow([approved(invoice.id)]).findings == ()

    collects.apply(collects.settle(settled(invoice.id, LineKind.REINSTATED)))

    assert collects.follow([approved(invoice.id)]).findings == ()


def test_a_refund_is_no_edit(product: Product, collects: Receivables) -> None:
    invoice = product.collectable("100.00")
    collects.apply(collects.settle(settled(invoice.id)))

    collects.apply(collects.settle(settled(invoice.id, LineKind.REFUNDED, "33.33")))

    assert collects.follow([approved(invoice.id)]).findings == ()


def test_what_is_owed_again_after_a_charge_back_is_collected_only_when_it_is_chosen(
    product: Product, collects: Receivables
) -> None:
    """An invoice took the place of the payment that could not be removed; trying again is the user's decision."""
    invoice = product.collectable("100.00")
    collects.apply(collects.settle(settled(invoice.id)))
    product.books.reconcile_payment(product.live_payments()[0].id)
    collects.apply(collects.settle(settled(invoice.id, LineKind.CHARGED_BACK)))
    (owed,) = [each for each in product.books.invoices if each.id != invoice.id]

    assert collects.import_invoices().tallies == {"imported before": 1, "ended before": 1}
    collects.apply(collects.import_invoices([owed.id]))

    assert [each.amount for each in collects.transactions() if each.id == owed.id] == [nzd("100.00")]
