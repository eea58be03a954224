"""What leaves the machine, and what the network does to it: the one file that knows HTTP (F 2, 3, 5)."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import httpx
import pytest
import respx
from attrs import define, field
from respx.models import Call
from tests.conftest import CLEARING, DAY, Product, nzd

from xerosync import (
    App,
    AsyncReceivables,
    AsyncXero,
    Endpoints,
    MemoryStore,
    Settlement,
    SettlementLine,
    Tokens,
    Xero,
)
from xerosync.client import _http
from xerosync.client.resources.written import Outcome
from xerosync.errors import InvalidInput, Unavailable, UnreadableAnswer
from xerosync.models import Contact, InvoiceId, Payment
from xerosync.ports import AnswerLost, Clock, NotSent, Request, Response, Transport, TransportFault
from xerosync.simulator import VirtualClock
from xerosync.transports import over

TENANT = "45e4708e-d862-4111-ab3a-dd8cd03913e1"
API = "https://api.xero.com/api.xro/2.0"
NOW = datetime(2026, 1, 5, tzinfo=UTC)
SECRET = "a-token-nobody-may-see"


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        connection = {"id": "c1", "tenantId": TENANT, "tenantType": "ORGANISATION", "tenantName": "Demo"}
        router.get("https://api.xero.com/connections").respond(json=[connection])
        organisation = {"OrganisationID": TENANT, "Name": "Demo", "BaseCurrency": "NZD"}
        router.get(f"{API}/Organisation").respond(json={"Organisations": [organisation]})
        yield router


@pytest.fixture
def xero(wire: respx.MockRouter) -> Iterator[Xero]:
    assert wire.routes
    clock = VirtualClock(NOW)
    client = Xero(App("client"), TENANT, store=MemoryStore(), transport=_http.BlockingTransport(clock), clock=clock)
    with client:
        client.connect(Tokens(SECRET, "refresh", NOW + timedelta(minutes=30)))
        yield client


def sent(wire: respx.MockRouter, path: str = "") -> httpx.Request:
    """The last request to *path*."""
    calls = cast(Sequence[Call], wire.calls)
    return [call.request for call in calls if path in str(call.request.url)][-1]


def test_a_read_names_the_organisation_and_asks_for_packed_json(wire: respx.MockRouter, xero: Xero) -> None:
    wire.get(f"{API}/Contacts").respond(json={"Contacts": []})

    assert list(xero.contacts.list()) == []

    headers = sent(wire, "/Contacts").headers
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Xero-Tenant-Id"] == TENANT
    assert headers["Accept"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip"
    assert headers["User-Agent"].startswith("xerosync/")
    assert "Idempotency-Key" not in headers
    assert "If-Modified-Since" not in headers
    assert dict(sent(wire, "/Contacts").url.params) == {"order": "ContactID", "page": "1", "pageSize": "1000"}


def test_modified_since_is_sent_in_utc_and_whole_seconds(wire: respx.MockRouter, xero: Xero) -> None:
    """F 4.18."""
    wire.get(f"{API}/Invoices").respond(json={"Invoices": []})
    auckland = datetime.fromisoformat("2026-01-05T13:00:01.999+13:00")

    assert list(xero.invoices.list(modified_since=auckland)) == []

    assert sent(wire, "/Invoices").headers["If-Modified-Since"] == "2026-01-05T00:00:01"
    with pytest.raises(InvalidInput, match="aware datetime"):
        list(xero.invoices.list(modified_since=datetime(2026, 1, 5)))  # noqa: DTZ001 (what this refuses)


def test_a_write_carries_a_key_of_its_organisation_that_xero_accepts(wire: respx.MockRouter, xero: Xero) -> None:
    """F 3.01, 3.07."""
    row = {"ContactID": "00b45e2b-8d8e-4b79-9e7d-0d5a3a5a1f6b", "Name": "Ana", "ContactStatus": "ACTIVE"}
    wire.put(f"{API}/Contacts").respond(json={"Contacts": [row]})

    (written,) = xero.contacts.create([Contact(name="Ana")])

    request = sent(wire, "/Contacts")
    assert request.headers["Idempotency-Key"].startswith(TENANT)
    assert len(request.headers["Idempotency-Key"]) <= 128
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content) == {"Contacts": [{"Name": "Ana"}]}
    assert str(request.url).endswith("Contacts?summarizeErrors=false")
    assert written.document is not None
    assert written.document.name == "Ana"


def test_amounts_travel_as_exact_numbers_both_ways(wire: respx.MockRouter, xero: Xero) -> None:
    body = b'{"Payments": [{"PaymentID": "00b45e2b-8d8e-4b79-9e7d-0d5a3a5a1f6b", "Amount": 9999999999.99}]}'
    wire.put(f"{API}/Payments").respond(content=body)
    payment = Payment(amount=Decimal("9999999999.99"), date=DAY)

    (written,) = xero.payments.create([payment])

    assert sent(wire, "/Payments").content == b'{"Payments":[{"Date":"2026-01-05","Amount":9999999999.99}]}'
    assert written.document is not None
    assert written.document.amount == Decimal("9999999999.99")


def test_a_packed_answer_is_unpacked(wire: respx.MockRouter, xero: Xero) -> None:
    packed = gzip.compress(b'{"Accounts": [{"Code": "090"}]}')
    wire.get(f"{API}/Accounts").respond(content=packed, headers={"Content-Encoding": "gzip"})

    assert [account.code for account in xero.accounts.list()] == ["090"]


def test_no_document_id_can_lead_to_another_path(wire: respx.MockRouter, xero: Xero) -> None:
    before = len(wire.calls)
    for crooked in ("../Accounts", "?where=1", "", "1 OR 1"):
        with pytest.raises(InvalidInput, match="UUID"):
            xero.invoices.get(crooked)

    assert len(wire.calls) == before


SENDING = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("no route"),
    httpx.PoolTimeout("busy"),
    httpx.UnsupportedProtocol("ftp"),
    httpx.ProxyError("407"),
]
ANSWERING = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("half an answer"),
    httpx.CloseError("closed"),
    httpx.DecodingError("bad gzip"),
]
KINDS = [(error, NotSent) for error in SENDING] + [(error, AnswerLost) for error in ANSWERING]
REQUEST = Request("PUT", f"{API}/Payments?where=Name%3D%22Ana%22", {"Authorization": f"Bearer {SECRET}"}, b"{}")


def transports(clock: Clock) -> dict[str, Transport]:
    return {"blocking": _http.BlockingTransport(clock), "asynchronous": _http.AsyncTransport(clock)}


def exchange(name: str, request: Request, clock: Clock | None = None) -> object:
    """Send by the transport called *name*, in a loop of its own; what came back, or what it raised."""

    async def once() -> object:
        transport = transports(clock or VirtualClock(NOW))[name]
        try:
            alone: object = await transport.send(request)
        except (NotSent, AnswerLost) as fault:
            alone = fault
        many = await transport.send_all([request, request], at_most=2)
        assert [type(each) for each in many] == [type(alone)] * 2
        await transport.close()
        return alone

    return asyncio.run(once())


@pytest.mark.parametrize("name", ["blocking", "asynchronous"])
@pytest.mark.parametrize(("error", "expected"), KINDS, ids=lambda value: type(value).__name__)
def test_a_network_fault_says_whether_anything_may_have_arrived(
    wire: respx.MockRouter, name: str, error: httpx.TransportError, expected: type
) -> None:
    wire.put(url__startswith=f"{API}/Payments").mock(side_effect=error)

    fault = exchange(name, REQUEST)

    assert type(fault) is expected
    assert str(fault) == f"{type(error).__name__} on the way to Xero"


@pytest.mark.parametrize("name", ["blocking", "asynchronous"])
def test_an_answer_comes_back_whole_with_its_headers(wire: respx.MockRouter, name: str) -> None:
    wire.put(url__startswith=f"{API}/Payments").respond(429, headers={"Retry-After": "7"}, content=b"slow down")

    answer = exchange(name, REQUEST)

    assert repr(answer) == "<Response 429 of 9 bytes>"
    assert SECRET not in repr(REQUEST)
    assert "Ana" not in repr(REQUEST)


@pytest.mark.parametrize("name", ["blocking", "asynchronous"])
def test_a_claim_that_has_run_out_is_never_sent(wire: respx.MockRouter, name: str) -> None:
    route = wire.put(url__startswith=f"{API}/Payments").respond(200)
    late = Request(REQUEST.method, REQUEST.url, REQUEST.headers, REQUEST.body, not_after=NOW)
    clock = VirtualClock(NOW + timedelta(microseconds=1))

    fault = exchange(name, late, clock)

    assert type(fault) is NotSent
    assert not route.called
    assert type(exchange(name, late, VirtualClock(NOW))).__name__ == "Response"


def test_the_claim_is_checked_as_the_last_thing_before_the_write(wire: respx.MockRouter) -> None:
    """A worker that sleeps while its request is made up must not post behind the back of its successor."""
    wire.put(url__startswith=f"{API}/Payments").respond(200)
    clock = VirtualClock(NOW)

    class Slow(httpx.Client):
        def build_request(self, *args: object, **kwargs: object) -> httpx.Request:
            clock.advance(60)
            return super().build_request(*args, **kwargs)  # type: ignore[arg-type]

    transport = _http.BlockingTransport(clock, Slow())
    late = Request("PUT", REQUEST.url, {}, b"{}", not_after=NOW + timedelta(seconds=20))

    with pytest.raises(NotSent, match="claim"):
        asyncio.run(transport.send(late))
    asyncio.run(transport.close())


def test_a_read_that_failed_is_read_again_and_gives_up_in_the_end(wire: respx.MockRouter, xero: Xero) -> None:
    answers: list[httpx.Response | Exception] = [
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(200, json={"Accounts": [{"Code": "090"}]}),
    ]
    wire.get(f"{API}/Accounts").mock(side_effect=answers)
    assert [account.code for account in xero.accounts.list()] == ["090"]

    wire.get(f"{API}/Accounts").mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(Unavailable, match="ReadTimeout on the way to Xero"):
        list(xero.accounts.list())


UNREADABLE = {
    "HTML": (b"<!DOCTYPE html><html>Sorry", "HTML or XML"),
    "XML": (b'<?xml version="1.0"?><Response/>', "HTML or XML"),
    "empty": (b"", "an empty body"),
    "cut short": (b'{"Contacts": [{"Name": "Ana', "no whole JSON"),
    "no UTF-8": (b'{"Contacts": [{"Name": "An\xff"}]}', "utf-8"),
    "two documents": (b'{"Contacts": []} {"Contacts": []}', "trailing"),
    "nested deep": (b'{"Contacts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
    "no number": (b'{"Contacts": [{"Discount": NaN}]}', "malformed"),
    "endless": (b'{"Contacts": [{"Discount": -Infinity}]}', "malformed"),
    "too large to say": (b'{"Contacts": [{"Discount": 1e99999999999999999999}]}', "no whole JSON"),
    "too large": (b'{"Contacts": [{"Discount": 1e400}]}', "a number that money cannot be"),
    "too long": (b'{"Contacts": [{"Discount": ' + b"1" * 5000 + b"}]}", "out of range"),
    "no number in a text": (b'{"Contacts": [{"Discount": "NaN"}]}', "a number is due here that money can be"),
    "an object where a list is due": (b'{"Contacts": {}}', "no such list"),
    "a text where an object is due": (b'{"Contacts": ["Ana"]}', "a str where an object is due"),
    "another list": (b'{"Invoices": []}', "no such list"),
    "a list where an id is due": (b'{"Contacts": [{"ContactID": [1]}]}', "a str is due here, not a list"),
    "an object where an id is due": (b'{"Contacts": [{"ContactID": {}}, {"ContactID": {}}]}', "a str is due here"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_answer_that_cannot_be_read_says_what_was_seen(wire: respx.MockRouter, xero: Xero, name: str) -> None:
    body, seen = UNREADABLE[name]
    wire.get(f"{API}/Contacts").respond(content=body, headers={"Content-Type": "application/json; charset=utf-8"})
    wire.put(f"{API}/Contacts").respond(content=body, headers={"Content-Type": "application/json; charset=utf-8"})

    with pytest.raises(UnreadableAnswer, match=seen) as unread:
        list(xero.contacts.list())
    assert unread.value.path.startswith("Contacts")
    assert "Ana" not in str(unread.value)
    try:
        (written,) = xero.contacts.create([Contact(name="Ana")])
    except UnreadableAnswer:
        return  # The element was there, and cannot be read.
    assert written.outcome is Outcome.UNKNOWN


def test_an_answer_that_is_too_large_is_not_asked_for_again(wire: respx.MockRouter) -> None:
    """Every gigabyte is paid for, and it would come so again."""
    route = wire.get(f"{API}/Contacts").respond(json={"Contacts": [{"Name": "x" * 2000}]})
    clock = VirtualClock(NOW)
    with httpx.Client() as client:
        transport = over(client, answer_bytes_max=1000, clock=clock)
        xero = Xero(App("client"), TENANT, store=MemoryStore(), transport=transport, clock=clock)
        xero.connect(Tokens(SECRET, "refresh", NOW + timedelta(minutes=30)))

        with pytest.raises(UnreadableAnswer, match="larger than 1,000 bytes"):
            list(xero.contacts.list())

    assert route.call_count == 1


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "text/plain; charset=utf-16", "nonsense", ""])
def test_json_is_json_whatever_it_is_called(wire: respx.MockRouter, xero: Xero, kind: str) -> None:
    body = '{"Accounts": [{"Code": "090", "Name": "Añá", "Code": "091"}]}'.encode()
    wire.get(f"{API}/Accounts").respond(content=body, headers={"Content-Type": kind})

    (account,) = xero.accounts.list()

    assert (account.name, account.code) == ("Añá", "091")


def test_a_write_that_is_cancelled_midway_stays_doubtful_and_is_found_again(product: Product) -> None:
    """Cancelling is not swallowed, and what it left open is looked for before anything is sent again."""
    invoice = product.collectable("100.00")
    settlement = Settlement(
        id="S1", on=DAY, lines=[SettlementLine(id="L1", transaction=invoice.id, amount=nzd("40.00"))]
    )

    async def story(url: str) -> int:
        async with httpx.AsyncClient() as client:
            watched = Watched(over(client, clock=product.clock))
            xero = AsyncXero(
                App(product.app.client_id, product.app.client_secret),
                product.books.tenant_id,
                store=product.store,
                transport=watched,
                clock=product.clock,
                endpoints=Endpoints.at(url),
                quarantine_s=0.0,
            )
            await xero.connect(product.tokens)
            sales = AsyncReceivables(xero, clearing_account=CLEARING)
            plan = await sales.settle(settlement)
            task = asyncio.create_task(sales.apply(plan))
            await watched.writing.wait()
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while not product.live_payments():  # noqa: ASYNC110 - another thread's books tell of no event
                await asyncio.sleep(0.01)
            recovery = await sales.recover()
            assert (await sales.apply(plan)).done("payment") == 0
            return recovery.found

    with product.simulator.serve(latency_s=0.3) as loopback:
        assert asyncio.run(story(loopback.url)) == 1
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


@define
class Watched:
    """A way to Xero that tells when a payment is on its way."""

    inner: Transport
    writing: asyncio.Event = field(factory=asyncio.Event)

    async def send(self, request: Request) -> Response:
        if request.method == "PUT":
            self.writing.set()
        return await self.inner.send(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        return await self.inner.send_all(requests, at_most=at_most)

    async def close(self) -> None:
        await self.inner.close()


def test_the_awaited_client_sends_the_same_bytes(wire: respx.MockRouter) -> None:
    row = {"ContactID": "00b45e2b-8d8e-4b79-9e7d-0d5a3a5a1f6b", "Name": "Ana"}
    wire.put(f"{API}/Contacts").respond(json={"Contacts": [row]})

    async def write() -> None:
        clock = VirtualClock(NOW)
        async with AsyncXero(
            App("client"), TENANT, store=MemoryStore(), transport=_http.AsyncTransport(clock), clock=clock
        ) as xero:
            await xero.connect(Tokens(SECRET, "refresh", NOW + timedelta(minutes=30)))
            await xero.contacts.create([Contact(name="Ana")])

    asyncio.run(write())

    assert sent(wire, "/Contacts").content == b'{"Contacts":[{"Name":"Ana"}]}'
    assert sent(wire, "/Contacts").headers["Idempotency-Key"].startswith(TENANT)


def test_both_clocks_tell_utc_and_wait() -> None:
    for clock in (_http.BlockingClock(), _http.AsyncClock()):
        before = clock.now()
        asyncio.run(clock.sleep(0.01))
        asyncio.run(clock.sleep(-1))
        assert clock.now() - before >= timedelta(seconds=0.009)
        assert clock.now().utcoffset() == timedelta()


def test_the_real_client_over_loopback_http(product: Product) -> None:
    """The same bytes over a socket: the simulator served, the library's own transport and clock."""
    invoice = product.invoice("Ana", "100.00")
    with product.simulator.serve() as loopback:
        xero = Xero(
            App(product.app.client_id, product.app.client_secret),
            product.books.tenant_id,
            store=MemoryStore(),
            clock=product.clock,
            endpoints=Endpoints.at(loopback.url),
        )
        with xero:
            xero.connect(product.tokens)
            found = xero.invoices.get(invoice.id)

    assert found.invoice_id == InvoiceId(invoice.id)
    assert found.total == Decimal(100)
