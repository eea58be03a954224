"""Faults on order: what the network and Xero do to a client on a bad day, at the call where it hurts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from hashlib import sha256
from typing import Final

from attrs import define, field

from xerosync.errors import InvalidInput
from xerosync.ports import AnswerLost


class AnswerReset(AnswerLost):
    """The connection was reset, before the call arrived or before its answer came."""


class Fault(Enum):
    """What goes wrong with a call. Those of the first kind leave the books as they were."""

    LOST_BEFORE = "lost before"
    """The call never arrives, and no answer comes."""
    SERVER_ERROR = "server error"
    """Nothing is done; 500, which an Idempotency-Key remembers (F 3.08)."""
    UNAVAILABLE = "unavailable"
    """Nothing is done; 503 "The Organisation is offline", and a plain 503 where no organisation is asked (F 2.14)."""
    MINUTE_LIMIT = "minute limit"
    """The minute is used up at a stroke: 429, and truly until it is over (F 2.05)."""
    DAY_LIMIT = "day limit"
    """429 with hours to wait (F 2.06)."""
    CONCURRENT_LIMIT = "concurrent limit"
    """429 without Retry-After (F 2.08)."""
    EXPIRED_TOKEN = "expired token"
    """The access token has died before its time: 401 TokenExpired, and it stays dead (F 1.51)."""
    APP_MINUTE_LIMIT = "app minute limit"
    """429 for all organisations of the app together (F 2.01, 2.07)."""
    SILENT_LIMIT = "silent limit"
    """429 of the minute that shows neither Retry-After nor the day's counter (F 2.08, 2.09)."""
    MAINTENANCE = "maintenance"
    """Nothing is done; 503 for the whole API (F 2.14)."""
    REVOKED_TOKEN = "revoked token"
    """The access token is dead for good: 401 AuthenticationUnsuccessful (F 1.52)."""
    MISSING_SCOPE = "missing scope"
    """Nothing is done; 401 with WWW-Authenticate: insufficient_scope (F 1.53)."""
    FORBIDDEN = "forbidden"
    """Nothing is done; 403, as for a tenant that is gone (F 1.54)."""
    KEYS_DOWN = "keys down"
    """The store of Idempotency-Keys is out: a write with one is 500, nothing done, nothing remembered (F 3.11)."""
    RESET_BEFORE = "reset before"
    """The connection is reset before the call arrives."""
    PARTIAL_BATCH = "partial batch"
    """The last element of a write is refused, the others are done."""
    DELAYED = "delayed"
    """The call is done; its answer comes a minute late by the clock."""
    CLOCK_JUMP = "clock jump"
    """The call is done; when its answer comes, the clock has jumped an hour ahead."""
    RESET_AFTER = "reset after"
    """The call is done; the connection is reset before the answer comes."""
    GATEWAY_TIMEOUT = "gateway timeout"
    """The call is done; the edge answers 504 with HTML (F 2.18)."""
    LOST_AFTER = "lost after"
    """The call is done; its answer is lost."""
    TRUNCATED = "truncated"
    """The call is done; half of the promised body comes, then the connection closes."""
    BAD_GATEWAY = "bad gateway"
    """The call is done; the edge answers 502 with HTML (F 2.18)."""
    WEBHOOK_LOST = "webhook lost"
    """A delivery never arrives, and Xero thinks it has (F 7.12)."""
    WEBHOOK_DOUBLED = "webhook doubled"
    """A delivery comes twice."""
    WEBHOOK_REORDERED = "webhook reordered"
    """The events of a delivery come in the wrong order."""


_OF_STORMS: Final = (
    Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.BAD_GATEWAY,
    Fault.GATEWAY_TIMEOUT, Fault.TRUNCATED, Fault.CONCURRENT_LIMIT,
)  # fmt: skip
_OF_WEBHOOKS: Final = frozenset({Fault.WEBHOOK_LOST, Fault.WEBHOOK_DOUBLED, Fault.WEBHOOK_REORDERED})
_OF_TOKENS: Final = frozenset({Fault.EXPIRED_TOKEN, Fault.REVOKED_TOKEN})
_OF_WRITES: Final = frozenset({Fault.PARTIAL_BATCH, Fault.KEYS_DOWN})
# What only a call to an organisation's books can meet: its limits, its scopes, its batches.
_OF_BOOKS: Final = _OF_WRITES | {
    Fault.MINUTE_LIMIT, Fault.DAY_LIMIT, Fault.CONCURRENT_LIMIT, Fault.APP_MINUTE_LIMIT, Fault.SILENT_LIMIT,
    Fault.MISSING_SCOPE, Fault.FORBIDDEN,
}  # fmt: skip
_WRITES: Final = frozenset({"PUT", "POST", "PATCH"})
_BOOKS: Final = "/api.xro/"
_CONNECTIONS: Final = "/connections"
_IDENTITY: Final = ("/connect/", "/identity/", "/.well-known/")


def can_strike(fault: Fault, method: str, path: str) -> bool:
    """Whether *fault* has an effect on a call with *method* to the whole *path*, which begins with a slash."""
    if fault in _OF_WEBHOOKS or (fault in _OF_WRITES and method not in _WRITES):
        return False
    lower = path.lower()
    if fault in _OF_TOKENS:
        return lower.startswith((_BOOKS, _CONNECTIONS))
    return fault not in _OF_BOOKS or lower.startswith(_BOOKS)


@define
class Strike:
    """What strikes one call: nothing, or a *fault*, which is *met* once it has had its effect."""

    fault: Fault | None = None
    source: PlannedFault | Storm | None = None
    met: bool = False

    def does(self, *faults: Fault) -> bool:
        """Whether one of *faults* strikes the call, here and now: that is its effect."""
        if self.fault not in faults:
            return False
        self.met = True
        return True


@define(kw_only=True)
class Awaited:
    """What waits for calls: *method* is a verb, *path* a part of the path; None means any."""

    method: str | None
    path: str | None

    def matches(self, method: str, path: str) -> bool:
        """Whether a call with *method* to *path* is one this waits for."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or self.path.lower().rstrip("/") in path.lower()

    @property
    def where(self) -> str:
        """The calls it waits for, in words."""
        return f"{self.method or 'any call'} {self.path or ''}".strip()


@define(kw_only=True)
class PlannedFault(Awaited):
    """One fault that waits for its calls: *times* more, once *after* more matching calls have passed."""

    fault: Fault
    times: int
    after: int

    def __str__(self) -> str:
        return f"{self.fault.name}, {self.times} more on {self.where}"


@define(kw_only=True)
class PlannedWork(Awaited):
    """Work of somebody else that waits for its call: done once, after *after* matching calls were answered."""

    do: Callable[[], object]
    after: int
    done: bool = False

    def __str__(self) -> str:
        return f"work after {self.after} more of {self.where}"


@define(kw_only=True)
class Storm(Awaited):
    """Faults that strike by chance, the same ones for the same *seed*; *struck* is what they did."""

    kinds: tuple[Fault, ...]
    rate: float
    seed: int
    calls: int = 0
    struck: list[tuple[int, Fault]] = field(factory=list[tuple[int, Fault]])

    def take(self) -> Fault | None:
        """The fault that is to strike the call under way, by its number alone."""
        self.calls += 1
        chance = sha256(f"{self.seed}:{self.calls}".encode()).digest()
        if int.from_bytes(chance[:6]) >= self.rate * 2**48:
            return None
        return self.kinds[chance[6] % len(self.kinds)]


class Faults:
    """The faults that were planned and have not happened yet."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []
        self._work: list[PlannedWork] = []
        self._storms: list[Storm] = []

    def plan(
        self, fault: Fault, *, method: str | None = None, path: str | None = None, times: int = 1, after: int = 0
    ) -> PlannedFault:
        """
        Let *fault* strike *times* matching calls, after *after* of them have passed unharmed.

        *method* is a verb, *path* a part of the path such as ``/Payments``; None means any. Calls that the fault can
        do nothing to pass it by, and those to the simulator's own desk are never struck. Raises `InvalidInput` for a
        fault that no such call can meet, such as a limit on ``/connections``.
        """
        if times < 1:
            raise InvalidInput("times", "give 1 or more")
        if after < 0:
            raise InvalidInput("after", "give 0 or more")
        _check_where(fault, method, path)
        planned = PlannedFault(fault=fault, method=method, path=path, times=times, after=after)
        self._planned.append(planned)
        return planned

    def then(
        self, do: Callable[[], object], *, method: str | None = None, path: str | None = None, after: int = 1
    ) -> PlannedWork:
        """
        Let somebody *do* something as soon as *after* matching calls were answered: an edit between two pages.

        ``faults.then(lambda: books.edit_invoice(...), path="/Invoices")`` strikes between the first page and the next.
        Raises `InvalidInput` for *after* below 1.
        """
        if after < 1:
            raise InvalidInput("after", "give 1 or more: the work is done once that many calls were answered")
        planned = PlannedWork(do=do, method=method, path=path, after=after)
        self._work.append(planned)
        return planned

    def storm(
        self,
        *,
        seed: int,
        rate: float = 0.1,
        kinds: Iterable[Fault] = _OF_STORMS,
        method: str | None = None,
        path: str | None = None,
    ) -> Storm:
        """
        Let faults of *kinds* strike a share of *rate* of the matching calls, the same ones for the same *seed*.

        It lasts until `clear`. Its value tells what struck. Raises `InvalidInput` for a rate that is no share, and for
        kinds that no such call can meet.
        """
        if not 0 < rate <= 1:
            raise InvalidInput("rate", "give a share of the calls, above 0 and up to 1")
        chosen = tuple(kinds)
        if not chosen:
            raise InvalidInput("kinds", "give at least one")
        for kind in chosen:
            if kind in _OF_WEBHOOKS:
                raise InvalidInput("kinds", f"{kind.name} strikes deliveries, not calls: plan it")
            _check_where(kind, method, path)
        storm = Storm(kinds=chosen, rate=rate, seed=seed, method=method, path=path)
        self._storms.append(storm)
        return storm

    def answered(self, method: str, path: str) -> None:
        """Do the work that waited for this call to be answered."""
        for planned in self._work:
            if not planned.done and planned.matches(method, path):
                planned.after -= 1
                if planned.after == 0:
                    planned.done = True
                    planned.do()

    def take(self, method: str, path: str) -> Strike:
        """What strikes this call; give it back with `settle` once it is known what came of it."""
        for planned in self._planned:
            if planned.times > 0 and planned.matches(method, path) and can_strike(planned.fault, method, path):
                if planned.after > 0:
                    planned.after -= 1
                    continue
                planned.times -= 1
                return Strike(planned.fault, planned)
        for storm in self._storms:
            if not storm.matches(method, path) or (fault := storm.take()) is None:
                continue
            if can_strike(fault, method, path):
                storm.struck.append((storm.calls, fault))
                return Strike(fault, storm)
        return Strike()

    def settle(self, strike: Strike) -> None:
        """Let a fault that had no effect on its call wait for another: what never strikes must stay unmet."""
        if strike.met:
            return
        if isinstance(strike.source, PlannedFault):
            strike.source.times += 1
        elif isinstance(strike.source, Storm):
            strike.source.struck.pop()

    def take_webhook(self, fault: Fault) -> bool:
        """Whether *fault* was planned for the delivery under way."""
        for planned in self._planned:
            if planned.fault is fault and planned.times > 0:
                if planned.after > 0:
                    planned.after -= 1
                    continue
                planned.times -= 1
                return True
        return False

    def unmet(self) -> list[PlannedFault | PlannedWork]:
        """What was planned and has not struck as often as it should: a test that ends with one proves nothing."""
        waiting = [work for work in self._work if not work.done]
        return [*(planned for planned in self._planned if planned.times > 0), *waiting]

    def clear(self) -> None:
        """Forget everything that was planned, and end every storm."""
        self._planned.clear()
        self._work.clear()
        self._storms.clear()


def _check_where(fault: Fault, method: str | None, path: str | None) -> None:
    """Raise `InvalidInput` where no call with *method*, and *path* in its path, can meet *fault*."""
    if fault in _OF_WEBHOOKS:
        if method is not None or path is not None:
            raise InvalidInput("path", f"{fault.name} strikes deliveries, which have neither method nor path")
        return
    part = f"/{path.lower().strip('/')}" if path is not None else "/"
    elsewhere = (f"{_CONNECTIONS}/", *_IDENTITY)
    named = [root for root in elsewhere if f"{part}/".startswith(root) or (part != "/" and root.startswith(part))]
    if not any(can_strike(fault, (method or "PUT").upper(), root) for root in named or [_BOOKS]):
        raise InvalidInput("fault", f"no {method or 'call'} to {path or 'Xero'} can meet {fault.name}")
