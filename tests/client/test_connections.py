"""One consent, several organisations: which are reached, ending one or all, and coming back (F 1.20, 1.32–1.43)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.conftest import Product, Through

from xerosync import App, Customer, MemoryStore, Receivables, Tokens, Xero
from xerosync.client._connections import choose_organisation
from xerosync.client._wire.answers import refusal
from xerosync.client.consents import OAuth
from xerosync.client.scopes import scopes_for
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
from xerosync.models import Connection, ConnectionId, TenantId
from xerosync.ports import AnswerLost, Request, Response
from xerosync.simulator import Bookkeeper, Fault


def consent(product: Product, *books: Bookkeeper, scopes: str = "") -> Tokens:
    """The tokens of a new consent to *books*."""
    tenants = [each.tenant_id for each in books]
    wanted = scopes or " ".join(scopes_for("receivables"))
    given = product.simulator.consent(product.app, tenants=tenants, scopes=wanted)
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    return Tokens(given.access_token, given.refresh_token, expires_at, tuple(wanted.split()))


def client(product: Product, books: Bookkeeper, *, on_event: Callable[..., None] | None = None) -> Xero:
    """A client of *books* on the product's store, not yet connected."""
    return Xero(
        App(product.app.client_id, product.app.client_secret),
        books.tenant_id,
        store=product.store,
        transport=product.simulator.transport,
        clock=product.clock,
        quarantine_s=0.0,
        on_event=on_event,
    )


def two(product: Product) -> tuple[Xero, Xero]:
    """Clients of two organisations that one consent covers."""
    other = product.simulator.add_organisation("Other Ltd")
    tokens = consent(product, product.books, other)
    pair = client(product, product.books), client(product, other)
    for xero in pair:
        xero.connect(tokens)
    return pair


def row(tenant: str, kind: str = "ORGANISATION") -> Connection:
    return Connection(connection_id=ConnectionId(f"c-{tenant}"), tenant_id=TenantId(tenant), tenant_type=kind)


def test_one_consent_serves_several_organisations(product: Product) -> None:
    first, second = two(product)

    assert {each.tenant_id for each in first.connections()} == {first.books.tenant, second.books.tenant}
    assert first.organisation().name != second.organisation().name


def test_a_disconnected_organisation_is_left_and_the_others_stay(product: Product) -> None:
    first, second = two(product)

    first.disconnect()

    with pytest.raises(ReconnectNeeded, match="disconnected"):
        list(first.accounts.list())
    assert [each.tenant_id for each in second.connections()] == [second.books.tenant]
    assert list(second.accounts.list())


def test_a_connection_is_ended_by_its_own_id_not_the_organisations(product: Product, xero: Xero) -> None:
    sent: list[Request] = []
    watched = product.xero(transport=Through(product.simulator.transport, sent.append))
    (connection,) = xero.connections()

    watched.disconnect()

    (ended,) = (each for each in sent if each.method == "DELETE")
    assert ended.url == f"https://api.xero.com/connections/{connection.connection_id}"
    assert xero.connections() == ()


def test_links_outlive_a_disconnect_and_work_again_after_the_reconnect(product: Product) -> None:
    product.collectable("100.00")
    xero = product.xero()
    before = Receivables(xero).matches([Customer(id="Ana", custom_identifier="Ana Costa")])

    xero.disconnect()
    xero.disconnect()
    again = client(product, product.books)
    again.connect(consent(product, product.books))

    after = Receivables(again).matches([Customer(id="Ana", custom_identifier="Ana Costa")])
    assert [(each.status, each.contacts) for each in after] == [(each.status, each.contacts) for each in before]
    assert [each.status for each in after] == ["connected"]


def test_a_connection_that_has_gone_already_is_disconnected_all_the_same(product: Product, xero: Xero) -> None:
    product.books.disconnect()

    xero.disconnect()

    with pytest.raises(ReconnectNeeded):
        xero.organisation()


def test_a_disconnect_after_the_consent_has_ended_asks_nothing_of_xero(product: Product, xero: Xero) -> None:
    assert xero.connections()
    said: list[tuple[str, object]] = []
    product.clock.advance(61 * 24 * 3600)
    late = client(product, product.books, on_event=lambda event, fields: said.append((event, dict(fields))))

    late.disconnect()

    organisation = product.books.tenant_id
    assert said == [("xerosync.disconnected", {"organisation": organisation, "told_xero": False})]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.UNAVAILABLE], ids=lambda each: each.value)
def test_a_disconnect_outlives_what_only_passes(product: Product, xero: Xero, fault: Fault) -> None:
    product.simulator.faults.plan(fault, method="DELETE", path="/connections")

    xero.disconnect()

    with pytest.raises(ReconnectNeeded):
        xero.organisation()


def test_a_disconnect_that_xero_never_heard_of_changes_nothing(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.UNAVAILABLE, method="DELETE", path="/connections", times=5)

    with pytest.raises(Unavailable):
        xero.disconnect()

    assert list(xero.accounts.list())


def test_revoking_ends_the_consent_for_every_organisation_and_forgets_the_tokens(product: Product) -> None:
    first, second = two(product)
    kept = second.tokens()

    first.revoke()

    for xero in (first, client(product, product.books)):
        with pytest.raises(ReconnectNeeded, match="revoked"):
            list(xero.accounts.list())
    assert second.connection_state() is ConnectionState.RECONNECT
    assert kept.access_token not in _stored(product)
    assert str(kept.refresh_token) not in _stored(product)
    second.connect(consent(product, product.books, product.simulator.bookkeeper(second.books.tenant)))
    assert list(second.accounts.list())


def _stored(product: Product) -> str:
    assert isinstance(product.store, MemoryStore)
    records = product.store.query("grant", "")
    return json.dumps([each.body for each in records if each.state == "revoked"])


def test_tokens_that_were_revoked_do_not_connect_again(product: Product, xero: Xero) -> None:
    xero.revoke()

    with pytest.raises(ReconnectNeeded, match="revoked"):
        xero.connect(product.tokens)


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.UNAVAILABLE], ids=lambda each: each.value)
def test_a_revocation_outlives_what_only_passes(product: Product, xero: Xero, fault: Fault) -> None:
    product.simulator.faults.plan(fault, path="/connect/revocation")

    xero.revoke()

    with pytest.raises(ReconnectNeeded):
        xero.organisation()


def test_a_revocation_that_xero_never_heard_of_changes_nothing(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/revocation", times=5)

    with pytest.raises(Unavailable):
        xero.revoke()

    assert list(xero.accounts.list())


def test_reconnecting_to_another_organisation_is_refused(product: Product, xero: Xero) -> None:
    other = product.simulator.add_organisation("Other Ltd")
    xero.disconnect()

    with pytest.raises(OtherOrganisation, match="other books") as refused:
        xero.connect(consent(product, other))

    assert refused.value.covered == (other.tenant_id,)
    with pytest.raises(ReconnectNeeded):
        xero.organisation()


def test_a_demo_company_that_was_reset_is_another_organisation(product: Product, xero: Xero) -> None:
    """F 1.59, 8.03: its name is the same."""
    renewed = product.simulator.reset_demo_company(product.books.tenant_id)

    assert xero.connection_state() is not ConnectionState.CONNECTED
    with pytest.raises(OtherOrganisation):
        xero.connect(consent(product, renewed))


def test_the_organisation_that_is_linked_is_chosen_and_no_other_unless_told() -> None:
    both = [row("a"), row("b"), row("p", "PRACTICE")]

    assert choose_organisation(both, linked="b").tenant_id == "b"
    assert choose_organisation([row("p", "PRACTICE"), row("a")]).tenant_id == "a"
    assert choose_organisation([row("a")], linked="z", another=True).tenant_id == "a"
    with pytest.raises(OtherOrganisation) as refused:
        choose_organisation(both, linked="z")
    assert refused.value.covered == ("a", "b")
    with pytest.raises(InvalidInput, match="let the user choose"):
        choose_organisation(both)
    with pytest.raises(OtherOrganisation, match="no organisation"):
        choose_organisation([row("p", "PRACTICE")], linked="p")


def test_only_the_organisations_chosen_just_now_are_offered(product: Product) -> None:
    other = product.simulator.add_organisation("Other Ltd")
    oauth = OAuth(
        App(product.app.client_id, product.app.client_secret),
        transport=product.simulator.transport,
        clock=product.clock,
    )
    tokens = consent(product, other)

    assert [each.tenant_id for each in oauth.connections(tokens, of_this_consent=True)] == [other.tenant_id]
    assert len(oauth.connections(tokens)) == 2


def test_an_organisation_connected_before_is_offered_though_xero_counts_it_to_its_first_consent(
    product: Product,
) -> None:
    """F 1.35, 8.04: the list of the new consent is empty then."""
    oauth = OAuth(
        App(product.app.client_id, product.app.client_secret),
        transport=product.simulator.transport,
        clock=product.clock,
    )

    again = oauth.connections(consent(product, product.books), of_this_consent=True)

    assert [each.tenant_id for each in again] == [product.books.tenant_id]


def test_an_access_token_that_died_early_is_replaced_when_connections_are_listed(product: Product, xero: Xero) -> None:
    product.simulator.faults.plan(Fault.EXPIRED_TOKEN, method="GET", path="/Accounts")
    assert list(xero.accounts.list())
    product.simulator.faults.plan(Fault.EXPIRED_TOKEN, method="GET", path="/connections")

    assert xero.connections()


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
