"""One consent, several organisations: which are reached, ending one or all, and coming back (F 1.20, 1.32–1.43)."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from attrs import evolve
from tests.client.consents import client, consent
from tests.conftest import Product, Through

from xerosync import App, Connections, Customer, MemoryStore, Receivables, Xero
from xerosync.client._connections import listed
from xerosync.client.consents import OAuth
from xerosync.client.organisations import choose_organisation
from xerosync.client.scopes import scopes_for
from xerosync.client.states import ConnectionState
from xerosync.errors import (
    InvalidInput,
    OtherOrganisation,
    ReconnectNeeded,
    ScopeMissing,
    Unavailable,
    UnreadableAnswer,
)
from xerosync.models import Connection, ConnectionId, TenantId
from xerosync.ports import Request, Response
from xerosync.simulator import Fault


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
    assert said == [
        ("xerosync.consent_ended", {"organisation": organisation}),
        ("xerosync.disconnected", {"organisation": organisation, "told_xero": False}),
    ]


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
    for secret in (kept.access_token, kept.refresh_token):
        assert secret is not None
        assert secret.reveal() not in _stored(product)
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
    a, b, p, z = (str(uuid4()) for _ in range(4))
    both = [row(a), row(b), row(p, "PRACTICE")]

    assert choose_organisation(both, linked=b).tenant_id == b
    assert choose_organisation(both, linked=b.upper()).tenant_id == b
    assert choose_organisation([row(p, "PRACTICE"), row(a)]).tenant_id == a
    assert choose_organisation([row(a)], linked=z, another=True).tenant_id == a
    with pytest.raises(OtherOrganisation) as refused:
        choose_organisation(both, linked=z)
    assert refused.value.covered == (a, b)
    with pytest.raises(InvalidInput, match="UUID"):
        choose_organisation(both, linked="Demo Company")
    with pytest.raises(InvalidInput, match="let the user choose"):
        choose_organisation(both)
    with pytest.raises(OtherOrganisation, match="no organisation"):
        choose_organisation([row(p, "PRACTICE")], linked=p)


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


def test_a_connection_that_no_store_keeps_is_ended_by_what_the_list_said(product: Product) -> None:
    """By the connection itself, so that nobody can give the organisation's id in its place (F 1.38)."""
    other = product.simulator.add_organisation("Other Ltd")
    tokens = consent(product, product.books, other)
    oauth = OAuth(
        App(product.app.client_id, product.app.client_secret),
        transport=product.simulator.transport,
        clock=product.clock,
    )
    (gone,) = (each for each in oauth.connections(tokens) if each.tenant_id == other.tenant_id)

    oauth.disconnect(tokens, gone)
    oauth.disconnect(tokens, gone)

    assert [each.tenant_id for each in oauth.connections(tokens)] == [product.books.tenant_id]


def test_a_connection_made_anew_elsewhere_is_ended_by_its_new_id(product: Product, xero: Xero) -> None:
    """The user took the app out at Xero and let it in again from another of its pages."""
    product.books.disconnect()
    consent(product, product.books)

    xero.disconnect()

    product.clock.advance(61)
    with pytest.raises(ReconnectNeeded):
        xero.organisation()
    oauth = OAuth(
        App(product.app.client_id, product.app.client_secret),
        transport=product.simulator.transport,
        clock=product.clock,
    )
    assert oauth.connections(product.tokens) == ()


def test_an_app_that_may_read_no_settings_connects_all_the_same(product: Product) -> None:
    tokens = consent(product, product.books, scopes=" ".join(scopes_for("contacts")))
    xero = client(product, product.books)

    xero.connect(tokens)

    assert list(xero.contacts.list()) == []
    assert xero.connection_state() is ConnectionState.CONNECTED
    with pytest.raises(ScopeMissing):
        xero.organisation()


def test_an_organisation_that_answers_for_another_is_not_connected(product: Product) -> None:
    """F 8.06: nothing of it is kept, so that no later client writes into the wrong books."""
    other = product.simulator.add_organisation("Other Ltd")

    class Crossed(Through):
        async def send(self, request: Request) -> Response:
            headers = {
                name: other.tenant_id if name == "Xero-Tenant-Id" else value for name, value in request.headers.items()
            }
            return await super().send(evolve(request, headers=headers))

    tokens = consent(product, product.books, other)

    with pytest.raises(OtherOrganisation, match="another organisation than the one asked for"):
        evolve(product, tokens=tokens).xero(transport=Crossed(product.simulator.transport))

    assert Connections(product.store).list() == ()
    with pytest.raises(ReconnectNeeded, match="call connect"):
        client(product, product.books).organisation()


def test_two_that_connect_the_same_tokens_keep_what_the_first_has_refreshed(product: Product) -> None:
    """The second must not put back what was rotated away meanwhile."""
    product.clock.advance(29 * 60 + 30)
    first = product.xero()
    fresh = first.tokens()

    second = product.xero()

    assert second.tokens().refresh_token == fresh.refresh_token != product.tokens.refresh_token


@pytest.mark.parametrize(
    "row",
    [
        b"{}",
        b'[{"id": "1"}]',
        b'["x"]',
        b'[{"id": "", "tenantId": "y"}]',
        b'[{"id": null, "tenantId": 7}]',
        b'[{"id": "%032d", "tenantId": "%032d", "createdDateUtc": "yesterday"}]' % (1, 2),
        b"<html>",
    ],
)
def test_a_list_of_connections_that_is_none_is_said_so(row: bytes) -> None:
    with pytest.raises(UnreadableAnswer, match="connections"):
        listed(Response(200, {}, row))


@pytest.mark.parametrize("found", ["../organisations", "", "1?x=", "c-1"])
def test_a_connection_whose_id_is_none_never_becomes_part_of_an_address(product: Product, found: str) -> None:
    sent: list[Request] = []
    oauth = OAuth(
        App(product.app.client_id, product.app.client_secret),
        transport=Through(product.simulator.transport, sent.append),
        clock=product.clock,
    )
    odd = Connection(connection_id=ConnectionId(found), tenant_id=TenantId(product.books.tenant_id))

    with pytest.raises(InvalidInput, match="connection"):
        oauth.disconnect(product.tokens, odd)

    assert sent == []


def test_connections_are_read_however_their_ids_are_written() -> None:
    tenant = uuid4()
    body = json.dumps([{"id": uuid4().hex.upper(), "tenantId": tenant.hex.upper(), "tenantType": "ORGANISATION"}])

    (found,) = listed(Response(200, {}, body.encode()))

    assert found.tenant_id == str(tenant)
    assert "-" in found.connection_id
