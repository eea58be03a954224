"""Two clocks for the simulator: one whose hours pass in microseconds, and one that follows this machine's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Final

from xerosync.errors import InvalidInput

START: Final = datetime(2026, 1, 5, tzinfo=UTC)


class VirtualClock:
    """
    A clock that moves only when it is told to, or when somebody sleeps by it; it never goes back.

    *start* is an aware instant.
    """

    def __init__(self, start: datetime = START) -> None:
        if start.utcoffset() is None:
            raise InvalidInput("start", "give an aware datetime, such as datetime(2026, 1, 5, tzinfo=UTC)")
        self._now = start.astimezone(UTC)
        self._turn = RLock()
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        self.advance(max(seconds, 0.0))

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass. Raises `InvalidInput` for a negative number."""
        if seconds < 0:
            raise InvalidInput("seconds", "time does not go back: give zero or more")
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, instant: datetime) -> None:
        """Let time pass until *instant*; nothing happens when that has passed already."""
        with self._turn:
            if instant <= self._now:
                return
            self._now = instant
        for watcher in self._watchers:
            watcher()

    def tick(self, step: timedelta) -> None:
        """Let *step* pass without telling anybody: whoever ticks keeps the time himself."""
        with self._turn:
            self._now += step

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call *watcher* whenever time was told to pass."""
        self._watchers.append(watcher)


class SystemClock:
    """This machine's clock, *offset* ahead of it, so that books which ran ahead of real time can still be served."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self._offset = offset

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def jump(self, seconds: float) -> None:
        """Be *seconds* further ahead of this machine from now on. Raises `InvalidInput` for a negative number."""
        if seconds < 0:
            raise InvalidInput("seconds", "time does not go back: give zero or more")
        self._offset += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Block the calling thread for *seconds*."""
        time.sleep(max(seconds, 0.0))
