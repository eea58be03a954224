"""Faults on order, and the simulator on a port."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.error import HTTPError

import pytest
from tests.simulator.conftest import Product, invoice, make, payment

from xerosync.ports import AnswerLost, NotSent, Request
from xerosync.simulator import Fault, SystemClock

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SOURCE = Path(__file__).resolve().parents[2] / "src"


def pay(product: Product, **headers: str) -> None:
    product.call("PUT", "Payments", payment(product.books.invoices[0].id, "1.00"), **headers)


def paid_times(product: Product) -> int:
    return len(product.books.payments)


@pytest.fixture
def owed(product: Product) -> Product:
    contact = product.books.add_contact("Ridgeway")
    product.books.add_invoice(contact.id, amount=Decimal(100))
    return product


@pytest.mark.rank(58)
def test_a_lost_call_leaves_nothing_and_a_lost_answer_leaves_all(owed: Product) -> None:
    """Rank 58."""
    owed.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT", path="/Payments")
    with pytest.raises(AnswerLost):
        pay(owed)
    assert paid_times(owed) == 0

    owed.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    with pytest.raises(AnswerLost):
        pay(owed)
    assert paid_times(owed) == 1
    assert owed.simulator.faults.unmet() == []


def test_a_lost_answer_can_be_had_again_under_its_key(owed: Product) -> None:
    """F 3.05."""
    owed.simulator.faults.plan(Fault.LOST_AFTER)
    with pytest.raises(AnswerLost):
        pay(owed, Idempotency_Key="k1")

    pay(owed, Idempotency_Key="k1")

    assert len(owed.books.payments) == 1


@pytest.mark.rank(58)
@pytest.mark.parametrize(
    ("fault", "status", "payments"),
    [(Fault.SERVER_ERROR, 500, 0), (Fault.UNAVAILABLE, 503, 0), (Fault.BAD_GATEWAY, 502, 1), (Fault.TRUNCATED, 200, 1)],
)
def test_the_edge_and_the_server_fail_in_their_own_ways(
    owed: Product, fault: Fault, status: int, payments: int
) -> None:
    """F 2.14, 2.15, 2.18."""
    owed.simulator.faults.plan(fault)

    reply = owed.call("PUT", "Payments", payment(owed.books.invoices[0].id, "1.00"))

    assert (reply.status, len(owed.books.payments)) == (status, payments)
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.text)


def test_a_server_error_is_remembered_under_its_key(owed: Product) -> None:
    """F 3.08: sending again cannot help."""
    owed.simulator.faults.plan(Fault.SERVER_ERROR)
    pay(owed, Idempotency_Key="k1")

    again = owed.call("PUT", "Payments", payment(owed.books.invoices[0].id, "1.00"), Idempotency_Key="k1")

    assert (again.status, owed.books.payments) == (500, ())


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.UNAVAILABLE, 503), (Fault.SERVER_ERROR, 500), (Fault.MAINTENANCE, 503)]
)
def test_nothing_is_done_either_where_connections_end_and_tokens_are_made(
    product: Product, fault: Fault, status: int
) -> None:
    """F 1.02, 1.38, 2.14, 2.15."""
    for path in ("/connections", "/connect/revocation", "/connect/token"):
        product.simulator.faults.plan(fault, path=path)
    bearer = {"Authorization": f"Bearer {product.access_token}"}
    token = f"token={product.refresh_token}&client_id={product.client_id}&client_secret={product.client_secret}"

    statuses = [
        product.send("GET", "https://api.xero.com/connections", bearer).status,
        product.send("POST", "https://identity.xero.com/connect/revocation", FORM, token.encode()).status,
        product.refresh(product.refresh_token).status,
    ]

    assert statuses == [status] * 3
    assert product.refresh(product.refresh_token).status == 200


def test_a_used_up_minute_stays_used_up() -> None:
    """F 2.05."""
    product = make(limits=True)
    product.simulator.faults.plan(Fault.MINUTE_LIMIT)

    replies = [product.call("GET", "Organisation") for _ in range(2)]

    assert [reply.status for reply in replies] == [429, 429]


def test_an_expired_token_stays_dead_until_it_is_refreshed(product: Product) -> None:
    """F 1.51, 1.60."""
    product.simulator.faults.plan(Fault.EXPIRED_TOKEN)

    assert [product.call("GET", "Organisation").status for _ in range(2)] == [401, 401]
    assert product.refresh(product.refresh_token).status == 200


def test_a_fault_waits_for_its_call_and_says_when_it_was_never_met(product: Product) -> None:
    planned = product.simulator.faults.plan(Fault.SERVER_ERROR, method="GET", path="Contacts", times=2, after=1)

    statuses = [
        product.call("GET", path).status for path in ("Contacts", "Accounts", "Contacts", "Contacts", "Contacts")
    ]

    assert statuses == [200, 200, 500, 500, 200]
    assert product.simulator.faults.unmet() == []
    product.simulator.faults.plan(Fault.TRUNCATED)
    assert planned not in product.simulator.faults.unmet()
    assert len(product.simulator.faults.unmet()) == 1


def test_a_write_whose_claim_ran_out_is_not_sent(product: Product) -> None:
    now = product.simulator.clock.now()
    body = json.dumps({"Name": "Ridgeway"}).encode()
    late = Request("PUT", "https://api.xero.com/api.xro/2.0/Contacts", {}, body, not_after=now)
    product.call("GET", "Organisation")

    with pytest.raises(NotSent):
        product.simulator.transport.send(late).send(None)


def test_calls_are_counted_but_not_those_to_the_desk(product: Product) -> None:
    before = product.simulator.calls
    product.call("GET", "Organisation")
    product.send("GET", "http://127.0.0.1/_simulator/organisations", {})

    assert product.simulator.calls == before + 1


def test_nothing_secret_shows_in_a_repr(product: Product) -> None:
    app = product.simulator.register_app("Secret")
    tokens = product.simulator.consent(app, tenants=[product.tenant_id])

    shown = f"{app!r} {tokens!r}"

    assert app.client_secret not in shown
    assert tokens.access_token not in shown
    assert tokens.refresh_token not in shown


def fetch(url: str, headers: dict[str, str], body: bytes | None = None) -> int:
    request = urllib.request.Request(url, body, headers, method="PUT" if body else "GET")  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            answer.read()
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.rank(9)
def test_over_the_loopback_five_calls_fly_at_a_time() -> None:
    """F 2.01 (rank 9)."""
    product = make(limits=True)
    headers = {"Authorization": f"Bearer {product.access_token}", "Xero-Tenant-Id": product.tenant_id}
    with product.simulator.serve(latency_s=0.5) as server, ThreadPoolExecutor(8) as threads:
        url = f"{server.url}/api.xro/2.0/Organisation"
        statuses = sorted(threads.map(lambda _: fetch(url, headers), range(8)))

    assert statuses == [200] * 5 + [429] * 3


def test_a_lost_answer_over_the_loopback_is_a_closed_connection(owed: Product) -> None:
    owed.simulator.faults.plan(Fault.LOST_AFTER)
    headers = {"Authorization": f"Bearer {owed.access_token}", "Xero-Tenant-Id": owed.tenant_id}
    body = json.dumps(invoice(owed.books.contacts[0].id)).encode()
    with owed.simulator.serve() as server, pytest.raises(ConnectionError):
        fetch(f"{server.url}/api.xro/2.0/Invoices", headers, body)

    assert len(owed.books.invoices) == 2


def test_the_system_clock_can_run_ahead() -> None:
    assert SystemClock(timedelta(days=1)).now() > datetime.now(UTC) + timedelta(hours=23)


COMMAND = "import sys; from xerosync.simulator.serve import main; sys.exit(main(sys.argv[1:]))"


def test_the_command_serves_and_keeps_its_books(tmp_path: Path) -> None:
    """The first line says where and how; SIGTERM ends it with 0; the next run serves the same organisations."""
    file = tmp_path / "books.xero"
    tenants: list[str] = []
    for country in ("GB", "NZ"):
        child = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", COMMAND, "--port", "0", "--demo", country, "--state", str(file)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(SOURCE)},
        )
        assert child.stdout is not None
        first = json.loads(child.stdout.readline())
        assert list(first) == [
            "url", "organisations", "client_id", "client_secret", "access_token", "refresh_token",
        ]  # fmt: skip
        tenant = first["organisations"][0]["tenant_id"]
        headers = {"Authorization": f"Bearer {first['access_token']}", "Xero-Tenant-Id": tenant}
        assert fetch(f"{first['url']}/API.XRO/2.0/organisation", headers) == 200
        assert fetch(f"{first['url']}/.well-known/openid-configuration", {}) == 200
        assert fetch(f"{first['url']}/_simulator/organisations/{tenant}/books", {}) == 200
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        child.stdout.close()
        tenants.append(tenant)

    assert tenants[0] == tenants[1]


def test_the_desk_sets_up_and_connects(product: Product) -> None:
    def ask(path: str, body: object) -> dict[str, object]:
        url = f"http://127.0.0.1/_simulator/{path}"
        method = "POST" if body is not None else "GET"
        answer = product.simulator.handle(Request(method, url, {}, json.dumps(body).encode() if body else b""))
        assert answer.status == 200
        read: dict[str, object] = json.loads(answer.body)
        return read

    made = ask("organisations", {"name": "Demo Company (AU)", "country": "AU"})
    set_up = {"key": "k", "contacts": [{"name": "Ridgeway"}], "invoices": [{"contact": "Ridgeway", "amount": "11.00"}]}

    assert ask(f"organisations/{made['tenant_id']}/set-up", set_up) == {"done": True}
    assert ask(f"organisations/{made['tenant_id']}/set-up", set_up) == {"done": False}
    assert {"client_id", "access_token", "expires_in", "organisations"} <= set(ask("connect", {"name": "Other"}))
    books = ask(f"organisations/{made['tenant_id']}/books", None)
    assert isinstance(books["invoices"], list)
    assert len(books["invoices"]) == 1
    assert product.simulator.handle(Request("GET", "http://x/_simulator/nothing")).status == 404
