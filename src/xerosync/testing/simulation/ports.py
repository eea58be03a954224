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

    process: Life

    def now(self) -> datetime:
        """The instant."""
        return self.process.world.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Let the others run for *seconds*."""
        await self.process.point("sleep", seconds)


@define(eq=False)
class WorldTransport:
    """The way to the simulated Xero, on which everything happens that the world's mix holds."""

    process: Life

    async def send(self, request: Request) -> Response:
        """Send *request* once; see `xerosync.ports.Transport`."""
        world = self.process.world
        path = request.url.partition("://")[2].partition("/")[2].partition("?")[0]
        await self.process.point(f"send {request.method} {path}")
        # The last thing before the first byte leaves: what comes after is the network's.
        if request.not_after is not None and world.clock.now() > request.not_after:
            raise NotSent("the claim on this write ran out before it could be sent")
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
        world = self.process.world
        chance = world.random.uniform
        if fault == "refused":
            await self.process.point("refused", chance(0.01, 1.0))
            raise NotSent("the simulated connection was refused")
        if fault == "late":
            return await self._late(request)
        if fault == "doubled":
            world.loop.after(chance(0.1, 100.0), lambda: world.arrive(request))
        await self.process.point("on its way", chance(0.02, 0.4))
        if isinstance(fault, Fault) and can_strike(fault, request.method, f"/{path}"):
            world.strike(fault)
        answer = world.arrive(request)
        if answer is None:
            await self.process.point("no answer", chance(1.0, TIMEOUT_S))
            raise AnswerLost("the simulated network lost the call or its answer")
        await self.process.point("answered", chance(0.02, 0.4))
        return answer

    async def _late(self, request: Request) -> Response:
        """*request* arrives so late that its sender has given up, or nearly."""
        world = self.process.world
        answers: list[Response | None] = []
        late_s = world.random.uniform(20.0, 100.0)
        world.loop.after(late_s, lambda: answers.append(world.arrive(request)))
        await self.process.point("late", min(late_s + 0.1, TIMEOUT_S))
        if not answers or answers[0] is None:
            raise AnswerLost("the simulated network gave no answer in time")
        return answers[0]


class AwaitedStore:
    """The world's store, awaited: before and after each verb the process may die."""

    def __init__(self, process: Life) -> None:
        self._process = process

    def __getattr__(self, name: str) -> Callable[..., object]:
        async def verb(*args: object, **kwargs: object) -> object:
            await self._process.point(name, self._process.world.random.uniform(0.0, 0.01))
            result = self._process.world.store.call(name, args, kwargs)
            await self._process.point(f"{name} done")
            return result

        return verb


class PlainStore:
    """The world's store in plain calls, for a process that blocks."""

    def __init__(self, process: Life, body: Plain) -> None:
        self._process = process
        self._body = body

    def __getattr__(self, name: str) -> Callable[..., object]:
        def verb(*args: object, **kwargs: object) -> object:
            self._step(name)
            result = self._process.world.store.call(name, args, kwargs)
            self._step(f"{name} done")
            return result

        return verb

    def _step(self, name: str) -> None:
        random = self._process.world.random
        self._body.block(self._process.met(name, random.uniform(0.0, 0.01)))
        self._process.check()


def is_accounting(request: Request) -> bool:
    """Whether *request* counts against the limits of an organisation."""
    return _API in request.url
