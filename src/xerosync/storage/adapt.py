"""
One face for flows: whatever store the host brings, its verbs can be awaited.

Under ``Xero`` a plain store is called on the spot and nothing ever suspends; under ``AsyncXero`` it works in a thread
of its own, so that a slow disk holds up nobody else on the event loop.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, ParamSpec, TypeVar, cast

from xerosync.errors import Misconfigured, StoreFailed, VersionConflict
from xerosync.storage.protocol import AsyncStorage, Event, Fence, Order, Owner, Record, RecordKey, Storage

_P = ParamSpec("_P")
_T = TypeVar("_T")

_VERBS: Final = (
    "get_many", "commit", "query", "cursor", "lease", "lease_owner", "release", "append", "events", "close",
)  # fmt: skip


def port_for(storage: Storage | AsyncStorage, *, blocking: bool) -> AsyncStorage:
    """
    The face of *storage* for a client that is *blocking* (``Xero``) or not (``AsyncXero``).

    Raises `Misconfigured` for an async store under a blocking client, and for one that is no whole store.
    """
    if blocking and type(storage) is _Stepped:
        return storage
    _check_whole(storage)
    if not inspect.iscoroutinefunction(storage.get_many):
        plain = cast(Storage, storage)
        return stepped_storage(plain) if blocking else threaded_storage(plain)
    if blocking:
        raise Misconfigured(
            f"{type(storage).__name__} is an async store, which Xero cannot wait for: use AsyncXero, or give a plain "
            "store such as SQLiteStore."
        )
    return cast(AsyncStorage, storage)


def _check_whole(storage: Storage | AsyncStorage) -> None:
    missing = [verb for verb in _VERBS if not callable(getattr(storage, verb, None))]
    if missing:
        raise Misconfigured(f"{type(storage).__name__} is not a store: it lacks {', '.join(missing)}.")


async def put_instead(storage: AsyncStorage, fresh: Record, known: Record | None) -> bool:
    """Whether *fresh* took the place of *known*, None for nothing: not where another worker was faster."""
    try:
        await storage.commit([fresh], expect={fresh.identity: 0 if known is None else known.version})
    except VersionConflict:
        return False
    return True


async def pages_of(
    storage: AsyncStorage,
    kind: str,
    tenant: str,
    *,
    states: Sequence[str] = (),
    lookup: tuple[str, str] | None = None,
    after: str | None = None,
    size: int = 1000,
) -> AsyncIterator[list[Record]]:
    """The records of *kind* that fit, in the order of their keys, *size* at a time, those *after* the cursor of one."""
    while True:
        page = await storage.query(kind, tenant, states=states, lookup=lookup, after=after, limit=size)
        if page:
            yield page
        if len(page) < size:
            return
        after = await storage.cursor(page[-1], "key")


def stepped_storage(storage: Storage) -> AsyncStorage:
    """*storage* with verbs that can be awaited and never suspend: each is done when its call is."""
    return _Stepped(storage)


def threaded_storage(storage: Storage) -> AsyncStorage:
    """
    *storage* worked by one thread, for an asyncio event loop: calls are done one after another, in order.

    Cancelling a call that has begun does not undo it: it may still be kept, as after a crash.
    """
    return _Threaded(storage)


class _Stepped:
    """Calls the store in the caller's own thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def _done(self, verb: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return verb(*args, **kwargs)

    async def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`."""
        return await self._done(self._storage.get_many, keys)

    async def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """As `Storage.commit`."""
        await self._done(self._storage.commit, puts, expect=expect, fence=fence, deletes=deletes)

    async def query(
        self,
        kind: str,
        tenant: str,
        *,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
        lookup: tuple[str, str] | None = None,
        order: Order = "key",
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Record]:
        """As `Storage.query`."""
        return await self._done(
            self._storage.query,
            kind,
            tenant,
            states=states,
            due_before=due_before,
            lookup=lookup,
            order=order,
            after=after,
            limit=limit,
        )

    async def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        return await self._done(self._storage.cursor, record, order)

    async def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        return await self._done(self._storage.lease, name, owner, ttl_s=ttl_s, now=now, force=force)

    async def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        return await self._done(self._storage.lease_owner, name)

    async def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        await self._done(self._storage.release, fence)

    async def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        await self._done(self._storage.append, stream, events)

    async def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        return await self._done(self._storage.events, stream, after=after, limit=limit)

    async def close(self) -> None:
        """As `Storage.close`."""
        await self._done(self._storage.close)

    def __repr__(self) -> str:
        return f"<{type(self).__name__.strip('_')} {self._storage!r}>"


class _Threaded(_Stepped):
    """Calls the store in one worker thread, which starts with the first call and ends with `close`."""

    def __init__(self, storage: Storage) -> None:
        # Here, not above: a blocking client must not pay for an event loop it never uses.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        super().__init__(storage)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="xerosync-storage")
        self._closed = False

    async def _done(self, verb: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        from asyncio import get_running_loop  # noqa: PLC0415

        if self._closed:
            raise StoreFailed("The client this store was given to is closed: make a new client.")
        return await get_running_loop().run_in_executor(self._worker, partial(verb, *args, **kwargs))

    async def close(self) -> None:
        """As `Storage.close`; the worker thread ends too."""
        if self._closed:
            return
        try:
            await super().close()
        finally:
            self._closed = True
            self._worker.shutdown(wait=False)
