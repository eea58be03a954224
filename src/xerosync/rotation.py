"""`KeyRotation` and `AsyncKeyRotation`: what older keys wrote is encrypted with the newest, so that they can go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from xerosync.client._driver import stepped
from xerosync.client._kept import COMPANY, read_kept
from xerosync.client.store_gate import APP_GATE, GATE
from xerosync.engine.inbox import EVENT, SEQUENCE
from xerosync.engine.lease import Lease, lease_name, try_to_take
from xerosync.engine.mirror import SHELVES
from xerosync.engine.schedule import SCHEDULE, WAKE
from xerosync.engine.sweeping import SWEEP
from xerosync.errors import LeaseLost
from xerosync.ports import Clock
from xerosync.storage.adapt import pages_of
from xerosync.storage.encrypted import AsyncEncryptedStore, EncryptedStore
from xerosync.storage.owner import one_run, this_process

KINDS_OF_ALL: Final = ("grant", COMPANY, SCHEDULE, WAKE, SEQUENCE, APP_GATE)
"""What is kept for no one organisation."""

KINDS_OF_ORGANISATION: Final = (
    "connection",
    "link",
    "intent",
    "cursor",
    "reading",
    "breaker",
    "run",
    "stray",
    "doctor",
    "trail",
    EVENT,
    GATE,
    SWEEP,
    *(shelf.kind for shelf in SHELVES.values()),
)
"""What is kept for each."""


@frozen
class Rotated:
    """
    What became of a rotation: how many records were *rewritten*; *busy* are the organisations that a worker had.

    Nothing is left when *busy* is empty: the older keys can go. Otherwise run it again.
    """

    rewritten: int = 0
    busy: tuple[str, ...] = ()


class AsyncKeyRotation:
    """
    Encrypts with the first key of an encrypted *store* all that its other keys wrote, or none, awaited.

    *organisations* are tenant ids besides those that the store knows connections of. Workers may go on meanwhile.
    """

    def __init__(
        self,
        store: AsyncEncryptedStore,
        *,
        organisations: Iterable[str] = (),
        clock: Clock | None = None,
        _blocking: bool = False,
    ) -> None:
        if clock is None:
            from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

            clock = _http.BlockingClock() if _blocking else _http.AsyncClock()
        self._store: Final = store
        self._clock: Final = clock
        self._organisations: Final = tuple(organisations)

    async def run(self) -> Rotated:
        """
        Rewrite what is not encrypted with the first key. Broken off at any moment, it is run again and goes on.

        An organisation in which a worker is at work is left out, and named. Raises `KeyMissing` or `SealBroken` for a
        record that cannot be read.
        """
        rewritten = sum([await self._rewritten(kind) for kind in KINDS_OF_ALL])
        busy: list[str] = []
        for organisation in await self._everyone():
            try:
                rewritten += await self._of(organisation)
            except LeaseLost:  # a worker is at work there
                busy.append(organisation)
        return Rotated(rewritten, tuple(busy))

    async def _of(self, organisation: str) -> int:
        """Rewrite one organisation under its lease: a write under way there must find its intent as it left it."""
        owner = one_run(this_process("key rotation"))
        lease = await try_to_take(self._store, self._clock, lease_name(organisation), owner)
        if lease is None:
            raise LeaseLost("a worker is at work in this organisation")
        try:
            return sum([await self._rewritten(kind, organisation, lease) for kind in KINDS_OF_ORGANISATION])
        finally:
            await lease.release()

    async def _rewritten(self, kind: str, tenant: str = "", lease: Lease | None = None) -> int:
        rewritten = 0
        after: str | None = None
        while True:
            fence = None if lease is None else await lease.held()
            page = await self._store.reseal(kind, tenant, after=after, fence=fence)
            rewritten += page.rewritten
            if page.after is None:
                return rewritten
            after = page.after

    async def _everyone(self) -> tuple[str, ...]:
        found = list(self._organisations)
        async for page in pages_of(self._store, COMPANY, ""):
            found += [read_kept(record).organisation for record in page]
        return tuple(dict.fromkeys(found))


class KeyRotation:
    """
    Encrypts with the first key of an encrypted *store* all that its other keys wrote, or none.

    *organisations* are tenant ids besides those that the store knows connections of. Workers may go on meanwhile.
    """

    def __init__(self, store: EncryptedStore, *, organisations: Iterable[str] = (), clock: Clock | None = None) -> None:
        self._flows: Final = AsyncKeyRotation(store.awaited, organisations=organisations, clock=clock, _blocking=True)

    run: Final = stepped(AsyncKeyRotation.run)
