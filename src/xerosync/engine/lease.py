"""The organisation's lease: one worker at a time writes, and one that lost it writes nothing more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from xerosync.client._books import Books
from xerosync.errors import LeaseLost
from xerosync.events import Event
from xerosync.ports import Clock
from xerosync.storage.owner import one_run, take_lease
from xerosync.storage.protocol import AsyncStorage, Fence, Owner

TTL_S: Final = 600.0
"""Longer than the longest step between two renewals: a wait for the minute limit and a call that times out."""

_POLL_S: Final = 2.0


@define
class Lease:
    """A held lease. Ask `held` for the fence before every commit; it renews itself between steps, never behind them."""

    storage: AsyncStorage
    clock: Clock
    owner: Owner
    fence: Fence
    until: datetime = field(repr=False)

    async def held(self) -> Fence:
        """The fence to commit under, renewed when half its time has passed. Raises `LeaseLost`."""
        now = self.clock.now()
        if self.until - now > timedelta(seconds=TTL_S / 2):
            return self.fence
        renewed = await self.storage.lease(self.fence.name, self.owner, ttl_s=TTL_S, now=now)
        if renewed is None or renewed.epoch != self.fence.epoch:
            raise LeaseLost("another worker has taken over this organisation")
        self.until = now + timedelta(seconds=TTL_S)
        return self.fence

    async def release(self) -> None:
        """Give it back."""
        await self.storage.release(self.fence)


def lease_name(tenant: str) -> str:
    """What the lease of the organisation *tenant* is called in the store."""
    return f"organisation/{tenant}"


async def try_to_take(storage: AsyncStorage, clock: Clock, name: str, owner: Owner) -> Lease | None:
    """The lease *name*; None while another worker holds it. A dead one on this machine is followed at once."""
    now = clock.now()
    fence = await take_lease(storage, name, owner, ttl_s=TTL_S, now=now)
    return None if fence is None else Lease(storage, clock, owner, fence, now + timedelta(seconds=TTL_S))


async def take(books: Books) -> Lease:
    """The organisation's lease, waiting for a worker that holds it; a dead one on this machine is followed at once."""
    books.check_may_write()
    name = lease_name(books.tenant)
    owner = one_run(books.owner)
    waited = False
    while True:
        lease = await try_to_take(books.storage, books.clock, name, owner)
        if lease is not None:
            return lease
        if not waited:
            books.tell(Event.WAITING, reason="another worker holds this organisation")
            waited = True
        await books.clock.sleep(_POLL_S)
