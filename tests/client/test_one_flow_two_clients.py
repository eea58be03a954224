"""One flow, two clients: the same names and signatures, plain or awaited, inside an event loop or without one."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

import pytest
from attrs import define
from tests.conftest import BANK, CLEARING, DAY, Product
from tests.engine.scenarios import charged_back, collected, paper

import xerosync
from xerosync import (
    App,
    AsyncConnections,
    AsyncDoctor,
    AsyncFleet,
    AsyncKeyRotation,
    AsyncLedger,
    AsyncOAuth,
    AsyncPayables,
    AsyncReceivables,
    AsyncWebhookInbox,
    AsyncWorker,
    AsyncXero,
    BillPayment,
    Connections,
    Customer,
    Doctor,
    Fleet,
    KeyRotation,
    Ledger,
    MemoryStore,
    OAuth,
    Payables,
    Receivables,
    WebhookInbox,
    Worker,
    Xero,
)
from xerosync.client import resources
from xerosync.client.resources import Contacts, Invoices
from xerosync.errors import Misconfigured
from xerosync.ports import Request, Response, Transport, TransportFault
from xerosync.storage import Storage
from xerosync.storage.adapt import threaded_storage

PUBLIC: list[tuple[type, type]] = [
    (AsyncXero, Xero),
    (AsyncReceivables, Receivables),
    (AsyncPayables, Payables),
    (AsyncLedger, Ledger),
    (AsyncDoctor, Doctor),
    (AsyncOAuth, OAuth),
    (AsyncConnections, Connections),
    (AsyncFleet, Fleet),
    (AsyncKeyRotation, KeyRotation),
    (AsyncWorker, Worker),
    (AsyncWebhookInbox, WebhookInbox),
]
PAIRS: list[tuple[type, type]] = [
    *PUBLIC,
    *(
        (getattr(resources, f"Async{name}"), getattr(resources, name))
        for name in resources.__all__
        if f"Async{name}" in resources.__all__
    ),
]
EACH_PAIR = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[1].__name__)


def methods(of: type) -> dict[str, object]:
    """The public methods of *of*, as the class has them."""
    named: dict[str, object] = {name: getattr(of, name) for name in dir(of) if not name.startswith("_")}
    return {name: value for name, value in named.items() if callable(value) and not isinstance(value, type)}


@EACH_PAIR
def test_both_clients_have_the_same_methods(pair: tuple[type, type]) -> None:
    asynchronous, plain = pair

    assert methods(plain).keys() == methods(asynchronous).keys()
    assert not [name for name in methods(plain) if "async" in name]


@EACH_PAIR
def test_each_method_has_one_signature_and_one_docstring(pair: tuple[type, type]) -> None:
    asynchronous, plain = pair
    for name, flow in methods(asynchronous).items():
        stepped = methods(plain)[name]
        assert callable(flow)
        assert callable(stepped)
        assert taken(stepped) == taken(flow), name
        assert inspect.getdoc(stepped) == inspect.getdoc(flow), name


def taken(method: Callable[..., object]) -> list[tuple[str, object, object]]:
    """What *method* takes: names, kinds and defaults."""
    return [(each.name, each.kind, each.default) for each in inspect.signature(method).parameters.values()]


@EACH_PAIR
def test_what_may_be_left_out_of_a_call_is_given_by_name(pair: tuple[type, type]) -> None:
    """So that another parameter may come between two of today's, and no call that was right means something else."""
    for name, method in methods(pair[0]).items():
        assert callable(method)
        _, *parameters = inspect.signature(method).parameters.values()
        left_out = [each.name for each in parameters[1:] if each.default is not each.empty]
        by_name = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
        assert set(left_out) <= set(by_name), name


@EACH_PAIR
def test_help_speaks_of_plain_calls_and_of_their_own_documents(pair: tuple[type, type]) -> None:
    """What an editor and ``help()`` show of a method is the method, not the flow that it steps."""
    _, plain = pair
    for name, method in methods(plain).items():
        assert callable(method)
        said = str(inspect.signature(method))
        assert not re.search(r"\bT\b|\bAsync(Iterator|Changes)\b|\bCoroutine\b", said), f"{name}{said}"


def test_help_names_the_documents_of_the_resource() -> None:
    def returned(method: Callable[..., object]) -> object:
        return inspect.signature(method).return_annotation

    assert returned(Invoices.list) == "Iterator[Invoice]"
    assert returned(Invoices.get) == "Invoice"
    assert returned(Invoices.changes) == "Changes[Invoice]"
    assert returned(Contacts.create) == "list[Written[Contact]]"


@pytest.mark.parametrize("pair", PUBLIC, ids=lambda pair: pair[1].__name__)
def test_both_clients_are_made_in_the_same_way(pair: tuple[type, type]) -> None:
    made, also = (
        {
            name: (parameter.kind, parameter.default)
            for name, parameter in inspect.signature(each).parameters.items()
            if not name.startswith("_")
        }
        for each in pair
    )

    assert made == also


def test_a_client_shows_which_organisation_it_serves(product: Product) -> None:
    xero = product.xero()

    assert repr(xero) == f"<Xero of organisation {product.books.tenant_id}>"
    assert repr(xero.asynchronous) == f"<AsyncXero of organisation {product.books.tenant_id}>"


def test_resources_stand_under_the_same_names_in_both(product: Product) -> None:
    xero = product.xero()
    kinds = tuple(kind for pair in PAIRS[len(PUBLIC) :] for kind in pair)

    def found(client: object) -> set[str]:
        return {name for name, value in vars(client).items() if isinstance(value, kinds)}

    assert found(xero) == found(xero.asynchronous)
    assert len(found(xero)) == len(PAIRS) - len(PUBLIC)


def test_the_plain_client_works_inside_a_running_event_loop(product: Product) -> None:
    """As in a notebook, whose cells all run inside a loop."""
    invoice = product.collectable("100.00")

    async def cell() -> int:
        sales = Receivables(product.xero(), clearing_account=CLEARING)
        plan = sales.settle(collected(invoice.id))
        await asyncio.sleep(0)
        report = sales.apply(plan)
        listed = list(product.xero().payments.list())
        first = next(iter(product.xero().accounts.list()))
        assert first.account_id
        return report.done("payment") * len(listed)

    assert asyncio.run(cell()) == 1
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


def test_a_list_left_half_read_inside_an_event_loop_leaves_nothing_behind(product: Product) -> None:
    for place in range(3):
        product.books.add_contact(f"Contact {place}")
    xero = product.xero()

    async def cell() -> None:
        for contact in xero.contacts.list():
            assert contact.contact_id
            break
        await asyncio.sleep(0)

    asyncio.run(cell())
    assert len(list(xero.contacts.list())) == 3


@define(eq=False)
class Suspending:
    """A way to Xero that really waits, as one over a socket does."""

    inner: Transport

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(0)
        return await self.inner.send(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        await asyncio.sleep(0)
        return await self.inner.send_all(requests, at_most=at_most)

    async def close(self) -> None:
        await asyncio.sleep(0)


def test_the_awaited_client_tells_the_whole_story_of_receivables(product: Product) -> None:
    invoice = product.invoice("Ana", "100.00")

    async def story() -> str:
        async with product.asynchronous(Suspending(product.simulator.transport)) as xero:
            await xero.connect(product.tokens)
            sales = AsyncReceivables(xero, clearing_account="620")
            await sales.apply(await sales.prepare())
            await sales.apply(await sales.match([Customer(id="1", custom_identifier="Ana")]))
            await sales.apply(await sales.import_invoices())
            await sales.apply(await sales.settle(collected(invoice.id)))
            assert product.standing(invoice.id) == [(Decimal(40), DAY)]
            await sales.apply(await sales.settle(charged_back(invoice.id)))
            assert [each.amount async for each in xero.payments.list()] == [Decimal(40)]
            await sales.recover()
            return str(await sales.reconcile())

    assert asyncio.run(story()) == "clearing 0.00 NZD = 0.00 NZD in flight + 0 exceptions"
    assert product.standing(invoice.id) == []


def test_the_awaited_client_tells_the_whole_story_of_payables(product: Product) -> None:
    async def story() -> list[str]:
        async with product.asynchronous(Suspending(product.simulator.transport)) as xero:
            await xero.connect(product.tokens)
            books = AsyncPayables(xero, payment_account=BANK)
            assert "429" in {account.code for account in await books.import_accounts()}
            await books.apply(await books.submit([paper("b", "10.00"), paper("c", "-4.00")]))
            await books.apply(await books.settle_credits())
            await books.apply(await books.pay([BillPayment(id="p", bill_id="b", on=DAY)]))
            await books.recover()
            return [each.status for each in await books.posted(["b", "c"])]

    assert asyncio.run(story()) == ["PAID", "PAID"]
    assert product.books.balance(product.books.account(BANK).id) == -6


def test_both_clients_continue_each_others_work_on_one_store(product: Product) -> None:
    invoice = product.collectable("100.00")
    plan = Receivables(product.xero(), clearing_account=CLEARING).settle(collected(invoice.id))

    async def apply() -> None:
        async with product.asynchronous() as xero:
            await AsyncReceivables(xero, clearing_account=CLEARING).apply(plan)

    asyncio.run(apply())

    assert not Receivables(product.xero(), clearing_account=CLEARING).settle(collected(invoice.id))
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


@pytest.mark.parametrize("connected", [False, True])
def test_an_asynchronous_way_to_xero_under_the_plain_client_is_refused(product: Product, connected: bool) -> None:
    invoice = product.collectable("100.00")
    plan = Receivables(product.xero(), clearing_account=CLEARING).settle(collected(invoice.id))
    xero = Xero(
        App(product.app.client_id),
        product.books.tenant_id,
        store=product.store if connected else MemoryStore(),
        transport=Suspending(product.simulator.transport),
        clock=product.clock,
    )

    with pytest.raises(Misconfigured, match="use AsyncXero, or a blocking port"):
        xero.connect(product.tokens)
    if connected:
        with pytest.raises(Misconfigured, match="asynchronous port"):
            Receivables(xero).apply(plan)
        with pytest.raises(Misconfigured, match="asynchronous port"):
            list(xero.invoices.list())
    assert product.live_payments() == []


def test_an_asynchronous_store_under_the_plain_client_is_refused_when_it_is_made(product: Product) -> None:
    awaited: object = threaded_storage(MemoryStore())

    with pytest.raises(Misconfigured, match="is an async store, which Xero cannot wait for"):
        Xero(App(product.app.client_id), product.books.tenant_id, store=cast(Storage, awaited))


def test_the_public_names_come_in_pairs() -> None:
    names = set(xerosync.__all__)

    assert {"Xero", "Receivables", "Payables"} <= names
    assert {name.removeprefix("Async") for name in names if name.startswith("Async")} <= names
    assert {name for name in names if name.startswith("Async")} == {pair[0].__name__ for pair in PUBLIC}
