"""How it stands with a connection, and who must act: one state for every answer and error (F 1.31, 1.53–1.55)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest
from tests.client.consents import client
from tests.conftest import Product

from xerosync import App, Xero
from xerosync.client._wire.answers import refusal
from xerosync.client.oauth import token_refusal, tokens_from
from xerosync.client.states import ConnectionState, state_of
from xerosync.errors import (
    InvalidInput,
    LeaseLost,
    Misconfigured,
    NotAuthorised,
    OrganisationRefused,
    OtherOrganisation,
    RateLimited,
    ReconnectNeeded,
    Rejected,
    ScopeMissing,
    StoreFailed,
    Unavailable,
    XerosyncError,
)
from xerosync.ports import AnswerLost, Response
from xerosync.simulator import Fault


def _ended(product: Product) -> None:
    product.clock.advance(61 * 24 * 3600)


def _disconnected_in_xero(product: Product) -> None:
    product.books.disconnect()


def _reset(product: Product) -> None:
    product.simulator.reset_demo_company(product.books.tenant_id)


def _fault(fault: Fault, path: str, times: int = 1) -> Callable[[Product], object]:
    return lambda product: product.simulator.faults.plan(fault, path=path, times=times)


@pytest.mark.parametrize(
    ("happens", "state"),
    [
        (lambda _: None, ConnectionState.CONNECTED),
        (_ended, ConnectionState.RECONNECT),
        (_disconnected_in_xero, ConnectionState.RECONNECT),
        (_reset, ConnectionState.RECONNECT),
        (_fault(Fault.UNAVAILABLE, "/connections", 5), ConnectionState.PASSING),
        (_fault(Fault.LOST_BEFORE, "/Organisation", 5), ConnectionState.PASSING),
        (_fault(Fault.DAY_LIMIT, "/Organisation"), ConnectionState.PASSING),
        (_fault(Fault.MISSING_SCOPE, "/Organisation"), ConnectionState.SCOPE_MISSING),
        (_fault(Fault.FORBIDDEN, "/Organisation"), ConnectionState.REFUSED),
        (_fault(Fault.EXPIRED_TOKEN, "/Organisation"), ConnectionState.CONNECTED),
    ],
)
def test_the_state_of_a_connection_says_who_must_act(
    product: Product, xero: Xero, happens: Callable[[Product], object], state: ConnectionState
) -> None:
    assert xero.connections()
    later = client(product, product.books)
    happens(product)

    assert later.connection_state() is state


def test_an_organisation_that_was_never_connected_needs_its_user(product: Product) -> None:
    other = product.simulator.add_organisation("Other Ltd")

    assert client(product, other).connection_state() is ConnectionState.RECONNECT


def test_an_app_whose_secret_was_changed_is_for_the_developer(product: Product, xero: Xero) -> None:
    assert xero.connections()
    wrong = Xero(
        App(product.app.client_id, "old secret"),
        product.books.tenant_id,
        store=product.store,
        transport=product.simulator.transport,
        clock=product.clock,
    )
    product.clock.advance(1800)

    assert wrong.connection_state() is ConnectionState.MISCONFIGURED


def said(status: int, body: str = "", **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body.encode())


UNAUTHORISED = '{"Title":"Unauthorized","Status":401,"Detail":"%s","Instance":"i"}'


@pytest.mark.parametrize(
    ("response", "error", "state"),
    [
        (said(401, UNAUTHORISED % "TokenExpired: token expired at 01/05/2026"), NotAuthorised, ConnectionState.PASSING),
        (said(401, UNAUTHORISED % "AuthenticationUnsuccessful"), NotAuthorised, ConnectionState.PASSING),
        (said(401, UNAUTHORISED % "AuthorizationUnsuccessful"), ScopeMissing, ConnectionState.SCOPE_MISSING),
        (said(401, "{}", www_authenticate="insufficent_scope"), ScopeMissing, ConnectionState.SCOPE_MISSING),
        (said(401, "", www_authenticate="Bearer error=invalid_token"), NotAuthorised, ConnectionState.PASSING),
        (
            said(403, '{"Title":"Forbidden","Detail":"AuthenticationUnsuccessful"}'),
            OrganisationRefused,
            ConnectionState.REFUSED,
        ),
        (said(429, retry_after="7", x_rate_limit_problem="minute"), RateLimited, ConnectionState.PASSING),
        (said(429, retry_after="9999", x_rate_limit_problem="day"), RateLimited, ConnectionState.PASSING),
        (said(500), Unavailable, ConnectionState.PASSING),
        (said(503, "<html>"), Unavailable, ConnectionState.PASSING),
        (said(400, "{}"), Rejected, ConnectionState.CONNECTED),
        (said(404), Rejected, ConnectionState.CONNECTED),
    ],
    ids=lambda value: f"{value.status} {value.body[-60:].decode()}" if isinstance(value, Response) else None,
)
def test_every_answer_of_the_api_has_its_state(
    response: Response, error: type[XerosyncError], state: ConnectionState
) -> None:
    """F 1.50–1.56; a token that was refused is replaced once before anybody hears of it."""
    refused = refusal(response)

    assert isinstance(refused, error)
    assert not isinstance(refused, ReconnectNeeded)
    assert state_of(refused) is state


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, ConnectionState.CONNECTED),
        (ReconnectNeeded("ended"), ConnectionState.RECONNECT),
        (OtherOrganisation("other", ["t"]), ConnectionState.RECONNECT),
        (Misconfigured("wrong"), ConnectionState.MISCONFIGURED),
        (AnswerLost("lost"), ConnectionState.PASSING),
        (InvalidInput("field", "remedy"), None),
        (StoreFailed("disk"), None),
        (LeaseLost("gone"), None),
    ],
)
def test_an_error_that_says_nothing_of_the_connection_has_no_state(
    error: XerosyncError | None, state: ConnectionState | None
) -> None:
    assert state_of(error) is state


NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)


def token_said(status: int, body: object = None, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    return Response(status, headers, raw)


@pytest.mark.parametrize(
    ("response", "error", "state"),
    [
        (token_said(400, {"error": "invalid_grant"}), ReconnectNeeded, ConnectionState.RECONNECT),
        (token_said(400, {"error": "invalid_client"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(401, {"error": "invalid_client"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(400, {"error": "invalid_request"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(400, {"error": "unauthorized_client"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(400, {"error": "unsupported_grant_type"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(400, {"error": "invalid_scope"}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(400, {"error": ["odd"]}), Misconfigured, ConnectionState.MISCONFIGURED),
        (token_said(400, b"<html>"), Unavailable, ConnectionState.PASSING),
        (token_said(400), Unavailable, ConnectionState.PASSING),
        (token_said(403, b"<html>Access Denied"), Unavailable, ConnectionState.PASSING),
        (token_said(429), Unavailable, ConnectionState.PASSING),
        (token_said(500), Unavailable, ConnectionState.PASSING),
        (token_said(503, b"<html>"), Unavailable, ConnectionState.PASSING),
        (token_said(200, b"<html>"), Unavailable, ConnectionState.PASSING),
        (token_said(200, {}), Unavailable, ConnectionState.PASSING),
        (token_said(200, {"access_token": "a"}), Unavailable, ConnectionState.PASSING),
        (token_said(200, {"access_token": "a", "expires_in": True}), Unavailable, ConnectionState.PASSING),
        (token_said(200, {"access_token": "a", "expires_in": -1}), Unavailable, ConnectionState.PASSING),
        (token_said(200, {"access_token": "a", "expires_in": 10**12}), Unavailable, ConnectionState.PASSING),
        (token_said(200, {"access_token": "", "expires_in": 1800}), Unavailable, ConnectionState.PASSING),
        (token_said(302), Unavailable, ConnectionState.PASSING),
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
        assert leaked not in str(token_refusal(token_said(400, body)) if not isinstance(body, bytes) else _read(body))


def _read(body: bytes) -> XerosyncError:
    with pytest.raises(Unavailable) as refused:
        tokens_from(token_said(200, body), NOW)
    return refused.value
