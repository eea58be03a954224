"""The organisations a token reaches, on the wire: listing them, and ending one (F 1.32–1.40)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast
from urllib.parse import quote
from uuid import UUID

from xerosync.client._retry import Kind, Step, Tried, next_move
from xerosync.client._wire import dates
from xerosync.client._wire.answers import refusal
from xerosync.client._wire.codec import Json, parse
from xerosync.client.id_token import claims_unverified
from xerosync.client.oauth import Endpoints
from xerosync.errors import InvalidInput, Unavailable, UnreadableAnswer
from xerosync.models import Connection, ConnectionId, TenantId
from xerosync.ports import Clock, Request, Response, Transport, TransportFault
from xerosync.secret import Secret

_GONE: Final = frozenset({204, 200, 404})


async def ask(transport: Transport, clock: Clock, request: Request) -> Response:
    """The answer to *request*, which may be sent again: it reads, or does what is done once only."""
    tried = Tried()
    while True:
        try:
            outcome: Response | TransportFault = await transport.send(request)
        except TransportFault as fault:
            outcome = fault
        move = next_move(Kind.READ, outcome, tried)
        if move.step not in {Step.RESEND, Step.WAIT}:
            break
        tried = tried.then(move, in_doubt=False)
        await clock.sleep(move.wait_s)
    if isinstance(outcome, TransportFault):
        raise Unavailable(str(outcome)) from None
    return outcome


def list_request(access_token: Secret, endpoints: Endpoints, *, of_this_consent: bool = False) -> Request:
    """The request for a user's connections; for those of the consent behind *access_token* alone, if asked (F 1.34)."""
    event = claims_unverified(access_token).get("authentication_event_id") if of_this_consent else None
    query = f"?authEventId={quote(event, safe='')}" if isinstance(event, str) else ""
    return Request("GET", f"{endpoints.api}/connections{query}", _headers(access_token))


def end_request(access_token: Secret, connection: str, endpoints: Endpoints) -> Request:
    """The request that ends one connection, by its own id, never the organisation's (F 1.38). Raises `InvalidInput`."""
    try:
        connection = str(UUID(connection))
    except ValueError:  # it becomes part of an address
        raise InvalidInput("connection", "give a connection as connections() lists it; its id is a UUID") from None
    return Request("DELETE", f"{endpoints.api}/connections/{connection}", _headers(access_token))


def listed(response: Response) -> tuple[Connection, ...]:
    """The connections in *response*. Raises `UnreadableAnswer`, or the error that a refusal stands for."""
    if response.status != 200:
        raise refusal(response)
    rows = parse(response.body, where="connections")
    if not isinstance(rows, list):
        raise UnreadableAnswer("connections", "no list")
    return tuple(_connection(row) for row in cast(list[object], rows))


def check_ended(response: Response) -> None:
    """Raise the error that *response* stands for, unless the connection is gone now, by whomever (F 1.38)."""
    if response.status not in _GONE:
        raise refusal(response)


def _headers(access_token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token.reveal()}", "Accept": "application/json"}


def _connection(row: object) -> Connection:
    if not isinstance(row, dict):
        raise UnreadableAnswer("connections", f"a {type(row).__name__} where an object is due")
    told = cast(Json, row)
    name = told.get("tenantName")
    return Connection(
        connection_id=ConnectionId(_id(told, "id")),
        tenant_id=TenantId(_id(told, "tenantId")),
        tenant_type=str(told.get("tenantType")),
        tenant_name=name if isinstance(name, str) else None,
        created=_stamp(told, "createdDateUtc"),
        updated=_stamp(told, "updatedDateUtc"),
    )


def _id(told: Json, name: str) -> str:
    """The id under *name*, written as we write ids, since it is compared."""
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableAnswer(f"connections.{name}", "no id")
    try:
        return str(UUID(value))
    except ValueError:
        return value


def _stamp(told: Json, name: str) -> datetime | None:
    text = told.get(name)
    try:
        return dates.instant(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        raise UnreadableAnswer(f"connections.{name}", "no date") from None
