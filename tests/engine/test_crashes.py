"""A process killed at any moment, then the same again: the books hold everything exactly once."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import frozen
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.crashes import Crash, Fuse, Mortal, found_mortal

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    Customer,
    LineKind,
    Payables,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
    Xero,
)
from xerosync.engine.lease import TTL_S
from xerosync.models import AccountCode

ROUNDS_MAX = 4


def set_up_sales(product: Product) -> None:
    product.invoice("Ana", "100.00", "INV-1")
    product.invoice("Ana", "50.01", "INV-2")


def collect(xero: Xero) -> list[Plan]:
    """A contact created; two invoices, each paid in two parts that Xero would take twice; the second charged back."""
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.recover()
    customers = [Customer(id=name, custom_identifier=name) for name in ("Ana", "Bea")]
    plans = [sales.match(customers, create_missing=True)]
    sales.apply(plans[-1])
    plans.append(sales.import_invoices())
    sales.apply(plans[-1])
    plans.append(sales.settle(settlements(sales)))
    sales.apply(plans[-1])
    return plans


def settlements(sales: Receivables) -> list[Settlement]:
    """What was collected of each transaction, in two parts of less than half, and what was charged back."""
    collected: list[SettlementLine] = []
    taken_back: list[SettlementLine] = []
    for paid in sorted(sales.transactions(), key=lambda each: each.invoice_number):
        name = paid.invoice_number
        collected += [
            SettlementLine(id=f"{name}/{part}", transaction=paid.id, amount=nzd("20.00")) for part in range(2)
        ]
        if name == "INV-2":
            back = SettlementLine(
                id=f"{name}/back", transaction=paid.id, amount=nzd("40.00"), kind=LineKind.CHARGED_BACK
            )
            taken_back.append(back)
    return [Settlement(id="S1", on=DAY, lines=collected), Settlement(id="S2", on=DAY, lines=taken_back)]


def collected_once(product: Product) -> None:
    assert sorted(contact.name for contact in product.books.contacts) == ["Ana", "Bea"]
    first, second = (
        next(each for each in product.books.invoices if each.number == number) for number in ("INV-1", "INV-2")
    )
    assert product.standing(first.id) == [(Decimal(20), DAY)] * 2
    assert product.standing(second.id) == []
    assert first.amount_due == 60
    assert second.amount_due == second.total
    assert product.books.balance(product.books.account(CLEARING).id) == 40


def set_up_nothing(product: Product) -> None:
    assert product.books.invoices == ()


def paper(name: str, amount: str, vendor: str = "Paper Ltd") -> Bill:
    line = BillLine(description=name, amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=name, vendor=vendor, number=name, on=DAY, lines=[line])


def pay_bills(xero: Xero) -> list[Plan]:
    """Two bills and two credits: one allocated, one refunded; the rest of the bills is paid in parts, as sums."""
    bills = [paper("b1", "30.00"), paper("b2", "20.00", "Glue"), paper("c1", "-10.00"), paper("c2", "-5.00", "Tape")]
    books = Payables(xero, payment_account=BANK)
    books.recover()
    plans = [books.submit(bills)]
    books.apply(plans[-1])
    plans.append(books.settle_credits())
    books.apply(plans[-1])
    standing = {each.id for each in books.posted([each.id for each in bills])}
    parts = [
        BillPayment(id=f"{bill_id}/{part}", bill_id=bill_id, on=DAY, amount=nzd("8.00"))
        for bill_id in ("b1", "b2")
        for part in range(2)
        if bill_id in standing
    ]
    plans.append(books.pay(parts, batch=True))
    books.apply(plans[-1])
    return plans


def paid_once(product: Product) -> None:
    books = product.books
    assert sorted(each.name for each in books.contacts) == ["Glue", "Paper Ltd", "Tape"]
    assert sorted((each.number, each.amount_due) for each in books.invoices) == [("b1", Decimal(4)), ("b2", Decimal(4))]
    assert sorted((each.number, each.status) for each in books.credit_notes) == [("c1", "PAID"), ("c2", "PAID")]
    assert [each.amount for each in books.allocations] == [Decimal(10)]
    assert sorted(each.amount for each in product.live_payments()) == [Decimal(5)] + [Decimal(8)] * 4
    assert books.balance(books.account(BANK).id) == Decimal(5 - 32)


@frozen
class Flow:
    """A story, what was there before it, and what the books must hold at its end."""

    name: str
    set_up: Callable[[Product], None]
    run: Callable[[Xero], list[Plan]]
    check: Callable[[Product], None]


FLOWS = [
    Flow("receivables", set_up_sales, collect, collected_once),
    Flow("payables", set_up_nothing, pay_bills, paid_once),
]


def begin(flow: Flow) -> Mortal:
    mortal = found_mortal()
    flow.set_up(mortal.product)
    return mortal


def live(mortal: Mortal, flow: Flow, blows_at: int | None) -> Fuse:
    """One process that runs *flow* until nothing is left to do, or it dies."""
    fuse = Fuse(blows_at)
    try:
        xero = mortal.client(fuse)
        for _ in range(ROUNDS_MAX):
            if not any(flow.run(xero)):
                break
    except Crash:
        # The next process comes when the lease of this one has run out; that it waits until then is shown elsewhere.
        mortal.product.clock.advance(TTL_S)
    return fuse


def end(mortal: Mortal, flow: Flow) -> None:
    """The last process, which nothing happens to: it brings all to its end, and the next finds nothing to do."""
    # What ended in doubt again and again is left alone for up to six hours.
    mortal.product.clock.advance(6 * 3600)
    live(mortal, flow, None)
    flow.check(mortal.product)
    again = flow.run(mortal.client(Fuse()))
    assert [(len(plan), plan.findings) for plan in again] == [(0, ())] * len(again)
    mortal.product.simulator.close()


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_crash_at_any_single_moment_loses_and_doubles_nothing(flow: Flow) -> None:
    undisturbed = begin(flow)
    moments = live(undisturbed, flow, None).moments
    end(undisturbed, flow)
    assert moments > 60

    for moment in range(1, moments + 1):
        mortal = begin(flow)
        fuse = live(mortal, flow, moment)
        assert fuse.dead, f"moment {moment} of {moments} never came"
        end(mortal, flow)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_crashes_in_several_processes_one_after_the_other_lose_and_double_nothing(flow: Flow) -> None:
    """Recovery itself dies too, again and again."""
    chance = random.Random(20260105)
    for _ in range(15):
        mortal = begin(flow)
        for _ in range(3):
            live(mortal, flow, chance.randint(1, 60))
        end(mortal, flow)
