"""The three troubles that users meet (R16–R22): each leads to the sentence that says what to do, and that cures it."""

from __future__ import annotations

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import Doctor, Fix, Receivables, Settlement, SettlementLine
from xerosync.errors import Misconfigured, OrganisationRefused


def settlement(transaction: str) -> Settlement:
    return Settlement(id="S1", on=DAY, lines=[SettlementLine(id="L1", transaction=transaction, amount=nzd("100.00"))])


def test_a_connection_that_has_ended_says_to_connect_again_and_then_all_goes_on(product: Product) -> None:
    invoice = product.collectable("100.00")
    xero = product.xero()
    product.books.disconnect()

    (finding,) = Doctor(xero, features=["receivables"], clearing_account=CLEARING).examine().findings
    with pytest.raises(OrganisationRefused) as raised:
        Receivables(xero, clearing_account=CLEARING).settle(settlement(invoice.id))

    assert (finding.code, finding.who) == ("reconnect needed", "the user")
    assert finding.cause == "the consent has ended, or the organisation was disconnected"
    assert finding.fix == "send the user to Xero to connect again"
    assert "mostly the user has to connect it again" in str(raised.value)
    product.let_in_again(by_host=False)
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    sales.apply(sales.settle(settlement(invoice.id)))
    assert product.books.invoice(invoice.id).amount_due == 0
    assert Doctor(product.xero(), features=["receivables"], clearing_account=CLEARING).examine()


def test_a_transaction_that_was_not_created_here_says_how_to_link_it_and_is_settled_then(
    product: Product, sales: Receivables
) -> None:
    product.collectable("10.00")
    by_hand = product.invoice("Ana Costa", "100.00", number="INV-7")

    report = sales.reconcile(settlement("made-by-hand"))

    (found,) = report.discrepancies
    assert (found.code, found.about, found.worth) == ("not created here", "L1", nzd("100.00"))
    assert found.cause == "the library did not create this transaction"
    for way in ("import its invoice", "link it with link_transaction()", "mark the invoice paid in Xero by hand"):
        assert way in found.fix
    sales.apply(sales.link_transaction("made-by-hand", invoice="INV-7"))
    sales.apply(sales.reconcile(settlement("made-by-hand")).plan(Fix.POST))
    assert product.books.invoice(by_hand.id).amount_due == 0
    assert sales.reconcile(settlement("made-by-hand")).clean


def test_invoices_that_are_not_marked_paid_lead_to_the_clearing_account_and_another_one_does(product: Product) -> None:
    invoice = product.collectable("100.00")
    product.books.archive_account(CLEARING)
    xero = product.xero()

    (finding,) = Doctor(xero, clearing_account=CLEARING).examine().findings
    with pytest.raises(Misconfigured) as raised:
        Receivables(xero, clearing_account=CLEARING).settle(settlement(invoice.id))

    archived = "the account is ARCHIVED, not ACTIVE"
    assert finding.cause == f"nothing can be paid through the clearing account {CLEARING}: {archived}"
    assert finding.fix == "choose a clearing account"
    assert "invoices cannot be marked paid through this clearing account" in str(raised.value)
    assert archived in str(raised.value)
    other = Receivables(xero, clearing_account=BANK)
    other.apply(other.settle(settlement(invoice.id)))
    assert product.books.invoice(invoice.id).amount_due == 0
