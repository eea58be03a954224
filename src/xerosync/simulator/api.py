"""The API host: connections, and every accounting call from the gateway to its answer in JSON or XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from attrs import frozen

from xerosync.ports import Request, Response
from xerosync.simulator import routes
from xerosync.simulator.faults import Fault, Strike
from xerosync.simulator.gate import Caller, Flight, Limit, Limits, Memory, admit, bearer, refuse_role
from xerosync.simulator.identity import Identity
from xerosync.simulator.refusals import Denied, Invalid, NotServed, NotThere, Refused, WrongVerb
from xerosync.simulator.resources.call import Answer, Call, invalid, refused
from xerosync.simulator.resources.route import Route
from xerosync.simulator.wire import Row, bare_stamp, compact_json, json_bytes
from xerosync.simulator.wire_xml import kind_of, xml_bytes
from xerosync.simulator.world import World

Place: TypeAlias = tuple[Route, tuple[str, ...]]

_CACHE: Final = {"cache-control": "max-age=0, no-cache, no-store", "pragma": "no-cache", "server": "Kestrel"}
_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_XML: Final = {"content-type": "text/xml; charset=utf-8"}
_WRITES: Final = frozenset({"PUT", "POST", "PATCH"})
_PROBLEMS: Final[Mapping[Fault, str]] = {
    Fault.MINUTE_LIMIT: "minute",
    Fault.DAY_LIMIT: "day",
    Fault.CONCURRENT_LIMIT: "concurrent",
    Fault.APP_MINUTE_LIMIT: "appminute",
    Fault.SILENT_LIMIT: "silent",
}
_DEATHS: Final[Mapping[Fault, Literal["expired", "revoked"]]] = {
    Fault.EXPIRED_TOKEN: "expired",
    Fault.REVOKED_TOKEN: "revoked",
}
_FORGOTTEN: Final = frozenset({Fault.UNAVAILABLE, Fault.MAINTENANCE})
_LARGEST_BODY: Final = 10 * 1024 * 1024


@frozen
class _Visit:
    """
    One call that was let in: where it goes, the headers its answer will bear, and what strikes it.

    Its *place* is the route with the ids of its path, or the reason why there is none.
    """

    request: Request
    caller: Caller
    parts: list[str]
    place: Place | NotThere
    query: Mapping[str, str]
    headers: Mapping[str, str]
    strike: Strike
    flight: Flight
    written: Callable[[Row], bytes] = json_bytes


class Api:
    """Answers the calls of the API host over *world*."""

    def __init__(self, world: World, identity: Identity, *, limits: bool) -> None:
        self._world = world
        self._identity = identity
        self._limits = Limits(world, enforced=limits)
        self._memory = Memory(world)

    def connections(self, request: Request, path: str, query: Mapping[str, str], *, strike: Strike) -> Response:
        """GET /connections, DELETE /connections/{id} (F 1.32–1.38)."""
        correlation = self._world.draw()
        try:
            self._strike_token(request, strike)
            token = bearer(self._identity, request.headers)
        except Denied as denial:
            return _denied(denial, correlation)
        headers = _CACHE | {"content-type": "application/json", "xero-correlation-id": correlation}
        parts = [part for part in path.split("/") if part]
        if request.method == "GET" and len(parts) == 1:
            rows = self._identity.connections(token.app, query.get("autheventid", "").lower())
            return Response(200, headers, compact_json(rows))
        if request.method == "DELETE" and len(parts) == 2:
            found = self._identity.remove_connection(token.app, parts[1])
            return Response(204 if found else 404, {"xero-correlation-id": correlation})
        return Response(405, {"xero-correlation-id": correlation})

    def answer(
        self, request: Request, parts: list[str], query: Mapping[str, str], *, strike: Strike, flight: Flight
    ) -> Response:
        """Answer one accounting call for the path *parts* below ``/api.xro/2.0/``; `landed` when that has arrived."""
        correlation = self._world.draw()
        try:
            self._strike_token(request, strike)
            if strike.does(Fault.FORBIDDEN):
                raise Denied(403, "AuthenticationUnsuccessful", counters=("app",))
            if strike.does(Fault.MISSING_SCOPE):
                raise Denied(401, "AuthorizationUnsuccessful", scope=True)
            caller = admit(self._identity, self._world, request.headers)
            place = _place(parts)
            if not isinstance(place, NotThere):
                route, _ = place
                if caller.token.scopes != "*" and not route.allows(caller.token.scopes, request.method):
                    raise Denied(401, "AuthorizationUnsuccessful", scope=True)
                refuse_role(caller, self._world.books[caller.tenant], request.method, route.path)
        except Denied as denial:
            return _denied(denial, correlation)
        if strike.fault is not None and strike.does(*_PROBLEMS):
            counted: Limit | dict[str, str] = self._limits.exhaust(caller, _PROBLEMS[strike.fault])
        else:
            counted = self._limits.take(caller, flight.in_flight)
        if isinstance(counted, Limit):
            return _limited(counted, correlation)
        headers = _CACHE | counted | {"xero-correlation-id": correlation}
        return self._once(_Visit(request, caller, parts, place, query, headers, strike, flight))

    def inside(
        self, request: Request, parts: list[str], query: Mapping[str, str], caller: Caller, strike: Strike
    ) -> Response:
        """As `answer`, for a *caller* whose token and limits nobody looks at, in JSON without blanks."""
        correlation = self._world.draw()
        if strike.does(*_DEATHS):
            return _denied(Denied(401, "TokenExpired"), correlation)
        if strike.fault is not None and strike.does(*_PROBLEMS):
            return _limited(self._limits.exhaust(caller, _PROBLEMS[strike.fault]), correlation)
        headers = {"xero-correlation-id": correlation}
        visit = _Visit(request, caller, parts, _place(parts), query, headers, strike, flight := Flight(1), compact_json)
        try:
            return self._once(visit)
        finally:
            self.landed(flight)

    def landed(self, flight: Flight) -> None:
        """Note that the answer to a call has arrived, or been lost on the way."""
        self._memory.end(flight)

    def _once(self, visit: _Visit) -> Response:
        """Answer a call, or say again what was said to the same call under the same Idempotency-Key (F 3.05)."""
        request, caller, headers = visit.request, visit.caller, visit.headers
        key = request.headers.get("idempotency-key", "") if request.method in _WRITES else ""
        if not key:
            return self._run(visit)
        if visit.strike.does(Fault.KEYS_DOWN):
            return Response(500, {**headers, **_HTML}, UNHANDLED)
        if len(key) > 128:
            return _refused_key(visit, "Idempotency Key must not be longer than 128 characters.")
        url = f"{'/'.join(visit.parts).lower()}?{urlencode(sorted(visit.query.items()))}"
        asked = self._memory.asked(caller, request.method, url, request.body)
        known = self._memory.recall(caller, key)
        if known is not None:
            if known.asked != asked:
                return _refused_key(visit, f"Idempotency Key: {key} is used with a different request.")
            if self._memory.refuses_duplicate(caller, key):
                return _refused_key(visit, f"Idempotency Key: {key} is used by a request that is in progress.", 409)
            return Response(known.status, {**known.headers, **_counters(headers)}, known.body)
        at_ms = self._world.now_ms()
        self._memory.begin(caller, key, visit.flight)
        response = self._run(visit)
        if visit.strike.fault not in _FORGOTTEN:
            self._memory.keep(caller, key, asked, response, at_ms)
        return response

    def _run(self, visit: _Visit) -> Response:
        request, headers, strike = visit.request, visit.headers, visit.strike
        if strike.does(Fault.UNAVAILABLE):
            return Response(503, {**headers, **_HTML}, b"The Organisation is offline")
        if strike.does(Fault.MAINTENANCE):
            return Response(503, {**headers, **_HTML}, _AWAY)
        if strike.does(Fault.SERVER_ERROR):
            return Response(500, {**headers, **_HTML}, UNHANDLED)
        if len(request.body) > _LARGEST_BODY:
            return Response(413, {**headers, **_HTML})
        world = self._world
        app = world.apps.get(visit.caller.app_id)
        call = Call(
            method=request.method,
            query=visit.query,
            headers=request.headers,
            body=request.body,
            books=world.books[visit.caller.tenant],
            changes=world.changes,
            app_id=visit.caller.app_id,
            app_name=app.name if app is not None else "",
            strike=strike,
        )
        mark = world.changes.mark()
        try:
            call.books.by_adviser = visit.caller.role == "FINANCIALADVISER"
            answer = _dispatch(call, visit.place)
        except NotServed:
            return _not_implemented(headers)
        except NotThere:
            world.changes.undo_to(mark)
            body = b"The resource you're looking for cannot be found" if world.switches.not_found_is_html else b""
            return Response(404, {**headers, **_HTML}, body)
        except WrongVerb:
            return _not_implemented(headers) if world.switches.wrong_verb_is_501 else Response(405, headers)
        except Refused as refusal:
            world.changes.undo_to(mark)
            answer = Answer({"ErrorNumber": refusal.number, "Type": refusal.type, "Message": refusal.message}, 400)
        except Invalid as fault_of_all:
            world.changes.undo_to(mark)
            answer = invalid([refused({}, fault_of_all)])
        return self._written(answer, call, visit, headers)

    def _written(self, answer: Answer, call: Call, visit: _Visit, headers: Mapping[str, str]) -> Response:
        if answer.raw is not None:
            return Response(answer.status, {**headers, "content-type": answer.content_type}, answer.raw)
        if answer.row is None:
            return Response(answer.status, headers)
        row: Row = dict(answer.row)
        if answer.status == 200 and "IsDeleted" not in row:
            envelope: Row = {
                "Id": headers["xero-correlation-id"],
                "Status": "OK",
                "ProviderName": call.app_name,
                "DateTimeUTC": bare_stamp(self._world.now()),
            }
            row = answer.head | envelope | row
        if _asks_for_json(visit.request):
            content = {"content-type": answer.content_type or "application/json; charset=utf-8"}
            return Response(answer.status, {**headers, **content}, visit.written(row))
        root = "Response" if answer.status == 200 else "ApiException"
        return Response(answer.status, {**headers, **_XML}, xml_bytes(row, root, kind=kind_of(visit.parts)))

    def _strike_token(self, request: Request, strike: Strike) -> None:
        """Let the token of *request* die if that is what strikes it; a token that is none already cannot."""
        given = request.headers.get("authorization", "").partition(" ")[2].strip()
        death = _DEATHS.get(strike.fault) if strike.fault is not None else None
        if death is not None and self._identity.kill(given, death):
            strike.does(*_DEATHS)


def _place(parts: list[str]) -> Place | NotThere:
    try:
        return routes.find(parts)
    except NotThere as nowhere:
        return nowhere


def _dispatch(call: Call, place: Place | NotThere) -> Answer:
    if isinstance(place, NotThere):
        raise place
    route, ids = place
    return route.run(call, ids)


_AWAY: Final = b"<html><body>The Xero API is temporarily unavailable.</body></html>"
UNHANDLED: Final = b"An unhandled error with the Xero API occurred. Contact the Xero API team if problems persist."


def _not_implemented(headers: Mapping[str, str]) -> Response:
    """Xero's 501, in XML whatever was asked for (F 2.16)."""
    row: Row = {
        "ErrorNumber": 20,
        "Type": "ApiMethodNotImplementedException",
        "Message": "The Api Method called is not implemented",
    }
    return Response(501, {**headers, **_XML}, xml_bytes(row, "ApiException"))


def _denied(denial: Denied, correlation: str) -> Response:
    headers = {
        "content-type": "application/json",
        "xero-correlation-id": correlation,
        "cache-control": "max-age=0, no-cache, no-store",
        "pragma": "no-cache",
    }
    if "app" in denial.counters:
        headers["x-appminlimit-remaining"] = "9999"
    if denial.scope:
        headers["www-authenticate"] = "insufficient_scope"
    elif denial.status == 401:
        headers["www-authenticate"] = "Bearer error=invalid_token"
    row: Row = {
        "Type": None,
        "Title": "Unauthorized" if denial.status == 401 else "Forbidden",
        "Status": denial.status,
        "Detail": denial.detail,
        "Instance": correlation,
        "Extensions": {},
    }
    return Response(denial.status, headers, compact_json(row))


def _limited(limit: Limit, correlation: str) -> Response:
    """A 429: nothing in it, not even a content type (F 2.05)."""
    headers = {**_CACHE, **limit.headers} | {"xero-correlation-id": correlation, "x-rate-limit-problem": limit.problem}
    if limit.retry_after_s is not None:
        headers["retry-after"] = str(limit.retry_after_s)
    return Response(429, headers)


def _refused_key(visit: _Visit, message: str, status: int = 400) -> Response:
    """The refusal of an Idempotency-Key (F 3.04, 3.06, 3.12)."""
    row: Row = {"ErrorNumber": 10, "Type": "ValidationException", "Message": message}
    if _asks_for_json(visit.request):
        return Response(status, {**visit.headers, "content-type": "application/json; charset=utf-8"}, json_bytes(row))
    return Response(status, {**visit.headers, **_XML}, xml_bytes(row, "ApiException"))


def _asks_for_json(request: Request) -> bool:
    return "json" in request.headers.get("accept", "").lower()


def _counters(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("x-")}
