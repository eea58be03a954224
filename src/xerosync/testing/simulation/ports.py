"""The ports of one process in a world: each call is a step at which it may die, sleep, or be overtaken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from attrs import define

from xerosync.ports import AnswerLost, NotSent, Request, Response, TransportFault
from xerosync.simulator import Fault
from xerosync.simulator.faults import can_strike
from xerosync.testing.simulation.loop import Plain

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import Life

TIMEOUT_S: Final = 60.0
_API: Final = "/api.xro/"


@define(eq=False)
class WorldClock:
    """The world's time, and waiting for it."""

    life: Life

    def now(self) -> datetime:
        """The instant."""
        return self.life.world.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Let the others run for *seconds*."""
        await self.life.point("sleep", seconds)


@define(eq=False)
class WorldTransport:
    """The way to the simulated Xero, on which everything happens that the world's mix holds."""

    life: Life

    async def send(self, request: Request) -> Response:
        """Send *request* once; see `xerosync.ports.Transport`."""
        world = self.life.world
        path = request.url.partition("://")[2].partition("/")[2].partition("?")[0]
        await self.life.point(f"send {request.method} {path}")
        # The last thing before the first byte leaves: what comes after is the network's.
        request.check_in_time(world.clock)
        fault = world.fault(request, path)
        return await self._exchange(request, path, fault)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Send *requests* one after the other; what came of each."""
        del at_most
        outcomes: list[Response | TransportFault] = []
        for request in requests:
            try:
                outcomes.append(await self.send(request))
            except TransportFault as fault:
                outcomes.append(fault)
        return outcomes

    async def close(self) -> None:
        """Nothing is held."""

    async def _exchange(self, request: Request, path: str, fault: str | Fault | None) -> Response:
        world = self.life.world
        chance = world.random.uniform
        if fault == "refused":
            await self.life.point("refused", chance(0.01, 1.0))
            raise NotSent("the simulated connection was refused")
        if fault == "doubled":
            world.loop.after(chance(0.5, 100.0), lambda: world.arrive(request))
        strikes = fault if isinstance(fault, Fault) and can_strike(fault, request.method, f"/{path}") else None
        answers: list[Response | None] = []
        # What has left is on its way whatever becomes of its sender.
        travels_s = chance(20.0, 100.0) if fault == "late" else chance(0.02, 0.4)
        world.loop.after(travels_s, lambda: answers.append(world.arrive(request, strikes)))
        await self.life.point("on its way", min(travels_s + chance(0.05, 0.4), TIMEOUT_S))
        if not answers:
            raise AnswerLost("the simulated network gave no answer in time")
        (answer,) = answers
        if answer is None:
            await self.life.point("no answer", chance(1.0, TIMEOUT_S))
            raise AnswerLost("the simulated network lost the call or its answer")
        if not world.is_inside:
            await self.life.point("answered")
        return answer


class AwaitedStore:
    """The world's store, awaited: before and after each verb the process may die."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def __getattr__(self, name: str) -> Callable[..., object]:
        life = self._life
        world = life.world

        async def verb(*args: object, **kwargs: object) -> object:
            await life.point(name, world.random.uniform(0.0, 0.01))
            result = world.store.call(name, args, kwargs)
            if not world.is_inside:
                await life.point(f"{name} done")
            return result

        return verb


class PlainStore:
    """The world's store in plain calls, for a process that blocks."""

    def __init__(self, life: Life, body: Plain) -> None:
        self._life = life
        self._body = body

    def __getattr__(self, name: str) -> Callable[..., object]:
        def verb(*args: object, **kwargs: object) -> object:
            self._step(name)
            result = self._life.world.store.call(name, args, kwargs)
            self._step(f"{name} done")
            return result

        return verb

    def _step(self, name: str) -> None:
        random = self._life.world.random
        self._body.passes(self._life.met(name, random.uniform(0.0, 0.01)))
        self._life.check()


def is_accounting(request: Request) -> bool:
    """Whether *request* counts against the limits of an organisation."""
    return _API in request.url
