"""A fault has its effect wherever it is planned, or cannot be planned there, or waits: it never passes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, connect, make, payment, wait

from xerosync.errors import InvalidInput
from xerosync.ports import AnswerLost, Request, Response
from xerosync.simulator import Fault, Simulator, SystemClock

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OF_WEBHOOKS = {Fault.WEBHOOK_LOST, Fault.WEBHOOK_DOUBLED, Fault.WEBHOOK_REORDERED}

# What a struck call meets: a status, or what becomes of its answer.
EFFECTS: dict[Fault, object] = {
    Fault.LOST_BEFORE: "lost",
    Fault.LOST_AFTER: "lost",
    Fault.RESET_BEFORE: "lost",
    Fault.RESET_AFTER: "lost",
    Fault.TRUNCATED: "half",
    Fault.DELAYED: "late",
    Fault.CLOCK_JUMP: "jumped",
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
    Fault.MAINTENANCE: 503,
    Fault.BAD_GATEWAY: 502,
    Fault.GATEWAY_TIMEOUT: 504,
    Fault.EXPIRED_TOKEN: 401,
    Fault.REVOKED_TOKEN: 401,
    Fault.MISSING_SCOPE: 401,
    Fault.FORBIDDEN: 403,
    Fault.MINUTE_LIMIT: 429,
    Fault.DAY_LIMIT: 429,
    Fault.CONCURRENT_LIMIT: 429,
    Fault.APP_MINUTE_LIMIT: 429,
    Fault.SILENT_LIMIT: 429,
    Fault.KEYS_DOWN: 500,
    Fault.PARTIAL_BATCH: 400,
}
ANYWHERE = {fault for fault, effect in EFFECTS.items() if effect not in {400, 401, 403, 429}} - {Fault.KEYS_DOWN}
OF_TOKENS = {Fault.EXPIRED_TOKEN, Fault.REVOKED_TOKEN}


def read(product: Product) -> Request:
    return Request("GET", "https://api.xero.com/api.xro/2.0/Contacts", bearer(product))


def write(product: Product) -> Request:
    headers = bearer(product) | {"Idempotency-Key": "k"}
    body = json.dumps([{"Name": "Ana"}, {"Name": "Ben"}]).encode()
    return Request("PUT", "https://api.xero.com/api.xro/2.0/Contacts", headers, body)


def bearer(product: Product) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {product.access_token}",
        "Xero-Tenant-Id": product.tenant_id,
        "Accept": "application/json",
    }


def listing(product: Product) -> Request:
    return Request("GET", "https://api.xero.com/connections", bearer(product))


def renewing(product: Product) -> Request:
    form = f"grant_type=refresh_token&refresh_token={product.refresh_token}&client_id={product.client_id}"
    body = f"{form}&client_secret={product.client_secret}".encode()
    return Request("POST", "https://identity.xero.com/connect/token", FORM, body)


def discovering(product: Product) -> Request:  # noqa: ARG001 (as all are called)
    return Request("GET", "https://identity.xero.com/.well-known/openid-configuration")


PLACES: list[tuple[Callable[[Product], Request], str, set[Fault]]] = [
    (read, "/Contacts", set(EFFECTS) - {Fault.PARTIAL_BATCH, Fault.KEYS_DOWN}),
    (write, "/Contacts", set(EFFECTS)),
    (listing, "/connections", ANYWHERE | OF_TOKENS),
    (renewing, "/connect/token", ANYWHERE),
    (discovering, "/.well-known/openid-configuration", ANYWHERE),
]


def met(product: Product, request: Request) -> object:
    """What *request* meets: a status, or what became of the answer."""
    before = product.simulator.clock.now()
    try:
        answer = product.simulator.handle(request)
    except AnswerLost:
        return "lost"
    passed = product.simulator.clock.now() - before
    if passed >= timedelta(seconds=60):
        return "jumped" if passed >= timedelta(hours=1) else "late"
    if "content-length" in answer.headers:
        return "half" if len(answer.body) < int(answer.headers["content-length"]) else "whole"
    return answer.status


@pytest.mark.rank(58)
@pytest.mark.parametrize("fault", EFFECTS)
@pytest.mark.parametrize(("call", "path", "can"), PLACES, ids=lambda place: getattr(place, "__name__", ""))
def test_a_fault_does_what_it_says_or_cannot_be_planned(
    fault: Fault, call: Callable[[Product], Request], path: str, can: set[Fault]
) -> None:
    product = make(limits=True)
    faults, request = product.simulator.faults, call(product)
    if fault in can:
        faults.plan(fault, method=request.method, path=path)

        assert met(product, request) == EFFECTS[fault]
        assert faults.unmet() == []
        return
    with pytest.raises(InvalidInput, match=fault.name):
        faults.plan(fault, method=request.method, path=path)

    planned = faults.plan(fault)
    assert met(product, request) == 200
    assert faults.unmet() == [planned]
    assert met(product, write(product)) == EFFECTS[fault]
    assert faults.unmet() == []


def test_every_fault_of_a_call_is_known_here() -> None:
    assert set(EFFECTS) == set(Fault) - OF_WEBHOOKS


def test_a_token_that_died_where_connections_are_listed_is_dead_everywhere(product: Product) -> None:
    """F 1.51, 1.52."""
    for fault, detail in ((Fault.EXPIRED_TOKEN, "TokenExpired: "), (Fault.REVOKED_TOKEN, "AuthenticationUnsuccessful")):
        mine = connect(product.simulator, product.books)
        mine.simulator.faults.plan(fault, path="/connections")

        for asked in (listing(mine), listing(mine), read(mine)):
            answer = mine.simulator.handle(asked)
            assert answer.status == 401
            assert json.loads(answer.body)["Detail"].startswith(detail)


def test_a_connection_is_not_ended_by_a_call_that_a_dead_token_made(product: Product) -> None:
    """F 1.38."""
    (row,) = json.loads(product.simulator.handle(listing(product)).body)
    ending = Request("DELETE", f"https://api.xero.com/connections/{row['id']}", bearer(product))
    product.simulator.faults.plan(Fault.EXPIRED_TOKEN, method="DELETE", path="/connections")

    assert product.simulator.handle(ending).status == 401
    assert product.call("GET", "Organisation", Authorization=f"Bearer {renewed(product)}").status == 200


def renewed(product: Product) -> str:
    token = product.refresh(product.refresh_token).row["access_token"]
    assert isinstance(token, str)
    return token


def test_what_has_nothing_to_strike_waits(product: Product) -> None:
    """An empty answer has no half, a write without key no memory, a stranger's token no life, a file no batch."""
    faults = product.simulator.faults
    ana = product.books.add_contact("Ana").id
    sale = product.books.add_invoice(ana, amount=Decimal(10)).id
    stranger = Request("GET", "https://api.xero.com/connections", {"Authorization": "Bearer x"})
    app = f"token=x&client_id={product.client_id}&client_secret={product.client_secret}".encode()
    revoking = Request("POST", "https://identity.xero.com/connect/revocation", FORM, app)
    file = Request("PUT", f"https://x/api.xro/2.0/Invoices/{sale}/Attachments/a.txt", bearer(product), b"a")
    cases: list[tuple[Fault, Request, int]] = [
        (Fault.TRUNCATED, revoking, 200),
        (Fault.KEYS_DOWN, Request("PUT", "https://x/api.xro/2.0/Contacts", bearer(product), b'{"Name": "B"}'), 200),
        (Fault.EXPIRED_TOKEN, stranger, 401),
        (Fault.REVOKED_TOKEN, stranger, 401),
        (Fault.PARTIAL_BATCH, file, 200),
        (Fault.SERVER_ERROR, Request("GET", "https://x/api.xro/2.0/Contacts", {"Authorization": "Bearer x"}), 401),
        (Fault.FORBIDDEN, Request("GET", "https://x/api.xro/1.0/Contacts", bearer(product)), 404),
    ]
    for fault, request, status in cases:
        planned = faults.plan(fault)

        assert product.simulator.handle(request).status == status
        assert faults.unmet() == [planned]
        faults.clear()


def test_an_answer_given_again_under_its_key_is_no_place_for_an_error(product: Product) -> None:
    """F 3.05: nothing is done the second time that could fail."""
    sale = product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal(10)).id
    first = product.call("PUT", "Payments", payment(sale, "1.00"), Idempotency_Key="k")
    planned = product.simulator.faults.plan(Fault.SERVER_ERROR)

    assert product.call("PUT", "Payments", payment(sale, "1.00"), Idempotency_Key="k").text == first.text
    assert product.simulator.faults.unmet() == [planned]
    assert product.call("PUT", "Payments", payment(sale, "1.00"), Idempotency_Key="other").status == 500


def test_a_used_up_minute_is_used_up_where_no_call_is_counted() -> None:
    """F 2.05."""
    product = make(limits=False)
    product.simulator.faults.plan(Fault.MINUTE_LIMIT)

    refused = [product.call("GET", "Organisation") for _ in range(2)]
    wait(product, int(refused[-1].headers["retry-after"]))

    assert [reply.status for reply in refused] == [429, 429]
    assert {product.call("GET", "Organisation").status for _ in range(61)} == {200}


@pytest.mark.parametrize("fault", [Fault.EXPIRED_TOKEN, Fault.REVOKED_TOKEN])
def test_a_token_dies_where_any_token_would_do(fault: Fault) -> None:
    simulator = Simulator(limits=False, open_access=True)
    tenant = simulator.add_organisation().tenant_id
    url = "https://api.xero.com/api.xro/2.0/Organisation"

    def call(token: str) -> int:
        return simulator.handle(
            Request("GET", url, {"Authorization": f"Bearer {token}", "Xero-Tenant-Id": tenant})
        ).status

    assert call("any") == 200
    simulator.faults.plan(fault)

    assert [call("any"), call("any"), call("another")] == [401, 401, 200]
    assert simulator.faults.unmet() == []


def test_an_answer_comes_late_by_this_machines_clock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    simulator = Simulator(clock=SystemClock())
    product = connect(simulator, simulator.add_organisation())
    simulator.faults.plan(Fault.DELAYED, path="/Contacts")

    assert product.call("PUT", "Contacts", {"Name": "Ana"}).status == 200
    assert waited == [60]


def test_a_clock_that_jumps_leaves_a_write_behind_whose_key_and_token_are_forgotten(product: Product) -> None:
    """F 1.15, 3.13."""
    sale = product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal(10)).id
    product.simulator.faults.plan(Fault.CLOCK_JUMP, method="PUT", path="/Payments")

    assert product.call("PUT", "Payments", payment(sale, "1.00"), Idempotency_Key="k").status == 200
    assert product.call("GET", "Organisation").status == 401
    again = {"Idempotency_Key": "k", "Authorization": f"Bearer {renewed(product)}"}
    assert product.call("PUT", "Payments", payment(sale, "1.00"), **again).status == 200
    assert len(product.books.payments) == 2


def test_this_machines_clock_can_jump_and_a_clock_that_cannot_leaves_the_fault_unmet() -> None:
    class Still:
        def now(self) -> datetime:
            return datetime(2026, 1, 5, tzinfo=UTC)

        async def sleep(self, seconds: float) -> None:
            raise AssertionError(seconds)

    for clock, can in ((SystemClock(), True), (Still(), False)):
        simulator = Simulator(clock=clock)
        product = connect(simulator, simulator.add_organisation())
        before = clock.now()
        simulator.faults.plan(Fault.CLOCK_JUMP)

        assert product.call("GET", "Organisation").status == 200
        assert (clock.now() - before >= timedelta(hours=1), simulator.faults.unmet() == []) == (can, can)
    with pytest.raises(InvalidInput):
        SystemClock().jump(-1)


def test_a_path_that_begins_with_a_slash_begins_a_name(product: Product) -> None:
    """/Payments is not /BatchPayments."""
    planned = product.simulator.faults.plan(Fault.UNAVAILABLE, path="/Payments")

    assert product.call("GET", "BatchPayments").status == 200
    assert product.simulator.faults.unmet() == [planned]
    assert product.call("GET", "payments").status == 503


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        (Fault.LOST_AFTER, {"times": 0}),
        (Fault.LOST_AFTER, {"times": -1}),
        (Fault.LOST_AFTER, {"after": -1}),
        (Fault.PARTIAL_BATCH, {"method": "GET"}),
        (Fault.PARTIAL_BATCH, {"method": "DELETE", "path": "/Items"}),
        (Fault.KEYS_DOWN, {"method": "get", "path": "/Invoices"}),
        (Fault.MINUTE_LIMIT, {"path": "connections"}),
        (Fault.DAY_LIMIT, {"path": "/Connections/"}),
        (Fault.FORBIDDEN, {"path": "/identity/connect/authorize"}),
        (Fault.EXPIRED_TOKEN, {"path": "/connect/token"}),
        (Fault.REVOKED_TOKEN, {"path": "connect/revocation"}),
        (Fault.WEBHOOK_LOST, {"path": "/Invoices"}),
        (Fault.WEBHOOK_DOUBLED, {"method": "POST"}),
    ],
)
def test_what_can_never_strike_cannot_be_planned(fault: Fault, where: dict[str, str]) -> None:
    simulator = Simulator()

    with pytest.raises(InvalidInput):
        simulator.faults.plan(fault, **where)  # type: ignore[arg-type]
    assert simulator.faults.unmet() == []


def test_a_part_of_two_paths_may_be_meant_for_either(product: Product) -> None:
    product.simulator.faults.plan(Fault.EXPIRED_TOKEN, path="/connect")

    assert product.refresh(product.refresh_token).status == 200
    assert met(product, listing(product)) == 401


@pytest.mark.parametrize(
    ("kinds", "path"), [([], None), ([Fault.WEBHOOK_LOST], None), ([Fault.LOST_AFTER, Fault.DAY_LIMIT], "/connections")]
)
def test_a_storm_is_of_what_can_strike(kinds: list[Fault], path: str | None) -> None:
    with pytest.raises(InvalidInput):
        Simulator().faults.storm(seed=1, kinds=kinds, path=path)


def test_a_storm_tells_of_what_struck_and_of_nothing_else(product: Product) -> None:
    storm = product.simulator.faults.storm(seed=1, rate=1, kinds=[Fault.PARTIAL_BATCH, Fault.UNAVAILABLE])

    statuses = [product.call("GET", "Contacts").status for _ in range(20)]

    assert {200, 503} == set(statuses)
    assert [fault for _, fault in storm.struck] == [Fault.UNAVAILABLE] * statuses.count(503)


def test_one_event_alone_has_no_order_and_a_lost_delivery_does_not_come_twice(product: Product) -> None:
    """F 7.12."""
    got: list[list[str]] = []

    def receive(request: Request) -> Response:
        rows = json.loads(request.body)["events"]
        got.append([row["resourceId"] for row in rows])
        return Response(200 if rows or len(got) % 2 else 401, {}, b"")

    hooks, faults, books = product.simulator.webhooks, product.simulator.faults, product.books
    hooks.subscribe(product.client_id, receive)
    assert hooks.validate(product.client_id)
    got.clear()
    reordered, lost, doubled = map(faults.plan, (Fault.WEBHOOK_REORDERED, Fault.WEBHOOK_LOST, Fault.WEBHOOK_DOUBLED))

    books.add_contact("Ana")
    wait(product, 300)
    assert (got, lost in faults.unmet()) == ([], False)
    ben = books.add_contact("Ben").id
    wait(product, 300)
    assert (got, doubled in faults.unmet(), reordered in faults.unmet()) == ([[ben], [ben]], False, True)
    both = [books.add_contact(name).id for name in ("Cas", "Dan")]
    with product.simulator.transaction():
        product.simulator.clock.tick(timedelta(seconds=200))  # type: ignore[attr-defined]
    hooks.deliver()
    assert set(got[-1]) == set(both)
    assert faults.unmet() == []
