"""One organisation's books as every flow reaches them: the session, the store, the clock, and shared settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final
from uuid import UUID

from attrs import define, field

from xerosync.client._connections import ask, check_ended, end_request, list_request, listed, other_organisation
from xerosync.client._consent import Consent, new_grant
from xerosync.client._limits import Limits
from xerosync.client._pacing import Pacer
from xerosync.client._session import Query, Session
from xerosync.client._usage import Run, Usage
from xerosync.client._wire.answers import lacks_scope
from xerosync.client._wire.codec import decode
from xerosync.client.gate import Account, RateGate
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.states import ConnectionState, state_of
from xerosync.errors import InvalidInput, OtherOrganisation, ReconnectNeeded, UnreadableAnswer, XerosyncError
from xerosync.events import Event, OnEvent, tell
from xerosync.models import Action, Connection, Organisation, TenantId
from xerosync.ports import Clock, Request, Response, Transport
from xerosync.storage.protocol import AsyncStorage, Owner, Record, RecordKey

QUARANTINE_S: Final = 300.0
"""How long a doubtful write is left alone before it is looked for: longer than any request can travel (R3)."""

_DISCONNECTED: Final = "disconnected"


def tenant_id(text: str) -> TenantId:
    """*text* as the id of an organisation. Raises `InvalidInput` when it is no UUID."""
    try:
        return TenantId(str(UUID(text)))
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("organisation", "give the tenant id of the connection, a UUID") from None


@define(eq=False)
class Books:
    """What a flow needs of one organisation. Build it through `Xero` or `AsyncXero`."""

    app: App
    tenant: TenantId
    storage: AsyncStorage
    transport: Transport
    clock: Clock
    endpoints: Endpoints
    limits: Limits
    owner: Owner
    quarantine_s: float
    on_event: OnEvent
    gate: RateGate
    background: bool = False
    _session: Session | None = field(default=None, init=False)
    _pacer: Pacer = field(init=False)

    def __attrs_post_init__(self) -> None:
        account = Account(self.endpoints.api, self.app.client_id, self.tenant)
        self._pacer = Pacer(account, self.limits, self.gate, self.clock, self.tell, self.background)

    @property
    def usage(self) -> Usage:
        """What this client has spent, and what Xero last said is left."""
        return self._pacer.meter.usage

    def run(self, calls: int | None, bytes_down: int | None, *, background: bool | None) -> Run:
        """A run of this client, with the budget given."""
        return Run(self._pacer, calls, bytes_down, background)

    async def session(self) -> Session:
        """The authorised session. Raises `ReconnectNeeded` when this organisation is not connected."""
        if self._session is None:
            record = await self._kept()
            if record is None:
                raise ReconnectNeeded("this organisation is not connected: call connect() with the tokens of a consent")
            if record.state == _DISCONNECTED:
                raise ReconnectNeeded("this organisation was disconnected: call connect() with the tokens of a consent")
            self._session = self._session_under(str(json.loads(record.body)["grant"]))
        return self._session

    async def connect(self, tokens: Tokens) -> Connection:
        """
        Keep *tokens*, the token set of a consent just given, and use it for this organisation from now on.

        A token set that is already stored is left as it is, since it may have been refreshed meanwhile. Links and all
        else that is stored for this organisation stay. Raises `OtherOrganisation` when the consent does not cover this
        organisation (F 1.36, 8.06): another one needs a client of its own.
        """
        grant = new_grant(self.app, tokens)
        (stored,) = await self.storage.get_many([grant.identity])
        if stored is None:
            await self.storage.commit([grant])
        session = self._session_under(grant.key)
        reached = await self._listed(session)
        connection = next((each for each in reached if each.tenant_id == self.tenant), None)
        if connection is None:
            raise other_organisation(reached)
        about = {"grant": grant.key, "connection_id": connection.connection_id}
        await self.storage.commit([Record("connection", self.tenant, "connection", json.dumps(about))])
        self._session = session
        await self._check_organisation()
        return connection

    async def disconnect(self) -> None:
        """
        End the app's access to this organisation, at Xero and here; the user's other organisations stay connected.

        Links, documents and settings stay stored, and a later `connect` goes on with them. Where the connection, or the
        consent, has ended already, nothing is asked of Xero. Raises `Unavailable` when Xero could not be told: then
        nothing has changed.
        """
        record = await self._kept()
        if record is None or record.state == _DISCONNECTED:
            return
        connection = str(json.loads(record.body)["connection_id"])
        try:
            session = await self.session()
            check_ended(await self._asked(session, lambda token: end_request(token, connection, self.endpoints)))
        except ReconnectNeeded:
            self.tell(Event.DISCONNECTED, told_xero=False)
        else:
            self.tell(Event.DISCONNECTED, told_xero=True)
        await self.storage.commit([record.with_body(record.body, state=_DISCONNECTED)])
        self._session = None

    async def revoke(self) -> None:
        """
        End the whole consent: its tokens, and every connection that its user made to the app (F 1.02).

        All organisations that share the consent need a new one. What is stored for them stays. Raises `Misconfigured`
        for a custom connection, and `Unavailable` when Xero could not be told: then nothing has changed.
        """
        session = await self.session()
        await session.consent.revoke()
        self.tell(Event.CONSENT_REVOKED)
        self._session = None

    async def tokens(self) -> Tokens:
        """
        The token set as it is kept now, refreshed if need be: to look at its scopes, or to hand on.

        Raises `ReconnectNeeded` when there is none.
        """
        session = await self.session()
        await session.consent.access_token()
        return await session.consent.tokens()

    async def connection_state(self) -> ConnectionState:
        """
        How it stands with the connection, asked of Xero now: who must act, if anybody. Three calls at most.

        It tells a disconnected organisation from one that Xero refuses for another reason, which a call that was
        refused cannot (F 1.54, 8.05). Raises only what says nothing of the connection, such as `StoreFailed`.
        """
        try:
            reached = await self.connections()
            if all(each.tenant_id != self.tenant for each in reached):
                return ConnectionState.RECONNECT
            await self.organisation()
        except XerosyncError as error:
            state = state_of(error)
            if state is None:
                raise
            return state
        return ConnectionState.CONNECTED

    async def organisation(self) -> Organisation:
        """The organisation's own record: name, base currency, time zone, lock dates."""
        session = await self.session()
        rows = (await session.read(Query("Organisation", "Organisations"))).rows
        if len(rows) != 1:
            raise UnreadableAnswer("Organisations", f"{len(rows)} rows where one is due")
        return decode(Organisation, rows[0], where="Organisations[0]")

    async def actions(self) -> tuple[Action, ...]:
        """What this app's user may and may not do in the organisation, by its plan and the user's role (F 6.05)."""
        session = await self.session()
        rows = (await session.read(Query("Organisation/Actions", "Actions"))).rows
        return tuple(decode(Action, row, where="Actions") for row in rows)

    async def connections(self) -> tuple[Connection, ...]:
        """Every organisation that this user ever let the app into, not only by the last consent (F 1.36)."""
        return await self._listed(await self.session())

    async def close(self) -> None:
        """Give back the connections to Xero. The store stays the caller's."""
        await self.transport.close()

    def tell(self, event: str, **fields: object) -> None:
        """Tell the host's listener of *event*. What the listener raises is logged, and goes no further."""
        tell(self.on_event, event, {"organisation": self.tenant, **fields})

    def _session_under(self, grant: str) -> Session:
        consent = Consent(
            self.app, grant, self.storage, self.transport, self.clock, self.endpoints, self.owner, self._refreshed
        )
        return Session(self.tenant, consent, self.transport, self.clock, self.endpoints, self._pacer)

    def _refreshed(self) -> None:
        self.tell(Event.TOKEN_REFRESHED)

    async def _kept(self) -> Record | None:
        (record,) = await self.storage.get_many([RecordKey("connection", self.tenant, "connection")])
        return record

    async def _listed(self, session: Session) -> tuple[Connection, ...]:
        return listed(await self._asked(session, lambda token: list_request(token, self.endpoints)))

    async def _asked(self, session: Session, request: Callable[[str], Request]) -> Response:
        """The answer to what *request* makes of an access token, with another token once if Xero refuses the first."""
        token = await session.consent.access_token()
        response = await ask(self.transport, self.clock, request(token))
        if response.status != 401 or lacks_scope(response):
            return response
        return await ask(self.transport, self.clock, request(await session.consent.renew(token)))

    async def _check_organisation(self) -> None:
        organisation = await self.organisation()
        if organisation.organisation_id != self.tenant:
            raise OtherOrganisation("Xero answered for another organisation than the one asked for (F 8.06)")
