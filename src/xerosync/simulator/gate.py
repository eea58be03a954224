"""What stands before every accounting call: who calls, what for, how often, and whether it was asked before."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import takewhile
from typing import Final

from attrs import define, evolve, frozen

from xerosync.ports import Response
from xerosync.simulator.books import Books
from xerosync.simulator.entities import instant
from xerosync.simulator.identity import Identity
from xerosync.simulator.refusals import Denied
from xerosync.simulator.world import AccessToken, Answered, Window, World

A_MINUTE: Final = 60
AT_A_TIME: Final = 5
APP_A_MINUTE: Final = 10_000
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_NOT_FOR_INVOICERS: Final = frozenset({"reports", "manualjournals", "banktransactions", "banktransfers"})
_MEMORY_MS: Final = 360_000


@frozen
class Caller:
    """Who calls which organisation, with which token."""

    app_id: str
    tenant: str
    token: AccessToken
    role: str


@define
class Flight:
    """One call under way: how many are *in_flight* with it, and the *key* it is the first to bear; blank for none."""

    in_flight: int
    key: str = ""


@frozen
class Limit:
    """A limit that is used up: Xero's word for it, the seconds until it opens, and the counters it shows."""

    problem: str
    retry_after_s: int | None
    headers: Mapping[str, str]


def admit(identity: Identity, world: World, headers: Mapping[str, str]) -> Caller:
    """Who calls. Raises `Denied` as Xero's gateway does (F 1.50–1.54)."""
    token = bearer(identity, headers)
    tenant = headers.get("xero-tenant-id", "").strip().lower() or token.tenant
    books = world.books.get(tenant)
    if books is None or not identity.connected(token.app, tenant):
        raise Denied(403, "AuthenticationUnsuccessful", counters=("app",))
    user = books.users.get(token.user)
    closed = books.organisation.status in {"EXPIRED", "RESET"}
    if closed or (user is None and not identity.open_access):
        raise Denied(403, "AuthenticationUnsuccessful", counters=("app",))
    return Caller(token.app, tenant, token, user.role if user is not None else "STANDARD")


def refuse_role(caller: Caller, books: Books, method: str, path: Sequence[str]) -> None:
    """Raise `Denied` where the user's role, or the state of the organisation, forbids the call (F 1.56, 8.52, 8.53)."""
    writes = method != "GET"
    if writes and (books.organisation.status == "READONLY" or caller.role == "READONLY"):
        raise Denied(403, "AuthorizationUnsuccessful", counters=("app",))
    if caller.role == "INVOICEONLY" and path[0] in _NOT_FOR_INVOICERS:
        raise Denied(403, "AuthorizationUnsuccessful", counters=("app",))


def bearer(identity: Identity, headers: Mapping[str, str]) -> AccessToken:
    """The living token of a call. Raises `Denied`."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    token = identity.token(given.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise Denied(401, "AuthenticationUnsuccessful")
    if identity.is_expired(token):
        raise Denied(401, f"TokenExpired: token expired at {instant(token.expires_ms):%m/%d/%Y %H:%M:%S}")
    return token


class Limits:
    """Counts calls by app and organisation (F 2.01–2.09); refused calls do not count (F 2.10)."""

    def __init__(self, world: World, *, enforced: bool) -> None:
        self._world = world
        self._enforced = enforced
        self._apps: dict[str, deque[int]] = {}
        self._used_up: set[str] = set()

    def take(self, caller: Caller, in_flight: int) -> Limit | dict[str, str]:
        """Count one call: the counters to show with its answer, or the `Limit` that refuses it."""
        world = self._world
        now = world.now_ms()
        app = world.apps.get(caller.app_id)
        a_day = app.day_limit if app is not None else 5000
        key = f"{caller.app_id} {caller.tenant}"
        if not self._enforced:
            return self._struck(key, now) or _counters(a_day - 1, A_MINUTE - 1, APP_A_MINUTE - 1)
        window = self._current(world.windows.get(key) or Window(key), now)
        recent = self._recent(caller.app_id, now)
        left_today = a_day - window.day_count
        left = A_MINUTE - len(window.calls_ms)
        app_left = APP_A_MINUTE - len(recent)
        if in_flight > AT_A_TIME:
            wait = 1 if world.switches.concurrent_says_retry_after else None
            return Limit("concurrent", wait, _counters(left_today, left, app_left))
        if left_today <= 0:
            return Limit("day", _seconds(window.day_start_ms + _DAY_MS - now), _counters(0, A_MINUTE, app_left))
        if left <= 0:
            return Limit("minute", _seconds(window.calls_ms[0] + _MINUTE_MS - now), _counters(left_today, 0, app_left))
        if app_left <= 0:
            return Limit("appminute", _seconds(recent[0] + _MINUTE_MS - now), _counters(left_today, left, 0))
        recent.append(now)
        world.windows.put(evolve(window, calls_ms=(*window.calls_ms, now), day_count=window.day_count + 1))
        return _counters(left_today - 1, left - 1, app_left - 1)

    def exhaust(self, caller: Caller, problem: str) -> Limit:
        """Use up the minute or the day of *caller* at a stroke, as calls of others from the same app would."""
        now = self._world.now_ms()
        if problem == "day":
            return Limit("day", 66_975, _counters(0, A_MINUTE, APP_A_MINUTE - 1))
        if problem == "concurrent":
            return Limit("concurrent", None, _counters(4000, 30, APP_A_MINUTE - 1))
        if problem == "appminute":
            return Limit("appminute", A_MINUTE, _counters(4000, 30, 0))
        if problem == "silent":
            left = _counters(0, 0, APP_A_MINUTE - 1)
            return Limit("minute", None, {name: part for name, part in left.items() if name != "x-daylimit-remaining"})
        key = f"{caller.app_id} {caller.tenant}"
        window = self._current(self._world.windows.get(key) or Window(key), now)
        filled = (*window.calls_ms, *[now] * (A_MINUTE - len(window.calls_ms)))
        self._world.windows.put(evolve(window, calls_ms=filled))
        self._used_up.add(key)
        return Limit("minute", _seconds(filled[0] + _MINUTE_MS - now), _counters(5000 - window.day_count, 0, 9999))

    def _struck(self, key: str, now: int) -> Limit | None:
        """The minute that was used up at a stroke, which is over when it is over, also where no call is counted."""
        if key not in self._used_up:
            return None
        window = self._current(self._world.windows[key], now)
        if len(window.calls_ms) < A_MINUTE:
            self._used_up.discard(key)
            return None
        return Limit("minute", _seconds(window.calls_ms[0] + _MINUTE_MS - now), _counters(5000, 0, APP_A_MINUTE - 1))

    def _current(self, window: Window, now: int) -> Window:
        if self._world.switches.minute_window == "rolling":
            calls = tuple(at for at in window.calls_ms if at > now - _MINUTE_MS)
        else:
            calls = window.calls_ms if window.calls_ms and window.calls_ms[0] > now - _MINUTE_MS else ()
        if now >= window.day_start_ms + _DAY_MS:
            return Window(window.id, calls, now, 0)
        return evolve(window, calls_ms=calls)

    def _recent(self, app_id: str, now: int) -> deque[int]:
        if app_id not in self._apps:
            mine = [window for window in self._world.windows if window.id.startswith(f"{app_id} ")]
            self._apps[app_id] = deque(sorted(at for window in mine for at in window.calls_ms))
        recent = self._apps[app_id]
        while recent and recent[0] <= now - _MINUTE_MS:
            recent.popleft()
        return recent


def _counters(day: int, minute: int, app: int) -> dict[str, str]:
    return {
        "x-appminlimit-remaining": str(app),
        "x-daylimit-remaining": str(max(day, 0)),
        "x-minlimit-remaining": str(max(minute, 0)),
    }


def _seconds(ms: int) -> int:
    return max(1, -(-ms // 1000))


class Memory:
    """Remembers the first answer under each Idempotency-Key for six minutes (F 3.01–3.14)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._in_progress: set[str] = set()

    def begin(self, caller: Caller, key: str, flight: Flight) -> None:
        """Note that the call that is the first to bear *key* is under way."""
        flight.key = self._id(caller, key)
        self._in_progress.add(flight.key)

    def end(self, flight: Flight) -> None:
        """Note that a call is over."""
        self._in_progress.discard(flight.key)

    def refuses_duplicate(self, caller: Caller, key: str) -> bool:
        """Whether the same call under *key* is refused because the first is still under way (F 3.12)."""
        is_refused = self._world.switches.duplicate_in_progress == "refused"
        return is_refused and self._id(caller, key) in self._in_progress

    def asked(self, caller: Caller, method: str, url: str, body: bytes) -> str:
        """What makes two requests the same."""
        tenant = caller.tenant if self._world.switches.idempotency_sees_tenant else ""
        return sha256(b"\n".join((method.encode(), url.encode(), tenant.encode(), body))).hexdigest()

    def recall(self, caller: Caller, key: str) -> Answered | None:
        """The first answer under *key*; None when there is none, or it is older than six minutes."""
        found = self._world.answered.get(self._id(caller, key))
        return found if found is not None and self._world.now_ms() < found.at_ms + _MEMORY_MS else None

    def keep(self, caller: Caller, key: str, asked: str, response: Response, at_ms: int) -> None:
        """Remember *response* under *key*, and forget what is too old."""
        world = self._world
        if 400 <= response.status < 500 and not world.switches.idempotency_keeps_refusals:
            return
        id_ = self._id(caller, key)
        world.answered.drop(id_)
        forgotten = world.now_ms() - _MEMORY_MS
        # The eldest come first, so that what is still remembered need not be looked through at every call.
        for old in list(takewhile(lambda one: one.at_ms <= forgotten, world.answered)):
            world.answered.drop(old.id)
        world.answered.put(Answered(id_, asked, at_ms, response.status, dict(response.headers), response.body))

    def _id(self, caller: Caller, key: str) -> str:
        scope = caller.token.id if self._world.switches.idempotency_scope == "token" else caller.app_id
        return f"{scope} {key}"
