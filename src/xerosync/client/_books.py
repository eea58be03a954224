"""One organisation's books as every flow reaches them: the session, the store, the clock, and shared settings."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from attrs import define, field

from xerosync.client._consent import Consent, new_grant
from xerosync.client._limits import Limits
from xerosync.client._session import OnEvent, Query, Session
from xerosync.client._wire import dates
from xerosync.client._wire.answers import refusal
from xerosync.client._wire.codec import Json, decode, parse
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.errors import InvalidInput, NotAuthorised, ReconnectNeeded, UnreadableAnswer
from xerosync.models import Connection, ConnectionId, Organisation, TenantId
from xerosync.ports import Clock, Request, Transport
from xerosync.storage.protocol import AsyncStorage, Owner, Record, RecordKey

QUARANTINE_S: Final = 300.0
"""How long a doubtful write is left alone before it is looked for: longer than any request can travel (R3)."""


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
    _session: Session | None = field(default=None, init=False)

    async def session(self) -> Session:
        """The authorised session. Raises `ReconnectNeeded` when this organisation was never connected."""
        if self._session is None:
            (record,) = await self.storage.get_many([_connection_key(self.tenant)])
            if record is None:
                raise ReconnectNeeded("this organisation is not connected: call connect() with the tokens of a consent")
            self._session = self._session_under(str(json.loads(record.body)["grant"]))
        return self._session

    async def connect(self, tokens: Tokens) -> Connection:
        """
        Keep *tokens*, the token set of a consent just given, and use it for this organisation from now on.

        A token set that is already stored is left as it is, since it may have been refreshed meanwhile. Raises
        `NotAuthorised` when the consent does not cover this organisation (F 1.36, 8.06).
        """
        grant = new_grant(tokens)
        (stored,) = await self.storage.get_many([grant.identity])
        if stored is None:
            await self.storage.commit([grant])
        session = self._session_under(grant.key)
        connection = await self._connection(await session.consent.access_token())
        about = {"grant": grant.key, "connection_id": connection.connection_id}
        await self.storage.commit([Record("connection", self.tenant, "connection", json.dumps(about))])
        self._session = session
        await self._check_organisation()
        return connection

    async def organisation(self) -> Organisation:
        """The organisation's own record: name, base currency, time zone, lock dates."""
        session = await self.session()
        rows = (await session.read(Query("Organisation", "Organisations"))).rows
        if len(rows) != 1:
            raise UnreadableAnswer("Organisations", f"{len(rows)} rows where one is due")
        return decode(Organisation, rows[0], where="Organisations[0]")

    async def connections(self) -> tuple[Connection, ...]:
        """Every organisation that this user ever let the app into, not only by the last consent (F 1.36)."""
        session = await self.session()
        return await self._connections(await session.consent.access_token())

    async def close(self) -> None:
        """Give back the connections to Xero. The store stays the caller's."""
        await self.transport.close()

    def tell(self, event: str, **fields: object) -> None:
        """Tell the host's listener of *event*."""
        self.on_event(event, fields)

    def _session_under(self, grant: str) -> Session:
        consent = Consent(self.app, grant, self.storage, self.transport, self.clock, self.endpoints, self.owner)
        return Session(self.tenant, consent, self.transport, self.clock, self.endpoints, self.limits)

    async def _connection(self, access_token: str) -> Connection:
        for connection in await self._connections(access_token):
            if connection.tenant_id == self.tenant:
                return connection
        raise NotAuthorised("the consent does not cover this organisation: let the user choose it when connecting")

    async def _connections(self, access_token: str) -> tuple[Connection, ...]:
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        response = await self.transport.send(Request("GET", f"{self.endpoints.api}/connections", headers))
        if response.status != 200:
            raise refusal(response)
        rows = parse(response.body, where="connections")
        if not isinstance(rows, list):
            raise UnreadableAnswer("connections", "no list")
        return tuple(_connection(cast(Json, row)) for row in cast(list[object], rows))

    async def _check_organisation(self) -> None:
        organisation = await self.organisation()
        if organisation.organisation_id != self.tenant:
            raise NotAuthorised("Xero answered for another organisation than the one asked for (F 8.06)")


def _connection_key(tenant: TenantId) -> RecordKey:
    return RecordKey("connection", tenant, "connection")


def _connection(row: Json) -> Connection:
    if not isinstance(row.get("id"), str) or not isinstance(row.get("tenantId"), str):
        raise UnreadableAnswer("connections", "a row without id or tenantId")
    name = row.get("tenantName")
    return Connection(
        connection_id=ConnectionId(str(row["id"])),
        tenant_id=TenantId(str(row["tenantId"])),
        tenant_type=str(row.get("tenantType")),
        tenant_name=name if isinstance(name, str) else None,
        created=_stamp(row.get("createdDateUtc")),
        updated=_stamp(row.get("updatedDateUtc")),
    )


def _stamp(text: object) -> datetime | None:
    return dates.instant(text) if isinstance(text, str) else None
