"""The conformance kit's tests with more than one process: what only shows when two meet, or when one is killed."""

# ruff: noqa: S101
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Final, TypeAlias

import pytest

from xerosync.storage import AsyncStorage, Record, Storage
from xerosync.testing.storage_ability import Ability, needs
from xerosync.testing.storage_face import OWNERS, plain_face
from xerosync.testing.storage_worker import BATCH, CLAIMED, LEASE, Opener, Told, Worker, at_once

OpenerOf: TypeAlias = Callable[[Storage | AsyncStorage], Opener]
"""From a store to what opens its place again, in this process or another."""

_ROUNDS: Final = 40
_WRITES: Final = 60
_KILLS: Final = ((2, None), (2, 0.0), (3, 0.3), (4, 0.5), (5, 0.7), (6, 0.9))
"""After how many commits, and how far into the next, as a part of the time that the one before took; None: in none."""


class SharedStoreTests:
    """What a store does between processes; part of `StorageTests`."""

    @pytest.fixture
    def place(self, store_factory: Callable[[], Storage | AsyncStorage], opener: OpenerOf) -> Opener:
        """What opens the place of one new store, anywhere."""
        raw = store_factory()
        plain_face(raw).close()
        return opener(raw)

    @pytest.fixture
    def here(self, place: Opener) -> Iterator[Storage]:
        """That place, opened in this process."""
        with closing(plain_face(place())) as store:
            yield store

    @pytest.fixture
    def two(self, place: Opener) -> Iterator[tuple[Worker, Worker]]:
        """It opened by two other processes."""
        with ExitStack() as stack:
            first, second = (stack.enter_context(Worker(place)) for _ in range(2))
            yield first, second

    @needs(Ability.SHARED)
    def test_of_two_processes_that_claim_at_once_one_wins(self, here: Storage, two: tuple[Worker, Worker]) -> None:
        """The other keeps nothing of its commit: so no payment is claimed, and sent, twice."""
        for version in range(_ROUNDS):
            marks = [f"{version:04}-{name}" for name in ("first", "second")]
            ended = at_once(two, [{"do": "claim", "version": version, "mark": mark} for mark in marks])

            assert sorted(map(str, ended)) == ["conflict", "kept"], f"of two claims at once, {ended} became"
            [claimed] = here.get_many([CLAIMED])
            assert claimed is not None
            assert (claimed.version, claimed.body) == (version + 1, marks[ended.index("kept")])
        kept = [mark.key for mark in here.query("mark", "books")]
        assert len(kept) == _ROUNDS, f"{len(kept)} commits were kept of {_ROUNDS} that won"

    @needs(Ability.SHARED)
    def test_of_two_processes_that_ask_for_a_lease_at_once_one_gets_it(self, two: tuple[Worker, Worker]) -> None:
        """Whether it is new, has run out, or is taken from a dead holder; each time under a later epoch."""
        for turn in range(_ROUNDS):
            asked: list[Told] = [{"do": "lease", "owner": owner, "after_s": 100 * turn} for owner in (0, 1)]
            epochs = at_once(two, asked)

            granted = [epoch for epoch in epochs if epoch is not None]
            assert len(granted) == 1, f"of two that asked at once, {len(granted)} got the lease"
            holder = epochs.index(granted[0])
            taken = two[1 - holder].ask({"do": "lease", "owner": 2, "after_s": 100 * turn, "force": holder})
            assert taken == int(granted[0]) + 1, "the lease of a dead holder was not taken over under the next epoch"

    @needs(Ability.SHARED)
    def test_a_holder_that_was_overtaken_keeps_nothing_more(self, here: Storage, two: tuple[Worker, Worker]) -> None:
        """In the order of the commits that were kept, no epoch comes after a later one."""
        epoch = two[0].ask({"do": "lease", "owner": 0, "after_s": 0})
        for turn in range(_ROUNDS):
            holder, other = two[turn % 2], two[1 - turn % 2]
            old = epoch
            _, epoch = at_once(
                (holder, other),
                [
                    {"do": "fenced", "mark": f"{turn:04}-holder", "epoch": old},
                    {"do": "lease", "owner": 1 - turn % 2, "after_s": 0, "force": turn % 2},
                ],
            )
            assert epoch == int(old or 0) + 1
            ended = at_once(
                (holder, other),
                [
                    {"do": "fenced", "mark": f"{turn:04}-late", "epoch": old},
                    {"do": "fenced", "mark": f"{turn:04}-other", "epoch": epoch},
                ],
            )
            assert ended == ["lost", "kept"], "a commit under a fence that is no longer the latest was kept"
        epochs = [int(record.body) for record in _all_changed(here, "fenced")]
        assert epochs == sorted(epochs), "a commit was kept after one under a later fence"

    @needs(Ability.SHARED)
    def test_a_reader_misses_no_change_of_two_processes_that_write(
        self, here: Storage, two: tuple[Worker, Worker]
    ) -> None:
        """A commit never becomes visible behind one that was already read."""
        marks = ("first", "second")
        for worker, mark in zip(two, marks, strict=True):
            worker.tell({"do": "write", "count": _WRITES, "mark": mark})
        seen: list[Record] = []
        with ThreadPoolExecutor(1) as waiting:
            ended = waiting.submit(lambda: [worker.answer() for worker in two])
            while True:
                was_the_last_look = ended.done()
                after = here.cursor(seen[-1], "changed") if seen else None
                page = here.query("written", "books", order="changed", after=after, limit=7)
                seen += page
                if was_the_last_look and not page:
                    break

        assert ended.result() == [_WRITES, _WRITES]
        assert sorted(record.key for record in seen) == sorted(
            f"{mark}-{number:04}" for mark in marks for number in range(_WRITES)
        ), "a reader of changes missed one that another process had written"
        told = here.events("written")
        assert [number for number, _ in told] == list(range(1, 2 * _WRITES + 1)), "two events got one number, or none"

    @needs(Ability.SHARED)
    def test_what_a_killed_process_was_told_is_kept_is_there(self, place: Opener) -> None:
        """Killed (SIGKILL) at rest, between or amid verbs, again and again: each commit whole, none is lost."""
        first = 0
        for commits, part in _KILLS:
            with Worker(place) as writer:
                writer.tell({"do": "go on", "first": first, "commits": commits if part is None else None})
                told = [writer.answer() for _ in range(commits - 1)]
                start = time.monotonic()
                told.append(writer.answer())
                if part is None:
                    assert writer.answer() == "rests"
                else:
                    time.sleep(part * (time.monotonic() - start))
                told += [int(line) for line in writer.kill()]
            assert told == list(range(first, first + len(told)))

            with closing(plain_face(place())) as store:
                kept = [record.key for record in _all_by_key(store, "payment")]
                batches = len(kept) // BATCH
                assert batches in {first + len(told), first + len(told) + 1}, (
                    f"{first + len(told)} commits were said to be kept before the kill, and {batches} are there"
                )
                assert kept == [f"{batch:06}-{number:02}" for batch in range(batches) for number in range(BATCH)]
                assert len(store.query("payment", "books", lookup=("batch", str(batches - 1)))) == BATCH
                events = [int(event.body) for _, event in store.events("batches", limit=100_000)]
                assert set(events) >= set(range(first, first + len(told))), "an event was lost by a kill"
            first = batches

    @needs(Ability.SHARED)
    def test_the_lease_of_a_killed_process_is_still_its_own(self, place: Opener) -> None:
        """Until its time has run out, or somebody has seen the process dead and says so."""
        with Worker(place) as holder:
            epoch = holder.ask({"do": "lease", "owner": 0, "after_s": 0})
            holder.kill()
        with Worker(place) as successor:
            assert successor.ask({"do": "lease", "owner": 1, "after_s": 59}) is None
            assert successor.ask({"do": "lease", "owner": 1, "after_s": 59, "force": 0}) == int(epoch or 0) + 1
            with closing(plain_face(place())) as store:
                assert store.lease_owner(LEASE) == OWNERS[1]


def _all_changed(store: Storage, kind: str) -> list[Record]:
    return store.query(kind, "books", order="changed", limit=100_000)


def _all_by_key(store: Storage, kind: str) -> list[Record]:
    return store.query(kind, "books", limit=100_000)
