"""The organisations a token reaches: listing them, ending one, and which of them is the one meant (F 1.32–1.40)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, cast
from urllib.parse import quote

from xerosync.client._retry import Kind, Step, Tried, next_move
from xerosync.client._wire import dates
from xerosync.client._wire.answers import refusal
from xerosync.client._wire.codec import Json, parse
from xerosync.client.id_token import claims_unverified
from xerosync.client.oauth import Endpoints
from xerosync.errors import InvalidInput, OtherOrganisation, Unavailable, UnreadableAnswer
from xerosync.models import Connection, ConnectionId, TenantId
from xerosync.ports import Clock, Request, Response, Transport, TransportFault

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


def list_request(access_token: str, endpoints: Endpoints, *, of_this_consent: bool = False) -> Request:
    """The request for a user's connections; for those of the consent behind *access_token* alone, if asked (F 1.34)."""
    event = claims_unverified(access_token).get("authentication_event_id") if of_this_consent else None
    query = f"?authEventId={quote(event, safe='')}" if isinstance(event, str) else ""
    return Request("GET", f"{endpoints.api}/connections{query}", _headers(access_token))


def end_request(access_token: str, connection: str, endpoints: Endpoints) -> Request:
    """The request that ends one connection, by its own id, never the organisation's (F 1.38)."""
    return Request("DELETE", f"{endpoints.api}/connections/{quote(connection, safe='')}", _headers(access_token))


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


def choose_organisation(
    connections: Iterable[Connection], *, linked: str | None = None, another: bool = False
) -> Connection:
    """
    The one of *connections* to use: the organisation *linked* before, or else the only one there is.

    Raises `OtherOrganisation` when *linked* is not among them, since links, cursors and settings belong to one
    organisation's books; a demo company that was reset is another one too (F 8.03). Only with *another* may it be
    replaced. Raises `InvalidInput` when there are several to choose from: let the user choose.
    """
    open_to = [each for each in connections if each.tenant_type == "ORGANISATION"]
    same = [each for each in open_to if each.tenant_id == linked]
    if same:
        return same[0]
    if not open_to:
        raise OtherOrganisation("the user let the app into no organisation: ask them to choose one at Xero")
    if linked is not None and not another:
        raise other_organisation(open_to)
    if len(open_to) > 1:
        raise InvalidInput("connections", "there are several organisations: let the user choose one")
    return open_to[0]


def other_organisation(covered: Iterable[Connection]) -> OtherOrganisation:
    """The refusal to go on in other books than those that are linked."""
    return OtherOrganisation(
        "the consent does not cover this organisation: let the user choose it at Xero. "
        "Another organisation has other books, and starts without links.",
        tuple(each.tenant_id for each in covered),
    )


def _headers(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}


def _connection(row: object) -> Connection:
    if not isinstance(row, dict):
        raise UnreadableAnswer("connections", f"a {type(row).__name__} where an object is due")
    told = cast(Json, row)
    if not isinstance(told.get("id"), str) or not isinstance(told.get("tenantId"), str):
        raise UnreadableAnswer("connections", "a row without id or tenantId")
    name = told.get("tenantName")
    return Connection(
        connection_id=ConnectionId(str(told["id"])),
        tenant_id=TenantId(str(told["tenantId"])),
        tenant_type=str(told.get("tenantType")),
        tenant_name=name if isinstance(name, str) else None,
        created=_stamp(told.get("createdDateUtc")),
        updated=_stamp(told.get("updatedDateUtc")),
    )


def _stamp(text: object) -> datetime | None:
    return dates.instant(text) if isinstance(text, str) else None
