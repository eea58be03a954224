"""The rate gate of one organisation: never more than so many calls in any minute, so that Xero need not refuse."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from attrs import define, field, frozen

from xerosync.client._wire.answers import retry_after_s
from xerosync.errors import RateLimited
from xerosync.ports import Clock, Response

_MINUTE = timedelta(seconds=60)
_LONGEST_WAIT_S = 120.0
_TRAVELLING = 5


@frozen
class Limits:
    """
    What one run allows itself. Xero's own limits are 60 calls a minute, 5 at a time, 5,000 a day (F 2.01).

    *a_minute* stays below sixty because a call is counted when it arrives, not when it is sent.
    """

    a_minute: int = 58
    at_a_time: int = 4


@define
class RateGate:
    """Lets calls through under `Limits`, and learns from what Xero answers: its counters and its refusals win."""

    clock: Clock
    limits: Limits = field(factory=Limits)
    _sent: deque[datetime] = field(factory=deque[datetime])
    _closed_until: datetime | None = None
    _left: int = 0

    async def acquire(self) -> None:
        """Return when one more call may be sent. Raises `RateLimited` rather than wait out a day limit."""
        while (wait_s := self._wait_s()) > 0:
            if wait_s > _LONGEST_WAIT_S:
                raise RateLimited("day", wait_s)
            await self.clock.sleep(wait_s)
        self._sent.append(self.clock.now())
        self._left -= 1

    def observe(self, response: Response) -> None:
        """Take in what *response* says of the limits (F 2.03, 2.05)."""
        if response.status == 429:
            wait_s = retry_after_s(response)
            self._closed_until = self.clock.now() + timedelta(seconds=wait_s)
        elif (left := response.header("X-MinLimit-Remaining")) is not None and left.isdigit():
            # Somebody else spends from the same minute: count their calls as sent now. A few are only the travel time
            # between Xero's window and ours.
            self._left = int(left)
            hidden = 60 - self._left - len(self._sent)
            if hidden > _TRAVELLING:
                self._sent.extend([self.clock.now()] * hidden)

    def _wait_s(self) -> float:
        now = self.clock.now()
        if self._closed_until is not None and self._closed_until > now:
            return (self._closed_until - now).total_seconds()
        while self._sent and self._sent[0] <= now - _MINUTE:
            self._sent.popleft()
        # A window that has opened anew shows in Xero's counter; those still on their way are not counted in it yet.
        if len(self._sent) < self.limits.a_minute or self._left > 60 - self.limits.a_minute + self.limits.at_a_time:
            return 0.0
        return (self._sent[-self.limits.a_minute] + _MINUTE - now).total_seconds()
