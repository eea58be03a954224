"""How the product reaches Xero: its app, its store in its own database, and the consent of each company's user."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

from attrs import define
from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import Engine

from host_app.problems import Problem
from xerosync import (
    App,
    Connections,
    ConnectionSummary,
    ConsentRequest,
    Endpoints,
    KeyRing,
    OAuth,
    ScopeNeed,
    Xero,
    choose_organisation,
    encrypted,
    explained_scopes,
    missing_scopes,
    scopes_for,
)
from xerosync.ports import Clock, Transport
from xerosync.storage import SQLAlchemyStore, Storage

FEATURES: Final = ("receivables", "payables", "card spend", "clearing balance", "account set-up")


def _as_it_is(url: str) -> str:
    return url


@define(eq=False, slots=False, repr=False, kw_only=True)
class Access:
    """
    The product's way to Xero.

    What xerosync must remember lies in the product's own database, encrypted: so that a link and the row it is about
    are kept in one transaction. *transport*, *clock* and *endpoints* are left out where the real Xero is meant.
    """

    app: App
    engine: Engine
    keys: KeyRing
    redirect_uri: str
    clock: Clock | None = None
    transport: Transport | None = None
    endpoints: Endpoints | None = None
    consent_page: Callable[[str], str] = _as_it_is

    @cached_property
    def _plain_store(self) -> SQLAlchemyStore:
        return SQLAlchemyStore(self.engine)

    @cached_property
    def store(self) -> Storage:
        """What xerosync remembers of every company."""
        return encrypted(self._plain_store, self.keys)

    def store_within(self, connection: DatabaseConnection) -> Storage:
        """The same store, inside a transaction of the product's own."""
        return encrypted(self._plain_store.within(connection), self.keys)

    def asked_for(self) -> tuple[ScopeNeed, ...]:
        """What the user is going to be asked to allow, in plain words."""
        return explained_scopes(*FEATURES)

    def leave_for_xero(self) -> ConsentRequest:
        """A request for consent: send the browser to its ``url``, and keep the rest on the server meanwhile."""
        with self._oauth() as oauth:
            return oauth.authorise_url(
                redirect_uri=self.redirect_uri, scopes=scopes_for(*FEATURES), one_organisation=True
            )

    def come_back(self, company: str, request: ConsentRequest, answer: str) -> None:
        """
        Connect *company* by the consent that the browser came back with; *answer* is the URL it came to.

        A company that was connected before must choose the same organisation, and finds its links again.
        """
        known = self.connection_of(company)
        with self._oauth() as oauth:
            tokens = oauth.exchange(request, answer=answer)
            if missing_scopes(tokens, *FEATURES):
                raise Problem("You left something out", "Please connect again, and allow everything on the list.")
            chosen = choose_organisation(
                oauth.connections(tokens, of_this_consent=True), linked=known.organisation if known else None
            )
        with self._client(chosen.tenant_id or "") as xero:
            xero.connect(tokens, company=company)

    def connection_of(self, company: str) -> ConnectionSummary | None:
        """Which organisation *company* is connected to, and how that stands; nothing is asked of Xero."""
        return Connections(self.store).of(company)

    def xero_of(self, company: str) -> Xero:
        """A client for the organisation of *company*. Raises `Problem` when it was never connected."""
        known = self.connection_of(company)
        if known is None:
            raise Problem("Xero is not connected yet", "Connect it first, in the settings.", "settings.show")
        return self._client(known.organisation)

    def _client(self, organisation: str) -> Xero:
        return Xero(
            self.app,
            organisation,
            store=self.store,
            clock=self.clock,
            transport=self.transport,
            endpoints=self.endpoints,
        )

    def _oauth(self) -> OAuth:
        return OAuth(self.app, clock=self.clock, transport=self.transport, endpoints=self.endpoints)
