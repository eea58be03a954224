"""
What is beside the engine, killed at any moment and done again: no token, no news, no connection is lost.

The engine's own flows are killed in `tests/engine/test_crashes.py`, every other verb that keeps anything here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from attrs import frozen
from tests.client.test_one_flow_two_clients import PUBLIC
from tests.client.workers import client, reconnect
from tests.conftest import CLEARING, Product, Through
from tests.engine.crashes import Crash, Fuse, Mortal, found_mortal
from tests.engine.scenarios import collected
from tests.engine.test_simulation import PUBLIC as OF_THE_ENGINE

from xerosync import (
    App,
    ConnectionState,
    Customer,
    Doctor,
    KeyRing,
    KeyRotation,
    MemoryStore,
    OAuth,
    Receivables,
    WebhookInbox,
    Worker,
    Xero,
    encrypted,
)
from xerosync.engine.inbox import EVENT, WAITING
from xerosync.engine.mirror import CONTACTS
from xerosync.ports import Request, Response, Transport
from xerosync.webhooks import SIGNATURE

Act = Callable[[Fuse], None]
Check = Callable[[], None]


@frozen
class Flow:
    """Some *verbs*: what a process does, and what must be so once another one has done it again."""

    name: str
    verbs: frozenset[str]
    begin: Callable[[Mortal], tuple[Act, Check]]


def way(mortal: Mortal, fuse: Fuse) -> Transport:
    """The way to Xero of the process that holds *fuse*, which is the store's from now on."""
    mortal.store.fuse = fuse

    def burn(_: Request) -> None:
        fuse.burn()

    return Through(mortal.product.simulator.transport, before=burn, after=burn)


def app_of(product: Product) -> App:
    return App(product.app.client_id, product.app.client_secret)


def _connecting(mortal: Mortal) -> tuple[Act, Check]:
    product = mortal.product

    def act(fuse: Fuse) -> None:
        client(product, transport=way(mortal, fuse)).connect(product.tokens, company="7")

    def check() -> None:
        assert client(product).organisation().name
        assert len(product.store.query("company", "")) == len(product.store.query("grant", "")) == 1

    return act, check


def _disconnecting(mortal: Mortal) -> tuple[Act, Check]:
    product = mortal.product
    product.xero()

    def act(fuse: Fuse) -> None:
        client(product, transport=way(mortal, fuse)).disconnect()

    def check() -> None:
        assert client(product).connection_state() is ConnectionState.RECONNECT
        reconnect(product)
        assert client(product).organisation().name

    return act, check


def _revoking(mortal: Mortal) -> tuple[Act, Check]:
    product = mortal.product
    product.xero()

    def act(fuse: Fuse) -> None:
        client(product, transport=way(mortal, fuse)).revoke()

    def check() -> None:
        assert client(product).connection_state() is ConnectionState.RECONNECT
        (grant,) = product.store.query("grant", "")
        assert product.tokens.access_token.reveal() not in grant.body
        reconnect(product)
        assert client(product).organisation().name

    return act, check


def _kept_alive(mortal: Mortal) -> tuple[Act, Check]:
    product = mortal.product
    product.xero()
    product.clock.advance(timedelta(days=31).total_seconds())

    def act(fuse: Fuse) -> None:
        with OAuth(app_of(product), transport=way(mortal, fuse), clock=product.clock) as oauth:
            oauth.keep_alive(mortal.store)

    def check() -> None:
        product.clock.advance(timedelta(days=31).total_seconds())
        assert client(product).organisation().name

    return act, check


def _used(mortal: Mortal) -> tuple[Act, Check]:
    """Verbs that read, with a token that has ended."""
    product = mortal.product
    product.xero()
    product.clock.advance(timedelta(hours=1).total_seconds())

    def act(fuse: Fuse) -> None:
        xero = client(product, transport=way(mortal, fuse))
        assert xero.organisation().name
        assert xero.tokens().scopes is not None
        assert len(list(xero.connections())) == 1
        assert xero.actions() is not None
        summary = xero.connection_summary()
        assert summary is not None
        assert summary.state is xero.connection_state() is ConnectionState.CONNECTED

    def check() -> None:
        product.clock.advance(timedelta(hours=1).total_seconds())
        assert client(product).organisation().name

    return act, check


def _examined(mortal: Mortal) -> tuple[Act, Check]:
    product = mortal.product
    product.xero()
    product.clock.advance(timedelta(hours=1).total_seconds())

    def act(fuse: Fuse) -> None:
        assert Doctor(client(product, transport=way(mortal, fuse))).examine()

    def check() -> None:
        act(Fuse())
        assert product.store.query("doctor", product.books.tenant_id) == []

    return act, check


def _rotated(mortal: Mortal) -> tuple[Act, Check]:
    product = mortal.product
    old, new = KeyRing.new_key(), KeyRing.new_key()
    before = encrypted(mortal.store, KeyRing(old))
    xero = client(product, store=before)
    xero.connect(product.tokens, company="7")
    product.invoice("Ana", "100.00")
    Receivables(xero).apply(Receivables(xero).match([Customer(id="1", custom_identifier="Ana")]))

    def act(fuse: Fuse) -> None:
        mortal.store.fuse = fuse
        rotation = KeyRotation(encrypted(mortal.store, KeyRing(new, old)), clock=product.clock)
        while rotation.run().busy:  # the lease of the dead is waited out
            product.clock.advance(60)

    def check() -> None:
        after = encrypted(mortal.store, KeyRing(new))
        sales = Receivables(client(product, store=after))
        assert len(sales.match([Customer(id="1", custom_identifier="Ana")])) == 0
        assert after.query(CONTACTS.kind, product.books.tenant_id)

    return act, check


def _worked(mortal: Mortal) -> tuple[Act, Check]:
    """A worker hears by a webhook of an invoice that is to be collected, and collects it."""
    product = mortal.product
    product.xero()
    heard: list[Request] = []
    webhooks = product.simulator.webhooks
    key = webhooks.subscribe(product.app.client_id, lambda request: _held(heard, request, key)).key
    assert webhooks.validate(product.app.client_id)
    invoice = product.invoice("Ana", "100.00")
    product.clock.advance(timedelta(hours=1).total_seconds())
    webhooks.deliver()
    assert len(heard) > 1

    def work(xero: Xero) -> None:
        sales = Receivables(xero, clearing_account=CLEARING)
        sales.apply(sales.match([Customer(id="1", custom_identifier="Ana")]))
        sales.apply(sales.import_invoices())
        sales.apply(sales.settle(collected(invoice.id)))

    def act(fuse: Fuse) -> None:
        transport = way(mortal, fuse)
        inbox = WebhookInbox(mortal.store, key, clock=product.clock)
        for request in heard:  # Xero sends again what was not answered
            inbox.receive(request.body, request.headers.get(SIGNATURE))
        worker = Worker(
            app_of(product), store=mortal.store, work=work, transport=transport, clock=product.clock, quarantine_s=0.0
        )
        worker.enrol()
        worker.wake(product.books.tenant_id)
        turns = count()
        worker.run_forever(should_stop=lambda: next(turns) > 3)
        for _ in range(20):  # the lease of the dead is waited out
            for due in worker.due():
                worker.run(due.organisation)
            product.clock.advance(60)

    def check() -> None:
        assert len(product.live_payments()) == 1
        assert not mortal.store.query(EVENT, product.books.tenant_id, states=[WAITING])

    return act, check


def _held(heard: list[Request], request: Request, key: str) -> Response:
    """Keep *request* for the process to come, and answer as the host would have."""
    heard.append(request)
    return Response(WebhookInbox(MemoryStore(), key).receive(request.body, request.headers[SIGNATURE]).status)


FLOWS = (
    Flow("connect", frozenset({"AsyncXero.connect"}), _connecting),
    Flow("disconnect", frozenset({"AsyncXero.disconnect"}), _disconnecting),
    Flow("revoke", frozenset({"AsyncXero.revoke"}), _revoking),
    Flow("keep alive", frozenset({"AsyncOAuth.keep_alive"}), _kept_alive),
    Flow(
        "use",
        frozenset(
            f"AsyncXero.{verb}"
            for verb in ("organisation", "tokens", "connections", "actions", "connection_summary", "connection_state")
        ),
        _used,
    ),
    Flow("examine", frozenset({"AsyncDoctor.examine"}), _examined),
    Flow("rotate the key", frozenset({"AsyncKeyRotation.run"}), _rotated),
    Flow(
        "work",
        frozenset(
            {"AsyncWebhookInbox.receive"}
            | {f"AsyncWorker.{verb}" for verb in ("enrol", "wake", "due", "run", "run_forever")}
        ),
        _worked,
    ),
)
KEEP_NOTHING = frozenset(
    {
        *(f"AsyncOAuth.{verb}" for verb in ("exchange", "client_credentials", "connections", "disconnect", "revoke")),
        *("AsyncXero.close", "AsyncOAuth.close", "AsyncConnections.list", "AsyncConnections.of", "AsyncFleet.status"),
    }
)
"""Verbs that only read the store, or have none: a death in them leaves nothing half done here."""

EACH_FLOW = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)


def moments(flow: Flow) -> int:
    """At how many moments a process of *flow* may die: before and after each call of a port that changes anything."""
    act, check = flow.begin(found_mortal())
    act(fuse := Fuse())
    check()
    return fuse.moments


@EACH_FLOW
def test_a_process_killed_at_any_moment_is_followed_by_another_that_ends_it(flow: Flow) -> None:
    for moment in range(1, moments(flow) + 1):
        mortal = found_mortal()
        act, check = flow.begin(mortal)
        with suppress(Crash):
            act(Fuse(blows_at=moment))
        mortal.product.clock.advance(120)

        mortal.store.fuse = Fuse()
        act(Fuse())

        mortal.store.fuse = Fuse()
        try:
            check()
        except Exception as error:
            raise AssertionError(f"{flow.name}, killed at moment {moment}: {error!r}") from error


def test_every_verb_beside_the_engine_is_killed_or_keeps_nothing() -> None:
    """One that is not in the table fails this: add it to a flow."""
    awaited = {
        f"{each.__name__}.{name}"
        for each, _ in PUBLIC
        if each not in OF_THE_ENGINE
        for name, verb in inspect.getmembers(each, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    killed = frozenset[str]().union(*(flow.verbs for flow in FLOWS))

    assert awaited - killed - KEEP_NOTHING == set()
    assert killed & KEEP_NOTHING == set()
