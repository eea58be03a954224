"""One run of one organisation: alone there, counted, and ended between two calls when it is asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from attrs import define, frozen

from xerosync.client._limits import Limits
from xerosync.client.gate import Account, Counters, Permit, RateGate, Wait
from xerosync.engine.lease import Lease, try_to_take
from xerosync.errors import RunStopped
from xerosync.events import Event
from xerosync.ports import Clock
from xerosync.storage.owner import one_run
from xerosync.storage.protocol import AsyncStorage, Owner

ShouldStop = Callable[[], bool]
"""Asked before each call of a run, and each second while it or its worker waits: whether to end now."""

_NAP_S: Final = 1.0


@define
class Tally:
    """Counts what a run's client tells of."""

    news: int = 0
    posted: int = 0

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Hear of *event*."""
        if event == Event.MIRRORED:
            self.news += int(str(fields["documents"]))
        elif event == Event.POSTED:
            self.posted += int(str(fields["elements"]))


@frozen
class RunGate:
    """The host's *gate*, asked only while the run goes on and its lease is held."""

    gate: RateGate
    lease: Lease
    should_stop: ShouldStop

    async def acquire(self, account: Account, limits: Limits, now: datetime, *, background: bool) -> Permit | Wait:
        """See `RateGate.acquire`. Raises `RunStopped` or `LeaseLost` instead."""
        _go_on(self.should_stop)
        await self.lease.held()
        return await self.gate.acquire(account, limits, now, background=background)

    async def observe(self, permit: Permit, counters: Counters, limits: Limits, now: datetime) -> None:
        """See `RateGate.observe`."""
        await self.gate.observe(permit, counters, limits, now)

    async def release(self, permit: Permit, now: datetime) -> None:
        """See `RateGate.release`."""
        await self.gate.release(permit, now)


@frozen
class RunClock:
    """The host's *clock*, by which a run waits no longer than until it is asked to stop."""

    clock: Clock
    should_stop: ShouldStop

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`. Raises `RunStopped` instead: nobody waits a minute for a limit who was asked to end."""
        while seconds > _NAP_S:
            _go_on(self.should_stop)
            await self.clock.sleep(_NAP_S)
            seconds -= _NAP_S
        _go_on(self.should_stop)
        await self.clock.sleep(seconds)


def _go_on(should_stop: ShouldStop) -> None:
    if should_stop():
        raise RunStopped("this run was asked to stop; nothing more was sent, and the next run goes on")


async def begin_alone(storage: AsyncStorage, clock: Clock, tenant: str, owner: Owner) -> Lease | None:
    """The lease of a run in *tenant*, renewed before each of its calls; None while another run is under way there."""
    return await try_to_take(storage, clock, f"run/{tenant}", one_run(owner))
