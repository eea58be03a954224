"""What a client and a run spend, and the budget at which a run stops."""

from __future__ import annotations

import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import respx
from tests.conftest import CLEARING, Product, Through, found_product
from tests.engine.scenarios import collected

from xerosync import App, MemoryStore, Receivables, Tokens, Xero
from xerosync.client import _http
from xerosync.client.resources import Outcome
from xerosync.errors import BudgetSpent, InvalidInput
from xerosync.models import Contact
from xerosync.ports import NotSent, Request
from xerosync.simulator import Fault, VirtualClock
from xerosync.simulator.given import Fields

TENANT = "45e4708e-d862-4111-ab3a-dd8cd03913e1"


def test_calls_and_bytes_are_counted_for_the_client_and_for_the_run(product: Product, xero: Xero) -> None:
    before = xero.usage
    with xero.run() as run:
        xero.contacts.create([Contact(name="Ana")])
        list(xero.contacts.list())

    assert run.usage.calls == xero.usage.calls - before.calls == 2
    assert run.usage.bytes_up == len(b'{"Contacts":[{"Name":"Ana"}]}')
    assert run.usage.bytes_down == xero.usage.bytes_down - before.bytes_down > 500
    xero.organisation()
    assert (run.usage.calls, xero.usage.calls - before.calls) == (2, 3)
    assert product.books.contacts


def test_calls_that_were_sent_again_count_and_so_does_one_whose_answer_was_lost(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.LOST_AFTER, method="GET", path="/Contacts")
    with xero.run() as run:
        list(xero.contacts.list())

    assert run.usage.calls == 2


def test_what_is_left_is_as_xero_says() -> None:
    product = found_product(limits=True)
    xero = product.xero()
    list(xero.contacts.list())
    first = xero.usage
    list(xero.contacts.list())

    assert first.day_left is not None
    assert first.minute_left is not None
    assert (xero.usage.day_left, xero.usage.minute_left) == (first.day_left - 1, first.minute_left - 1)
    assert xero.usage.app_minute_left == first.app_minute_left - 1  # type: ignore[operator]
    product.simulator.close()


def test_bytes_are_those_of_the_wire_packed_as_they_came() -> None:
    body = b'{"Accounts": [' + b",".join([b'{"Code": "090"}'] * 500) + b"]}"
    packed = gzip.compress(body)
    clock = VirtualClock(datetime(2026, 1, 5, tzinfo=UTC))
    with respx.mock(assert_all_called=False) as wire:
        wire.get("https://api.xero.com/connections").respond(
            json=[{"id": "c1", "tenantId": TENANT, "tenantType": "ORGANISATION", "tenantName": "Demo"}]
        )
        wire.get("https://api.xero.com/api.xro/2.0/Organisation").respond(
            json={"Organisations": [{"OrganisationID": TENANT, "Name": "Demo"}]}
        )
        wire.get("https://api.xero.com/api.xro/2.0/Accounts").mock(
            return_value=httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(packed))
        )
        xero = Xero(App("app"), TENANT, store=MemoryStore(), transport=_http.BlockingTransport(clock), clock=clock)
        xero.connect(Tokens("access", "refresh", clock.now() + timedelta(minutes=30)))
        with xero, xero.run() as run:
            assert len(list(xero.accounts.list())) == 500

    assert run.usage.bytes_down == len(packed) < len(body)


def test_a_run_stops_between_two_calls_when_its_calls_are_spent(product: Product, xero: Xero) -> None:
    calls = product.simulator.calls
    with xero.run(calls=2) as run:
        xero.organisation()
        xero.organisation()
        with pytest.raises(BudgetSpent) as stopped:
            xero.organisation()

    assert (stopped.value.what, stopped.value.spent, stopped.value.allowed) == ("calls", 2, 2)
    assert "run it again" in str(stopped.value)
    assert run.usage.calls == product.simulator.calls - calls == 2
    assert xero.organisation().name


def test_a_run_stops_when_its_bytes_are_spent(product: Product, xero: Xero) -> None:
    for place in range(20):
        product.books.add_contact(f"Contact {place}")
    with xero.run(bytes_down=1_000) as run:
        list(xero.contacts.list())
        with pytest.raises(BudgetSpent, match="bytes_down"):
            list(xero.contacts.list())

    assert run.usage.bytes_down > 1_000
    assert run.usage.calls == 1


def test_a_plan_stopped_by_the_budget_goes_on_in_the_next_run(product: Product) -> None:
    """Nothing is lost and nothing is there twice, wherever it stops."""
    invoice = product.collectable("100.00")
    xero = product.xero()
    sales = Receivables(xero, clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    stops = 0
    for calls in range(1, 9):
        try:
            with xero.run(calls=calls):
                sales.apply(plan)
            break
        except BudgetSpent:
            stops += 1

    assert stops > 0
    assert [amount for amount, _ in product.standing(invoice.id)] == [Decimal(40)]


def test_documents_that_the_budget_left_out_are_told_apart(product: Product, xero: Xero) -> None:
    with xero.run(calls=1):
        written = xero.contacts.create([Contact(name=f"Contact {place}") for place in range(60)])

    assert [each.outcome for each in written] == [Outcome.CREATED] * 50 + [Outcome.REJECTED] * 10
    assert len(product.books.contacts) == 50


def test_pages_that_are_read_together_stay_within_the_budget(product: Product, xero: Xero) -> None:
    contact = product.books.add_contact("Ana")
    rows: list[Fields] = [{"contact": "Ana", "number": f"N{place}", "amount": Decimal(1)} for place in range(4001)]
    product.books.set_up("many", invoices=rows)
    before = product.simulator.calls

    with xero.run(calls=3), pytest.raises(BudgetSpent):
        list(xero.invoices.list(contact_ids=[contact.id]))
    assert product.simulator.calls - before == 3
    with xero.run(calls=5):
        assert len(list(xero.invoices.list(contact_ids=[contact.id]))) == 4001


def test_runs_may_be_nested_and_the_outer_one_pays_too(product: Product, xero: Xero) -> None:
    with xero.run(calls=3) as outer:
        with xero.run(calls=2) as inner:
            xero.organisation()
            xero.organisation()
            with pytest.raises(BudgetSpent) as stopped:
                xero.organisation()
        xero.organisation()
        with pytest.raises(BudgetSpent) as again:
            xero.organisation()

    assert (stopped.value.allowed, again.value.allowed) == (2, 3)
    assert (inner.usage.calls, outer.usage.calls) == (2, 3)
    assert product.simulator.calls >= 3


def test_each_client_and_each_task_has_runs_of_its_own(product: Product) -> None:
    other = product.xero()
    with product.xero().run(calls=1) as idle:
        assert other.organisation().name
        assert other.organisation().name
    assert idle.usage.calls == 0

    async def story() -> list[int]:
        xero = product.asynchronous()
        await xero.connect(product.tokens)

        async def ask(times: int) -> int:
            with xero.run(calls=times) as run:
                for _ in range(times):
                    await xero.organisation()
                    await asyncio.sleep(0)
                return run.usage.calls

        return list(await asyncio.gather(ask(1), ask(3)))

    assert asyncio.run(story()) == [1, 3]


def test_a_call_that_never_left_is_not_spent(product: Product) -> None:
    down = [True, True, False]

    def maybe(request: Request) -> None:
        if "/Contacts" in request.url and down.pop(0):
            raise NotSent("no connection")

    xero = product.xero(transport=Through(product.simulator.transport, before=maybe))
    with xero.run(calls=1) as run:
        assert list(xero.contacts.list()) == []

    assert run.usage.calls == 1


def test_a_budget_of_nothing_is_refused(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match="calls"):
        xero.run(calls=0)
    with pytest.raises(InvalidInput, match="bytes_down"):
        xero.run(bytes_down=-1)
