"""
Encryption at rest, before any store: the bodies of all records, with AES-GCM, each bound to its place and version.

The store below sees no plain body. What it must search by stays readable: kind, organisation, key, state, due time and
look-ups, which hold ids, numbers of documents and times. So do the streams of events, which hold nothing personal and
could not be encrypted anew under another key.
"""

from __future__ import annotations

import inspect
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar, cast, overload

from attrs import frozen

from xerosync.errors import StoreFailed, VersionConflict
from xerosync.storage.adapt import stepped_storage
from xerosync.storage.keys import KeyRing
from xerosync.storage.protocol import AsyncStorage, Event, Fence, Order, Owner, Record, RecordKey, Storage

_T = TypeVar("_T")

_ATTEMPTS_MAX: Final = 100


@overload
def encrypted(store: Storage, keys: KeyRing, *, allow_plain: bool = False) -> EncryptedStore: ...
@overload
def encrypted(store: AsyncStorage, keys: KeyRing, *, allow_plain: bool = False) -> AsyncEncryptedStore: ...
def encrypted(
    store: Storage | AsyncStorage, keys: KeyRing, *, allow_plain: bool = False
) -> EncryptedStore | AsyncEncryptedStore:
    """
    *store* with all that it keeps encrypted; give it to ``Xero`` in its place.

    A record in plain text is refused with `NotEncrypted`, since whoever can write the store could have put it there.
    *allow_plain* reads such records all the same: for the time between giving a store its first key and `KeyRotation`.
    """
    if inspect.iscoroutinefunction(store.get_many):
        return AsyncEncryptedStore(cast(AsyncStorage, store), keys, allow_plain=allow_plain)
    return EncryptedStore(cast(Storage, store), keys, allow_plain=allow_plain)


@frozen
class Resealed:
    """One page that was looked through: how many records were *rewritten*, and where the next page begins."""

    rewritten: int
    after: str | None


class AsyncEncryptedStore:
    """An `AsyncStorage` whose records lie encrypted in another; `encrypted` makes one."""

    def __init__(self, store: AsyncStorage, keys: KeyRing, *, allow_plain: bool = False) -> None:
        self._store: Final = store
        self._keys: Final = keys
        self._allow_plain: Final = allow_plain

    async def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`. Raises `KeyMissing`, `SealBroken` or `NotEncrypted`, as `query` does."""
        return [record and self._open(record) for record in await self._store.get_many(keys)]

    async def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """As `Storage.commit`."""
        named = dict(expect or {})
        unnamed = [put.identity for put in puts if put.identity not in named]
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            # A body is bound to the version it will have, so that version must be known and must hold.
            versions = named | await self._versions(unnamed)
            sealed = [self._keys.seal(put, version=versions[put.identity] + 1) for put in puts]
            try:
                return await self._store.commit(sealed, expect=versions, fence=fence, deletes=deletes)
            except VersionConflict as conflict:
                theirs = {str(key) for key in named}.intersection(conflict.keys)
                if theirs:
                    raise VersionConflict(sorted(theirs)) from None
                if attempt == _ATTEMPTS_MAX or not unnamed:
                    raise
        return None

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
        found = await self._store.query(
            kind,
            tenant,
            states=states,
            due_before=due_before,
            lookup=lookup,
            order=order,
            after=after,
            limit=limit,
        )
        return [self._open(record) for record in found]

    async def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        return await self._store.cursor(record, order)

    async def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        return await self._store.lease(name, owner, ttl_s=ttl_s, now=now, force=force)

    async def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        return await self._store.lease_owner(name)

    async def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        await self._store.release(fence)

    async def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        await self._store.append(stream, events)

    async def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        return await self._store.events(stream, after=after, limit=limit)

    async def close(self) -> None:
        """As `Storage.close`."""
        await self._store.close()

    async def reseal(
        self, kind: str, tenant: str, *, after: str | None = None, fence: Fence | None = None, limit: int = 200
    ) -> Resealed:
        """
        Look through one page of *kind*, and encrypt with the key that writes what is not: `KeyRotation` goes by it.

        A record that somebody else writes meanwhile is left to them: they write under that key too.
        """
        page = await self._store.query(kind, tenant, after=after, limit=limit)
        stale = [self._open(record) for record in page if not self._keys.is_current(record)]
        rewritten = await self._rewrite(stale, fence)
        return Resealed(rewritten, await self._store.cursor(page[-1], "key") if len(page) == limit else None)

    async def _rewrite(self, records: Sequence[Record], fence: Fence | None) -> int:
        if not records:
            return 0
        try:
            await self.commit(records, expect={record.identity: record.version for record in records}, fence=fence)
        except VersionConflict:
            if len(records) == 1:
                return 0
            return sum([await self._rewrite([record], fence) for record in records])
        return len(records)

    async def _versions(self, keys: Sequence[RecordKey]) -> dict[RecordKey, int]:
        if not keys:
            return {}
        found = await self._store.get_many(keys)
        return {key: 0 if record is None else record.version for key, record in zip(keys, found, strict=True)}

    def _open(self, record: Record) -> Record:
        return self._keys.open(record, allow_plain=self._allow_plain)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._keys!r} {self._store!r}>"


class EncryptedStore:
    """A `Storage` whose records lie encrypted in another; `encrypted` makes one."""

    def __init__(self, store: Storage, keys: KeyRing, *, allow_plain: bool = False) -> None:
        self._flows: Final = AsyncEncryptedStore(stepped_storage(store), keys, allow_plain=allow_plain)
        self._repr: Final = f"<EncryptedStore {keys!r} {store!r}>"

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`. Raises `KeyMissing`, `SealBroken` or `NotEncrypted`, as `query` does."""
        return _done(self._flows.get_many(keys))

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """As `Storage.commit`."""
        _done(self._flows.commit(puts, expect=expect, fence=fence, deletes=deletes))

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
        """As `Storage.query`."""
        return _done(
            self._flows.query(
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
        """As `Storage.cursor`."""
        return _done(self._flows.cursor(record, order))

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        return _done(self._flows.lease(name, owner, ttl_s=ttl_s, now=now, force=force))

    def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        return _done(self._flows.lease_owner(name))

    def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        _done(self._flows.release(fence))

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        _done(self._flows.append(stream, events))

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        return _done(self._flows.events(stream, after=after, limit=limit))

    def close(self) -> None:
        """As `Storage.close`."""
        _done(self._flows.close())

    @property
    def awaited(self) -> AsyncEncryptedStore:
        """The same store with verbs that can be awaited, and never suspend."""
        return self._flows

    def __repr__(self) -> str:
        return self._repr


def _done(verb: Coroutine[object, object, _T]) -> _T:
    """What *verb* of a plain store gives: nothing in it suspends, so one step is all."""
    try:
        verb.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    verb.close()
    raise StoreFailed("an async store was given where a plain one is due")
