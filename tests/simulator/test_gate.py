"""Who may call, how often, and what is asked twice (facts sections 1, 2 and 3)."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve
from tests.simulator.conftest import Product, connect, invoice, make, payment, wait

from xerosync.ports import Request
from xerosync.simulator import Simulator, Switches


@pytest.mark.rank(3)
def test_an_access_token_dies_after_thirty_minutes(product: Product) -> None:
    """F 1.15, 1.51 (rank 3)."""
    wait(product, 1801)

    reply = product.call("GET", "Organisation")

    assert reply.status == 401
    assert str(reply.row["Detail"]).startswith("TokenExpired: token expired at 01/05/2026 00:30:0")
    assert list(reply.row) == ["Type", "Title", "Status", "Detail", "Instance", "Extensions"]
    assert "x-minlimit-remaining" not in reply.headers


@pytest.mark.rank(3)
def test_a_refresh_rotates_and_the_old_token_lives_thirty_minutes_more(product: Product) -> None:
    """F 1.17, 1.18, 1.25."""
    first = product.refresh(product.refresh_token)
    wait(product, 29 * 60)
    in_grace = product.refresh(product.refresh_token)
    wait(product, 2 * 60)
    too_late = product.refresh(product.refresh_token)

    assert list(first.row) == ["id_token", "access_token", "expires_in", "token_type", "refresh_token", "scope"]
    assert in_grace.status == 200
    assert in_grace.row["refresh_token"] != first.row["refresh_token"]
    assert (too_late.status, too_late.row) == (400, {"error": "invalid_grant"})
    assert product.refresh(str(first.row["refresh_token"])).status == 200


def test_inside_the_grace_the_same_new_token_may_come_again() -> None:
    """F 1.18, the other way of the switch."""
    product = make(Switches(refresh_in_grace="same"))

    first, second = product.refresh(product.refresh_token), product.refresh(product.refresh_token)

    assert first.row["refresh_token"] == second.row["refresh_token"]
    assert product.refresh(str(first.row["refresh_token"])).status == 200


def test_a_refresh_token_that_was_used_may_be_dead_at_once() -> None:
    """F 1.17, the other way of the switch."""
    product = make(Switches(refresh_grace_minutes=0))

    first = product.refresh(product.refresh_token)

    assert product.refresh(product.refresh_token).row == {"error": "invalid_grant"}
    assert product.refresh(str(first.row["refresh_token"])).status == 200


def test_a_refresh_token_dies_after_sixty_days(product: Product) -> None:
    """F 1.16."""
    wait(product, timedelta(days=60, seconds=1).total_seconds())

    assert product.refresh(product.refresh_token).row == {"error": "invalid_grant"}


def test_token_errors_have_their_own_words(product: Product) -> None:
    """F 1.06, 1.26, 1.29."""
    url = "https://identity.xero.com/connect/token"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    credentials = f"client_id={product.client_id}&client_secret={product.client_secret}".encode()

    assert product.send("POST", url, {"Content-Type": "application/json"}, b"{}").row == {"error": "invalid_request"}
    assert evolve(product, client_secret="wrong").refresh(product.refresh_token).row == {"error": "invalid_client"}
    unknown = product.send("POST", url, form, b"grant_type=password&" + credentials)
    assert unknown.row == {"error": "unsupported_grant_type"}
    own = product.send("POST", url, form, b"grant_type=client_credentials&" + credentials)
    assert (own.status, own.row) == (400, {"error": "unauthorized_client"})


def test_a_custom_connection_needs_no_tenant_header() -> None:
    """F 1.42."""
    simulator = Simulator()
    books = simulator.add_organisation()
    app = simulator.register_app("Own books", tenant_id=books.tenant_id)
    body = f"grant_type=client_credentials&client_id={app.client_id}&client_secret={app.client_secret}".encode()
    answer = simulator.handle(Request("POST", "https://identity.xero.com/connect/token", {}, body))
    token = json.loads(answer.body)["access_token"]

    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    reply = simulator.handle(Request("GET", "https://api.xero.com/api.xro/2.0/Organisation", headers))

    assert b"refresh_token" not in answer.body
    assert reply.status == 200


def test_an_unknown_token_is_not_let_in(product: Product) -> None:
    """F 1.52, A.03."""
    reply = evolve(product, access_token="garbage").call("GET", "Organisation")

    assert (reply.status, reply.row["Detail"]) == (401, "AuthenticationUnsuccessful")
    assert reply.headers["www-authenticate"] == "Bearer error=invalid_token"
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.rank(5)
def test_a_disconnected_tenant_is_forbidden_while_others_go_on(product: Product) -> None:
    """F 1.39, 1.54 (rank 5)."""
    other = product.simulator.add_organisation("Second", country="AU")
    both = connect(product.simulator, product.books)
    app_tokens = product.simulator.consent(
        product.simulator.register_app("Both"), tenants=[product.tenant_id, other.tenant_id]
    )
    both = evolve(both, access_token=app_tokens.access_token)
    product.books.disconnect()

    gone = both.call("GET", "Organisation")
    alive = evolve(both, tenant_id=other.tenant_id).call("GET", "Organisation")

    assert (gone.status, gone.row["Title"], gone.row["Detail"]) == (403, "Forbidden", "AuthenticationUnsuccessful")
    assert (gone.headers["x-appminlimit-remaining"], "x-minlimit-remaining" in gone.headers) == ("9999", False)
    assert alive.status == 200


@pytest.mark.rank(31)
def test_a_missing_scope_is_a_401_that_names_it() -> None:
    """F 1.45, 1.53 (rank 31)."""
    simulator = Simulator()
    product = connect(simulator, simulator.add_organisation(), "offline_access accounting.contacts.read")

    refused = product.call("GET", "Invoices")

    assert product.call("GET", "Contacts").status == 200
    assert (refused.status, refused.row["Detail"]) == (401, "AuthorizationUnsuccessful")
    assert refused.headers["www-authenticate"] == "insufficient_scope"
    assert product.call("PUT", "Contacts", {"Name": "A"}).status == 401


@pytest.mark.rank(46)
def test_connections_are_a_bare_list_and_end_by_their_own_id(product: Product) -> None:
    """F 1.32, 1.38 (rank 46)."""
    headers = {"Authorization": f"Bearer {product.access_token}"}
    listed = product.send("GET", "https://api.xero.com/Connections", headers)
    (connection,) = json.loads(listed.text)
    by_tenant = product.send("DELETE", f"https://api.xero.com/connections/{product.tenant_id}", headers)
    by_id = product.send("DELETE", f"https://api.xero.com/connections/{connection['id']}", headers)

    assert list(connection) == [
        "id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc", "updatedDateUtc",
    ]  # fmt: skip
    assert connection["createdDateUtc"].endswith("0")
    assert len(connection["createdDateUtc"].partition(".")[2]) == 7
    assert (by_tenant.status, by_id.status) == (404, 204)
    assert product.call("GET", "Organisation").status == 403
    assert product.refresh(product.refresh_token).status == 200  # F 1.24


@pytest.mark.rank(46)
def test_a_second_consent_keeps_the_first_event(product: Product) -> None:
    """F 1.35: the filter by the new consent finds nothing."""
    simulator = product.simulator
    app = simulator.register_app("Twice")
    simulator.consent(app, tenants=[product.tenant_id])
    again = simulator.consent(app, tenants=[product.tenant_id])
    headers = {"Authorization": f"Bearer {again.access_token}"}
    claims = again.access_token.split(".")[1]
    event = json.loads(base64.urlsafe_b64decode(claims + "=="))["authentication_event_id"]

    assert json.loads(product.send("GET", f"https://x/connections?authEventId={event}", headers).text) == []
    assert len(json.loads(product.send("GET", "https://x/connections", headers).text)) == 1


def test_a_revoked_consent_is_gone_with_its_connections(product: Product) -> None:
    """F 1.02."""
    body = f"token={product.refresh_token}&client_id={product.client_id}&client_secret={product.client_secret}".encode()

    revoked = product.send("POST", "https://identity.xero.com/connect/revocation", {}, body)

    assert (revoked.status, revoked.text) == (200, "")
    assert product.refresh(product.refresh_token).row == {"error": "invalid_grant"}
    assert product.call("GET", "Organisation").status == 403


@pytest.mark.rank(8)
def test_the_sixty_first_call_of_a_minute_is_refused_with_nothing_in_it() -> None:
    """F 2.01, 2.05 (rank 8)."""
    product = make(limits=True)
    replies = [product.call("GET", "Organisation") for _ in range(61)]
    refused = replies[60]

    assert [reply.status for reply in replies[:60]] == [200] * 60
    assert replies[0].headers["x-minlimit-remaining"] == "59"
    assert (refused.status, refused.text, "content-type" in refused.headers) == (429, "", False)
    assert refused.headers["x-rate-limit-problem"] == "minute"
    assert refused.headers["x-minlimit-remaining"] == "0"
    assert product.call("GET", "Organisation").status == 429  # F 2.10: refused calls do not move the window
    wait(product, int(refused.headers["retry-after"]))
    assert product.call("GET", "Organisation").status == 200


def test_the_window_rolls() -> None:
    """F 2.02, the stricter reading: calls free up one by one."""
    product = make(limits=True)
    product.call("GET", "Organisation")
    wait(product, 30)
    for _ in range(59):
        product.call("GET", "Organisation")
    wait(product, 30)

    assert product.call("GET", "Organisation").status == 200
    assert product.call("GET", "Organisation").status == 429


@pytest.mark.rank(47)
def test_the_day_has_an_end() -> None:
    """F 2.06 (rank 47)."""
    simulator = Simulator()
    books = simulator.add_organisation()
    app = simulator.register_app("Starter", day_limit=3)
    tokens = simulator.consent(app, tenants=[books.tenant_id])
    product = evolve(connect(simulator, books), access_token=tokens.access_token)

    refused = [product.call("GET", "Organisation") for _ in range(4)][3]

    assert refused.headers["x-rate-limit-problem"] == "day"
    assert (refused.headers["x-daylimit-remaining"], refused.headers["x-minlimit-remaining"]) == ("0", "60")
    assert int(refused.headers["retry-after"]) > 80_000


def test_all_organisations_of_an_app_share_ten_thousand_calls_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """F 2.01, 2.07; with twenty instead of ten thousand."""
    monkeypatch.setattr("xerosync.simulator.gate.APP_A_MINUTE", 20)
    simulator = Simulator()
    tenants = [simulator.add_organisation(name).tenant_id for name in ("One", "Two")]
    tokens = simulator.consent(simulator.register_app(), tenants=tenants)
    product = evolve(connect(simulator, simulator.bookkeeper(tenants[0])), access_token=tokens.access_token)

    replies = [evolve(product, tenant_id=tenants[count % 2]).call("GET", "Organisation") for count in range(21)]

    assert [reply.status for reply in replies] == [200] * 20 + [429]
    assert replies[20].headers["x-rate-limit-problem"] == "appminute"


async def _seven_at_a_time(product: Product) -> list[int]:
    headers = {"Authorization": f"Bearer {product.access_token}", "Xero-Tenant-Id": product.tenant_id}
    request = Request("GET", "https://api.xero.com/api.xro/2.0/Organisation", headers)
    answers = await product.simulator.transport.send_all([request] * 7, at_most=7)
    return [getattr(answer, "status", 0) for answer in answers]


@pytest.mark.rank(9)
def test_five_calls_at_a_time_and_no_more() -> None:
    """F 2.01, 2.08 (rank 9)."""
    stepped = _seven_at_a_time(make(limits=True))

    with pytest.raises(StopIteration) as end:
        stepped.send(None)

    assert end.value.value == [200] * 5 + [429] * 2


@pytest.mark.rank(10)
def test_the_same_call_under_the_same_key_gets_the_first_answer(product: Product) -> None:
    """F 3.05, 3.14 (rank 10)."""
    contact = product.books.add_contact("Ridgeway")
    bill = invoice(contact.id)

    first = product.call("PUT", "Invoices", bill, Idempotency_Key="k1")
    again = product.call("PUT", "Invoices", bill, Idempotency_Key="k1")

    assert again.text == first.text
    assert len(product.books.invoices) == 1


@pytest.mark.rank(10)
def test_another_call_under_the_same_key_is_refused(product: Product) -> None:
    """F 3.06, 8.34."""
    contact = product.books.add_contact("Ridgeway")
    product.call("PUT", "Invoices", invoice(contact.id), Idempotency_Key="k1")

    refused = product.call("PUT", "Invoices", invoice(contact.id, Reference="other"), Idempotency_Key="k1")

    assert refused.status == 400
    assert "Idempotency Key: k1 is used with a different request." in refused.text


@pytest.mark.rank(10)
def test_after_six_minutes_the_key_is_new_and_the_retry_a_duplicate(product: Product) -> None:
    """F 3.13."""
    contact = product.books.add_contact("Ridgeway")
    product.call("PUT", "Invoices", invoice(contact.id), Idempotency_Key="k1")
    wait(product, 361)

    product.call("PUT", "Invoices", invoice(contact.id), Idempotency_Key="k1")

    assert len(product.books.invoices) == 2


@pytest.mark.rank(10)
def test_a_key_belongs_to_the_app_and_not_to_the_organisation(product: Product) -> None:
    """F 3.07: the second organisation gets the first one's answer, and nothing is written in it."""
    other = product.simulator.add_organisation("Second")
    app = product.simulator.register_app("Both")
    tokens = product.simulator.consent(app, tenants=[product.tenant_id, other.tenant_id])
    first = evolve(product, access_token=tokens.access_token)
    second = evolve(first, tenant_id=other.tenant_id)

    first.call("PUT", "Contacts", {"Name": "Ridgeway"}, Idempotency_Key="k1")
    reply = second.call("PUT", "Contacts", {"Name": "Ridgeway"}, Idempotency_Key="k1")

    assert reply.status == 200
    assert (len(product.books.contacts), len(other.contacts)) == (1, 0)


def test_a_refusal_is_remembered_too(product: Product) -> None:
    """F 3.09: the cause is gone and the answer stays."""
    body = payment("00000000-0000-0000-0000-000000000001", "1.00")
    first = product.call("PUT", "Payments", body, Idempotency_Key="k1")

    assert product.call("PUT", "Payments", body, Idempotency_Key="k1").text == first.text


def test_a_key_is_at_most_128_characters(product: Product) -> None:
    """F 3.04."""
    assert product.call("PUT", "Contacts", {"Name": "A"}, Idempotency_Key="k" * 129).status == 400
    assert product.call("PUT", "Contacts", {"Name": "A"}, Idempotency_Key="k" * 128).status == 200


def test_authorisation_by_code_with_pkce(product: Product) -> None:
    """F 1.05, 1.07, 1.10: single use, bound to redirect and verifier."""
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = (
        f"https://login.xero.com/identity/connect/authorize?response_type=code&client_id={product.client_id}"
        f"&redirect_uri=https%3A%2F%2Fapp.example%2Fback&scope=offline_access%20accounting.contacts&state=s1"
        f"&code_challenge={challenge}&code_challenge_method=S256"
    )
    sent_back = product.send("GET", asked, {})
    landed = parse_qs(urlsplit(sent_back.headers["location"]).query)
    form = (
        f"grant_type=authorization_code&code={landed['code'][0]}&redirect_uri=https%3A%2F%2Fapp.example%2Fback"
        f"&client_id={product.client_id}&client_secret={product.client_secret}&code_verifier={verifier}"
    ).encode()

    tokens = product.send("POST", "https://identity.xero.com/connect/token", {}, form)
    again = product.send("POST", "https://identity.xero.com/connect/token", {}, form)

    assert (sent_back.status, landed["state"]) == (302, ["s1"])
    assert tokens.row["scope"] == "offline_access accounting.contacts"
    assert again.row == {"error": "invalid_grant"}


def test_with_the_door_open_any_token_will_do() -> None:
    simulator = Simulator(open_access=True)
    books = simulator.add_organisation()
    headers = {"Authorization": "Bearer anything", "Xero-Tenant-Id": books.tenant_id, "Accept": "application/json"}

    assert simulator.handle(Request("GET", "https://x/api.xro/2.0/Organisation", headers)).status == 200
    assert json.loads(simulator.handle(Request("GET", "https://x/connections", headers)).body) != []
    body = b"grant_type=client_credentials&client_id=any&client_secret=any"
    answer = simulator.handle(Request("POST", "https://x/connect/token", {}, body))
    assert answer.status == 200
    body = b"grant_type=refresh_token&refresh_token=any&client_id=any&client_secret=any"
    assert simulator.handle(Request("POST", "https://x/connect/token", {}, body)).status == 200
