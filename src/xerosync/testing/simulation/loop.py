"""
A loop whose hours pass in microseconds: time jumps to the next timer, and what is due together runs in a seeded order.

Two kinds of process run in it. One is a coroutine, stepped here; the other is a thread, for code that blocks: it and
the loop hand over to each other, so that one alone ever runs, and the same seed runs the same. A process whose pause is
over before any other's turn just goes on, which is most of them.
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


Timer = tuple[float, float, int]
"""When it is due, in virtual seconds; what is due together comes in a drawn order."""


class Loop:
    """Timers on a virtual *clock*."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        self.clock: Final = clock
        self._drawn = random.random
        self.steps: int = 0
        self._steps_max: int = 0
        self._began = self._seen = clock.now()
        self._seen_s = 0.0
        # A turn is of a process, which goes on; all else happens to the world, and has ended when it returns.
        self._timers: list[tuple[Timer, bool, Callable[[], object]]] = []
        self._numbers = count()

    @property
    def now_s(self) -> float:
        """Virtual seconds since the world began."""
        now = self.clock.now()
        if now is not self._seen:
            self._seen, self._seen_s = now, (now - self._began).total_seconds()
        return self._seen_s

    def after(self, seconds: float, do: Callable[[], object], *, is_turn: bool = False) -> None:
        """Do something *seconds* from now: it *is the turn* of a process, or happens to the world."""
        timer = (self.now_s + max(seconds, 0.0), self._drawn(), next(self._numbers))
        heappush(self._timers, (timer, is_turn, do))

    def passes(self, seconds: float, turn: Callable[[], object]) -> bool:
        """
        Let *seconds* pass for the process under way, with all that happens to the world in them.

        False where another process has its turn before: then this one must give way until its own *turn*.
        """
        now_s = self.now_s
        at = now_s + seconds if seconds > 0.0 else now_s
        mine, timers = (at, self._drawn(), next(self._numbers)), self._timers
        while self.steps < self._steps_max:
            if not timers or timers[0][0] > mine:
                self._begin(mine)
                return True
            timer, is_turn, do = timers[0]
            if is_turn:
                break
            heappop(timers)
            self._begin(timer)
            do()
        heappush(timers, (mine, True, turn))
        return False

    def run(self, *, steps_max: int) -> bool:
        """Run until no timer is left; False when *steps_max* were not enough."""
        self._steps_max = steps_max
        while self._timers:
            if self.steps >= steps_max:
                return False
            timer, _, do = heappop(self._timers)
            self._begin(timer)
            do()
        return True

    def _begin(self, timer: Timer) -> None:
        at = timer[0]
        # A simulated Xero lets a little time pass itself, so that a timer may be late.
        if at > self.now_s:
            self.clock.move_to(self._began + timedelta(seconds=at))
        self.steps += 1


@coroutine
def suspended() -> Generator[None]:
    """Give way to the loop."""
    yield


@define(eq=False)
class Awaited:
    """A process that is a coroutine: what it awaits is a pause."""

    loop: Loop
    ended: Callable[[BaseException | None], None]
    _flow: Coroutine[None, None, None] | None = field(default=None, init=False)

    def start(self, flow: Coroutine[None, None, None]) -> None:
        """Begin *flow*."""
        self._flow = flow
        self.loop.after(0.0, self._step, is_turn=True)

    def passes(self, seconds: float) -> bool:
        """Let *seconds* pass; False where others run in them, for whom it must be `suspended`."""
        return self.loop.passes(seconds, self._step)

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
            self._flow.send(None)
        except StopIteration:
            self.ended(None)
        except BaseException as error:  # noqa: BLE001 - a crash of the process is the business of its world
            self.ended(error)


@define(eq=False)
class Plain:
    """A process that blocks: a thread of its own, which runs only while the loop waits for it."""

    loop: Loop
    ended: Callable[[BaseException | None], None]
    _go: threading.Lock = field(factory=threading.Lock, init=False)
    _back: threading.Lock = field(factory=threading.Lock, init=False)
    _has_ended: bool = field(default=False, init=False)
    _error: BaseException | None = field(default=None, init=False)
    _killed: bool = field(default=False, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self, flow: Coroutine[None, None, None]) -> None:
        """Begin *flow*, whose pauses block."""
        # Each side waits at its lock until the other one opens it.
        self._go.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._work, args=(flow,), daemon=True)
        self._thread.start()
        self.loop.after(0.0, self._step, is_turn=True)

    def passes(self, seconds: float) -> bool:
        """Let *seconds* pass, always; hand over to the loop where others run in them."""
        if not self.loop.passes(seconds, self._step):
            self._back.release()
            self._go.acquire()
            if self._killed:
                raise Crash
        return True

    def kill(self) -> None:
        """Let the thread end; it never runs again."""
        self._killed = True
        if self._thread is not None and self._thread.is_alive():
            self._go.release()
            self._thread.join()

    def _work(self, flow: Coroutine[None, None, None]) -> None:
        self._go.acquire()
        try:
            if self._killed:
                flow.close()
            else:
                run(flow)
        except BaseException as error:  # noqa: BLE001 - as above
            self._error = error
        self._has_ended = True
        self._back.release()

    def _step(self) -> None:
        self._go.release()
        self._back.acquire()
        if self._has_ended:
            self.ended(self._error)
