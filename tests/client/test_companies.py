"""Which of the host's companies is connected to which organisation, and what a page shows of it (G14, G17, G18)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from tests.client.consents import client, consent
from tests.conftest import Product

from xerosync import AsyncConnections, Connections
from xerosync.client.scopes import scopes_for
from xerosync.client.states import ConnectionState
from xerosync.errors import (
    InvalidInput,
    OtherOrganisation,
    ReconnectNeeded,
)


def test_each_company_of_the_host_has_its_own_organisation(product: Product) -> None:
    """The host finds the organisation of a company again, and what a page shows of it."""
    other = product.simulator.add_organisation("Other Ltd")
    tokens = consent(product, product.books, other)
    at = product.clock.now()
    client(product, product.books).connect(tokens, company="7")
    client(product, other).connect(tokens, company="8")
    kept = Connections(product.store)

    shown = kept.of("7")

    assert shown is not None
    assert (shown.organisation, shown.name, shown.state) == (
        product.books.tenant_id,
        "Demo Company (NZ)",
        ConnectionState.CONNECTED,
    )
    assert shown.scopes == scopes_for("receivables")
    assert shown.connected_at is not None
    assert timedelta() <= shown.connected_at - at < timedelta(seconds=1)
    assert [(each.company, each.organisation) for each in kept.list()] == [
        ("7", product.books.tenant_id),
        ("8", other.tenant_id),
    ]
    assert kept.of("9") is None
    assert "Demo" not in repr(shown)


def test_a_company_stays_with_its_organisation_unless_the_user_wants_another(product: Product) -> None:
    """A demo company is another one after each reset (F 1.59); its links do not follow."""
    first = client(product, product.books)
    first.connect(product.tokens, company="7")
    renewed = product.simulator.reset_demo_company(product.books.tenant_id)
    tokens = consent(product, renewed)
    second = client(product, renewed)
    with pytest.raises(OtherOrganisation, match="linked to another"):
        second.connect(tokens, company="7")
    with pytest.raises(ReconnectNeeded):
        second.organisation()

    second.connect(tokens, company="7", another=True)

    kept = Connections(product.store)
    assert {each.company: each.state for each in kept.list()} == {
        "7": ConnectionState.CONNECTED,
        product.books.tenant_id: ConnectionState.RECONNECT,
    }
    assert second.organisation().organisation_id == renewed.tenant_id
    product.clock.advance(61)
    with pytest.raises(ReconnectNeeded):
        first.organisation()


def test_an_organisation_serves_one_company_until_it_is_disconnected_there(product: Product) -> None:
    xero = client(product, product.books)
    xero.connect(product.tokens, company="7")
    with pytest.raises(InvalidInput, match="disconnect it there first"):
        xero.connect(product.tokens, company="8")
    xero.connect(product.tokens)
    assert Connections(product.store).of("7") is not None

    xero.disconnect()
    again = client(product, product.books)
    again.connect(consent(product, product.books), company="8")

    assert [each.company for each in Connections(product.store).list()] == ["8"]
    with pytest.raises(InvalidInput, match="company"):
        again.connect(product.tokens, company=" ")


def test_an_organisation_connected_without_a_company_is_given_one_later(product: Product) -> None:
    xero = client(product, product.books)
    xero.connect(product.tokens)
    assert [each.company for each in Connections(product.store).list()] == [product.books.tenant_id]

    xero.connect(product.tokens, company="7")

    assert [each.company for each in Connections(product.store).list()] == ["7"]


def test_a_connection_keeps_its_day_until_the_user_connects_again(product: Product) -> None:
    def since() -> datetime | None:
        (shown,) = Connections(product.store).list()
        return shown.connected_at

    product.xero()
    first = since()
    product.clock.advance(3600)
    product.xero()
    assert since() == first

    evolve(product, tokens=consent(product, product.books)).xero()

    assert first is not None
    assert since() is not None
    assert since() >= first + timedelta(hours=1)  # type: ignore[operator]


def test_the_summary_of_a_connection_asks_xero_how_it_stands(product: Product) -> None:
    xero = client(product, product.books)
    assert xero.connection_summary() is None
    xero.connect(product.tokens, company="7")

    live = xero.connection_summary()
    product.books.disconnect()
    gone = xero.connection_summary()

    assert live is not None
    assert gone is not None
    assert (live.company, live.state, gone.state) == ("7", ConnectionState.CONNECTED, ConnectionState.RECONNECT)
    (kept,) = Connections(product.store).list()
    assert kept.state is ConnectionState.CONNECTED


@pytest.mark.parametrize("ends", ["disconnect", "revoke"])
def test_a_connection_that_was_ended_here_is_shown_so_without_asking_xero(product: Product, ends: str) -> None:
    xero = product.xero()
    getattr(xero, ends)()
    before = product.simulator.calls

    (shown,) = Connections(product.store).list()

    assert (shown.state, product.simulator.calls) == (ConnectionState.RECONNECT, before)


def test_connections_can_be_awaited(product: Product) -> None:
    product.xero()

    async def page() -> list[str | None]:
        kept = AsyncConnections(product.store)
        assert await kept.of(product.books.tenant_id) is not None
        return [each.name for each in await kept.list()]

    assert asyncio.run(page()) == ["Demo Company (NZ)"]
