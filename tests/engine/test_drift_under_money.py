"""Drift of a bill that is paid in part: what is put back of it waits for what Xero takes no more under money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, Ledger, Payables, Xero
from xerosync.models import AccountCode
from xerosync.simulator import Fault


def paper(name: str) -> Bill:
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    return Bill(id=name, vendor="Paper Ltd", number=name, on=DAY, due=DAY, lines=lines)


@pytest.fixture
def bills(product: Product, xero: Xero) -> Payables:
    """A bill of 10.00, of which 4.00 are paid."""
    bills = Payables(xero, payment_account=BANK)
    bills.apply(bills.submit([paper("b")]))
    bills.apply(bills.pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))]))
    product.clock.advance(3600)
    return bills


def edit_without_its_payment(product: Product) -> None:
    """Whoever changes its amount takes its payment off first."""
    product.books.remove_payment(product.live_payments()[0].id)
    product.books.edit_invoice(product.live_bills()[0].id, amount=Decimal("12.00"))
    product.clock.advance(3600)


def standing(product: Product) -> tuple[Decimal, Decimal]:
    """What the bill comes to, and what is due of it."""
    (bill,) = product.live_bills()
    return bill.total, bill.amount_due


def test_a_due_day_that_was_put_back_is_drift_no_more_though_xero_moves_no_stamp(
    product: Product, xero: Xero, bills: Payables
) -> None:
    """F 4.23: no later reading would bring it, once something else is newer."""
    ledger = Ledger(xero)
    (bill,) = product.live_bills()
    product.books.edit_invoice(bill.id, due=DAY + timedelta(days=9))
    assert len(ledger.drift()) == 1
    for newer in ("c", "d"):
        product.clock.advance(3600)
        bills.apply(bills.submit([paper(newer)]))
        assert len(ledger.drift()) == 1

    bills.apply(ledger.drift().restore())
    product.clock.advance(3600)

    assert product.books.invoice(bill.id).due_date == DAY
    assert not ledger.drift()
    assert not ledger.drift().restore()


def test_a_payment_waits_where_the_edit_of_its_bill_was_refused(product: Product, xero: Xero, bills: Payables) -> None:
    ledger = Ledger(xero)
    edit_without_its_payment(product)
    plan = ledger.drift().restore()
    product.books.lock_period(DAY)
    bills.apply(plan)
    product.books.lock_period(DAY - timedelta(days=1))

    again = ledger.drift().restore()

    assert not again
    assert {(each.code, each.about) for each in again.findings} == {
        ("refused by Xero", "b"),
        ("held back", "bill payment/p"),
    }
    bills.apply(ledger.drift().restore(retry_refused=True))
    assert standing(product) == (Decimal(10), Decimal(6))
    assert not ledger.drift()


def test_a_payment_waits_for_its_bill_where_it_alone_is_chosen(product: Product, xero: Xero, bills: Payables) -> None:
    ledger = Ledger(xero)
    edit_without_its_payment(product)

    alone = ledger.drift().restore("bill payment/p")

    assert not alone
    assert [(each.code, each.worth) for each in alone.findings] == [("held back", nzd("4.00"))]
    bills.apply(ledger.drift().ignore("b"))
    bills.apply(ledger.drift().restore("bill payment/p"))
    assert standing(product) == (Decimal(12), Decimal(8))


def test_a_payment_waits_while_the_edit_of_its_bill_is_open(product: Product, xero: Xero, bills: Payables) -> None:
    ledger = Ledger(xero)
    edit_without_its_payment(product)
    for _ in range(4):
        product.simulator.faults.plan(Fault.LOST_BEFORE, method="POST", path="/Invoices")
    bills.apply(ledger.drift().restore())

    drift = ledger.drift()
    waiting = drift.restore()

    assert "besides 1 that a run is changing, or was when it was interrupted: call recover()" in str(drift)
    assert not waiting
    assert [(each.code, each.about, each.retry) for each in waiting.findings] == [
        ("still open", "bill payment/p", True)
    ]
    product.simulator.faults.clear()
    product.clock.advance(86_400)
    bills.recover()
    bills.apply(ledger.drift().restore())
    bills.apply(ledger.drift().restore())
    assert standing(product) == (Decimal(10), Decimal(6))
