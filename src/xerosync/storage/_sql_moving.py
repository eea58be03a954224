"""Taking over what a SQLite file holds, as it is there: numbers, versions and all, in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, func, select

from xerosync.errors import InvalidInput
from xerosync.storage._sql_tables import events, lookups, records, shelves, streams
from xerosync.storage._sqlite_file import plain_errors
from xerosync.storage.owner import is_dead
from xerosync.storage.protocol import Owner
from xerosync.storage.sqlite import pairs_in

_AT_ONCE: Final = 5000
_RECORDS: Final = "SELECT shelf, key, body, state, due, lookups, version, changed FROM records"


def take_over(connection: Connection, path: Path) -> int:
    """
    Copy all that the SQLite store at *path* holds but its leases, and return how many records there are.

    Raises `InvalidInput` where this store is not empty, or somebody is at work on the other.
    """
    if connection.execute(select(func.count()).select_from(shelves)).scalar():
        raise InvalidInput("store", "it holds records already: take over into an empty one")
    with plain_errors(path), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source:
        source.execute("BEGIN")  # one state of it, whoever writes meanwhile
        _check_idle(source)
        names = _shelves(connection, source)
        for page in _pages(source, "SELECT shelf, name, value, key FROM lookups"):
            _insert(connection, lookups, [(names[int(str(shelf))], *rest) for shelf, *rest in page])
        for page in _pages(source, "SELECT stream, number, at, name, body FROM events"):
            _insert(connection, events, page)
        for page in _pages(source, "SELECT stream, max(number) FROM events GROUP BY stream"):
            _insert(connection, streams, page)
        return sum(
            _insert(connection, records, [_record(names, row) for row in page]) for page in _pages(source, _RECORDS)
        )


def _check_idle(source: sqlite3.Connection) -> None:
    """Raise where a lease is held by anybody who may be alive."""
    for name, owner in source.execute("SELECT name, owner FROM leases WHERE owner IS NOT NULL"):
        if not is_dead(Owner(*json.loads(owner))):
            raise InvalidInput("store", f"a worker holds {name} in it: stop all workers first")


def _shelves(connection: Connection, source: sqlite3.Connection) -> dict[int, int]:
    """Make the shelves of *source*; by its number for each, the number here."""
    (latest,) = source.execute("SELECT latest FROM commits").fetchone()
    named = {(kind, tenant): number for number, kind, tenant in source.execute("SELECT id, kind, tenant FROM shelves")}
    if named:
        connection.execute(
            shelves.insert(), [{"kind": kind, "tenant": tenant, "latest": latest} for kind, tenant in named]
        )
    made = connection.execute(select(shelves.c.kind, shelves.c.tenant, shelves.c.id))
    return {named[kind, tenant]: number for kind, tenant, number in made}


def _record(names: dict[int, int], row: Sequence[object]) -> tuple[object, ...]:
    """*row*, with its shelf's number here, and what it is looked up by as it is written here."""
    shelf, key, body, state, due, looked_up, *numbers = row
    pairs = pairs_in(str(looked_up))
    return (names[int(str(shelf))], key, body, state, due, json.dumps(pairs) if pairs else "", *numbers)


def _insert(connection: Connection, table: Table, rows: Sequence[Sequence[object]]) -> int:
    """Keep *rows*, each in the order of the columns of *table*; how many there are."""
    columns = [column.name for column in table.columns]
    connection.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in rows])
    return len(rows)


def _pages(source: sqlite3.Connection, query: str) -> Iterator[Sequence[Sequence[object]]]:
    found = source.execute(query)
    while page := found.fetchmany(_AT_ONCE):
        yield page
