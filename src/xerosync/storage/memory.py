"""A store in memory: for tests, notebooks and the simulation. It keeps every promise of `Storage` but to outlive us."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from threading import RLock

from attrs import Factory, define, evolve

from xerosync.errors import LeaseLost, VersionConflict
from xerosync.storage.protocol import Event, Fence, Order, Owner, Record, RecordKey
from xerosync.storage.rules import (
    Holding,
    check_commit,
    check_limit,
    check_order,
    check_text,
    cursor_of,
    grant_lease,
    place_after,
    place_of,
    to_micros,
)


@define
class _Shelf:
    """The records of one kind and tenant, and the two ways they are found by other than their key."""

    records: dict[str, Record] = Factory(dict[str, Record])
    by_lookup: defaultdict[tuple[str, str], set[str]] = Factory(lambda: defaultdict[tuple[str, str], set[str]](set))
    sorted_keys: list[str] | None = None

    def put(self, record: Record) -> None:
        before = self.records.get(record.key)
        if before is None:
            self.sorted_keys = None
        else:
            self._forget_lookups(before)
            del self.records[record.key]  # so that they are in the order in which they changed
        self.records[record.key] = record
        for pair in record.lookups:
            self.by_lookup[pair].add(record.key)

    def drop(self, key: str) -> None:
        record = self.records.pop(key, None)
        if record is not None:
            self._forget_lookups(record)
            self.sorted_keys = None

    def keys_after(self, after: str | None) -> Iterable[str]:
        if self.sorted_keys is None:
            self.sorted_keys = sorted(self.records)
        return self.sorted_keys if after is None else self.sorted_keys[bisect_right(self.sorted_keys, after) :]

    def keys_changed_since(self, commit: int) -> Iterable[str]:
        """Those of the records that this commit wrote, or a later one."""
        return takewhile(lambda key: self.records[key].changed >= commit, reversed(self.records))

    def _forget_lookups(self, record: Record) -> None:
        for pair in record.lookups:
            self.by_lookup[pair].discard(record.key)


class MemoryStore:
    """Storage that lives as long as this object. Usable from several threads; `close` keeps what is in it."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._shelves: defaultdict[tuple[str, str], _Shelf] = defaultdict(_Shelf)
        self._leases: dict[str, Holding] = {}
        self._streams: defaultdict[str, list[Event]] = defaultdict(list)
        self._commits = 0

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`."""
        with self._lock:
            return [self._now(key) for key in keys]

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """As `Storage.commit`."""
        check_commit(puts, deletes)
        check_text(puts)
        with self._lock:
            if fence is not None:
                self._check(fence)
            changed = [str(key) for key, version in (expect or {}).items() if self._version(key) != version]
            if changed:
                raise VersionConflict(changed)
            self._commits += 1
            for put in puts:
                shelf = self._shelves[put.kind, put.tenant]
                known = shelf.records.get(put.key)
                version = 1 if known is None else known.version + 1
                shelf.put(
                    Record(
                        put.kind, put.tenant, put.key, put.body, put.state, put.due, put.lookups, version, self._commits
                    )
                )
            for key in deletes:
                self._shelves[key.kind, key.tenant].drop(key.key)

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
        check_limit(limit)
        check_order(order)
        start = None if after is None else place_after(after, order)
        due_micros = None if due_before is None else to_micros(due_before)
        page: list[Record] = []
        with self._lock:
            shelf = self._shelves[kind, tenant]
            in_key_order = order == "key" and lookup is None
            keys = (
                shelf.keys_after(after)
                if in_key_order
                else shelf.by_lookup.get(lookup, ())
                if lookup
                else shelf.keys_changed_since(start[0])
                if order == "changed" and start is not None
                else shelf.records
            )
            for record in map(shelf.records.__getitem__, keys):
                if in_key_order and len(page) == limit:
                    break
                if states and record.state not in states:
                    continue
                if due_micros is not None and (record.due is None or to_micros(record.due) > due_micros):
                    continue
                if (order == "due" and record.due is None) or (start is not None and place_of(record, order) <= start):
                    continue
                page.append(record)
        if in_key_order:
            return page
        return sorted(page, key=lambda record: place_of(record, order))[:limit]

    def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        return cursor_of(record, order)

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        with self._lock:
            granted = grant_lease(self._leases.get(name), owner, ttl_s=ttl_s, now=now, force=force)
            if granted is None:
                return None
            self._leases[name] = granted
            return Fence(name, granted.epoch)

    def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        with self._lock:
            held = self._leases.get(name)
            return None if held is None else held.owner

    def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        with self._lock:
            held = self._leases.get(fence.name)
            if held is not None and held.epoch == fence.epoch:
                self._leases[fence.name] = evolve(held, owner=None)

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        with self._lock:
            self._streams[stream].extend(events)

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        check_limit(limit)
        first = max(after, 0)
        with self._lock:
            return list(enumerate(self._streams[stream][first : first + limit], start=first + 1))

    def close(self) -> None:
        """Nothing to give back: what was kept stays, for the next client of the same store."""

    def __repr__(self) -> str:
        return f"<MemoryStore of {sum(len(shelf.records) for shelf in self._shelves.values())} records>"

    def _now(self, key: RecordKey) -> Record | None:
        return self._shelves[key.kind, key.tenant].records.get(key.key)

    def _version(self, key: RecordKey) -> int:
        record = self._now(key)
        return 0 if record is None else record.version

    def _check(self, fence: Fence) -> None:
        held = self._leases.get(fence.name)
        if held is None or held.owner is None or held.epoch != fence.epoch:
            raise LeaseLost(
                f"lease {fence.name} epoch {fence.epoch} is not held any more: stop, and start the run again"
            )
