"""What only plans or reports reads nothing from Xero twice, however much of it looks at the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve, frozen
from tests.conftest import BANK, CLEARING, DAY, Product, Through, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    CardSpend,
    CreditRefund,
    Customer,
    Fee,
    Ledger,
    LineKind,
    Payables,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    Xero,
)
from xerosync.models import AccountCode
from xerosync.ports import Request

LINES = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
INK = [evolve(LINES[0], description="Ink")]
BILL = Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=LINES)
SPEND = CardSpend(id="c", vendor="Paper Ltd", on=DAY, lines=LINES, account=BANK)
PAID = BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))
BACK = SaleLine(description="Paper", amount=nzd("-10.00"), account=AccountCode("200"))
CREDIT = Sale(id="n", customer="Ana", on=DAY, lines=[BACK])
REFUND = CreditRefund(id="r", credit_id="n", on=DAY, amount=nzd("5.00"))


def settled(product: Product) -> Settlement:
    """With a fee, a payout, and one line that was charged back."""
    lines = [
        SettlementLine(id=f"L{place}", transaction=product.collectable().id, amount=nzd("100.00")) for place in range(2)
    ]
    back = evolve(lines[0], id="B", kind=LineKind.CHARGED_BACK)
    return Settlement(id="S", on=DAY, lines=[*lines, back], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)


@frozen
class Told:
    """All there is to look at, written in the books."""

    sales: Receivables
    bills: Payables
    ledger: Ledger
    settlement: Settlement
    run: str


def told(product: Product, xero: Xero) -> Told:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    bills, ledger = Payables(xero, payment_account=BANK), Ledger(xero)
    settlement = settled(product)
    sales.apply(sales.settle(settlement))
    sales.apply(sales.submit([CREDIT]))
    bills.apply(bills.submit([BILL]))
    bills.apply(bills.spend([SPEND]))
    bills.apply(bills.pay([PAID]))
    return Told(sales, bills, ledger, settlement, ledger.trail().lines[0].run)


LOOKS: dict[str, Callable[[Told], object]] = {
    "settle": lambda told: told.sales.settle(told.settlement),
    "settlement report": lambda told: told.sales.settlement_report(told.settlement),
    "reconcile": lambda told: told.sales.reconcile(told.settlement),
    "reconcile briefly": lambda told: told.sales.reconcile(told.settlement, brief=True),
    "statement": lambda told: told.sales.clearing_statement(DAY, DAY + timedelta(days=9)),
    "backfill": lambda told: told.sales.backfill(told.settlement),
    "undo a settlement": lambda told: told.sales.undo_settlement(told.settlement),
    "undo a run": lambda told: told.ledger.undo(told.run),
    "drift": lambda told: told.ledger.drift(),
    "refund": lambda told: told.sales.refund([REFUND]),
    "import": lambda told: told.sales.import_invoices(),
    "match": lambda told: told.sales.match([Customer(id="x", custom_identifier="Xenia")]),
    "submit bills": lambda told: told.bills.submit([BILL, evolve(BILL, id="b2", number="2")]),
    "update": lambda told: told.bills.update([evolve(BILL, lines=INK), evolve(SPEND, lines=INK)]),
    "spend": lambda told: told.bills.spend([evolve(SPEND, id="c2")]),
    "pay": lambda told: told.bills.pay([evolve(PAID, id="p2")]),
    "backfill bills": lambda told: told.bills.backfill([BILL], payments=[PAID]),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_nothing_is_read_twice_in_one_look(look: Callable[[Told], object], product: Product) -> None:
    read = Counter[str]()

    def note(request: Request) -> None:
        if "/api.xro/" in request.url:
            read[f"{request.method} {request.url}"] += 1

    books = told(product, product.xero(transport=Through(product.simulator.transport, before=note)))
    product.books.remove_payment(product.live_payments()[0].id)  # so that there is something to tell of
    read.clear()

    look(books)

    assert read
    assert {call: times for call, times in read.items() if times > 1} == {}


def test_contacts_are_read_only_where_something_is_to_be_posted_with_one(product: Product) -> None:
    read: list[str] = []

    def note(request: Request) -> None:
        if "/Contacts" in request.url:
            read.append(request.url)

    books = told(product, product.xero(transport=Through(product.simulator.transport, before=note)))
    more = evolve(books.settlement, id="S2", lines=[evolve(each, id=f"{each.id}2") for each in books.settlement.lines])
    read.clear()

    assert not books.sales.settle(books.settlement)
    assert books.sales.reconcile(books.settlement).explained
    assert read == []

    assert "bank_transaction" in books.sales.settle(more).counts()
    assert len(read) == 1


def test_drift_asks_for_the_organisation_once_however_much_was_written(product: Product, xero: Xero) -> None:
    bills = Payables(xero)
    bills.apply(bills.submit([evolve(BILL, id=f"b{place}", number=f"{place}") for place in range(2100)]))
    ledger = Ledger(xero)
    before = product.simulator.calls

    report = ledger.drift()

    assert report.looked_at == 2100
    # The list of bills, in pages that overlap by a row, the vendors' contacts, and the organisation.
    assert product.simulator.calls - before <= 5


def test_what_was_parked_is_read_at_once_however_much_is_undone(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(surplus=Surplus.PARK))
    lines = [
        SettlementLine(id=f"L{place}", transaction=product.collectable("60.00").id, amount=nzd("75.00"))
        for place in range(4)
    ]
    settlements = [Settlement(id="S1", on=DAY, lines=lines[:1]), Settlement(id="S2", on=DAY, lines=lines[1:])]
    sales.apply(sales.settle(settlements))
    calls: list[int] = []

    for each in settlements:
        before = product.simulator.calls
        assert sales.undo_settlement(each).counts() == {
            "removal": len(each.lines),
            "bank_transaction_removal": len(each.lines),
        }
        calls.append(product.simulator.calls - before)

    assert calls[1] <= calls[0]


def test_the_next_look_sees_what_has_changed(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING)
    assert sales.reconcile().balance == nzd("0.00")
    line = SettlementLine(id="L", transaction=product.collectable().id, amount=nzd("100.00"))
    sales.apply(sales.settle(Settlement(id="S", on=DAY, lines=[line])))
    assert sales.reconcile().in_flight == nzd("100.00")
    product.books.remove_payment(product.live_payments()[0].id)

    report = sales.reconcile()

    assert [each.code for each in report.discrepancies] == ["removed in Xero"]
    assert report.balance == nzd(Decimal(0))
