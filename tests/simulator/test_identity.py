"""Who lets an app in, what its tokens say, and what a person's role allows (facts section 1)."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.simulator.conftest import Product, Reply, connect, invoice, make, payment

from xerosync.errors import InvalidInput
from xerosync.ports import Request
from xerosync.simulator import SimulatedApp, Simulator, VirtualClock
from xerosync.simulator.scopes import GRANULAR_ONLY_SINCE

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BACK = "https://app.example/back"


def authorise(simulator: Simulator, app: SimulatedApp, **asked: str) -> Reply:
    fields = {"response_type": "code", "client_id": app.client_id, "redirect_uri": BACK, "state": "s1"} | asked
    url = f"https://login.xero.com/identity/connect/authorize?{urlencode(fields)}"
    answer = simulator.handle(Request("GET", url, {}, b""))
    return Reply(answer.status, dict(answer.headers), answer.body.decode())


def landed(reply: Reply) -> dict[str, str]:
    assert reply.status == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}


def token(simulator: Simulator, app: SimulatedApp, **form: str) -> Reply:
    body = urlencode({"client_id": app.client_id, "client_secret": app.client_secret} | form).encode()
    answer = simulator.handle(Request("POST", "https://identity.xero.com/connect/token", {}, body))
    return Reply(answer.status, dict(answer.headers), answer.body.decode())


def keys(simulator: Simulator) -> KeySet:
    found = simulator.handle(Request("GET", "https://identity.xero.com/.well-known/openid-configuration", {}, b""))
    answer = simulator.handle(Request("GET", json.loads(found.body)["jwks_uri"], {}, b""))
    return KeySet.import_key_set(json.loads(answer.body))


def test_tokens_are_signed_and_say_who_consented(product: Product) -> None:
    """F 1.15, 1.21, 1.22."""
    reply = product.refresh(product.refresh_token)
    signed = keys(product.simulator)

    access = jwt.decode(str(reply.row["access_token"]), signed, algorithms=["RS256"])
    who = jwt.decode(str(reply.row["id_token"]), signed, algorithms=["RS256"])

    assert access.claims["aud"] == "https://identity.xero.com/resources"
    assert access.claims["client_id"] == product.client_id
    assert access.claims["exp"] - access.claims["nbf"] == 1800
    assert "authentication_event_id" in access.claims
    assert (who.claims["aud"], who.claims["email"]) == (product.client_id, "owner@example.com")
    assert who.claims["exp"] - who.claims["iat"] == 300
    assert "authentication_event_id" not in who.claims
    half = sha256(str(reply.row["access_token"]).encode()).digest()[:16]
    assert who.claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_an_id_token_comes_only_for_openid() -> None:
    product = make()
    other = connect(product.simulator, product.books, scopes="offline_access accounting.contacts")

    assert "id_token" not in other.refresh(other.refresh_token).row


def test_books_in_a_file_keep_their_key(tmp_path: Path) -> None:
    with Simulator(tmp_path / "books.xero") as simulator:
        product = connect(simulator, simulator.add_organisation())
        simulator.handle(Request("GET", "https://api.xero.com/connections", {}, b""))
    with Simulator(tmp_path / "books.xero") as simulator:
        assert jwt.decode(product.access_token, keys(simulator), algorithms=["RS256"]).claims


def test_a_redirect_uri_is_compared_to_the_letter() -> None:
    """F 1.09: and a mismatch never reaches the app."""
    simulator = make().simulator
    app = simulator.register_app("Registered", redirects=["https://app.example/back", "http://localhost:8000/"])
    free = simulator.register_app("Free")

    assert authorise(simulator, app).status == 302
    for wrong in ("https://app.example/back/", "https://app.example:444/back", "http://localhost:8000", ""):
        reply = authorise(simulator, app, redirect_uri=wrong)
        assert (reply.status, "unauthorized_client" in reply.text) == (400, True)
        assert "location" not in reply.headers
    assert authorise(simulator, free, redirect_uri="http://localhost/x").status == 302
    assert authorise(simulator, free, redirect_uri="http://127.0.0.1/x").status == 400
    assert authorise(simulator, free, redirect_uri="http://app.example/x").status == 400


def test_the_user_may_tick_some_organisations_or_go_away() -> None:
    """F 1.11, 1.13, 1.34."""
    product = make()
    simulator = product.simulator
    other = simulator.add_organisation("Second")
    app = simulator.register_app("Asking")

    simulator.next_consent(cancel=True)
    assert landed(authorise(simulator, app)) == {"error": "access_denied", "state": "s1"}
    simulator.next_consent(tenants=[other.tenant_id])
    code = landed(authorise(simulator, app))["code"]

    granted = token(simulator, app, grant_type="authorization_code", code=code, redirect_uri=BACK)
    headers = {"Authorization": f"Bearer {granted.row['access_token']}"}
    listed = json.loads(product.send("GET", "https://api.xero.com/connections", headers).text)
    assert [one["tenantId"] for one in listed] == [other.tenant_id]
    again = token(simulator, app, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert (again.status, again.row) == (400, {"error": "invalid_grant"})


def test_a_page_asks_when_the_app_wants_one() -> None:
    """F 1.12."""
    product = make()
    app = product.simulator.register_app("<Asking>")

    page = authorise(product.simulator, app, prompt="consent")
    allowed = authorise(product.simulator, app, prompt="consent", answer="allow", tenant=product.tenant_id)
    cancelled = authorise(product.simulator, app, prompt="consent", answer="cancel")

    assert page.status == 200
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "&lt;Asking&gt;" in page.text
    assert product.tenant_id in page.text
    assert "code" in landed(allowed)
    assert landed(cancelled)["error"] == "access_denied"


def test_a_mobile_app_has_no_secret_and_must_prove_its_code() -> None:
    """F 1.07."""
    simulator = make().simulator
    app = simulator.register_app("Phone", kind="mobile", redirects=["myapp://back"])
    asked = {"redirect_uri": "myapp://back", "code_challenge_method": "S256"}
    form = {"grant_type": "authorization_code", "redirect_uri": "myapp://back"}

    assert app.client_secret == ""
    assert authorise(simulator, app, redirect_uri="myapp://back").status == 400
    assert (
        authorise(simulator, app, **(asked | {"code_challenge": "x", "code_challenge_method": "plain"})).status == 400
    )
    for verifier, status in ((VERIFIER, 200), ("w" * 43, 400), ("v" * 42, 400), ("", 400)):
        code = landed(authorise(simulator, app, **asked, code_challenge=CHALLENGE))["code"]
        got = token(simulator, app, **form, code=code, code_verifier=verifier)
        assert got.status == status
        if status == 200:
            refresh = str(got.row["refresh_token"])
            assert token(simulator, app, grant_type="refresh_token", refresh_token=refresh).status == 200


def test_a_web_app_needs_its_secret_even_to_refresh(product: Product) -> None:
    """F 1.05, 1.26."""
    app = SimulatedApp(product.client_id, "")

    reply = token(product.simulator, app, grant_type="refresh_token", refresh_token=product.refresh_token)

    assert (reply.status, reply.row) == (400, {"error": "invalid_client"})


def test_scopes_are_those_the_app_may_have() -> None:
    """F 1.30, 1.45: broad scopes are for apps made before 2 March 2026."""
    old = Simulator(limits=False)
    new = Simulator(limits=False, clock=VirtualClock(GRANULAR_ONLY_SINCE))
    app = new.register_app()
    for simulator, status in ((old, 302), (new, 400)):
        app = simulator.register_app()
        simulator.add_organisation()
        assert authorise(simulator, app, scope="accounting.transactions").status == status
        assert authorise(simulator, app, scope="accounting.everything").status == 400
        assert authorise(simulator, app, scope="accounting.invoices.read").status == 302
    custom = new.register_app("Own", tenant_id=new.organisations[0].id)
    reply = token(new, custom, grant_type="client_credentials", scope="accounting.transactions")
    assert (reply.status, reply.row) == (400, {"error": "invalid_scope"})
    with pytest.raises(InvalidInput, match=r"accounting\.reports\.read"):
        new.consent(app, tenants=[new.organisations[0].id], scopes="accounting.reports.read")


def test_an_organisation_takes_two_apps_without_certificate_and_an_app_as_many_as_it_pays_for() -> None:
    """F 1.40, 2.22."""
    product = make()
    simulator = product.simulator
    apps = [simulator.register_app(f"App {number}", is_certified=False) for number in range(3)]
    assert [authorise(simulator, app).status for app in apps] == [302, 302, 403]

    simulator.add_organisation("Second")
    small = simulator.register_app("Starter", connections_most=1)
    simulator.next_consent(tenants=[product.tenant_id])
    assert authorise(simulator, small).status == 302
    assert authorise(simulator, small).status == 403


@pytest.mark.rank(4)
def test_one_token_set_serves_every_organisation_of_the_consent_however_it_is_refreshed() -> None:
    """F 1.20, 8.01, 8.02."""
    simulator = Simulator(limits=False)
    first, second = simulator.add_organisation("First"), simulator.add_organisation("Second")
    app = simulator.register_app()
    tokens = simulator.consent(app, tenants=[first.tenant_id, second.tenant_id])

    def organisation(access: object, tenant: str) -> int:
        headers = {"Authorization": f"Bearer {access}", "Xero-Tenant-Id": tenant, "Accept": "application/json"}
        return simulator.handle(Request("GET", "https://x/api.xro/2.0/Organisation", headers, b"")).status

    workers = [
        token(simulator, app, grant_type="refresh_token", refresh_token=tokens.refresh_token).row for _ in range(2)
    ]
    for row in workers:
        assert [organisation(row["access_token"], one.tenant_id) for one in (first, second)] == [200, 200]
    assert isinstance(simulator.clock, VirtualClock)
    simulator.clock.advance(1801)
    kept_too_long = token(simulator, app, grant_type="refresh_token", refresh_token=tokens.refresh_token)
    assert kept_too_long.row == {"error": "invalid_grant"}


@pytest.mark.rank(5)
def test_another_organisation_that_is_authorised_too_is_written_to_in_silence() -> None:
    """F 8.06."""
    product = make()
    other = product.simulator.add_organisation("Other")
    product.simulator.consent(SimulatedApp(product.client_id, product.client_secret), tenants=[other.tenant_id])

    reply = product.call("PUT", "Contacts", {"Name": "Ana"}, Xero_Tenant_Id=other.tenant_id)

    assert reply.status == 200
    assert [one.name for one in other.contacts] == ["Ana"]
    assert product.books.contacts == ()


def test_connections_of_other_apps_are_not_seen_and_a_client_may_list_its_own_without_a_user(product: Product) -> None:
    """F 1.36, 1.37, 1.43."""
    stranger = connect(product.simulator, product.books)
    app = SimulatedApp(stranger.client_id, stranger.client_secret)
    own = token(product.simulator, app, grant_type="client_credentials", scope="app.connections")
    headers = {"Authorization": f"Bearer {own.row['access_token']}"}

    (mine,) = json.loads(product.send("GET", "https://api.xero.com/connections", headers).text)

    theirs = {"Authorization": f"Bearer {product.access_token}"}
    assert product.send("DELETE", f"https://api.xero.com/connections/{mine['id']}", theirs).status == 404
    assert product.send("DELETE", f"https://api.xero.com/connections/{mine['id']}", headers).status == 204
    product.simulator.consent(app, tenants=[product.tenant_id])
    (renewed,) = json.loads(product.send("GET", "https://api.xero.com/connections", headers).text)
    assert renewed["id"] != mine["id"]


@pytest.mark.rank(5)
def test_a_reset_demo_company_has_a_new_tenant_and_the_old_one_is_forbidden(product: Product) -> None:
    """F 1.24, 1.59, 8.03: the token can be refreshed all the same."""
    product.books.add_contact("Ana")

    fresh = product.simulator.reset_demo_company(product.tenant_id)

    assert fresh.organisation.name == product.books.organisation.name
    assert (fresh.tenant_id != product.tenant_id, fresh.contacts) == (True, ())
    assert product.call("GET", "Organisation").status == 403
    assert product.refresh(product.refresh_token).status == 200
    assert [one.id for one in product.simulator.organisations] == [fresh.tenant_id]


@pytest.mark.rank(5)
def test_a_person_who_is_gone_takes_the_app_along(product: Product) -> None:
    """F 1.54."""
    product.books.remove_user()

    reply = product.call("GET", "Organisation")

    assert (reply.status, reply.row["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_an_expired_trial_forbids_all_and_a_read_only_organisation_the_writing(product: Product) -> None:
    """F 8.53."""
    product.books.make_read_only()
    assert product.call("GET", "Contacts").status == 200
    assert product.call("PUT", "Contacts", {"Name": "Ana"}).status == 403

    product.books.expire_trial()
    assert product.call("GET", "Contacts").status == 403

    product.books.reopen()
    assert product.call("PUT", "Contacts", {"Name": "Ana"}).status == 200


def test_a_role_says_what_an_app_may_do(product: Product) -> None:
    """F 1.56, 6.67, 8.52: an app acts with the role of who let it in."""
    ana = product.books.add_contact("Ana")
    assert product.call("GET", "Reports/TrialBalance").status == 200

    product.books.change_role("INVOICEONLY")
    assert product.call("GET", "Reports/TrialBalance").status == 403
    assert product.call("PUT", "Invoices", invoice(ana.id)).status == 200

    product.books.change_role("READONLY")
    assert product.call("PUT", "Contacts", {"Name": "Bo"}).status == 403

    product.books.lock_period(product.books.today)
    product.books.change_role("STANDARD")
    sale = product.books.invoices[0]
    assert product.call("PUT", "Payments", payment(sale.id, "1.00")).status == 400
    product.books.change_role("FINANCIALADVISER")
    assert product.call("PUT", "Payments", payment(sale.id, "1.00")).status == 200
    product.books.lock_period(product.books.today, year_end=True)
    assert product.call("PUT", "Payments", payment(sale.id, "1.00")).status == 400
    with pytest.raises(InvalidInput, match="FINANCIALADVISER"):
        product.books.change_role("KING")


def test_an_app_is_connected_by_the_person_who_said_so(product: Product) -> None:
    clerk = product.books.add_user("clerk@example.com", "READONLY")
    app = product.simulator.register_app("Clerk's")
    tokens = product.simulator.consent(app, tenants=[product.tenant_id], user=clerk.id)
    headers = {
        "Authorization": f"Bearer {tokens.access_token}", "Xero-Tenant-Id": product.tenant_id,
        "Accept": "application/json",
    }  # fmt: skip

    assert product.send("GET", "https://x/api.xro/2.0/Contacts", headers).status == 200
    assert product.send("PUT", "https://x/api.xro/2.0/Contacts", headers, b'{"Name":"Ana"}').status == 403
    assert product.call("PUT", "Contacts", {"Name": "Ana"}).status == 200


@pytest.mark.parametrize("path", ["connect/token", "connect/revocation", "identity/connect/authorize"])
def test_a_verb_that_the_identity_host_does_not_know_is_405(product: Product, path: str) -> None:
    """F 5.47."""
    reply = product.send("DELETE", f"https://identity.xero.com/{path}", {})

    assert (reply.status, reply.text) == (405, "")
