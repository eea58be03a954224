"""Stores that break the contract, each as a real one has: a module of its own, for other processes to import."""

# ruff: noqa: ARG002 (what a faulty store leaves unused is its fault)
from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, get_ident
from typing import Final

from attrs import evolve

from xerosync.errors import StoreFailed, VersionConflict
from xerosync.storage import Fence, MemoryStore, Order, Owner, Record, RecordKey, SQLiteStore
from xerosync.storage.rules import Holding, grant_lease


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


class WithoutAnyCheck(MemoryStore):
    """Whoever writes last is right, and nobody is ever overtaken."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        super().commit(puts, deletes=deletes)


class QueriesACopy(MemoryStore):
    """What is looked for is looked for in a copy, which follows one commit behind."""

    def __init__(self) -> None:
        super().__init__()
        self._copy = MemoryStore()
        self._waiting: tuple[Sequence[Record], Sequence[RecordKey]] = ((), ())

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)
        earlier, dropped = self._waiting
        self._copy.commit(earlier, deletes=dropped)
        self._waiting = puts, deletes

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
        return self._copy.query(
            kind, tenant, states=states, due_before=due_before, lookup=lookup, order=order, after=after, limit=limit
        )


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


class ChecksBeforehand(SQLiteStore):
    """A claim is two transactions: versions are checked in one, and records written in the next. Threads take turns."""

    _turn: Final = Lock()

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        with self._turn:
            keys = list(expect or {})
            versions = [record.version if record else 0 for record in self.get_many(keys)]
            changed = [str(key) for key, version in zip(keys, versions, strict=True) if (expect or {})[key] != version]
            if fence is not None:
                super().commit([], fence=fence)
            if changed:
                raise VersionConflict(changed)
            super().commit(puts, fence=fence, deletes=deletes)


class LeasesInMemory(SQLiteStore):
    """Each process keeps its own list of leases."""

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        leases: dict[str, Holding] = self.__dict__.setdefault("leases", {})
        granted = grant_lease(leases.get(name), owner, ttl_s=ttl_s, now=now, force=force)
        if granted is None:
            return None
        leases[name] = granted
        return Fence(name, granted.epoch)


class KeepsLater(SQLiteStore):
    """The last commit waits in memory for the next call: only a process that is killed shows it."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self._keep()
        if expect or fence or deletes:
            super().commit(puts, expect=expect, fence=fence, deletes=deletes)
        else:
            self.__dict__["waiting"] = list(puts)

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        self._keep()
        return super().get_many(keys)

    def close(self) -> None:
        self._keep()
        super().close()

    def _keep(self) -> None:
        waiting: list[Record] | None = self.__dict__.pop("waiting", None)
        if waiting:
            super().commit(waiting)


class RecordByRecordInAFile(SQLiteStore):
    """As `RecordByRecord`; nobody sees it who is not killed in between."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        super().commit([], expect=expect, fence=fence, deletes=deletes)
        for put in puts:
            super().commit([put], fence=fence)


class LooksUpWithoutCase(MemoryStore):
    """Looks up as many databases compare by themselves."""

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
        page = super().query(kind, tenant, states=states, due_before=due_before, order=order, after=after, limit=10**6)
        wanted = lookup and (lookup[0], lookup[1].casefold().rstrip())
        return [
            record
            for record in page
            if wanted is None or wanted in {(name, value.casefold().rstrip()) for name, value in record.lookups}
        ][:limit]


class CutsLongTexts(MemoryStore):
    """A column of 64 KB, in a database that cuts off what does not fit."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        cut = [evolve(put, body=put.body[:65_535]) for put in puts]
        super().commit(cut, expect=expect, fence=fence, deletes=deletes)


class ShortPages(MemoryStore):
    """No more than 500 rows come at once, whatever was asked for."""

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
        limit = min(limit, 500)
        return super().query(
            kind, tenant, states=states, due_before=due_before, lookup=lookup, order=order, after=after, limit=limit
        )


class FewVariables(MemoryStore):
    """What is expected and dropped goes into one statement each, which takes 999 variables."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        if max(len(expect or ()), len(deletes)) > 999:
            raise StoreFailed("too many SQL variables")
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)


class TimesUntil2038(MemoryStore):
    """A column of 32 bits for the time."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        last = datetime(2038, 1, 19, tzinfo=UTC)
        early = [evolve(put, due=put.due and min(put.due, last)) for put in puts]
        super().commit(early, expect=expect, fence=fence, deletes=deletes)


class ForgetsOldLeases(MemoryStore):
    """A lease that ran out long ago is swept away, and its epoch with it."""

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        held = self._leases.get(name)
        if held is not None and held.until < now - timedelta(days=1):
            del self._leases[name]
        return super().lease(name, owner, ttl_s=ttl_s, now=now, force=force)


class ProcessNumbersAlone(MemoryStore):
    """Owners are told apart by the numbers of their processes, which other machines give out too."""

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        holder = self.lease_owner(name)
        is_same = holder is not None and evolve(holder, host="", boot="") == evolve(owner, host="", boot="")
        return super().lease(name, holder if holder and is_same else owner, ttl_s=ttl_s, now=now, force=force)


class OfOneThread(SQLiteStore):
    """Serves the thread that opened it, as a connection of SQLite does unless told otherwise."""

    def __init__(self, path: Path) -> None:
        self._opened_by: Final = get_ident()
        super().__init__(path)

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        if get_ident() != self._opened_by:
            raise sqlite3.ProgrammingError("objects created in a thread can only be used in that same thread")
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)


class WritesAfterAWhile:
    """As much of an async store as claims: between its check and its write another task comes along."""

    def __init__(self) -> None:
        self._kept = MemoryStore()

    async def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        return self._kept.get_many(keys)

    async def commit(self, puts: Sequence[Record], *, expect: Mapping[RecordKey, int] | None = None) -> None:
        self._kept.commit([], expect=expect)
        await asyncio.sleep(0)
        self._kept.commit(puts)

    async def close(self) -> None:
        self._kept.close()
