"""Beginning where people entered payouts, bills and refunds by hand, which are no payment or transfer alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Fee, FeesAs, Ledger, Receivables, Settlement, SettlementLine, SettlementSettings, WhichOne, Xero

ORDINARY = "650"
NETTED = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=FeesAs.NETTED)


@pytest.fixture
def settlement(product: Product) -> Settlement:
    """One of 100 less 1 that was collected into an account that is no bank account, as people typed."""
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00").id
    product.books.add_payment(invoice, account=ORDINARY, amount=Decimal(100), date=DAY)
    line = SettlementLine(id="L1", transaction=invoice, amount=nzd("100.00"))
    return Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)


def received(product: Product, *lines: tuple[str, str], days: int = 0) -> str:
    """Money that people received in the bank, with these lines."""
    provider = product.books.add_contact(f"Collections Ltd {len(product.books.bank_transactions)}").id
    listed: list[Mapping[str, str | int]] = [
        {"Description": "x", "Quantity": 1, "UnitAmount": amount, "AccountCode": code, "TaxType": "NONE"}
        for code, amount in lines
    ]
    on = DAY + timedelta(days=days)
    return product.books.add_bank_transaction(provider, type="RECEIVE", bank=BANK, lines=listed, date=on).id


def balances(product: Product) -> list[Decimal]:
    """What the clearing account and the bank hold."""
    return [product.books.balance(product.books.account(each).id) for each in (ORDINARY, BANK)]


def test_a_payout_received_out_of_an_account_that_is_no_bank_account_is_taken_over(
    product: Product, xero: Xero, settlement: Settlement
) -> None:
    received(product, (ORDINARY, "100.00"), ("404", "-1.00"))
    received(product, ("200", "99.00"))
    sales = Receivables(xero, clearing_account=ORDINARY, settlements=NETTED)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert balances(product) == [Decimal(0), Decimal(198)]
    assert sales.reconcile(settlement).clean
    assert sales.settlement_report(settlement).crossed() == ()
    assert len(Ledger(xero).drift()) == 0
    assert not sales.backfill(settlement)
    sales.apply(sales.undo_settlement(settlement))
    assert balances(product) == [Decimal(0), Decimal(99)]


def test_a_payout_received_with_other_lines_or_on_another_day_is_asked_about(
    product: Product, xero: Xero, settlement: Settlement
) -> None:
    otherwise = received(product, (ORDINARY, "99.00"))
    later = received(product, (ORDINARY, "100.00"), ("404", "-1.00"), days=2)
    sales = Receivables(xero, clearing_account=ORDINARY, settlements=NETTED)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    (finding,) = plan.findings
    assert isinstance(finding, WhichOne)
    assert finding.about == "payout/S1"
    assert {each.xero_id: each.differs for each in finding.candidates} == {
        otherwise: ("with other lines",),
        later: ("2 days later",),
    }
    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"payout/S1": later}))
    assert not sales.settle(settlement).findings
    assert len(product.books.bank_transactions) == 2


def test_a_payout_without_netted_fees_is_taken_over_alone(product: Product, xero: Xero, settlement: Settlement) -> None:
    received(product, (ORDINARY, "99.00"))
    sales = Receivables(xero, clearing_account=ORDINARY, settlements=evolve(NETTED, fees_as=FeesAs.BILL))

    plan = sales.backfill(settlement)
    sales.apply(plan)
    sales.apply(sales.settle(settlement))

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    assert balances(product) == [Decimal(0), Decimal(99)]
    assert sales.reconcile(settlement).clean
