"""
What a store in a host's database does, on a connection whose transaction somebody else begins and ends.

Writers of a shelf queue at its row first; what they read then, in a statement of its own, is what the one before them
left. (A statement that locks and reads at once reads a snapshot from before its wait.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Final, TypeAlias, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    literal,
    select,
    text,
    tuple_,
    union_all,
    update,
)

from xerosync.errors import LeaseLost, VersionConflict
from xerosync.storage._sql_statements import RECORD, Cell, Statements, statements_for
from xerosync.storage._sql_tables import events as events_table
from xerosync.storage._sql_tables import leases, lookups, records, shelves
from xerosync.storage.protocol import Event, Fence, Order, Owner, Record, RecordKey
from xerosync.storage.rules import (
    Holding,
    StoredRow,
    from_micros,
    grant_lease,
    place_after,
    stored_record,
    to_micros,
)

_ShelfName: TypeAlias = tuple[str, str]  # kind, tenant
_Name: TypeAlias = tuple[str, str, str]  # kind, tenant, key
_Queued: TypeAlias = Mapping[_ShelfName, tuple[int, int]]  # the id of each shelf, and the number of this commit there
_Before: TypeAlias = Mapping[_Name, tuple[int, str]]  # the version of each record that there is, and its look-ups

_GRANT: Final = (
    update(leases)
    .where(leases.c.name == bindparam("lease"))
    .values(epoch=bindparam("granted"), owner=bindparam("holder"), until=bindparam("end"))
)
_RELEASE: Final = (
    update(leases).where(leases.c.name == bindparam("lease"), leases.c.epoch == bindparam("held")).values(owner=None)
)


def get_many(connection: Connection, keys: Sequence[RecordKey]) -> list[Record | None]:
    """As `Storage.get_many`."""
    names = [(key.kind, key.tenant, key.key) for key in keys]
    if not names:
        return []
    known = _statements(connection)
    rows = connection.execute(known.read, known.names.bound(sorted(set(names))))
    found = {(kind, tenant, row[0]): _record(kind, tenant, row) for kind, tenant, *row in rows}
    return [found.get(name) for name in names]


def commit(
    connection: Connection,
    puts: Sequence[Record],
    *,
    expect: Mapping[RecordKey, int],
    fence: Fence | None,
    deletes: Sequence[RecordKey],
) -> None:
    """As `Storage.commit`."""
    names = {(put.kind, put.tenant, put.key) for put in puts}
    names.update((key.kind, key.tenant, key.key) for key in chain(expect, deletes))
    known = _statements(connection)
    queued = _queue(connection, known, {name[:2] for name in names})
    if fence is not None:
        _check_fence(connection, fence)
    before = _read_before(connection, known, queued, names)
    changed = [str(key) for key, version in expect.items() if _version(before, key) != version]
    if changed:
        raise VersionConflict(changed)
    if puts:
        _put(connection, known, queued, before, puts)
    if deletes:
        _drop(connection, known, queued, before, deletes)


def query(
    connection: Connection,
    kind: str,
    tenant: str,
    *,
    states: Sequence[str],
    due_before: datetime | None,
    lookup: tuple[str, str] | None,
    order: Order,
    after: str | None,
    limit: int,
) -> list[Record]:
    """As `Storage.query`."""
    by = (records.c.key,) if order == "key" else (records.c[order], records.c.key)
    found = select(*RECORD).select_from(records)
    if lookup is not None:
        name, value = lookup
        its_lookup = (lookups.c.shelf == records.c.shelf) & (lookups.c.key == records.c.key)
        found = select(*RECORD).select_from(lookups.join(records, its_lookup))
        found = found.where(lookups.c.shelf == _shelf(kind, tenant), lookups.c.name == name, lookups.c.value == value)
        if order == "key" and after is not None:
            # Said of the look-ups too, so that their index is walked from there: what many share comes page by page.
            found = found.where(lookups.c.key > place_after(after, order)[1])
    found = found.where(records.c.shelf == _shelf(kind, tenant), *_conditions(due_before, order, after))
    # One walk of the index a state: asked for several at once, a database would read and sort all there are.
    walks = [found.where(*_is_state(state)) for state in sorted(set(states))] or [found]
    if len(walks) == 1:
        asked = walks[0].order_by(*by).limit(limit)
    else:
        pages = [select(walk.order_by(*by).limit(limit).subquery()) for walk in walks]
        together = union_all(*pages).subquery()
        asked = select(together).order_by(*(together.c[one.name] for one in by)).limit(limit)
    return [_record(kind, tenant, row) for row in connection.execute(asked)]


def lease(
    connection: Connection, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None
) -> Fence | None:
    """As `Storage.lease`."""
    epoch, holder, until = connection.execute(_statements(connection).hold, {"lease": name}).one()
    held = Holding(epoch, _owner(holder), from_micros(until)) if epoch else None
    granted = grant_lease(held, owner, ttl_s=ttl_s, now=now, force=force)
    if granted is None:
        return None
    new = {"lease": name, "granted": granted.epoch, "holder": _owner_text(owner), "end": to_micros(granted.until)}
    connection.execute(_GRANT, new)
    return Fence(name, granted.epoch)


def lease_owner(connection: Connection, name: str) -> Owner | None:
    """As `Storage.lease_owner`."""
    return _owner(connection.execute(select(leases.c.owner).where(leases.c.name == name)).scalar())


def release(connection: Connection, fence: Fence) -> None:
    """As `Storage.release`."""
    connection.execute(_RELEASE, {"lease": fence.name, "held": fence.epoch})


def append(connection: Connection, stream: str, events: Sequence[Event]) -> None:
    """As `Storage.append`."""
    if not events:
        return
    known = _statements(connection)
    latest: int = connection.execute(known.number, {"stream": stream, "count": len(events)}).scalar_one()
    rows = [
        (stream, number, to_micros(event.at), event.name, event.body)
        for number, event in enumerate(events, start=latest - len(events) + 1)
    ]
    connection.execute(known.append, known.events.bound(rows))


def events(connection: Connection, stream: str, *, after: int, limit: int) -> list[tuple[int, Event]]:
    """As `Storage.events`."""
    told = events_table.c
    asked = select(told.number, told.at, told.name, told.body).where(told.stream == stream, told.number > after)
    rows = connection.execute(asked.order_by(told.number).limit(limit))
    return [(number, Event(from_micros(at), name, body)) for number, at, name, body in rows]


def _statements(connection: Connection) -> Statements:
    return statements_for(connection.dialect.name)


def _queue(connection: Connection, known: Statements, names: set[_ShelfName]) -> _Queued:
    """The shelves *names*, made if they are new, for this writer alone until its transaction ends."""
    if not names:
        return {}
    rows = connection.execute(known.queue, known.shelves.bound(sorted(names)))
    return {(kind, tenant): (shelf, number) for kind, tenant, shelf, number in rows}


def _check_fence(connection: Connection, fence: Fence) -> None:
    # Shared, so that nobody takes the lease over before this commit is there to be seen.
    asked = select(leases.c.epoch, leases.c.owner).where(leases.c.name == fence.name).with_for_update(read=True)
    held = connection.execute(asked).one_or_none()
    if held is None or held.owner is None or held.epoch != fence.epoch:
        raise LeaseLost(f"lease {fence.name} epoch {fence.epoch} is not held any more: stop, and start the run again")


def _read_before(connection: Connection, known: Statements, queued: _Queued, names: set[_Name]) -> _Before:
    if not names:
        return {}
    keys = {(queued[kind, tenant][0], key): (kind, tenant, key) for kind, tenant, key in names}
    rows = connection.execute(known.before, known.keys.bound(sorted(keys)))
    return {keys[shelf, key]: (version, looked_up) for shelf, key, version, looked_up in rows}


def _version(before: _Before, key: RecordKey) -> int:
    version, _ = before.get((key.kind, key.tenant, key.key), (0, ""))
    return version


def _put(connection: Connection, known: Statements, queued: _Queued, before: _Before, puts: Sequence[Record]) -> None:
    rows: list[Sequence[Cell]] = []
    gone: list[Sequence[Cell]] = []
    new: list[Sequence[Cell]] = []
    # Ids are random: kept in the order of keys, what a commit brought lies together where a later walk comes by.
    for put in sorted(puts, key=attrgetter("key")):
        shelf, number = queued[put.kind, put.tenant]
        version, looked_up_before = before.get((put.kind, put.tenant, put.key), (0, ""))
        looked_up = json.dumps(put.lookups) if put.lookups else ""
        if looked_up != looked_up_before:
            gone.extend((shelf, *pair, put.key) for pair in _pairs(looked_up_before))
            new.extend((shelf, *pair, put.key) for pair in put.lookups)
        due = None if put.due is None else to_micros(put.due)
        rows.append((shelf, put.key, put.body, put.state, due, looked_up, version + 1, number))
    connection.execute(known.write, known.records.bound(rows))
    _drop_lookups(connection, known, gone)
    if new:
        connection.execute(known.add_lookups, known.lookups.bound(new))


def _drop(
    connection: Connection, known: Statements, queued: _Queued, before: _Before, deletes: Sequence[RecordKey]
) -> None:
    keys: list[Sequence[Cell]] = []
    gone: list[Sequence[Cell]] = []
    for key in deletes:
        _, looked_up = before.get((key.kind, key.tenant, key.key), (0, ""))
        shelf, _ = queued[key.kind, key.tenant]
        keys.append((shelf, key.key))
        gone.extend((shelf, *pair, key.key) for pair in _pairs(looked_up))
    connection.execute(known.drop, known.keys.bound(keys))
    _drop_lookups(connection, known, gone)


def _drop_lookups(connection: Connection, known: Statements, gone: Sequence[Sequence[Cell]]) -> None:
    if gone:
        connection.execute(known.drop_lookups, known.lookups.bound(gone))


def _shelf(kind: str, tenant: str) -> ColumnElement[int]:
    return select(shelves.c.id).where(shelves.c.kind == kind, shelves.c.tenant == tenant).scalar_subquery()


def _conditions(due_before: datetime | None, order: Order, after: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if order == "due" or due_before is not None:
        conditions.append(records.c.due.is_not(None))
    if due_before is not None:
        conditions.append(records.c.due <= to_micros(due_before))
    if after is not None:
        number, key = place_after(after, order)
        if order == "key":
            conditions.append(records.c.key > key)
        else:
            by = records.c[order]
            conditions.append(by >= number)
            conditions.append(tuple_(by, records.c.key) > tuple_(literal(number, BigInteger), literal(key, Text)))
    return conditions


def _is_state(state: str) -> list[ColumnElement[bool]]:
    # The index knows no record without a state, and is used only where that is plain to see.
    is_it = records.c.state == state
    return [is_it, records.c.state != text("''")] if state else [is_it]


def _record(kind: str, tenant: str, row: Sequence[object]) -> Record:
    return stored_record(kind, tenant, cast(StoredRow, row), read=_pairs)


def _pairs(looked_up: str) -> tuple[tuple[str, str], ...]:
    if not looked_up:
        return ()
    pairs: list[list[str]] = json.loads(looked_up)
    return tuple((name, value) for name, value in pairs)


def _owner(written: str | None) -> Owner | None:
    return None if written is None else Owner(*json.loads(written))


def _owner_text(owner: Owner) -> str:
    return json.dumps([owner.host, owner.boot, owner.process, owner.started, owner.run])
