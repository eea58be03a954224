"""The slow sweep: what Xero changes without a stamp is met after all, for a call now and then (F 4.23)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product
from tests.running.conftest import worker_of

from xerosync import Customer, Ended, Payables, Ran, Receivables, UpdateReference, Worker, Xero
from xerosync.engine.sweeping import Sweep
from xerosync.errors import InvalidInput
from xerosync.simulator import Fault


class Suppliers:
    """A product that offers its users the suppliers of their books."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, xero: Xero) -> None:
        purchases = Payables(xero, payment_account=BANK)
        plan = purchases.import_reference()
        purchases.apply(plan)
        self.names += [each.value.name for each in plan.of(UpdateReference) if each.value.resource == "supplier"]


def first_bill_of(product: Product, contact: str) -> Callable[[], object]:
    """Enters the first bill of a *contact* who was known before, which makes a supplier of it."""
    known = product.books.add_contact(contact)
    product.clock.advance(60)
    product.books.add_contact("The last to be stamped")
    return lambda: product.books.add_invoice(known.id, type="ACCPAY", amount=Decimal(10))


def through(product: Product, worker: Worker, days: int) -> list[Ran]:
    """The runs of so many days."""
    ran: list[Ran] = []
    end = product.clock.now() + timedelta(days=days)
    while product.clock.now() < end:
        (due,) = worker.due([product.books.tenant_id])
        product.clock.advance(max(60.0, (due.at - product.clock.now()).total_seconds()))
        ran.append(worker.run(product.books.tenant_id))
        assert ran[-1].ended is Ended.DONE
    return ran


@pytest.mark.parametrize(("sweep", "met"), [(timedelta(days=7), ["Paper Ltd"]), (None, [])])
def test_what_changes_unstamped_is_met_within_a_round(
    product: Product, sweep: timedelta | None, met: list[str]
) -> None:
    work = Suppliers()
    enter = first_bill_of(product, "Paper Ltd")
    worker = worker_of(product, work, sweep=sweep)
    worker.run(product.books.tenant_id)
    product.clock.advance(3600)
    enter()

    ran = through(product, worker, days=8)

    assert work.names == met
    assert sum(each.news for each in ran) == len(met)


def test_a_round_costs_one_call_a_page_and_a_run_one_at_most() -> None:
    def calls(*, sweep: timedelta | None) -> list[int]:
        product = found_product()
        for number in range(1_050):
            product.books.add_contact(f"Contact {number}")

        def work(xero: Xero) -> None:
            Receivables(xero, clearing_account=CLEARING).match([Customer(id="c", custom_identifier="C")])

        worker = worker_of(product, work, sweep=sweep, every=timedelta(hours=6))
        worker.run(product.books.tenant_id)
        return [each.calls for each in through(product, worker, days=15)]

    without, swept = calls(sweep=None), calls(sweep=timedelta(days=7))

    assert max(swept) <= max(without) + 1
    assert sum(swept) - sum(without) == 3, "two pages of contacts, the first of them again after a week"


def test_an_hourly_look_at_fifty_changes_takes_six_calls_at_most(product: Product) -> None:
    customers = [Customer(id=f"c{number}", custom_identifier=f"Customer {number}") for number in range(50)]

    def work(xero: Xero) -> None:
        sales = Receivables(xero, clearing_account=CLEARING)
        sales.apply(sales.match(customers))
        sales.apply(sales.import_invoices())

    worker = worker_of(product, work, every=timedelta(hours=1), sweep=timedelta(hours=4))
    contacts = [product.books.add_contact(f"Customer {number}") for number in range(50)]
    worker.run(product.books.tenant_id)
    calls: list[int] = []
    for _ in range(12):
        product.clock.advance(3600)
        for contact in contacts:
            product.books.add_invoice(contact.id, amount=Decimal(10), date=DAY)
        ran = worker.run(product.books.tenant_id)
        assert (ran.ended, ran.news >= 50) == (Ended.DONE, True)
        calls.append(ran.calls)

    assert max(calls) <= 6
    assert len(set(calls)) > 1, "some of them swept"


@pytest.mark.parametrize("fault", [Fault.DAY_LIMIT, Fault.FORBIDDEN])
def test_a_sweep_that_meets_trouble_leaves_the_work_done_and_is_made_up_for(product: Product, fault: Fault) -> None:
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.books.add_contact("Somebody")
    sales.match([Customer(id="c", custom_identifier="C")])
    worker = worker_of(product, lambda _: None)
    began = worker.run(product.books.tenant_id)
    product.clock.advance(8 * 24 * 3600)
    product.simulator.faults.plan(fault)

    refused = worker.run(product.books.tenant_id)
    product.clock.advance(25 * 3600)
    swept = worker.run(product.books.tenant_id)

    assert [(each.ended, each.calls) for each in (began, refused, swept)] == [
        (Ended.DONE, 0), (Ended.DONE, 1), (Ended.DONE, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("sweep", [timedelta(), timedelta(days=-1)])
def test_a_round_that_takes_no_time_is_refused(product: Product, sweep: timedelta) -> None:
    with pytest.raises(InvalidInput, match="sweep"):
        worker_of(product, Suppliers(), sweep=sweep)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 1000))
def test_a_round_meets_every_page_of_every_list_once(contacts: int, invoices: int, hours: int) -> None:
    """An empty list is one page that shows nothing."""
    pages, shelves = {"contact": contacts, "invoice": invoices}, ("contact", "invoice")
    now = datetime(2026, 1, 5, tzinfo=UTC)
    place = Sweep("contact", 1, now)
    read: list[tuple[str, int]] = []
    for _ in range(max(contacts, 1) + max(invoices, 1)):
        read.append((place.shelf, place.page))
        place = place.after(pages[place.shelf], shelves, timedelta(hours=hours), now)

    assert read == [(name, page) for name in shelves for page in range(1, max(pages[name], 1) + 1)]
    assert (place.shelf, place.page) == ("contact", 1)
    assert place.due > now
