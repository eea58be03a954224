"""Whatever store a host brings gets the one face that flows speak to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import cast

import pytest

from xerosync.errors import Misconfigured, StoreFailed, VersionConflict
from xerosync.storage import MemoryStore, Record, RecordKey, Storage
from xerosync.storage.adapt import port_for, stepped_storage, threaded_storage

LINK = Record("link", "books", "c-1", "{}")


class SlowStore(MemoryStore):
    """Notes the thread it works in, and works only when let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_work = threading.Event()
        self.threads: set[int] = set()

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        self.threads.add(threading.get_ident())
        assert self.may_work.wait(5)
        return super().get_many(keys)


class NoStore:
    """Has but one verb."""

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        return [None for _ in keys]


def test_a_plain_store_under_a_blocking_client_never_suspends() -> None:
    face = port_for(MemoryStore(), blocking=True)

    verb = face.commit([LINK], expect={LINK.identity: 0})
    with pytest.raises(StopIteration):
        verb.send(None)

    with pytest.raises(VersionConflict):
        face.commit([LINK], expect={LINK.identity: 0}).send(None)


async def read_beside_a_slow_store(store: SlowStore) -> list[Record | None]:
    face = port_for(store, blocking=False)
    await face.commit([LINK])
    readers = [asyncio.create_task(face.get_many([LINK.identity])) for _ in range(3)]
    await asyncio.sleep(0.01)  # the loop goes on although the store does not
    assert not any(reader.done() for reader in readers)
    store.may_work.set()
    found = [record for reader in readers for record in await reader]
    await face.close()
    await face.close()
    with pytest.raises(StoreFailed, match="closed"):
        await face.get_many([LINK.identity])
    return found


def test_a_plain_store_under_an_async_client_works_in_one_thread_of_its_own() -> None:
    store = SlowStore()

    found = asyncio.run(read_beside_a_slow_store(store))

    assert [record and record.version for record in found] == [1, 1, 1]
    assert len(store.threads) == 1
    assert threading.get_ident() not in store.threads


def test_an_async_store_is_used_as_it_is() -> None:
    face = threaded_storage(MemoryStore())

    assert port_for(face, blocking=False) is face
    asyncio.run(face.close())


def test_a_blocking_client_refuses_an_async_store() -> None:
    with pytest.raises(Misconfigured, match="use AsyncXero, or give a plain store"):
        port_for(threaded_storage(MemoryStore()), blocking=True)


def test_a_face_that_never_suspends_serves_a_blocking_client() -> None:
    face = stepped_storage(MemoryStore())

    assert port_for(face, blocking=True) is face


def test_half_a_store_is_refused_by_naming_what_it_lacks() -> None:
    with pytest.raises(Misconfigured, match="lacks commit, query"):
        port_for(cast(Storage, NoStore()), blocking=True)
