"""A product of the tests' own: one organisation in the simulator, an app let into it, and clients on any store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import define, field
from tests import openapi
from tests.canaries import no_secret_comes_out, pytest_runtest_makereport

from xerosync import App, AsyncXero, Customer, MemoryStore, Money, Payables, Receivables, Tokens, Xero
from xerosync.ports import Request, Response, Transport, TransportFault
from xerosync.simulator import Bookkeeper, Document, Payment, SimulatedApp, Simulator, Switches, VirtualClock
from xerosync.storage import Storage

__all__ = ["no_secret_comes_out", "pytest_runtest_makereport"]


def pytest_configure() -> None:
    """No example has a deadline: what a busy machine takes for one says nothing of xerosync."""
    from hypothesis import settings  # noqa: PLC0415 (the benchmarks import this module, and count what memory they take)

    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def specified() -> Iterator[None]:
    """Every answer of every simulator is what Xero's specification says, where that lies beside the project."""
    if not openapi.SHARED.is_dir():
        yield
        return
    stop = openapi.watch()
    yield
    stop()


BANK = "090"
CLEARING = "091"
DAY = date(2026, 1, 5)


def nzd(amount: str | int | Decimal) -> Money:
    return Money(amount, "NZD")


def _pass(_: Request) -> None:
    """Nothing happens."""


@define(eq=False)
class Through:
    """A way to Xero at which something happens *before* a call leaves, or *after* its answer has come."""

    inner: Transport
    before: Callable[[Request], None] = _pass
    after: Callable[[Request], None] = _pass

    async def send(self, request: Request) -> Response:
        self.before(request)
        response = await self.inner.send(request)
        self.after(request)
        return response

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        for request in requests:
            self.before(request)
        responses = await self.inner.send_all(requests, at_most=at_most)
        for request in requests:
            self.after(request)
        return responses

    async def close(self) -> None:
        await self.inner.close()


def is_write(request: Request, path: str = "") -> bool:
    """Whether *request* writes to the books, to *path* if given."""
    return request.method != "GET" and "/api.xro/" in request.url and path in request.url


@define(eq=False)
class Product:
    """An app in one organisation. Its clients share the store, as the workers of a product do, unless given another."""

    simulator: Simulator
    books: Bookkeeper
    app: SimulatedApp
    tokens: Tokens
    store: Storage = field(factory=MemoryStore)

    @property
    def clock(self) -> VirtualClock:
        assert isinstance(self.simulator.clock, VirtualClock)
        return self.simulator.clock

    def xero(
        self, *, store: Storage | None = None, transport: Transport | None = None, quarantine_s: float = 0.0
    ) -> Xero:
        """A connected client, on the product's own store unless given another."""
        client = Xero(
            App(self.app.client_id, self.app.client_secret),
            self.books.tenant_id,
            store=self.store if store is None else store,
            transport=transport or self.simulator.transport,
            clock=self.clock,
            quarantine_s=quarantine_s,
        )
        client.connect(self.tokens)
        return client

    def let_in_again(self, *, by_host: bool) -> None:
        """End the connection, by the host or the bookkeeper, and consent anew; later clients have the new tokens."""
        if by_host:
            self.xero().disconnect()
        else:
            self.books.disconnect()
        given = self.simulator.consent(self.app, tenants=[self.books.tenant_id])
        ends = self.clock.now() + timedelta(seconds=given.expires_in)
        self.tokens = Tokens(given.access_token, given.refresh_token, ends)

    def asynchronous(self, transport: Transport | None = None) -> AsyncXero:
        """A client that is awaited; not yet connected."""
        return AsyncXero(
            App(self.app.client_id, self.app.client_secret),
            self.books.tenant_id,
            store=self.store,
            transport=transport or self.simulator.transport,
            clock=self.clock,
            quarantine_s=0.0,
        )

    def invoice(self, contact: str, amount: str, number: str = "") -> Document:
        """Let the bookkeeper enter an approved sale to the contact of this name, who is added when there is none."""
        found = [one.id for one in self.books.contacts if one.name == contact and one.status == "ACTIVE"]
        contact_id = found[0] if found else self.books.add_contact(contact).id
        return self.books.add_invoice(contact_id, number=number, amount=Decimal(amount), date=DAY)

    def collectable(self, amount: str = "100.00", contact: str = "Ana Costa") -> Document:
        """An invoice whose customer is connected, and that is imported: its id is the transaction's."""
        invoice = self.invoice(contact, amount)
        sales = Receivables(self.xero())
        sales.apply(sales.match([Customer(id=contact[:3], custom_identifier=contact)]))
        sales.apply(sales.import_invoices())
        return invoice

    def standing(self, document_id: str) -> list[tuple[Decimal, date]]:
        """The amount and day of each payment of a document that was not removed, in order."""
        return sorted((each.amount, each.date) for each in self.books.payments_of(document_id))

    def live_payments(self) -> list[Payment]:
        return [each for each in self.books.payments if each.status == "AUTHORISED"]

    def live_bills(self) -> list[Document]:
        return [each for each in self.books.invoices if each.type == "ACCPAY" and each.is_posted]


def found_product(*, limits: bool = False, switches: Switches | None = None) -> Product:
    """A product in an organisation of its own."""
    simulator = Simulator(limits=limits, switches=switches)
    books = simulator.add_organisation()
    app = simulator.register_app("Tests")
    given = simulator.consent(app, tenants=[books.tenant_id])
    expires_at = simulator.clock.now() + timedelta(seconds=given.expires_in)
    return Product(simulator, books, app, Tokens(given.access_token, given.refresh_token, expires_at))


@pytest.fixture
def product() -> Iterator[Product]:
    founded = found_product()
    yield founded
    assert founded.simulator.faults.unmet() == []
    founded.simulator.close()


@pytest.fixture
def books(product: Product) -> Bookkeeper:
    return product.books


@pytest.fixture
def xero(product: Product) -> Xero:
    return product.xero()


@pytest.fixture
def sales(xero: Xero) -> Receivables:
    return Receivables(xero, clearing_account=CLEARING)


@pytest.fixture
def purchases(xero: Xero) -> Payables:
    return Payables(xero, payment_account=BANK)
