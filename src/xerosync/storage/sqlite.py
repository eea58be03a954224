"""
A store in one SQLite file: the embedded default, durable, safe for several threads and processes of one machine.

Every commit is on the disk (write-ahead log, ``synchronous=FULL``) before its call returns. Writers take turns
(``BEGIN IMMEDIATE``), which is also what makes the change numbers appear in order.
"""

# ruff: noqa: S608 (SQL is put together from the words of this file alone; values are bound)
from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from threading import RLock
from typing import Final, TypeAlias, cast
from weakref import WeakSet

from xerosync.errors import InvalidInput, LeaseLost, VersionConflict
from xerosync.storage._sqlite_file import connect, plain_errors
from xerosync.storage.protocol import Event, Fence, Order, Owner, Record, RecordKey
from xerosync.storage.rules import (
    Holding,
    StoredRow,
    check_commit,
    check_limit,
    check_order,
    check_text,
    cursor_of,
    from_micros,
    grant_lease,
    place_after,
    stored_record,
    to_micros,
)

_KEYS_A_QUERY: Final = 500  # well under the 999 variables that old builds of SQLite allow

_COLUMNS: Final = "key, body, state, due, lookups, version, changed"
_SHELF: Final = "shelf = (SELECT id FROM shelves WHERE kind = ? AND tenant = ?)"
_UPSERT: Final = """
INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (shelf, key) DO UPDATE SET body = excluded.body, state = excluded.state, due = excluded.due,
    lookups = excluded.lookups, version = version + 1, changed = excluded.changed"""

_Name: TypeAlias = tuple[str, str, str]  # kind, tenant, key: hashed faster than a RecordKey


class SQLiteStore:
    """
    Storage in the file at *path*, made with mode 0600 if there is none. Usable from several threads.

    A write waits up to *busy_timeout_s* seconds for other processes. Every fault of the file is a `StoreFailed` that
    says what to do. A closed store opens again when it is next used, and so does one inherited through a fork.
    """

    def __init__(self, path: str | Path, *, busy_timeout_s: float = 30.0) -> None:
        if str(path) in {"", ":memory:"}:
            raise InvalidInput("path", "give the path of a file; for a store in memory use MemoryStore")
        self.path: Final = Path(path).absolute()
        self._busy_timeout_s = busy_timeout_s
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        _open_stores.add(self)
        with self._using():
            pass

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`."""
        with self._using("BEGIN") as connection:
            names = [(key.kind, key.tenant, key.key) for key in keys]
            rows = _select(connection, _COLUMNS, names)
        return [_record(name[0], name[1], cast(StoredRow, rows[name])) if name in rows else None for name in names]

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
        with self._using("BEGIN IMMEDIATE") as connection:
            if fence is not None:
                _check_fence(connection, fence)
            names = [(put.kind, put.tenant, put.key) for put in puts]
            before = _before(connection, names, expect or {})
            if puts:
                _put(connection, puts, names, before)
            if deletes:
                _drop(connection, deletes)

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
        sql, values = _query_sql(
            kind, tenant, states=states, due_before=due_before, lookup=lookup, order=order, after=after, limit=limit
        )
        with self._using() as connection:
            return [_record(kind, tenant, row) for row in connection.execute(sql, values)]

    def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        return cursor_of(record, order)

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        with self._using("BEGIN IMMEDIATE") as connection:
            granted = grant_lease(_holding(connection, name), owner, ttl_s=ttl_s, now=now, force=force)
            if granted is None:
                return None
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
                (name, granted.epoch, _owner_text(owner), to_micros(granted.until)),
            )
        return Fence(name, granted.epoch)

    def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        with self._using() as connection:
            held = _holding(connection, name)
        return None if held is None else held.owner

    def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        with self._using("BEGIN IMMEDIATE") as connection:
            connection.execute("UPDATE leases SET owner = NULL WHERE name = ? AND epoch = ?", (fence.name, fence.epoch))

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        with self._using("BEGIN IMMEDIATE") as connection:
            latest = connection.execute("SELECT coalesce(max(number), 0) FROM events WHERE stream = ?", (stream,))
            rows = [
                (stream, number, to_micros(event.at), event.name, event.body)
                for number, event in enumerate(events, start=latest.fetchone()[0] + 1)
            ]
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        check_limit(limit)
        sql = "SELECT number, at, name, body FROM events WHERE stream = ? AND number > ? ORDER BY number LIMIT ?"
        with self._using() as connection:
            rows = connection.execute(sql, (stream, after, limit))
            return [(number, Event(from_micros(at), name, body)) for number, at, name, body in rows]

    def close(self) -> None:
        """As `Storage.close`. The next call opens the file again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __del__(self) -> None:
        # Python 3.13 warns of a connection that was left to be collected.
        if getattr(self, "_connection", None) is not None:
            self.close()

    def __repr__(self) -> str:
        return f"<SQLiteStore {self.path.name}>"

    @contextmanager
    def _using(self, begin: str | None = None) -> Generator[sqlite3.Connection]:
        """The connection, for this thread alone; with *begin* in a transaction, which any error takes back."""
        with self._lock, plain_errors(self.path):
            if self._connection is None:
                self._connection = connect(self.path, self._busy_timeout_s)
            connection = self._connection
            if begin is None:
                yield connection
                return
            if connection.in_transaction:  # an interrupt came between an error and its ROLLBACK
                connection.execute("ROLLBACK")
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def leave_to_parent(self) -> None:
        """In the child of a fork: forget a connection without closing it, since it is still the parent's."""
        if self._connection is not None:
            _parents_connections.append(self._connection)
            self._connection = None
        self._lock = RLock()


_open_stores: Final[WeakSet[SQLiteStore]] = WeakSet()
_parents_connections: Final[list[sqlite3.Connection]] = []


def _before_fork() -> None:
    # SQLite forbids to use or even close an inherited connection, so none is: both sides open the file again.
    for store in list(_open_stores):
        store.close()


def _after_fork() -> None:
    for store in list(_open_stores):
        store.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _query_sql(
    kind: str,
    tenant: str,
    *,
    states: Sequence[str],
    due_before: datetime | None,
    lookup: tuple[str, str] | None,
    order: Order,
    after: str | None,
    limit: int,
) -> tuple[str, list[str | int]]:
    values: list[str | int] = [kind, tenant]
    if lookup is not None and order == "key":
        # By its own index from key to key: listed anew for each page, what many share would take the square of them.
        source, key, by = "lookups AS found CROSS JOIN records USING (shelf, key)", "found.key", "found.key"
        conditions = [f"found.{_SHELF} AND found.name = ? AND found.value = ?"]
        values.extend(lookup)
    else:
        source, key, by, conditions = "records", "key", "key", [_SHELF]
        if lookup is not None:
            conditions.append(f"key IN (SELECT key FROM lookups WHERE {_SHELF} AND name = ? AND value = ?)")
            values.extend((kind, tenant, *lookup))
    # A lookup finds few: the unary plus keeps SQLite from walking a whole index for the sake of its order instead.
    plus = "" if lookup is None else "+"
    if order != "key":
        by = f"{plus}{order}, key"
    if order == "due" or due_before is not None:
        conditions.append(f"{plus}due IS NOT NULL")
    if due_before is not None:
        conditions.append(f"{plus}due <= ?")
        values.append(to_micros(due_before))
    if after is not None:
        number, last = place_after(after, order)
        conditions.append(f"{key} > ?" if order == "key" else f"({by}) > (?, ?)")
        values.extend((last,) if order == "key" else (number, last))
    walk = f"SELECT {_COLUMNS} FROM {source} WHERE {' AND '.join(conditions)}"
    return _page_sql(walk, values, by, plus=plus, states=states, limit=limit)


def _page_sql(
    walk: str, values: list[str | int], by: str, *, plus: str, states: Sequence[str], limit: int
) -> tuple[str, list[str | int]]:
    """The first *limit* rows of a *walk* with its *values*, in the order of *by*."""
    if not states:
        return f"{walk} ORDER BY {by} LIMIT ?", [*values, limit]
    # One walk of the index a state: asked for several states at once, SQLite would read the whole shelf.
    parts: list[str] = []
    all_values: list[str | int] = []
    for state in sorted(set(states)):
        only = f"{plus}state = ? AND {plus}state <> ''" if state else f"{plus}state = ?"
        parts.append(f"SELECT * FROM ({walk} AND {only} ORDER BY {by} LIMIT ?)")
        all_values.extend((*values, state, limit))
    in_order = by.replace("+", "").replace("found.", "")
    return f"{' UNION ALL '.join(parts)} ORDER BY {in_order} LIMIT ?", [*all_values, limit]


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _select(connection: sqlite3.Connection, columns: str, names: Collection[_Name]) -> dict[_Name, tuple[object, ...]]:
    """The rows under *names* that there are; *columns* begin with the key."""
    by_shelf: dict[tuple[str, str], list[str]] = {}
    for kind, tenant, key in names:
        by_shelf.setdefault((kind, tenant), []).append(key)
    rows: dict[_Name, tuple[object, ...]] = {}
    for (kind, tenant), wanted in sorted(by_shelf.items()):
        wanted.sort()
        for start in range(0, len(wanted), _KEYS_A_QUERY):
            some = wanted[start : start + _KEYS_A_QUERY]
            sql = f"SELECT {columns} FROM records WHERE {_SHELF} AND key IN ({_marks(len(some))})"
            for row in connection.execute(sql, (kind, tenant, *some)):
                rows[kind, tenant, row[0]] = row
    return rows


def _before(
    connection: sqlite3.Connection, names: Iterable[_Name], expect: Mapping[RecordKey, int]
) -> Mapping[_Name, tuple[object, ...]]:
    """
    Key, version and look-ups of those under *names* that there are.

    Raises `VersionConflict` when any of those that are *expect*ed has another version.
    """
    expected = {(key.kind, key.tenant, key.key): version for key, version in expect.items()}
    rows = _select(connection, "key, version, lookups", dict.fromkeys(names) | expected)
    changed = [name for name, version in expected.items() if version != (rows[name][1] if name in rows else 0)]
    if changed:
        raise VersionConflict([str(RecordKey(*name)) for name in changed])
    return rows


def _put(
    connection: sqlite3.Connection,
    puts: Sequence[Record],
    names: Sequence[_Name],
    before: Mapping[_Name, tuple[object, ...]],
) -> None:
    connection.execute("UPDATE commits SET latest = latest + 1")
    (number,) = connection.execute("SELECT latest FROM commits").fetchone()
    shelves = {name[:2]: 0 for name in names}
    for shelf_name in shelves:
        shelves[shelf_name] = _shelf_id(connection, shelf_name)
    rows: list[tuple[int, str, str, str, int | None, str, int]] = []
    lookups_gone: list[tuple[int, str, str, str]] = []
    lookups_new: list[tuple[int, str, str, str]] = []
    for put, name in zip(puts, names, strict=True):
        shelf = shelves[name[:2]]
        lookups = _lookups_text(put.lookups)
        lookups_before = str(before[name][2]) if name in before else ""
        if lookups != lookups_before:
            lookups_gone.extend((shelf, *pair, put.key) for pair in pairs_in(lookups_before))
            lookups_new.extend((shelf, *pair, put.key) for pair in put.lookups)
        due = None if put.due is None else to_micros(put.due)
        rows.append((shelf, put.key, put.body, put.state, due, lookups, number))
    # Ids are random: kept in the order of keys, what a commit brought lies together where a later walk comes by.
    connection.executemany(_UPSERT, sorted(rows))
    _drop_lookups(connection, lookups_gone)
    connection.executemany("INSERT OR IGNORE INTO lookups VALUES (?, ?, ?, ?)", sorted(lookups_new))


def _drop(connection: sqlite3.Connection, deletes: Sequence[RecordKey]) -> None:
    gone = _select(connection, "key, shelf, lookups", [(key.kind, key.tenant, key.key) for key in deletes])
    rows = [(int(str(shelf)), str(key), str(lookups)) for key, shelf, lookups in gone.values()]
    _drop_lookups(connection, [(shelf, *pair, key) for shelf, key, lookups in rows for pair in pairs_in(lookups)])
    connection.executemany("DELETE FROM records WHERE shelf = ? AND key = ?", [row[:2] for row in rows])


def _drop_lookups(connection: sqlite3.Connection, rows: Sequence[tuple[int, str, str, str]]) -> None:
    connection.executemany("DELETE FROM lookups WHERE shelf = ? AND name = ? AND value = ? AND key = ?", rows)


def _shelf_id(connection: sqlite3.Connection, name: tuple[str, str]) -> int:
    connection.execute("INSERT OR IGNORE INTO shelves (kind, tenant) VALUES (?, ?)", name)
    row: tuple[int] = connection.execute("SELECT id FROM shelves WHERE kind = ? AND tenant = ?", name).fetchone()
    return row[0]


def _lookups_text(lookups: tuple[tuple[str, str], ...]) -> str:
    # NUL separates, as no text holds one: JSON took a tenth of the time of a bulk commit.
    return "\0".join(chain.from_iterable(lookups))


def pairs_in(lookups: str) -> tuple[tuple[str, str], ...]:
    """What a record is looked up by, from the text of it in the file."""
    if not lookups:
        return ()
    texts = iter(lookups.split("\0"))
    return tuple(zip(texts, texts, strict=True))


def _record(kind: str, tenant: str, row: StoredRow) -> Record:
    return stored_record(kind, tenant, row, read=pairs_in)


def _holding(connection: sqlite3.Connection, name: str) -> Holding | None:
    row = connection.execute("SELECT epoch, owner, until FROM leases WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    epoch, owner, until = row
    return Holding(epoch, None if owner is None else Owner(*json.loads(owner)), from_micros(until))


def _owner_text(owner: Owner) -> str:
    return json.dumps([owner.host, owner.boot, owner.process, owner.started, owner.run])


def _check_fence(connection: sqlite3.Connection, fence: Fence) -> None:
    held = _holding(connection, fence.name)
    if held is None or held.owner is None or held.epoch != fence.epoch:
        raise LeaseLost(f"lease {fence.name} epoch {fence.epoch} is not held any more: stop, and start the run again")
