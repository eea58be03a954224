"""
What the conformance kit's own and its further processes share: who holds leases and when, and one face for every store.

It imports little, as each further process does so anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

from xerosync.storage import AsyncStorage, Event, Fence, Order, Owner, Record, RecordKey, Storage

_T = TypeVar("_T")

START: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)
OWNERS: Final = (
    Owner("books", "boot-1", 4711, "100", "first"),
    Owner("books", "boot-1", 4711, "100", "second"),  # another run of the same process
    Owner("books", "boot-1", 4711, "222", "first"),  # a later process with the same number
)


def plain_face(storage: Storage | AsyncStorage) -> Storage:
    """*storage* with plain calls: an async one is run on an event loop of its own, which `close` ends."""
    if inspect.iscoroutinefunction(storage.get_many):
        return _Driven(cast(AsyncStorage, storage))
    return cast(Storage, storage)


class _Driven:
    """Plain calls to an async store, each run to its end on one event loop."""

    def __init__(self, storage: AsyncStorage) -> None:
        import asyncio  # noqa: PLC0415

        self._storage = storage
        self._runner = asyncio.Runner()
        self._closed = False

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        return self._run(self._storage.get_many(keys))

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self._run(self._storage.commit(puts, expect=expect, fence=fence, deletes=deletes))

    def query(
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
        return self._run(
            self._storage.query(
                kind,
                tenant,
                states=states,
                due_before=due_before,
                lookup=lookup,
                order=order,
                after=after,
                limit=limit,
            )
        )

    def cursor(self, record: Record, order: Order) -> str:
        return self._run(self._storage.cursor(record, order))

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        return self._run(self._storage.lease(name, owner, ttl_s=ttl_s, now=now, force=force))

    def lease_owner(self, name: str) -> Owner | None:
        return self._run(self._storage.lease_owner(name))

    def release(self, fence: Fence) -> None:
        self._run(self._storage.release(fence))

    def append(self, stream: str, events: Sequence[Event]) -> None:
        self._run(self._storage.append(stream, events))

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        return self._run(self._storage.events(stream, after=after, limit=limit))

    def close(self) -> None:
        if not self._closed:
            self._run(self._storage.close())
            self._run(self._storage.close())  # the contract: closing twice is harmless
            self._runner.close()
            self._closed = True

    def _run(self, verb: Coroutine[object, object, _T]) -> _T:
        return self._runner.run(verb)
