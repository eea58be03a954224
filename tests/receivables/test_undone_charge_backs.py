"""Undoing a charge-back whose payment had to stay: what took its place goes, and may come again under new ids."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.conftest import CLEARING, DAY, Product, nzd

from xerosync import Ledger, LineKind, Receivables, Settlement, SettlementLine, SettlementSettings, Xero
from xerosync.errors import RateLimited
from xerosync.simulator import Fault


def line(transaction: str, line_id: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=line_id, transaction=transaction, amount=nzd("100.00"), kind=kind)


@pytest.mark.parametrize("account", [CLEARING, "650"])
def test_a_charge_back_whose_invoice_was_undone_is_undone_and_posted_again_under_new_ids(
    product: Product, xero: Xero, account: str
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(charge_back_account="850")
    sales = Receivables(xero, clearing_account=account, settlements=chosen)
    invoice = product.collectable("100.00")
    given = [Settlement(id="S1", on=DAY, lines=[line(invoice.id, "L1")])]
    sales.apply(sales.settle(given))
    product.books.reconcile_payment(product.live_payments()[0].id)
    clearing_id = product.books.account(account).id
    for place in range(2):
        back = Settlement(id=f"C{place}", on=DAY, lines=[line(invoice.id, f"B{place}", LineKind.CHARGED_BACK)])
        given.append(back)
        product.clock.advance(60)

        run = sales.apply(sales.settle(given)).run

        assert (product.books.balance(clearing_id), sales.settlement_report(back).complete) == (Decimal(0), True)
        assert [each.collected for each in sales.transaction_report()] == [nzd("0.00")]
        assert not sales.settle(given)
        product.clock.advance(60)
        assert not sales.apply(Ledger(xero).undo(run) if place else sales.undo_settlement(back)).unfinished
        assert product.books.balance(clearing_id) == Decimal(100)
        assert not sales.settle(given)
        assert {each.code for each in sales.settlement_report(back).crossed()} == {"undone"}
        assert {each.code for each in sales.reconcile(given).discrepancies} == {"undone"}
        assert [each.collected for each in sales.transaction_report()] == [nzd("100.00")]
        assert (Ledger(xero).audit().findings, len(Ledger(xero).drift())) == ((), 0)
    assert [each.status for each in product.books.invoices] == ["PAID", "VOIDED", "VOIDED"]


def test_an_undo_of_a_charge_back_that_died_half_way_posts_nothing_anew(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(charge_back_account="850"))
    invoice = product.collectable("100.00")
    first = Settlement(id="S1", on=DAY, lines=[line(invoice.id, "L1")])
    sales.apply(sales.settle(first))
    product.books.reconcile_payment(product.live_payments()[0].id)
    backs = [
        Settlement(id=f"C{place}", on=DAY, lines=[line(invoice.id, f"B{place}", LineKind.CHARGED_BACK)])
        for place in range(2)
    ]
    run = sales.apply(sales.settle([first, backs[0]])).run
    undo = Ledger(xero).undo(run)
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="POST", path="/Invoices")
    with pytest.raises(RateLimited):
        sales.apply(undo)
    product.simulator.faults.clear()
    product.clock.advance(86_400)

    sales.apply(sales.settle([first, *backs]))

    assert [each.status for each in product.books.bank_transactions] == ["DELETED"]
    sales.apply(undo)
    sales.apply(sales.settle([first, *backs]))
    assert product.books.balance(product.books.account(CLEARING).id) == 0
    assert [each.status for each in product.books.bank_transactions] == ["DELETED", "AUTHORISED"]
    assert [each.status for each in product.books.invoices] == ["PAID", "VOIDED", "AUTHORISED"]


def test_a_charge_back_posted_again_in_part_is_posted_whole_though_its_money_was_put_back_before(
    product: Product, xero: Xero
) -> None:
    """The money is a revision further than the invoice by then."""
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(charge_back_account="850"))
    invoice = product.collectable("100.00")
    given = [Settlement(id="S1", on=DAY, lines=[line(invoice.id, "L1")])]
    sales.apply(sales.settle(given))
    product.books.reconcile_payment(product.live_payments()[0].id)
    given += [Settlement(id="C0", on=DAY, lines=[line(invoice.id, "B0", LineKind.CHARGED_BACK)])]
    sales.apply(sales.settle(given))
    product.books.remove_bank_transaction(product.books.bank_transactions[-1].id)
    product.clock.advance(60)
    sales.apply(Ledger(xero).drift().restore())
    sales.apply(sales.undo_settlement(given[-1]))
    given += [Settlement(id="C1", on=DAY, lines=[line(invoice.id, "B1", LineKind.CHARGED_BACK)])]

    sales.apply(sales.settle(given).only(lambda action: action.kind == "sale"))
    sales.apply(sales.settle(given))

    assert product.books.balance(product.books.account(CLEARING).id) == 0
    assert [each.status for each in product.books.bank_transactions] == ["DELETED", "DELETED", "AUTHORISED"]
    assert {each.about for each in sales.reconcile(given).discrepancies} == {"B0"}
