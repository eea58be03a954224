"""From the consent page to tokens: what leaves with the user, what may come back, and who is believed (F 1.01–1.31)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.conftest import Product, Through

from xerosync import App, AsyncXero, Endpoints, MemoryStore, Tokens, Xero
from xerosync.client.authorise import ConsentRequest, authorise_url, code_of
from xerosync.client.consents import AsyncOAuth, OAuth
from xerosync.client.id_token import ISSUER, verified
from xerosync.client.oauth import token_refusal, tokens_from
from xerosync.client.scopes import scopes_for
from xerosync.client.states import ConnectionState, state_of
from xerosync.errors import (
    ConsentFailed,
    InvalidInput,
    Misconfigured,
    RateLimited,
    ReconnectNeeded,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.ports import Request, Response, Transport
from xerosync.simulator import Fault

BACK: Final = "https://app.example/back"
SCOPES: Final = scopes_for("receivables", "sign in")
APP: Final = App("client", "hush-hush")
NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)


def web_app(product: Product) -> App:
    return App(product.app.client_id, product.app.client_secret)


def oauth(product: Product, app: App | None = None, transport: Transport | None = None) -> OAuth:
    return OAuth(
        app or web_app(product), transport=transport or product.simulator.transport, clock=product.simulator.clock
    )


def browse(product: Product, request: ConsentRequest) -> str:
    """Where the browser lands once the user has answered."""
    answer = product.simulator.handle(Request("GET", request.url, {}, b""))
    assert answer.status == 302, answer.body
    return answer.headers["location"]


def asked(request: ConsentRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def leave(app: App = APP, **wanted: object) -> ConsentRequest:
    asking: dict[str, object] = {"redirect_uri": BACK, "scopes": ["accounting.contacts"]} | wanted
    return authorise_url(app, **asking)  # type: ignore[arg-type]


def test_the_user_leaves_with_a_state_and_a_challenge_that_are_new_each_time() -> None:
    first, second = leave(), leave()

    digest = base64.urlsafe_b64encode(sha256(first.code_verifier.encode()).digest()).rstrip(b"=").decode()
    assert first.url.startswith("https://login.xero.com/identity/connect/authorize?")
    assert asked(first) == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": BACK,
        "scope": "accounting.contacts",
        "state": first.state,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    assert 43 <= len(first.code_verifier) <= 128
    assert not {first.state, first.code_verifier} & {second.state, second.code_verifier}
    assert asked(leave(one_organisation=True))["acr_values"] == "bulk_connect:false"


def test_a_request_outlives_the_users_trip_to_xero_in_a_session_and_shows_no_secret() -> None:
    request = leave(nonce=True, scopes=["openid"])

    assert ConsentRequest.from_json(request.to_json()) == request
    for secret in (request.state, request.code_verifier, str(request.nonce)):
        assert secret not in repr(request)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"url": 1}', "x" * 99, '{"url":"u","state":""}'])
def test_a_session_that_holds_something_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="to_json"):
        ConsentRequest.from_json(text)


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/back",
        "http://127.0.0.1:8484/callback",
        "https://app.example/back#top",
        "https://user:word@app.example/",
        "https:///back",
        "https://app.example/a b",
        "myapp://back",
        "javascript:alert(1)",
        "/back",
        "",
        "http://[::1",
    ],
)
def test_a_redirect_that_xero_would_refuse_is_refused_here(address: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        leave(redirect_uri=address)

    assert refused.value.field == "redirect_uri"


def test_an_app_without_a_secret_may_come_back_by_a_scheme_of_its_own() -> None:
    assert asked(leave(App("client"), redirect_uri="myapp://back"))["redirect_uri"] == "myapp://back"
    with pytest.raises(InvalidInput):
        leave(App("client"), redirect_uri="javascript://back")


@pytest.mark.parametrize("scopes", ["openid email", [], ["a b"], [""], ['quo"te']])
def test_scopes_are_words(scopes: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        leave(scopes=scopes)

    assert refused.value.field == "scopes"


def test_a_state_of_ones_own_must_be_hard_to_guess() -> None:
    assert leave(state="s" * 32).state == "s" * 32
    with pytest.raises(InvalidInput, match="guess"):
        leave(state="42")


@pytest.mark.parametrize(("name", "secret"), [("", "s"), (" ", "s"), ("a:b", "s"), ("ä", "s"), ("id", ""), ("id", " ")])
def test_an_app_without_a_name_or_with_an_empty_secret_is_refused(name: str, secret: str) -> None:
    with pytest.raises(InvalidInput, match="client_"):
        App(name, secret)


def test_a_consent_becomes_tokens_that_say_who_signed_in(product: Product) -> None:
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    answer = browse(product, request)
    left = product.clock.now()

    tokens = way.exchange(request, answer=answer)

    assert tokens.scopes == SCOPES
    assert tokens.id_token is not None
    assert tokens.id_token.email == "owner@example.com"
    assert timedelta(minutes=30) < tokens.expires_at - left < timedelta(minutes=30, seconds=1)
    assert [each.tenant_id for each in way.connections(tokens, of_this_consent=True)] == [product.books.tenant_id]
    xero = Xero(
        web_app(product),
        product.books.tenant_id,
        store=MemoryStore(),
        transport=product.simulator.transport,
        clock=product.clock,
    )
    xero.connect(tokens)
    assert list(xero.accounts.list())


def test_without_openid_nobody_is_named_and_no_key_is_fetched(product: Product) -> None:
    seen: list[str] = []
    way = oauth(product, transport=Through(product.simulator.transport, lambda sent: seen.append(sent.url)))
    request = way.authorise_url(redirect_uri=BACK, scopes=scopes_for("receivables"))

    tokens = way.exchange(request, answer=browse(product, request))

    assert (tokens.id_token, seen) == (None, ["https://identity.xero.com/connect/token"])


def test_an_app_without_a_secret_proves_itself_by_pkce(product: Product) -> None:
    app = App(product.simulator.register_app("Desk", kind="mobile").client_id)
    way = oauth(product, app)
    request = way.authorise_url(redirect_uri="myapp://back", scopes=SCOPES)
    answer = browse(product, request)

    stolen = ConsentRequest.from_json(leave(app, redirect_uri="myapp://back", state=request.state).to_json())
    with pytest.raises(ConsentFailed) as refused:
        way.exchange(stolen, answer=answer)

    assert refused.value.reason == "code_ended"
    request = way.authorise_url(redirect_uri="myapp://back", scopes=SCOPES)
    assert way.exchange(request, answer=browse(product, request)).refresh_token


def test_the_awaited_way_gives_the_same_tokens(product: Product) -> None:
    async def story() -> Tokens:
        async with AsyncOAuth(
            web_app(product), transport=product.simulator.transport, clock=product.simulator.clock
        ) as way:
            request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
            return await way.exchange(request, answer=browse(product, request))

    assert asyncio.run(story()).scopes == SCOPES


def test_a_user_who_cancels_is_no_fault_of_the_app(product: Product) -> None:
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    product.simulator.next_consent(cancel=True)

    with pytest.raises(ConsentFailed, match="did not let the app in") as refused:
        way.exchange(request, answer=browse(product, request))

    assert refused.value.reason == "cancelled"


def test_an_answer_to_another_request_is_not_believed_and_its_code_not_spent(product: Product) -> None:
    way = oauth(product)
    mine, other = (way.authorise_url(redirect_uri=BACK, scopes=SCOPES) for _ in range(2))
    answer = browse(product, other)

    with pytest.raises(ConsentFailed, match="state") as refused:
        way.exchange(mine, answer=answer)

    assert refused.value.reason == "state"
    assert way.exchange(other, answer=answer).access_token


def test_a_code_serves_once(product: Product) -> None:
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    answer = browse(product, request)
    way.exchange(request, answer=answer)

    with pytest.raises(ConsentFailed, match="Send the user to Xero again") as refused:
        way.exchange(request, answer=answer)

    assert refused.value.reason == "code_ended"


def test_a_code_ends_after_five_minutes(product: Product) -> None:
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    answer = browse(product, request)
    product.clock.advance(301)

    with pytest.raises(ConsentFailed) as refused:
        way.exchange(request, answer=answer)

    assert refused.value.reason == "code_ended"


def test_a_code_whose_answer_was_lost_is_not_sent_again(product: Product) -> None:
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    product.simulator.faults.plan(Fault.LOST_AFTER, path="/connect/token")

    with pytest.raises(Unavailable, match="send the user to Xero again"):
        way.exchange(request, answer=browse(product, request))


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"error": "access_denied"}, ConsentFailed),
        ({"error": "invalid_scope"}, Misconfigured),
        ({"error": "<script>"}, Misconfigured),
        ({"code": "c", "iss": "https://elsewhere.example"}, ConsentFailed),
        ({}, InvalidInput),
        ({"code": ""}, InvalidInput),
    ],
)
def test_every_answer_of_the_consent_page_has_its_error(query: dict[str, str], error: type[XerosyncError]) -> None:
    request = leave()

    with pytest.raises(error) as refused:
        code_of(request, f"{BACK}?{urlencode(query | {'state': request.state})}")

    assert "script" not in str(refused.value)


def test_a_field_that_stands_twice_in_the_answer_is_refused() -> None:
    request = leave()

    with pytest.raises(InvalidInput, match="twice"):
        code_of(request, f"{BACK}?code=a&code=b&state={request.state}")


@given(st.text())
def test_whatever_comes_back_is_a_typed_error_that_repeats_none_of_it(answer: str) -> None:
    with pytest.raises((ConsentFailed, InvalidInput)) as refused:
        code_of(leave(), answer)

    assert len(answer) < 5 or answer not in str(refused.value)


@pytest.mark.parametrize("shape", ["{back}?{query}", "?{query}", "{query}", "/back?{query}"])
def test_the_answer_is_read_as_a_url_or_as_its_query_alone(shape: str) -> None:
    request = leave()
    query = urlencode({"code": "c0de", "state": request.state, "iss": ISSUER})

    assert code_of(request, shape.format(back=BACK, query=query)) == "c0de"


KEY: Final = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)
KEYS: Final[dict[str, object]] = {
    "keys": [{"kty": "EC", "kid": "new"}, {"kid": "k1", "use": "sig", **KEY.as_dict(private=False)}]
}
ACCESS: Final = "the-access-token"
HALF: Final = base64.urlsafe_b64encode(sha256(ACCESS.encode()).digest()[:16]).rstrip(b"=").decode()
CLAIMS: Final[dict[str, object]] = {
    "iss": ISSUER,
    "aud": "client",
    "sub": "s",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
    "at_hash": HALF,
    "nonce": "n0nce",
    "email": "ana@example.com",
}


def signed(claims: dict[str, object], key: RSAKey = KEY, kid: str = "k1") -> str:
    return jwt.encode({"alg": "RS256", "kid": kid}, claims, key)


def check(token: str, *, nonce: str | None = "n0nce", now: datetime = NOW) -> str | None:
    return verified(token, KEYS, client_id="client", now=now, access_token=ACCESS, nonce=nonce).email


def test_an_id_token_that_passes_every_check_names_the_user_but_never_in_its_repr() -> None:
    who = verified(signed(CLAIMS), KEYS, client_id="client", now=NOW, access_token=ACCESS, nonce="n0nce")

    assert (who.email, who.subject, who.expires_at) == ("ana@example.com", "s", NOW + timedelta(minutes=5))
    assert "ana" not in repr(who)
    assert check(signed(CLAIMS | {"aud": ["client"]})) == "ana@example.com"
    assert check(signed(CLAIMS), now=NOW - timedelta(seconds=90)) == "ana@example.com"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"iss": "https://identity.xero.com.evil.example"}, "issuer"),
        ({"aud": "another"}, "another app"),
        ({"aud": ["client", "another"]}, "another app"),
        ({"azp": "another"}, "another app"),
        ({"exp": int(NOW.timestamp()) - 121}, "expired"),
        ({"exp": "never"}, "expired"),
        ({"exp": 1e30}, "expired"),
        ({"iat": int(NOW.timestamp()) + 121}, "clock"),
        ({"nbf": int(NOW.timestamp()) + 121}, "clock"),
        ({"iat": None}, "clock"),
        ({"at_hash": "other"}, "another access token"),
        ({"at_hash": None}, "another access token"),
        ({"nonce": "other"}, "this request"),
        ({"sub": ""}, "nobody"),
    ],
)
def test_an_id_token_that_fails_one_check_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(ConsentFailed, match=why) as refused:
        check(signed(CLAIMS | change))

    assert refused.value.reason == "id_token"


def _another_key() -> str:
    return signed(CLAIMS, RSAKey.generate_key(2048, {"kid": "k1"}, private=True))


def _unsigned() -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, CLAIMS)
    )
    return f"{head}.{body}."


def _public_key_as_secret() -> str:
    """A token whose "secret" everybody knows, signed by hand since the library refuses to."""
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "kid": "k1"}, CLAIMS)
    )
    mac = hmac.digest(KEY.as_pem(private=False), unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "forge",
    [_another_key, _unsigned, _public_key_as_secret, lambda: signed(CLAIMS, kid="k2"), lambda: "", lambda: "a.b.c"],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_forged_id_token_is_refused(forge: Callable[[], str]) -> None:
    with pytest.raises(ConsentFailed, match="signature"):
        check(forge())


def test_an_id_token_without_the_nonce_that_was_asked_for_is_refused(product: Product) -> None:
    """The simulator, of which nobody knows whether Xero repeats a nonce, repeats none."""
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES, nonce=True)

    with pytest.raises(ConsentFailed, match="does not answer this request"):
        way.exchange(request, answer=browse(product, request))


@pytest.mark.parametrize(
    "lie", [b'{"issuer": "https://elsewhere.example"}', b"[]", b"<html>", b'{"issuer":"https://identity.xero.com"}']
)
def test_keys_are_taken_from_xero_alone(product: Product, lie: bytes) -> None:
    class Lying:
        async def send(self, request: Request) -> Response:
            honest = await product.simulator.transport.send(request)
            return Response(200, {}, lie) if "openid-configuration" in request.url else honest

        async def send_all(self, requests: object, *, at_most: int) -> list[Response]:
            raise NotImplementedError

        async def close(self) -> None: ...

    way = oauth(product, transport=Lying())  # type: ignore[arg-type]
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)

    with pytest.raises(UnreadableAnswer, match="openid-configuration"):
        way.exchange(request, answer=browse(product, request))


def test_a_custom_connection_needs_no_user_and_asks_again_when_its_token_ends(product: Product) -> None:
    made = product.simulator.register_app("Custom", tenant_id=product.books.tenant_id)
    app = App(made.client_id, made.client_secret)
    tokens = oauth(product, app).client_credentials(scopes_for("receivables", custom_connection=True))
    store = MemoryStore()

    def client() -> Xero:
        return Xero(
            app, product.books.tenant_id, store=store, transport=product.simulator.transport, clock=product.clock
        )

    assert tokens.refresh_token is None
    client().connect(tokens)
    for _ in range(3):
        product.clock.advance(3600)
        assert list(client().accounts.list())
    assert client().tokens().scopes == tokens.scopes
    again = oauth(product, app).client_credentials(tokens.scopes)
    client().connect(again)
    with pytest.raises(Misconfigured, match=r"developer\.xero\.com"):
        client().revoke()


def test_a_web_app_is_told_that_it_is_no_custom_connection(product: Product) -> None:
    with pytest.raises(Misconfigured, match=r"unauthorized_client.*kind of app"):
        oauth(product).client_credentials(["accounting.contacts"])
    with pytest.raises(InvalidInput, match="secret"):
        oauth(product, App("client")).client_credentials(["accounting.contacts"])


def test_tokens_that_no_store_keeps_are_revoked(product: Product) -> None:
    way = oauth(product)

    way.revoke(product.tokens)

    product.clock.advance(3600)
    with pytest.raises(ReconnectNeeded):
        product.xero()
    with pytest.raises(InvalidInput, match="refresh token"):
        way.revoke(Tokens("access", None, NOW))


def said(status: int, body: object = None, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    return Response(status, headers, raw)


@pytest.mark.parametrize(
    ("response", "error", "state"),
    [
        (said(400, {"error": "invalid_grant"}), ReconnectNeeded, ConnectionState.RECONNECT),
        (said(400, {"error": "invalid_client"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(401, {"error": "invalid_client"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(400, {"error": "invalid_request"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(400, {"error": "unauthorized_client"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(400, {"error": "unsupported_grant_type"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(400, {"error": "invalid_scope"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(400, {"error": ["odd"]}), Misconfigured, ConnectionState.MISCONFIGURED),
        (said(400, b"<html>"), Unavailable, ConnectionState.PASSING),
        (said(400), Unavailable, ConnectionState.PASSING),
        (said(403, b"<html>Access Denied"), Unavailable, ConnectionState.PASSING),
        (said(429), Unavailable, ConnectionState.PASSING),
        (said(500), Unavailable, ConnectionState.PASSING),
        (said(503, b"<html>"), Unavailable, ConnectionState.PASSING),
        (said(200, b"<html>"), Unavailable, ConnectionState.PASSING),
        (said(200, {}), Unavailable, ConnectionState.PASSING),
        (said(200, {"access_token": "a"}), Unavailable, ConnectionState.PASSING),
        (said(200, {"access_token": "a", "expires_in": True}), Unavailable, ConnectionState.PASSING),
        (said(200, {"access_token": "a", "expires_in": -1}), Unavailable, ConnectionState.PASSING),
        (said(200, {"access_token": "a", "expires_in": 10**12}), Unavailable, ConnectionState.PASSING),
        (said(200, {"access_token": "", "expires_in": 1800}), Unavailable, ConnectionState.PASSING),
        (said(302), Unavailable, ConnectionState.PASSING),
    ],
    ids=lambda value: f"{value.status} {value.body[:40].decode()}" if isinstance(value, Response) else None,
)
def test_every_answer_of_the_token_endpoint_has_its_state(
    response: Response, error: type[XerosyncError], state: ConnectionState
) -> None:
    with pytest.raises(error) as refused:
        tokens_from(response, NOW)

    assert type(refused.value) is error
    assert state_of(refused.value) is state


def test_what_the_token_endpoint_says_is_repeated_only_if_it_is_an_error_code() -> None:
    leaked = "eyJhbGciOiJSUzI1NiJ9.secret"

    for body in ({"error": leaked}, {"error": "invalid_client", "error_description": leaked}, leaked.encode()):
        assert leaked not in str(token_refusal(said(400, body)) if not isinstance(body, bytes) else _read(body))


def _read(body: bytes) -> XerosyncError:
    with pytest.raises(Unavailable) as refused:
        tokens_from(said(200, body), NOW)
    return refused.value


def test_secrets_stand_in_no_repr_and_in_no_error(product: Product) -> None:
    request = leave()
    tokens = Tokens("hidden-access", "hidden-refresh", NOW)
    shown = [repr(each) for each in (APP, tokens, request, Endpoints(), oauth(product))]

    for secret in ("hush-hush", "hidden-access", "hidden-refresh", request.state, request.code_verifier):
        assert not [text for text in shown if secret in text]


def test_errors_of_consent_survive_pickling() -> None:
    for error in (ConsentFailed("text", "state"), RateLimited("day", 1.0)):
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_the_secret_goes_in_a_header_and_never_in_an_address(product: Product) -> None:
    seen: list[Request] = []
    way = oauth(product, transport=Through(product.simulator.transport, seen.append))
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    tokens = way.exchange(request, answer=browse(product, request))
    way.revoke(tokens)

    secrets = (product.app.client_secret, tokens.access_token, str(tokens.refresh_token), request.code_verifier)
    assert not [sent.url for sent in seen for secret in secrets if secret in sent.url]
    assert not [sent for sent in seen if product.app.client_secret.encode() in sent.body]
    assert all(sent.url.startswith("https://") for sent in seen)


@pytest.mark.parametrize("url", ["http://xero.example", "ftp://127.0.0.1", "xero.example"])
def test_another_place_than_this_machine_must_be_https(url: str) -> None:
    with pytest.raises(InvalidInput, match="https"):
        Endpoints.at(url)


def test_an_awaited_client_is_made_of_the_same_tokens(product: Product) -> None:
    async def story() -> int:
        async with AsyncXero(
            web_app(product),
            product.books.tenant_id,
            store=MemoryStore(),
            transport=product.simulator.transport,
            clock=product.clock,
        ) as xero:
            await xero.connect(product.tokens)
            assert await xero.connection_state() is ConnectionState.CONNECTED
            return len(await xero.connections())

    assert asyncio.run(story()) == 1
