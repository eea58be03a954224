"""One run of one organisation: alone there, counted, and ended between two calls when it is asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from attrs import define, frozen

from xerosync.client._limits import Limits
from xerosync.client.gate import Account, Counters, Permit, RateGate, Wait
from xerosync.engine.lease import TTL_S
from xerosync.errors import LeaseLost, RunStopped
from xerosync.events import Event
from xerosync.storage.owner import one_run, take_lease
from xerosync.storage.protocol import AsyncStorage, Fence, Owner

ShouldStop = Callable[[], bool]
"""Asked before each call of a run, and while a worker waits: whether to end now."""


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


@define
class RunLease:
    """The lease by which a run is alone in its organisation, renewed before each of its calls."""

    storage: AsyncStorage
    owner: Owner
    fence: Fence
    until: datetime

    async def held(self, now: datetime) -> Fence:
        """Its fence. Raises `LeaseLost` when another worker has it."""
        if self.until - now > timedelta(seconds=TTL_S / 2):
            return self.fence
        renewed = await self.storage.lease(self.fence.name, self.owner, ttl_s=TTL_S, now=now)
        if renewed is None or renewed.epoch != self.fence.epoch:
            raise LeaseLost("another worker has taken over this run")
        self.until = now + timedelta(seconds=TTL_S)
        return self.fence


@frozen
class RunGate:
    """The host's *gate*, asked only while the run goes on and its lease is held."""

    gate: RateGate
    lease: RunLease
    should_stop: ShouldStop

    async def acquire(self, account: Account, limits: Limits, now: datetime, *, background: bool) -> Permit | Wait:
        """See `RateGate.acquire`. Raises `RunStopped` or `LeaseLost` instead."""
        if self.should_stop():
            raise RunStopped("this run was asked to stop; nothing more was sent, and the next run goes on")
        await self.lease.held(now)
        return await self.gate.acquire(account, limits, now, background=background)

    async def observe(self, permit: Permit, counters: Counters, limits: Limits, now: datetime) -> None:
        """See `RateGate.observe`."""
        await self.gate.observe(permit, counters, limits, now)

    async def release(self, permit: Permit, now: datetime) -> None:
        """See `RateGate.release`."""
        await self.gate.release(permit, now)


async def begin_alone(storage: AsyncStorage, tenant: str, owner: Owner, now: datetime) -> RunLease | None:
    """The lease of a run in *tenant*; None while another run is under way there."""
    mine = one_run(owner)
    fence = await take_lease(storage, f"run/{tenant}", mine, ttl_s=TTL_S, now=now)
    return None if fence is None else RunLease(storage, mine, fence, now + timedelta(seconds=TTL_S))
