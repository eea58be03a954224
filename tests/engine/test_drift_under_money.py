"""Drift of a bill that is paid in part: what is put back of it waits for what Xero takes no more under money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    Customer,
    Ledger,
    Payables,
    Receivables,
    Sale,
    SaleLine,
    Xero,
)
from xerosync.models import Account, AccountCode, AccountId, AccountStatus
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


def unarchive(product: Product, code: str) -> None:
    account = Account(account_id=AccountId(product.books.account(code).id), status=AccountStatus.ACTIVE)
    product.xero().accounts.update([account])


def test_an_edit_back_to_an_account_that_was_archived_is_foreseen_and_its_payment_waits(
    product: Product, xero: Xero, bills: Payables
) -> None:
    """Sent all the same, it was refused, and had to be asked for once more when the account was there again."""
    ledger = Ledger(xero)
    edit_without_its_payment(product)
    product.books.archive_account("404")

    for plan in (ledger.drift().restore(), ledger.drift().restore("bill payment/p")):
        assert not plan
        assert ("held back", "bill payment/p") in {(each.code, each.about) for each in plan.findings}
    (told,) = [each for each in ledger.drift().restore().findings if each.about == "b"]
    assert (told.code, "account 404 is ARCHIVED" in told.cause) == ("cannot be put back", True)

    unarchive(product, "404")
    bills.apply(ledger.drift().restore())
    assert standing(product) == (Decimal(10), Decimal(6))
    assert not ledger.drift()


def test_a_day_is_put_back_although_an_account_that_the_lines_name_was_archived(product: Product, xero: Xero) -> None:
    bills = Payables(xero, payment_account=BANK)
    bills.apply(bills.submit([paper("b")]))
    product.clock.advance(3600)
    (bill,) = product.live_bills()
    product.books.edit_invoice(bill.id, due=DAY + timedelta(days=9))
    product.books.archive_account("404")
    product.clock.advance(3600)

    report = bills.apply(Ledger(xero).drift().restore())

    assert report.findings == ()
    assert product.books.invoice(bill.id).due_date == DAY
    assert [each.account_id for each in product.books.invoice(bill.id).lines] == [product.books.account("404").id]
    assert not Ledger(xero).drift()


def test_a_sale_that_cannot_be_edited_back_is_left_as_it_is_and_the_reason_said(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING)
    product.books.add_contact("Ana")
    sales.apply(sales.match([Customer(id="ana", custom_identifier="Ana")]))
    line = SaleLine(description="x", amount=nzd("10.00"), account=AccountCode("260"))
    sales.apply(sales.submit([Sale(id="s", customer="ana", number="7", on=DAY, due=DAY, lines=[line])]))
    product.clock.advance(3600)
    product.books.edit_invoice(product.books.invoices[0].id, amount=Decimal("12.00"))
    product.books.archive_account("260")

    plan = Ledger(xero).drift().restore()

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("cannot be put back", "sale/s")])
    assert "account 260 is ARCHIVED" in plan.findings[0].cause
