"""Faults on order: what the network and Xero do to a client on a bad day, at the call where it hurts."""

from __future__ import annotations

from enum import Enum

from attrs import define


class Fault(Enum):
    """What goes wrong with a call. Those of the first kind leave the books as they were."""

    LOST_BEFORE = "lost before"
    """The call never arrives, and no answer comes."""
    SERVER_ERROR = "server error"
    """Nothing is done; 500, which an Idempotency-Key remembers (F 3.08)."""
    UNAVAILABLE = "unavailable"
    """Nothing is done; 503 "The Organisation is offline" (F 2.14)."""
    MINUTE_LIMIT = "minute limit"
    """The minute is used up at a stroke: 429, and truly until it is over (F 2.05)."""
    DAY_LIMIT = "day limit"
    """429 with hours to wait (F 2.06)."""
    CONCURRENT_LIMIT = "concurrent limit"
    """429 without Retry-After (F 2.08)."""
    EXPIRED_TOKEN = "expired token"
    """The access token has died before its time: 401 TokenExpired, and it stays dead (F 1.51)."""
    LOST_AFTER = "lost after"
    """The call is done; its answer is lost."""
    TRUNCATED = "truncated"
    """The call is done; half of the answer's body comes."""
    BAD_GATEWAY = "bad gateway"
    """The call is done; the edge answers 502 with HTML (F 2.18)."""


@define
class PlannedFault:
    """One fault that waits for its calls: *times* more, once *after* more matching calls have passed."""

    fault: Fault
    method: str | None
    path: str | None
    times: int
    after: int

    def matches(self, method: str, path: str) -> bool:
        """Whether a call with *method* to *path* is one this waits for."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or self.path.lower().strip("/") in path.lower()


class Faults:
    """The faults that were planned and have not happened yet."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []

    def plan(
        self, fault: Fault, *, method: str | None = None, path: str | None = None, times: int = 1, after: int = 0
    ) -> PlannedFault:
        """
        Let *fault* strike *times* matching calls, after *after* of them have passed unharmed.

        *method* is a verb, *path* a part of the path such as ``/Payments``; None means any. Calls to the simulator's
        own desk are never struck.
        """
        planned = PlannedFault(fault, method, path, times, after)
        self._planned.append(planned)
        return planned

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this call; None when it goes well."""
        for planned in self._planned:
            if planned.times > 0 and planned.matches(method, path):
                if planned.after > 0:
                    planned.after -= 1
                    continue
                planned.times -= 1
                return planned.fault
        return None

    def unmet(self) -> list[PlannedFault]:
        """The planned faults that have not struck as often as they should: a test that ends with one proves nothing."""
        return [planned for planned in self._planned if planned.times > 0]

    def clear(self) -> None:
        """Forget every planned fault."""
        self._planned.clear()
