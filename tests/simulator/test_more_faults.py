"""Bad days of every kind, on order or by chance, each in Xero's own way (facts section 2)."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, make, payment

from xerosync.errors import InvalidInput
from xerosync.ports import AnswerLost, Request
from xerosync.simulator import Document, Fault, FaultNotMet, Simulator


@pytest.fixture
def sale(product: Product) -> Document:
    return product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal("100.00"))


@pytest.mark.rank(8, 47)
@pytest.mark.parametrize(
    ("fault", "problem", "shows", "hides"),
    [
        (Fault.APP_MINUTE_LIMIT, "appminute", {"retry-after", "x-daylimit-remaining"}, set()),
        (Fault.SILENT_LIMIT, "minute", {"x-minlimit-remaining"}, {"retry-after", "x-daylimit-remaining"}),
        (Fault.DAY_LIMIT, "day", {"retry-after", "x-daylimit-remaining"}, set()),
        (Fault.CONCURRENT_LIMIT, "concurrent", {"x-daylimit-remaining"}, {"retry-after"}),
    ],
)
def test_every_limit_refuses_in_its_own_headers(
    product: Product, fault: Fault, problem: str, shows: set[str], hides: set[str]
) -> None:
    """F 2.05–2.09."""
    product.simulator.faults.plan(fault)

    reply = product.call("GET", "Contacts")

    assert (reply.status, reply.text, reply.headers["x-rate-limit-problem"]) == (429, "", problem)
    assert shows <= set(reply.headers)
    assert hides & set(reply.headers) == set()


@pytest.mark.rank(58)
@pytest.mark.parametrize(
    ("fault", "said", "done"),
    [
        (Fault.MAINTENANCE, (503, "temporarily unavailable"), False),
        (Fault.UNAVAILABLE, (503, "The Organisation is offline"), False),
        (Fault.KEYS_DOWN, (500, "unhandled error"), False),
        (Fault.GATEWAY_TIMEOUT, (504, "504 Gateway Time-out"), True),
        (Fault.BAD_GATEWAY, (502, "502 Bad Gateway"), True),
        (Fault.FORBIDDEN, (403, "AuthenticationUnsuccessful"), False),
        (Fault.MISSING_SCOPE, (401, "AuthorizationUnsuccessful"), False),
    ],
)
def test_servers_and_edges_fail_with_or_without_the_write(
    product: Product, sale: Document, fault: Fault, said: tuple[int, str], done: bool
) -> None:
    product.simulator.faults.plan(fault, method="PUT", path="Payments")

    reply = product.call("PUT", "Payments", payment(sale.id, "10.00"), Idempotency_Key="k")

    assert reply.status == said[0]
    assert said[1] in reply.text
    assert len(product.books.payments) == int(done)
    again = product.call("PUT", "Payments", payment(sale.id, "10.00"), Idempotency_Key="k")
    assert again.status == 200
    assert len(product.books.payments) == 1


def test_a_missing_scope_is_named_and_a_revoked_token_stays_dead(product: Product) -> None:
    """F 1.52, 1.53."""
    product.simulator.faults.plan(Fault.MISSING_SCOPE)
    assert product.call("GET", "Contacts").headers["www-authenticate"] == "insufficient_scope"
    assert product.call("GET", "Contacts").status == 200

    product.simulator.faults.plan(Fault.REVOKED_TOKEN)
    for _ in range(2):
        reply = product.call("GET", "Contacts")
        assert (reply.status, reply.row["Detail"]) == (401, "AuthenticationUnsuccessful")
    assert product.refresh(product.refresh_token).status == 200


@pytest.mark.rank(2)
def test_a_batch_may_be_taken_in_part(product: Product) -> None:
    sent: Sent = {"Contacts": [{"Name": "Ana"}, {"Name": "Bo"}]}
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, path="Contacts")

    reply = product.call("PUT", "Contacts?summarizeErrors=false", sent)

    assert [row["StatusAttributeString"] for row in reply.rows("Contacts")] == ["OK", "ERROR"]
    assert [one.name for one in product.books.contacts] == ["Ana"]


def test_an_answer_may_come_late(product: Product, sale: Document) -> None:
    before = product.simulator.clock.now()
    product.simulator.faults.plan(Fault.DELAYED, path="Payments")

    assert product.call("PUT", "Payments", payment(sale.id, "10.00")).status == 200
    assert product.simulator.clock.now() - before >= timedelta(seconds=60)


@pytest.mark.rank(16)
def test_somebody_edits_between_two_pages(product: Product) -> None:
    """F 4.14: the row that moved to the end pulls the next page's first row onto the page that was read."""
    made = [product.books.add_contact(name) for name in ("Ana", "Bo", "Cy")]
    product.simulator.faults.then(lambda: product.books.rename_contact(made[0].id, "Zoe"), path="/Contacts")

    pages = [product.call("GET", f"Contacts?page={page}&pageSize=2").rows("Contacts") for page in (1, 2)]

    assert [[row["Name"] for row in page] for page in pages] == [["Ana", "Bo"], ["Zoe"]]
    assert product.simulator.faults.unmet() == []


def test_a_storm_strikes_the_same_calls_for_the_same_seed() -> None:
    def struck(seed: int) -> list[tuple[int, Fault]]:
        product = make()
        storm = product.simulator.faults.storm(seed=seed, rate=0.3, method="GET")
        for _ in range(60):
            try:
                product.call("GET", "Organisation")
            except AnswerLost:
                continue
        return storm.struck

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 8 <= len(struck(1)) <= 30
    with pytest.raises(InvalidInput, match="rate"):
        make().simulator.faults.storm(seed=1, rate=0)


def test_what_was_planned_and_never_met_fails_the_test_that_planned_it() -> None:
    def untouched() -> None:
        with Simulator() as simulator:
            simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments", times=2)
            simulator.faults.then(lambda: None, after=3)

    with pytest.raises(FaultNotMet, match=r"LOST_AFTER, 2 more on PUT /Payments; work after 3 more of any call"):
        untouched()
    with Simulator() as simulator:
        simulator.faults.plan(Fault.LOST_AFTER)
        simulator.faults.clear()


def test_an_error_on_the_way_is_not_hidden_by_a_fault_that_was_not_met() -> None:
    def broken() -> None:
        with Simulator() as simulator:
            simulator.faults.plan(Fault.LOST_AFTER)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        broken()


@pytest.mark.rank(58)
@pytest.mark.parametrize(("fault", "done"), [(Fault.RESET_BEFORE, False), (Fault.RESET_AFTER, True)])
def test_a_connection_is_reset_before_or_after_the_write(
    product: Product, sale: Document, fault: Fault, done: bool
) -> None:
    body = json.dumps(payment(sale.id, "10.00")).encode()
    head = (
        f"PUT /api.xro/2.0/Payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {product.access_token}\r\n"
        f"Xero-Tenant-Id: {product.tenant_id}\r\nAccept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    product.simulator.faults.plan(fault, path="Payments")

    with product.simulator.serve() as served, socket.create_connection(("127.0.0.1", int(served.url[-5:]))) as wire:
        wire.sendall(head.encode() + body)
        with pytest.raises(ConnectionResetError):
            wire.recv(1)

    assert len(product.books.payments) == int(done)


def test_the_bookkeeper_works_over_http_too(product: Product) -> None:
    """Every method by its name; what the rules refuse is a 400 with Xero's words."""

    def desk(name: str, **given: object) -> Sent:
        path = f"http://x/_simulator/organisations/{product.tenant_id}/{name}"
        reply = product.send("POST", path, {}, json.dumps(given).encode())
        return {"status": reply.status} | dict(reply.row)

    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("100.00"))
    assert desk("add_payment", invoice_id=sale.id, account="090", amount="40.00", date="2026-01-04")["status"] == 200
    refused = desk("void-invoice", invoice_id=sale.id)
    assert (refused["status"], "VOIDED cannot be applied" in str(refused["error"])) == (400, True)
    assert desk("lock_period", until="2026-01-31")["status"] == 200
    assert product.call("PUT", "Payments", payment(sale.id, "1.00")).status == 400
    assert desk("lock_period", until=None)["status"] == 200
    assert desk("add_journal", narration="x", amounts={"400": "1.00", "850": "-1.00"})["status"] == 200
    for name, given in (
        ("add_payment", {"invoice_id": sale.id}),
        ("add_payment", {"invoice_id": sale.id, "account": "090", "amount": "much"}),
        ("add_payment", {"invoice_id": sale.id, "account": "090", "when": "now"}),
        ("lock_period", {"until": "soon"}),
        ("_do", {}),
        ("tenant_id", {}),
        ("close_for_reset", {}),
    ):
        assert desk(name, **given)["status"] == 400
    assert [one.amount for one in product.books.payments] == [Decimal("40.00")]


def test_work_is_planned_for_a_call_that_comes() -> None:
    with pytest.raises(InvalidInput, match="after"):
        make().simulator.faults.then(lambda: None, after=0)


def test_nothing_planned_touches_the_token_endpoint_by_chance(product: Product) -> None:
    product.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/token")

    answer = product.simulator.handle(Request("POST", "https://identity.xero.com/connect/token", {}, b""))

    assert answer.status == 503
    assert product.refresh(product.refresh_token).status == 200
