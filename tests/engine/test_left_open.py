"""What a run left open when Xero's day was used up is told by every plan of the same, and done once by recover()."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    CardSpend,
    Payables,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
    Xero,
)
from xerosync.errors import RateLimited
from xerosync.models import AccountCode
from xerosync.simulator import Fault

BILL = Bill(
    id="b",
    vendor="Paper Ltd",
    number="1",
    on=DAY,
    lines=[BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))],
)
PAYMENT = BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))
SPEND = CardSpend(id="c", vendor="Paper Ltd", on=DAY, lines=BILL.lines, account=BANK)


def _settle(product: Product, xero: Xero) -> Callable[[], Plan]:
    sales = Receivables(xero, clearing_account=CLEARING)
    line = SettlementLine(id="L", transaction=product.collectable("10.00").id, amount=nzd("10.00"))
    return lambda: sales.settle(Settlement(id="S", on=DAY, lines=[line]))


def _submit(_: Product, xero: Xero) -> Callable[[], Plan]:
    return lambda: Payables(xero).submit([BILL])


def _spend(_: Product, xero: Xero) -> Callable[[], Plan]:
    return lambda: Payables(xero).spend([SPEND])


def _pay(_: Product, xero: Xero) -> Callable[[], Plan]:
    bills = Payables(xero, payment_account=BANK)
    bills.apply(bills.submit([BILL]))
    return lambda: bills.pay([PAYMENT])


def _update(_: Product, xero: Xero) -> Callable[[], Plan]:
    bills = Payables(xero)
    bills.apply(bills.submit([BILL]))
    return lambda: bills.update([evolve(BILL, number="2")])


def _void(_: Product, xero: Xero) -> Callable[[], Plan]:
    bills = Payables(xero)
    bills.apply(bills.submit([BILL]))
    return lambda: bills.void(["b"])


def _settle_credits(_: Product, xero: Xero) -> Callable[[], Plan]:
    bills = Payables(xero, payment_account=BANK)
    credit = evolve(BILL, id="n", number="n", lines=[evolve(BILL.lines[0], amount=nzd("-3.00"))])
    bills.apply(bills.submit([BILL, credit]))
    return bills.settle_credits


@pytest.mark.parametrize(
    ("written", "path"),
    [
        pytest.param(_settle, "/Payments", id="settle"),
        pytest.param(_submit, "/Invoices", id="submit"),
        pytest.param(_spend, "/BankTransactions", id="spend"),
        pytest.param(_pay, "/Payments", id="pay"),
        pytest.param(_update, "/Invoices", id="update"),
        pytest.param(_void, "/Invoices", id="void"),
        pytest.param(_settle_credits, "/Allocations", id="settle credits"),
    ],
)
def test_what_was_left_open_is_told_and_done_once_by_recover(
    product: Product, xero: Xero, written: Callable[[Product, Xero], Callable[[], Plan]], path: str
) -> None:
    plan = written(product, xero)
    bills = Payables(xero)
    for method in ("PUT", "POST"):
        product.simulator.faults.plan(Fault.DAY_LIMIT, method=method, path=path)
    with pytest.raises(RateLimited):
        bills.apply(plan())
    product.simulator.faults.clear()
    product.clock.advance(86_400)

    again = plan()

    assert not again
    assert [(each.code, each.fix, each.retry) for each in again.findings] == [("still open", "call recover()", True)]
    recovery = bills.recover()
    assert (recovery.sent, recovery.findings) == (1, ())
    assert (len(plan()), plan().findings) == (0, ())


@pytest.mark.parametrize(("written", "path"), [(_submit, "/Invoices"), (_spend, "/BankTransactions")])
def test_what_is_not_posted_yet_is_not_taken_back_and_is_said_to_be_open(
    product: Product, xero: Xero, written: Callable[[Product, Xero], Callable[[], Plan]], path: str
) -> None:
    bills = Payables(xero)
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path=path)
    with pytest.raises(RateLimited):
        bills.apply(written(product, xero)())
    product.simulator.faults.clear()
    product.clock.advance(86_400)

    plan = bills.void(["b" if written is _submit else "c"])

    assert not plan
    assert [(each.code, each.retry) for each in plan.findings] == [("still open", True)]
