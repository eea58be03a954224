"""Consents that a user has given, and clients that may be connected with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.conftest import Product

from xerosync import App, Tokens, Xero
from xerosync.client.scopes import scopes_for
from xerosync.simulator import Bookkeeper


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
