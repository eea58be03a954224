"""Ids of Xero's are the same in capitals: people paste them from a link, a report or a spreadsheet."""

from __future__ import annotations

from decimal import Decimal

from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    CardSpend,
    Doctor,
    Fee,
    Ledger,
    LinkBill,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.models import AccountCode


def in_capitals(product: Product, code: str) -> str:
    return product.books.account(code).id.upper()


def test_the_accounts_of_settlements(product: Product, xero: Xero) -> None:
    invoice = product.collectable("40.00")
    chosen = SettlementSettings(
        bank_account=in_capitals(product, BANK), fee_account=in_capitals(product, "404"), provider="Collections Ltd"
    )
    sales = Receivables(xero, clearing_account=in_capitals(product, CLEARING), settlements=chosen)
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("40.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)

    sales.apply(sales.settle(settlement))

    assert [product.books.balance(product.books.account(code).id) for code in (CLEARING, BANK, "404")] == [0, 39, 1]
    assert sales.reconcile(settlement).clean
    assert sales.reconcile(account=in_capitals(product, BANK)).balance == nzd("39.00")
    assert sales.clearing_statement(DAY, DAY, account=in_capitals(product, BANK)).closing.balance == nzd("39.00")


def test_a_contact_and_the_invoices_that_a_person_chose(product: Product, xero: Xero) -> None:
    first, second = product.invoice("Ana Costa", "10.00"), product.invoice("Ana Costa", "20.00")
    sales = Receivables(xero, clearing_account=CLEARING)

    sales.apply(sales.link("a", first.contact_id.upper()))
    sales.apply(sales.import_invoices([first.id.upper()]))
    sales.apply(sales.link_transaction("by-hand", invoice=second.id.upper()))

    assert {each.invoice_id for each in sales.transactions()} == {first.id, second.id}
    assert not sales.link("a", first.contact_id)


def test_the_invoice_of_what_was_typed_before(product: Product, xero: Xero) -> None:
    invoice = product.invoice("Ana Costa", "10.00")
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.apply(sales.link("a", invoice.contact_id))
    typed = product.books.add_payment(invoice.id, account=CLEARING, date=DAY)
    settlement = Settlement(id="S1", on=DAY, lines=[SettlementLine(id="L1", transaction="t", amount=nzd("10.00"))])

    sales.apply(sales.backfill(settlement, invoices={"t": invoice.id.upper()}))

    assert not sales.settle(settlement)
    assert sales.reconcile(settlement).clean
    assert "L1" in str(Ledger(xero).why(typed.id.upper()))


def test_the_accounts_of_bills_and_receipts_and_the_contact_of_a_vendor(product: Product, xero: Xero) -> None:
    contact = product.books.add_contact("Paper and Sons")
    purchases = Payables(xero, payment_account=in_capitals(product, BANK))
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    own = in_capitals(product, CLEARING)

    purchases.apply(purchases.link_vendor("Paper Ltd", contact.id.upper()))
    purchases.apply(purchases.submit([Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=lines)]))
    paid = [
        BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00")),
        BillPayment(id="q", bill_id="b", on=DAY, amount=nzd("6.00"), account=own),
    ]
    purchases.apply(purchases.pay(paid))
    purchases.apply(purchases.spend([CardSpend(id="c", vendor="Cafe Ltd", on=DAY, lines=lines, account=own)]))

    assert [each.contact_id for each in product.live_bills()] == [contact.id]
    assert [product.books.balance(product.books.account(code).id) for code in (BANK, CLEARING)] == [-4, -16]


def test_the_accounts_and_currencies_that_are_examined(product: Product, xero: Xero) -> None:
    own = in_capitals(product, CLEARING)

    checkup = Doctor(xero, features=["receivables"], clearing_account=own, currencies=["nzd", "NZD"]).examine()

    assert checkup.findings == ()


def test_the_bills_that_are_brought_back(product: Product, xero: Xero) -> None:
    purchases = Payables(xero, payment_account=BANK)
    contact = product.books.add_contact("Paper Ltd").id
    wanted, _ = (
        product.books.add_invoice(contact, type="ACCPAY", number=number, amount=Decimal(10), date=DAY, due=DAY)
        for number in ("1", "2")
    )

    plan = purchases.bring_back([wanted.id.upper()])

    assert [each.xero_id for each in plan.of(LinkBill)] == [wanted.id]
