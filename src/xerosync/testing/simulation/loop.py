"""
A loop whose hours pass in microseconds: time jumps to the next timer, and what is due together runs in a seeded order.

Two kinds of process run in it. One is a coroutine, stepped here; the other is a thread, for code that blocks: it and
the loop hand over to each other, so that one alone ever runs, and the same seed runs the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from datetime import timedelta
from heapq import heappop, heappush
from inspect import CORO_CLOSED, getcoroutinestate
from itertools import count
from random import Random
from types import coroutine
from typing import Final

from attrs import define, field

from xerosync.client._driver import run
from xerosync.simulator import VirtualClock


class Crash(BaseException):
    """The process is dead: nothing that it does from here on has an effect."""


class Loop:
    """Timers on a virtual *clock*."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        self.clock: Final = clock
        self.random: Final = random
        self.steps: int = 0
        self._began = self._seen = clock.now()
        self._seen_s = 0.0
        self._timers: list[tuple[float, float, int, Callable[[], object]]] = []
        self._numbers = count()

    @property
    def now_s(self) -> float:
        """Virtual seconds since the world began."""
        now = self.clock.now()
        if now is not self._seen:
            self._seen, self._seen_s = now, (now - self._began).total_seconds()
        return self._seen_s

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Do something *seconds* from now."""
        at = self.now_s + max(seconds, 0.0)
        heappush(self._timers, (at, self.random.random(), next(self._numbers), do))

    def run(self, *, steps_max: int) -> bool:
        """Run until no timer is left; False when *steps_max* were not enough."""
        while self._timers:
            if self.steps >= steps_max:
                return False
            at, _, _, do = heappop(self._timers)
            # A simulated Xero lets a little time pass itself, so that a timer may be late.
            if at > self.now_s:
                self.clock.move_to(self._began + timedelta(seconds=at))
            self.steps += 1
            do()
        return True


@coroutine
def _suspended(seconds: float) -> Generator[float]:
    yield seconds


@define(eq=False)
class Awaited:
    """A process that is a coroutine: what it awaits is a pause."""

    loop: Loop
    ended: Callable[[BaseException | None], None]
    _flow: Coroutine[float, None, None] | None = field(default=None, init=False)

    def start(self, flow: Coroutine[float, None, None]) -> None:
        """Begin *flow*."""
        self._flow = flow
        self.loop.after(0.0, self._step)

    async def pause(self, seconds: float) -> None:
        """Let *seconds* pass, and others run."""
        await _suspended(seconds)

    def kill(self) -> None:
        """Give back what it holds of this machine; it never runs again."""
        if self._flow is not None and getcoroutinestate(self._flow) != CORO_CLOSED:
            # It dies as everywhere else: closing would leave what it awaits inside a generator to the collector.
            with suppress(Crash):
                self._flow.throw(Crash)

    def _step(self) -> None:
        if self._flow is None:
            return
        try:
            seconds = self._flow.send(None)
        except StopIteration:
            self.ended(None)
        except BaseException as error:  # noqa: BLE001 - a crash of the process is the business of its world
            self.ended(error)
        else:
            self.loop.after(seconds, self._step)


@define(eq=False)
class Plain:
    """A process that blocks: a thread of its own, which runs only while the loop waits for it."""

    loop: Loop
    ended: Callable[[BaseException | None], None]
    _go: threading.Lock = field(factory=threading.Lock, init=False)
    _back: threading.Lock = field(factory=threading.Lock, init=False)
    _seconds: float | None = field(default=None, init=False)
    _error: BaseException | None = field(default=None, init=False)
    _killed: bool = field(default=False, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self, flow: Coroutine[float, None, None]) -> None:
        """Begin *flow*, whose pauses block."""
        # Each side waits at its lock until the other one opens it.
        self._go.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._work, args=(flow,), daemon=True)
        self._thread.start()
        self.loop.after(0.0, self._step)

    async def pause(self, seconds: float) -> None:
        """Let *seconds* pass, and others run, without suspending."""
        self.block(seconds)

    def block(self, seconds: float) -> None:
        """Hand over to the loop until *seconds* have passed."""
        self._seconds = seconds
        self._back.release()
        self._go.acquire()
        if self._killed:
            raise Crash

    def kill(self) -> None:
        """Let the thread end; it never runs again."""
        self._killed = True
        if self._thread is not None and self._thread.is_alive():
            self._go.release()
            self._thread.join()

    def _work(self, flow: Coroutine[float, None, None]) -> None:
        self._go.acquire()
        try:
            if self._killed:
                flow.close()
            else:
                run(flow)
        except BaseException as error:  # noqa: BLE001 - as above
            self._error = error
        self._seconds = None
        self._back.release()

    def _step(self) -> None:
        self._go.release()
        self._back.acquire()
        if self._seconds is None:
            self.ended(self._error)
        else:
            self.loop.after(self._seconds, self._step)
