"""The conformance kit catches stores that break the contract: each fault here is one that a real store has had."""

# ruff: noqa: ARG002 (what a faulty store leaves unused is its fault)
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from xerosync.storage import Fence, MemoryStore, Order, Owner, Record, RecordKey, Storage
from xerosync.testing.storage import StorageTests, check_against_model


class WithoutVersionCheck(MemoryStore):
    """The last writer wins."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        super().commit(puts, fence=fence, deletes=deletes)


class WithoutFenceCheck(MemoryStore):
    """A holder that was overtaken goes on writing."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        super().commit(puts, expect=expect, deletes=deletes)


class RecordByRecord(MemoryStore):
    """A commit is many commits: the records before the one refused are kept."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        expect = dict(expect or {})
        for put in puts:
            super().commit([put], expect={k: v for k, v in expect.items() if k == put.identity}, fence=fence)
            expect.pop(put.identity, None)
        super().commit([], expect=expect, fence=fence, deletes=deletes)


class EpochNeverGrows(MemoryStore):
    """Every holder gets the same epoch, so none is ever overtaken."""

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        fence = super().lease(name, owner, ttl_s=ttl_s, now=now, force=force)
        return fence and Fence(name, 1)


class LeaseForAll(MemoryStore):
    """Whoever asks gets the lease."""

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        return super().lease(name, owner, ttl_s=ttl_s, now=now, force=self.lease_owner(name))


class LeaseThatNeverEnds(MemoryStore):
    """A dead holder keeps everybody waiting."""

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        return super().lease(name, owner, ttl_s=ttl_s + timedelta(days=365).total_seconds(), now=now, force=force)


class CursorByOrderAlone(MemoryStore):
    """Of records that tie, those on the next page are skipped."""

    def cursor(self, record: Record, order: Order) -> str:
        cursor = super().cursor(record, order)
        return cursor if order == "key" else f"{cursor.partition(' ')[0]} {chr(0x10FFFF)}"


@pytest.mark.parametrize(
    "faulty_store",
    [
        WithoutVersionCheck,
        WithoutFenceCheck,
        RecordByRecord,
        EpochNeverGrows,
        LeaseForAll,
        LeaseThatNeverEnds,
    ],
)
def test_a_store_with_a_fault_does_not_pass(faulty_store: Callable[[], Storage]) -> None:
    with pytest.raises(AssertionError):
        check_against_model(faulty_store, examples=300, shrink=False)


def test_a_store_whose_pages_skip_what_ties_does_not_pass() -> None:
    with pytest.raises(AssertionError):
        StorageTests().test_a_page_may_end_among_records_that_tie(CursorByOrderAlone(), "changed")
