"""From the consent page to tokens: what leaves with the user, what may come back, and who is believed (F 1.01–1.31)."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from attrs import asdict, define, evolve
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conftest import Product, Through

from xerosync import App, AsyncXero, Endpoints, MemoryStore, Tokens, Xero
from xerosync.client.authorise import ConsentRequest, authorise_url, code_of
from xerosync.client.consents import AsyncOAuth, OAuth
from xerosync.client.id_token import ISSUER, verified
from xerosync.client.scopes import missing_scopes, scopes_for
from xerosync.client.states import ConnectionState
from xerosync.errors import (
    ConsentFailed,
    InvalidInput,
    Misconfigured,
    RateLimited,
    ReconnectNeeded,
    SecretKept,
    Unavailable,
    UnreadableAnswer,
    XerosyncError,
)
from xerosync.ports import Request, Response, Transport
from xerosync.secret import Secret
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

    digest = base64.urlsafe_b64encode(sha256(first.code_verifier.reveal().encode()).digest()).rstrip(b"=").decode()
    assert first.url.startswith("https://login.xero.com/identity/connect/authorize?")
    assert asked(first) == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": BACK,
        "scope": "accounting.contacts",
        "state": first.state.reveal(),
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    assert 43 <= len(first.code_verifier.reveal()) <= 128
    assert not {first.state, first.code_verifier} & {second.state, second.code_verifier}
    assert asked(leave(one_organisation=True))["acr_values"] == "bulk_connect:false"


def test_a_request_outlives_the_users_trip_to_xero_in_a_session_and_shows_no_secret() -> None:
    request = leave(nonce=True, scopes=["openid"])

    assert ConsentRequest.from_json(request.to_json()) == request
    for secret in (request.state, request.code_verifier, request.nonce):
        assert secret is not None
        assert secret.reveal() not in repr(request)


KEPT: Final = {"url": "u", "state": "s", "code_verifier": "v", "redirect_uri": "r", "scopes": ["openid"], "nonce": None}


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{}", '{"url": 1}', "x" * 99, '{"url":"u","state":""}'),
        *(json.dumps(KEPT | change) for change in ({"nonce": 1}, {"nonce": ""}, {"scopes": "openid"}, {"state": None})),
    ],
)
def test_a_session_that_holds_something_else_is_refused(text: str) -> None:
    assert ConsentRequest.from_json(json.dumps(KEPT)).scopes == ("openid",)
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
        "https://app.example:port/",
        "https://app.example:99999/",
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
    assert leave(state="s" * 32).state == Secret("s" * 32)
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
        code_of(request, f"{BACK}?{urlencode(query | {'state': request.state.reveal()})}")

    assert "script" not in str(refused.value)


def test_a_field_that_stands_twice_in_the_answer_is_refused() -> None:
    request = leave()

    with pytest.raises(InvalidInput, match="twice"):
        code_of(request, f"{BACK}?code=a&code=b&state={request.state.reveal()}")


@given(st.text())
@example("http://[?code=1&state=2")
@example("https://app.example:x/?code=1")
@example("?" + "a=1&" * 99)
@example("?state=\ud800")
def test_whatever_comes_back_is_a_typed_error_that_repeats_none_of_it(answer: str) -> None:
    with pytest.raises((ConsentFailed, InvalidInput)) as refused:
        code_of(leave(), answer)

    assert len(answer) < 5 or answer not in str(refused.value)


@pytest.mark.parametrize(
    "shape", ["{back}?{query}", "?{query}", "{query}", "/back?{query}", "{query}#_=_", "{back}?{query}#"]
)
def test_the_answer_is_read_as_a_url_or_as_its_query_alone(shape: str) -> None:
    request = leave()
    query = urlencode({"code": "c0de", "state": request.state.reveal(), "iss": ISSUER})

    assert code_of(request, shape.format(back=BACK, query=query)) == "c0de"


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


def test_a_code_is_not_spent_while_the_keys_to_believe_its_tokens_cannot_be_had(product: Product) -> None:
    """The same answer serves again within its five minutes."""
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    answer = browse(product, request)
    product.simulator.faults.plan(Fault.UNAVAILABLE, path="/.well-known", times=1)
    product.simulator.faults.plan(Fault.LOST_AFTER, path="/.well-known", times=4)
    with pytest.raises(Unavailable):
        way.exchange(request, answer=answer)

    assert way.exchange(request, answer=answer).id_token is not None


@define(eq=False)
class Rewording(Through):
    """A token endpoint whose answers are put otherwise by *reword*."""

    reword: Callable[[dict[str, object]], dict[str, object]] = dict

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not request.url.endswith("/connect/token"):
            return response
        return evolve(response, body=json.dumps(self.reword(json.loads(response.body))).encode())


@pytest.mark.parametrize("said", [None, ["accounting.contacts"], 7])
def test_an_answer_that_does_not_say_its_scopes_has_those_asked_for(product: Product, said: object) -> None:
    """RFC 6749, section 5.1."""
    made = product.simulator.register_app("Custom", tenant_id=product.books.tenant_id)
    transport = Rewording(product.simulator.transport, reword=lambda row: row | {"scope": said})
    request = oauth(product).authorise_url(redirect_uri=BACK, scopes=SCOPES)
    custom = oauth(product, App(made.client_id, made.client_secret), transport)

    assert oauth(product, transport=transport).exchange(request, answer=browse(product, request)).scopes == SCOPES
    assert custom.client_credentials(["accounting.contacts"]).scopes == ("accounting.contacts",)


def test_scopes_that_were_granted_more_narrowly_are_seen_at_once(product: Product) -> None:
    """F 1.23: nothing but another consent widens them."""
    transport = Rewording(
        product.simulator.transport, reword=lambda row: row | {"scope": "offline_access accounting.contacts"}
    )
    way = oauth(product, transport=transport)
    request = way.authorise_url(redirect_uri=BACK, scopes=scopes_for("receivables"))

    tokens = way.exchange(request, answer=browse(product, request))

    assert missing_scopes(tokens, "receivables") == (
        "accounting.invoices",
        "accounting.payments",
        "accounting.settings.read",
    )


def test_an_id_token_of_another_sign_in_is_refused(product: Product) -> None:
    """Another user's token, as an attacker would swap it in: it belongs to another access token."""
    other = oauth(product).authorise_url(redirect_uri=BACK, scopes=SCOPES)
    stolen: list[object] = []

    def steal(row: dict[str, object]) -> dict[str, object]:
        stolen.append(row["id_token"])
        return row | {"id_token": stolen[0]}

    way = oauth(product, transport=Rewording(product.simulator.transport, reword=steal))
    way.exchange(other, answer=browse(product, other))
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)

    with pytest.raises(ConsentFailed, match="another access token"):
        way.exchange(request, answer=browse(product, request))


@pytest.mark.parametrize("given", [None, 7, "", "a.b.c"])
def test_openid_without_a_good_id_token_lets_nobody_in(product: Product, given: object) -> None:
    way = oauth(product, transport=Rewording(product.simulator.transport, reword=lambda row: row | {"id_token": given}))
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)

    with pytest.raises(ConsentFailed) as refused:
        way.exchange(request, answer=browse(product, request))

    assert refused.value.reason == "id_token"


def test_two_callbacks_of_one_answer_let_one_of_them_in(product: Product) -> None:
    """A double click, or a page that was loaded again: one has the tokens, the other is told to start anew."""
    way = oauth(product)
    request = way.authorise_url(redirect_uri=BACK, scopes=SCOPES)
    answer = browse(product, request)

    def exchange(_: int) -> str:
        try:
            return way.exchange(request, answer=answer).scopes[0]
        except ConsentFailed as failed:
            return failed.reason

    with ThreadPoolExecutor(2) as threads:
        came = sorted(threads.map(exchange, range(2)))

    assert came == sorted(["code_ended", SCOPES[0]])


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


def test_secrets_stand_in_no_repr_and_in_no_error(product: Product) -> None:
    request = leave()
    tokens = Tokens("hidden-access", "hidden-refresh", NOW)
    shown = [repr(each) for each in (APP, tokens, request, Endpoints(), oauth(product))]

    shown += [repr(asdict(each)) for each in (APP, tokens)]
    shown += [repr(vars(copy.copy(each)) if hasattr(each, "__dict__") else each) for each in (APP, tokens, request)]

    for secret in (
        "hush-hush",
        "hidden-access",
        "hidden-refresh",
        request.state.reveal(),
        request.code_verifier.reveal(),
    ):
        assert not [text for text in shown if secret in text]
    for kept in (APP, tokens, request):
        with pytest.raises(SecretKept, match="never pickled"):
            pickle.dumps(kept)


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

    secrets = (tokens.access_token, tokens.refresh_token, request.code_verifier, Secret(product.app.client_secret))
    assert not [sent.url for sent in seen for secret in secrets if secret is None or secret.reveal() in sent.url]
    assert not [sent for sent in seen if product.app.client_secret.encode() in sent.body]
    assert all(sent.url.startswith("https://") for sent in seen)


@pytest.mark.parametrize(
    "url", ["http://xero.example", "ftp://127.0.0.1", "xero.example", "https://", "http://[::", ""]
)
def test_another_place_than_this_machine_must_be_https(url: str) -> None:
    with pytest.raises(InvalidInput, match="https"):
        Endpoints.at(url)
    for place in ("api", "identity", "login"):
        with pytest.raises(InvalidInput, match="https"):
            Endpoints(**{place: url})


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


def test_tokens_wait_in_a_session_while_the_user_picks_an_organisation() -> None:
    tokens = Tokens("access", "refresh", NOW, ("accounting.contacts",))
    custom = Tokens("access", None, NOW, grant_type="client_credentials")

    assert Tokens.from_json(tokens.to_json()) == tokens
    assert Tokens.from_json(custom.to_json()) == custom
    for wrong in ("", "{}", "[]", tokens.to_json()[:-9], tokens.to_json().replace('"refresh"', "7")):
        with pytest.raises(InvalidInput, match="to_json") as refused:
            Tokens.from_json(wrong)
        assert "access" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_a_text_nested_without_end_is_refused() -> None:
    deep = "[" * 100_000

    with pytest.raises(InvalidInput, match="to_json"):
        Tokens.from_json(deep)
    with pytest.raises(InvalidInput, match="to_json"):
        ConsentRequest.from_json(deep)
    head = base64.urlsafe_b64encode(deep.encode()).decode()
    with pytest.raises(ConsentFailed, match="its signature is not Xero's"):
        verified(f"{head}.{head}.x", {"keys": []}, client_id="c", now=NOW, access_token=Secret("a"))
