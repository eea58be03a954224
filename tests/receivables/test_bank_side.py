"""A bank account explained: the other side of what was posted for a clearing account is the library's own too."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import frozen
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    BillLine,
    CardSpend,
    Fee,
    FeesAs,
    Fix,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
)
from xerosync.models import AccountCode

ORDINARY = "650"


@frozen
class PaidOut:
    """A settlement of 160 less 1.50 that was paid out to the bank."""

    product: Product
    sales: Receivables
    settlement: Settlement


@pytest.fixture(params=[CLEARING, ORDINARY])
def paid_out(request: pytest.FixtureRequest) -> PaidOut:
    """Out of a bank account it is a transfer, out of any other account a bank transaction."""
    product = found_product()
    product.books.add_account(ORDINARY, "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(
        bank_account=BANK,
        fee_account="404",
        provider="Collections Ltd",
        fees_as=FeesAs.NETTED if request.param == ORDINARY else FeesAs.SPEND_MONEY,
    )
    sales = Receivables(product.xero(), clearing_account=request.param, settlements=chosen)
    invoice = product.collectable("160.00")
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("160.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.50"))], paid_out_on=DAY)
    sales.apply(sales.settle(settlement))
    return PaidOut(product, sales, settlement)


@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_our_payout_is_our_own_on_the_bank_account_too(paid_out: PaidOut, *, brief: bool, given: bool) -> None:
    report = paid_out.sales.reconcile(paid_out.settlement if given else None, account=BANK, brief=brief)

    assert report.clean
    assert (report.balance, report.in_flight) == (nzd("158.50"), nzd("158.50"))
    assert not report.plan(Fix.REMOVE)
    assert [each.ours for each in report.statement.movements] == [True]


def test_the_statement_of_the_bank_account_says_that_the_payout_was_posted_here(paid_out: PaidOut) -> None:
    statement = paid_out.sales.clearing_statement(DAY, DAY, account=BANK)

    assert [(each.amount, each.ours) for each in statement.movements] == [(nzd("158.50"), True)]
    assert statement.exceptions == ()
    assert (statement.closing.balance, statement.closing.in_flight) == (nzd("158.50"), nzd("158.50"))
    assert statement.proven


def test_money_typed_on_the_bank_account_besides_the_payout_is_told(paid_out: PaidOut) -> None:
    books, contact = paid_out.product.books, paid_out.product.books.add_contact("Ed Poe").id
    again = books.add_bank_transaction(contact, type="RECEIVE", bank=BANK, amount=Decimal("158.50"), date=DAY)
    other = books.add_bank_transaction(contact, type="RECEIVE", bank=BANK, amount=Decimal("7.00"), date=DAY)
    wanted = {("perhaps entered twice", again.id), ("bank transaction not posted here", other.id)}

    report = paid_out.sales.reconcile(account=BANK)
    statement = paid_out.sales.clearing_statement(DAY, DAY, account=BANK)

    assert {(each.code, each.about) for each in report.discrepancies} == wanted
    assert {(each.code, each.about) for each in statement.exceptions} == wanted
    assert report.in_flight == nzd("158.50")
    assert report.explained


def test_a_payout_that_was_removed_is_no_more_on_the_bank_account_and_told_of_the_clearing_account(
    paid_out: PaidOut,
) -> None:
    books = paid_out.product.books
    for each in books.bank_transactions:
        if each.type == "RECEIVE":
            books.remove_bank_transaction(each.id)
    for transfer in books.bank_transfers:
        paid_out.product.xero().bank_transfers.delete(transfer.id)

    bank, clearing = paid_out.sales.reconcile(account=BANK), paid_out.sales.reconcile(paid_out.settlement)

    assert (bank.clean, bank.balance, bank.in_flight) == (True, nzd(0), nzd(0))
    assert [(each.code, each.about) for each in clearing.discrepancies] == [("removed in Xero", "S1")]


def test_what_was_spent_on_a_card_is_our_own_on_its_account(product: Product) -> None:
    purchases = Payables(product.xero())
    lines = [BillLine(description="Lunch", amount=nzd("12.00"), account=AccountCode("404"))]
    purchases.apply(purchases.spend([CardSpend(id="c", vendor="Cafe Ltd", on=DAY, lines=lines, account=BANK)]))

    report = Receivables(product.xero(), clearing_account=CLEARING).reconcile(account=BANK)

    assert report.clean
    assert (report.balance, report.in_flight) == (nzd("-12.00"), nzd("-12.00"))
