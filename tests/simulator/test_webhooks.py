"""Webhooks: told of changes, signed, late, twice, again and again (facts section 7)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from attrs import define, field
from tests.simulator.conftest import Product, connect, invoice, make, payment, text, wait

from xerosync.errors import InvalidInput
from xerosync.ports import Request, Response
from xerosync.simulator import Fault, Simulator, Switches, VirtualClock


@define
class Receiver:
    """Answers as Xero wants it: 200 for a good signature, 401 for a bad one; and keeps what was told."""

    key: str = ""
    answer: Callable[[Request], Response] | None = None
    requests: list[Request] = field(factory=list[Request])

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self.answer is not None:
            return self.answer(request)
        return Response(200 if self.is_signed(request) else 401, {}, b"")

    def is_signed(self, request: Request) -> bool:
        mine = base64.b64encode(hmac.digest(self.key.encode(), request.body, sha256)).decode()
        return hmac.compare_digest(mine, request.headers["x-xero-signature"])

    @property
    def events(self) -> list[dict[str, object]]:
        return [event for request in self.requests for event in json.loads(request.body)["events"]]

    @property
    def told(self) -> list[tuple[object, object]]:
        return [(event["eventCategory"], event["eventType"]) for event in self.events]


def listening(product: Product, receiver: Receiver) -> Receiver:
    receiver.key = product.simulator.webhooks.subscribe(product.client_id, receiver).key
    assert product.simulator.webhooks.validate(product.client_id)
    receiver.requests.clear()
    return receiver


@pytest.fixture
def receiver(product: Product) -> Receiver:
    return listening(product, Receiver())


@pytest.mark.rank(44)
def test_the_intent_to_receive_has_good_and_bad_signatures_and_all_must_be_answered_right(product: Product) -> None:
    """F 7.08–7.10."""
    receiver = Receiver()
    receiver.key = product.simulator.webhooks.subscribe(product.client_id, receiver).key

    assert product.simulator.webhooks.validate(product.client_id)

    bodies = [json.loads(request.body) for request in receiver.requests]
    assert {(len(one["events"]), one["firstEventSequence"], one["lastEventSequence"]) for one in bodies} == {(0, 0, 0)}
    assert {receiver.is_signed(request) for request in receiver.requests} == {True, False}
    assert len({one["entropy"] for one in bodies}) == len(bodies)


@pytest.mark.rank(44)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda _: Response(200, {}, b""),
        lambda _: Response(401, {}, b""),
        lambda request: Response(200 if request else 401, {}, b"thanks"),
        lambda _: Response(200, {"Set-Cookie": "a=b"}, b""),
    ],
)
def test_a_hook_that_answers_wrongly_stays_inactive(product: Product, wrong: Callable[[Request], Response]) -> None:
    product.simulator.webhooks.subscribe(product.client_id, Receiver(answer=wrong))

    assert not product.simulator.webhooks.validate(product.client_id)
    product.books.add_contact("Ana")
    wait(product, 600)

    assert product.simulator.webhooks.subscription(product.client_id).status == "INACTIVE"
    assert product.simulator.webhooks.pending(product.client_id) == ()


@pytest.mark.rank(44)
def test_an_answer_after_five_seconds_is_none(product: Product) -> None:
    def slowly(request: Request) -> Response:
        wait(product, 6)
        return Response(200 if Receiver(key).is_signed(request) else 401, {}, b"")

    key = product.simulator.webhooks.subscribe(product.client_id, slowly).key

    assert not product.simulator.webhooks.validate(product.client_id)


@pytest.mark.rank(45)
def test_changes_are_told_late_and_in_xero_s_words(product: Product, receiver: Receiver) -> None:
    """F 7.03–7.05, 7.13, 7.16: writes of one's own are told too; archiving is an UPDATE."""
    made = product.call("PUT", "Contacts", {"Name": "Ana"}).one("Contacts")
    assert receiver.requests == []
    wait(product, 120)
    product.books.archive_contact(text(made, "ContactID"))
    wait(product, 120)

    first, second = receiver.events
    assert (first["eventType"], second["eventType"]) == ("CREATE", "UPDATE")
    assert list(first) == [
        "resourceUrl", "resourceId", "tenantId", "tenantType", "eventCategory", "eventType", "eventDateUtc",
    ]  # fmt: skip
    assert first["resourceUrl"] == f"https://api.xero.com/api.xro/2.0/Contacts/{made['ContactID']}"
    assert (first["tenantId"], first["tenantType"]) == (product.tenant_id, "ORGANISATION")
    at = str(first["eventDateUtc"])
    assert (len(at), at[10], at[-4], "Z" in at) == (23, "T", ".", False)


@pytest.mark.rank(45)
def test_there_is_no_event_of_a_payment_an_account_or_a_flag(product: Product, receiver: Receiver) -> None:
    """F 7.02, 7.14, 7.15."""
    ana = product.books.add_contact("Ana")
    sale = product.call("PUT", "Invoices", invoice(ana.id)).one("Invoices")
    wait(product, 200)
    told = list(receiver.told)

    product.call("PUT", "Payments", payment(text(sale, "InvoiceID"), "10.00"))
    product.call("PUT", "Accounts", {"Code": "299", "Name": "New", "Type": "REVENUE"})
    wait(product, 200)

    assert sorted(map(str, told)) == sorted(map(str, [("CONTACT", "CREATE"), ("INVOICE", "CREATE")]))
    assert receiver.told == told


def test_a_payment_may_be_told_as_a_change_of_its_invoice() -> None:
    product = make(Switches(payments_fire_webhooks=True, webhooks_are_late=False))
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("10.00"))
    receiver = listening(product, Receiver())

    product.books.add_payment(sale.id, account="090")
    product.simulator.webhooks.deliver()

    assert receiver.told == [("INVOICE", "UPDATE")]


@pytest.mark.rank(45)
def test_quick_edits_are_merged(product: Product, receiver: Receiver) -> None:
    """F 7.13."""
    ana = product.books.add_contact("Ana")
    for name in ("Anna", "Annie", "Ann"):
        product.books.rename_contact(ana.id, name)
    wait(product, 200)

    assert receiver.told == [("CONTACT", "CREATE")]


def test_credit_notes_say_their_type_and_status(product: Product, receiver: Receiver) -> None:
    """F 7.05; and what is paid over or before has categories of its own (7.02)."""
    ana = product.books.add_contact("Ana")
    product.books.add_credit_note(ana.id, amount=Decimal("10.00"), type="ACCPAYCREDIT")
    product.books.add_bank_transaction(ana.id, type="RECEIVE-OVERPAYMENT", amount=Decimal("5.00"))
    product.books.add_bank_transaction(ana.id, type="RECEIVE-PREPAYMENT", amount=Decimal("5.00"), account="835")
    wait(product, 200)

    data = {event["eventCategory"]: event.get("data") for event in receiver.events}
    assert data == {
        "CONTACT": None, "CREDITNOTE": {"Type": "ACCPAYCREDIT", "Status": "AUTHORISED"}, "OVERPAYMENT": None,
        "PREPAYMENT": None,
    }  # fmt: skip


def test_one_request_holds_the_events_of_several_organisations_in_sequence() -> None:
    """F 7.06: sequences are the app's."""
    product = make(Switches(webhooks_are_late=False))
    other = product.simulator.add_organisation("Other")
    app = product.simulator.app("Test product")
    assert app is not None
    product.simulator.consent(app, tenants=[other.tenant_id])
    receiver = listening(product, Receiver())

    product.books.add_contact("Ana")
    other.add_contact("Bo")
    product.simulator.webhooks.deliver()
    product.books.add_contact("Cy")
    product.simulator.webhooks.deliver()

    bodies = [json.loads(request.body) for request in receiver.requests]
    assert [(one["firstEventSequence"], one["lastEventSequence"]) for one in bodies] == [(1, 2), (3, 3)]
    assert {event["tenantId"] for event in bodies[0]["events"]} == {product.tenant_id, other.tenant_id}


@pytest.mark.rank(44)
def test_what_fails_is_tried_at_once_then_every_quarter_of_an_hour_and_given_up_after_a_day(
    product: Product, receiver: Receiver
) -> None:
    """F 7.11: events are kept, and replayed in order once the hook is active again."""
    receiver.answer = lambda _: Response(500, {}, b"")
    product.books.add_contact("Ana")
    product.books.add_contact("Bo")
    wait(product, 120)
    assert len(receiver.requests) == 2
    wait(product, 60)
    assert len(receiver.requests) == 2
    wait(product, 900)
    assert len(receiver.requests) == 4

    for _ in range(97):
        wait(product, 900)
    subscription = product.simulator.webhooks.subscription(product.client_id)
    assert subscription.status == "DISABLED"
    assert len(subscription.notices) == 1
    count = len(receiver.requests)
    wait(product, 3600)
    assert len(receiver.requests) == count

    receiver.answer = None
    assert product.simulator.webhooks.validate(product.client_id)
    receiver.requests.clear()
    product.simulator.webhooks.deliver()
    assert len(receiver.events) == 2
    assert product.simulator.webhooks.pending(product.client_id) == ()


def test_events_are_kept_for_31_days(product: Product, receiver: Receiver) -> None:
    receiver.answer = lambda _: Response(500, {}, b"")
    product.books.add_contact("Ana")
    wait(product, 32 * 86_400)

    assert product.simulator.webhooks.pending(product.client_id) == ()


@pytest.mark.rank(45)
def test_deliveries_are_lost_doubled_and_reordered_on_order() -> None:
    """F 7.12."""
    product = make(Switches(webhooks_are_late=False))
    receiver = listening(product, Receiver())
    simulator = product.simulator

    simulator.faults.plan(Fault.WEBHOOK_DOUBLED)
    product.books.add_contact("Ana")
    simulator.webhooks.deliver()
    assert [request.body for request in receiver.requests] == [receiver.requests[0].body] * 2

    receiver.requests.clear()
    simulator.faults.plan(Fault.WEBHOOK_LOST)
    product.books.add_contact("Bo")
    simulator.webhooks.deliver()
    assert receiver.requests == []

    simulator.faults.plan(Fault.WEBHOOK_REORDERED)
    names = [product.books.add_contact(name).id for name in ("Cy", "Di")]
    simulator.webhooks.deliver()
    assert [event["resourceId"] for event in receiver.events] == names[::-1]
    assert json.loads(receiver.requests[0].body)["firstEventSequence"] == 3  # the gap tells of the loss
    assert simulator.faults.unmet() == []


def test_only_connected_organisations_and_granted_scopes_are_told(product: Product) -> None:
    """F 7.01, 7.19."""
    narrow = connect(product.simulator, product.books, scopes="offline_access accounting.contacts.read")
    receiver = listening(narrow, Receiver())

    ana = product.books.add_contact("Ana")
    product.books.add_invoice(ana.id, amount=Decimal("1.00"))
    wait(product, 200)
    assert receiver.told == [("CONTACT", "CREATE")]

    product.books.disconnect(narrow.client_id)
    product.books.add_contact("Bo")
    wait(product, 200)
    assert len(receiver.told) == 1


def test_a_receiver_may_call_xero_back(product: Product, receiver: Receiver) -> None:
    names: list[object] = []

    def fetch(request: Request) -> Response:
        ids = [event["resourceId"] for event in json.loads(request.body)["events"]]
        names.extend(product.call("GET", f"Contacts/{key}").one("Contacts")["Name"] for key in ids)
        return Response(200, {}, b"")

    receiver.answer = fetch
    product.books.add_contact("Ana")
    wait(product, 200)

    assert names == ["Ana"]


def test_what_is_not_taken_yet_survives_in_the_file(tmp_path: Path) -> None:
    with Simulator(tmp_path / "books.xero", limits=False) as simulator:
        product = connect(simulator, simulator.add_organisation())
        listening(product, Receiver())
        product.books.add_contact("Ana")
    with Simulator(tmp_path / "books.xero", limits=False) as simulator:
        assert [event.category for event in simulator.webhooks.pending(product.client_id)] == ["CONTACT"]
        receiver = Receiver()
        receiver.key = simulator.webhooks.subscribe(product.client_id, receiver).key
        assert simulator.webhooks.validate(product.client_id)
        receiver.requests.clear()
        assert isinstance(simulator.clock, VirtualClock)
        simulator.clock.advance(200)
        assert receiver.told == [("CONTACT", "CREATE")]


def test_a_served_simulator_posts_to_a_url() -> None:
    """And the desk sets it up."""
    product = make(Switches(webhooks_are_late=False))
    seen: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        key = ""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = base64.b64encode(hmac.digest(self.key.encode(), body, sha256)).decode()
            good = signed == self.headers["x-xero-signature"]
            seen.append(body)
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        sent = {"client_id": product.client_id, "url": f"http://127.0.0.1:{server.server_port}/hook"}
        made = product.send("POST", "http://x/_simulator/webhooks", {}, json.dumps(sent).encode())
        Hook.key = str(made.row["key"])
        found = product.send("POST", f"http://x/_simulator/webhooks/{product.client_id}/validate", {})
        assert found.row == {"active": True}
        seen.clear()
        product.books.add_contact("Ana")
        product.simulator.webhooks.deliver()
        assert [event["eventCategory"] for event in json.loads(seen[0])["events"]] == ["CONTACT"]
        told = product.send("GET", f"http://x/_simulator/webhooks/{product.client_id}", {})
        assert told.row == {"status": "ACTIVE", "pending": 0, "notices": []}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_subscription_names_what_is_wrong_with_it(product: Product) -> None:
    webhooks = product.simulator.webhooks
    for client_id, url, categories in (
        (product.client_id, "http://example.com/", ["INVOICE"]),
        (product.client_id, "https://example.com/", ["PAYMENT"]),
        ("nobody", "https://example.com/", ["INVOICE"]),
    ):
        with pytest.raises(InvalidInput):
            webhooks.subscribe(client_id, url, categories=categories)
    with pytest.raises(InvalidInput, match="client_id"):
        webhooks.validate(product.client_id)
    assert product.client_id not in webhooks.subscribe(product.client_id, "https://example.com/").key
