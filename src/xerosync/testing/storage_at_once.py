"""The conformance kit's tests of a store that several threads, or tasks of one event loop, call at the same time."""

# ruff: noqa: S101
from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final, TypeAlias, cast

from attrs import evolve

from xerosync.errors import VersionConflict
from xerosync.storage import AsyncStorage, Fence, Record, RecordKey, Storage
from xerosync.testing.storage_face import OWNERS, START
from xerosync.testing.storage_simulated import StoreFactory

_CALLERS: Final = 4
_ROUNDS: Final = 10
_CLAIMED: Final = RecordKey("claimed", "books", "1")

_Call: TypeAlias = Callable[[int, int], tuple[str, dict[str, object], Sequence[object]]]
"""What each caller calls in each round: the verb, what it is given by name, and what by place."""


class AtOnceTests:
    """What a store does for several callers in one process; part of `StorageTests`."""

    def test_of_many_that_claim_at_once_in_one_process_one_wins(self, store_factory: StoreFactory) -> None:
        """Threads, which are others than that which opened it, or tasks, where the store is async."""
        for outcomes in _at_once(store_factory(), _claim):
            assert sorted(map(type, outcomes), key=str).count(VersionConflict) == _CALLERS - 1, outcomes
            assert outcomes.count(None) == 1, f"of {_CALLERS} claims at once, {outcomes} became"

    def test_of_many_that_ask_for_a_lease_at_once_in_one_process_one_gets_it(self, store_factory: StoreFactory) -> None:
        """The others wait for it."""
        for turn, outcomes in enumerate(_at_once(store_factory(), _lease)):
            granted = [each for each in outcomes if each is not None]
            assert granted == [Fence(f"books {turn}", 1)], f"of {_CALLERS} that asked at once, {outcomes} became"


def _claim(turn: int, caller: int) -> tuple[str, dict[str, object], Sequence[object]]:
    claim = Record(_CLAIMED.kind, _CLAIMED.tenant, _CLAIMED.key, str(caller))
    mark = Record("mark", "books", f"{turn}/{caller}", "{}")
    return "commit", {"expect": {_CLAIMED: turn}}, ([claim, mark],)


def _lease(turn: int, caller: int) -> tuple[str, dict[str, object], Sequence[object]]:
    owner = evolve(OWNERS[0], run=str(caller))
    return "lease", {"ttl_s": 60, "now": START}, (f"books {turn}", owner)


def _at_once(store: Storage | AsyncStorage, call: _Call) -> list[list[object]]:
    """What became of the calls of each round, which all begin together: what was given back, or a conflict."""
    if inspect.iscoroutinefunction(store.get_many):
        return asyncio.run(_by_tasks(cast(AsyncStorage, store), call))
    return _by_threads(cast(Storage, store), call)


def _by_threads(store: Storage, call: _Call) -> list[list[object]]:
    together = Barrier(_CALLERS)

    def one(turn: int, caller: int) -> object:
        verb, named, placed = call(turn, caller)
        together.wait(timeout=60)
        try:
            return cast(object, getattr(store, verb)(*placed, **named))
        except VersionConflict as conflict:
            return conflict

    def end(_: int) -> None:
        together.wait(timeout=60)  # so that each thread ends once: some stores keep a connection for each
        store.close()

    with ThreadPoolExecutor(_CALLERS) as threads:
        rounds = [list(threads.map(one, [turn] * _CALLERS, range(_CALLERS))) for turn in range(_ROUNDS)]
        list(threads.map(end, range(_CALLERS)))
    return rounds


async def _by_tasks(store: AsyncStorage, call: _Call) -> list[list[object]]:
    async def one(turn: int, caller: int) -> object:
        verb, named, placed = call(turn, caller)
        try:
            return await cast(Coroutine[object, object, object], getattr(store, verb)(*placed, **named))
        except VersionConflict as conflict:
            return conflict

    rounds = [list(await asyncio.gather(*(one(turn, n) for n in range(_CALLERS)))) for turn in range(_ROUNDS)]
    await store.close()
    return rounds
