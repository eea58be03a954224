"""
What a durable commit costs beside the bare driver: ``python -m tests.benchmarks.storage [--rounds N] [--json]``.

Time is that on the wall, with what the disk and the server take; ``--processor`` tells the program's own processor
time.

SQLite beside ``sqlite3``, and PostgreSQL beside ``psycopg``: commits of one record and of a thousand that were kept
before, each expected at its version. The bare driver does the least that keeps the same promise: in one transaction it
locks, numbers the commit, checks the versions, and writes to one table, of which what has changed, is in a state or is
due can be found in order. It has one kind of records of one organisation, no look-ups, no fence, and trusts what it is
given. With *versions alone* it numbers no commit either, and finds records by their keys only: that tells what the rest
costs. Where PostgreSQL cannot run, SQLite alone is measured.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from tests.benchmarks.turns import Taken, report, take_turns
from tests.storage.postgres import Postgres, PostgresCannotRun

from xerosync.storage import Record, SQLAlchemyStore, SQLiteStore, Storage

MEASURED_IN: Final = "ms"
Clock = Callable[[], float]

_COUNTS: Final = (1, 1000)
_BODY: Final = '{"payload":"' + "x" * 600 + '"}'
_STATE: Final = "sent"
_TABLE: Final = "CREATE TABLE alone (key text PRIMARY KEY, body text NOT NULL, version bigint NOT NULL)"
_FOUND: Final = """
CREATE TABLE commits (latest bigint NOT NULL);
INSERT INTO commits VALUES (0);
CREATE TABLE bare (
    key text PRIMARY KEY, body text NOT NULL, state text NOT NULL, due bigint, version bigint NOT NULL,
    changed bigint NOT NULL);
CREATE INDEX by_change ON bare (changed);
CREATE INDEX by_due ON bare (due) WHERE due IS NOT NULL;
CREATE INDEX by_state ON bare (state, key) WHERE state <> ''
"""


def _timed(commit: Callable[[], object], clock: Clock) -> float:
    start = clock()
    commit()
    return 1000 * (clock() - start)


def _keys(count: int) -> list[str]:
    return [f"{number:026}" for number in range(count)]


def ours(store: Storage, count: int, clock: Clock) -> Callable[[], float]:
    """Commits of *count* records to *store*; what one took, in milliseconds."""
    puts = [Record("intent", "books", key, _BODY, _STATE) for key in _keys(count)]
    store.commit(puts)
    version = 1

    def commit() -> None:
        nonlocal version
        store.commit(puts, expect={put.identity: version for put in puts})
        version += 1

    return lambda: _timed(commit, clock)


def bare_sqlite(connection: sqlite3.Connection, count: int, clock: Clock) -> Callable[[], float]:
    """The same through ``sqlite3`` alone."""
    keys = _keys(count)
    for statement in _FOUND.split(";"):
        connection.execute(statement)
    rows = [(key, _BODY, _STATE) for key in keys]
    connection.executemany("INSERT INTO bare VALUES (?, ?, ?, NULL, 1, 0)", rows)
    marks = ", ".join("?" * count)
    expected = 1

    def commit() -> None:
        nonlocal expected
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE commits SET latest = latest + 1")
        (number,) = connection.execute("SELECT latest FROM commits").fetchone()
        versions = dict(connection.execute(f"SELECT key, version FROM bare WHERE key IN ({marks})", keys))  # noqa: S608
        _check(versions, keys, expected)
        connection.executemany(
            "UPDATE bare SET body = ?, state = ?, due = ?, version = ?, changed = ? WHERE key = ?",
            [(_BODY, _STATE, None, expected + 1, number, key) for key in keys],
        )
        connection.execute("COMMIT")
        expected += 1

    return lambda: _timed(commit, clock)


def bare_sqlite_alone(connection: sqlite3.Connection, count: int, clock: Clock) -> Callable[[], float]:
    """The same, with keys and versions alone."""
    keys = _keys(count)
    connection.execute(_TABLE)
    connection.executemany("INSERT INTO alone VALUES (?, ?, 1)", [(key, _BODY) for key in keys])
    marks = ", ".join("?" * count)

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        versions = connection.execute(f"SELECT key, version FROM alone WHERE key IN ({marks})", keys).fetchall()  # noqa: S608
        rows = [(_BODY, version + 1, key) for key, version in versions]
        connection.executemany("UPDATE alone SET body = ?, version = ? WHERE key = ?", rows)
        connection.execute("COMMIT")

    return lambda: _timed(commit, clock)


def bare_postgres(connection: psycopg.Connection, count: int, clock: Clock) -> Callable[[], float]:
    """The same through ``psycopg`` alone."""
    keys = _keys(count)
    connection.execute(_FOUND)
    with connection.cursor() as cursor:
        rows = [(key, _BODY, _STATE) for key in keys]
        cursor.executemany("INSERT INTO bare VALUES (%s, %s, %s, NULL, 1, 0)", rows)
    connection.commit()
    expected = 1

    def commit() -> None:
        nonlocal expected
        with connection.cursor() as cursor:
            numbered = cursor.execute("UPDATE commits SET latest = latest + 1 RETURNING latest").fetchall()
            versions = cursor.execute("SELECT key, version FROM bare WHERE key = ANY(%s)", [keys]).fetchall()
            _check(dict(versions), keys, expected)
            cursor.executemany(
                "UPDATE bare SET body = %s, state = %s, due = %s, version = %s, changed = %s WHERE key = %s",
                [(_BODY, _STATE, None, expected + 1, numbered[0][0], key) for key in keys],
            )
        connection.commit()
        expected += 1

    return lambda: _timed(commit, clock)


def bare_postgres_alone(connection: psycopg.Connection, count: int, clock: Clock) -> Callable[[], float]:
    """The same, with keys and versions alone."""
    keys = _keys(count)
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        cursor.executemany("INSERT INTO alone VALUES (%s, %s, 1)", [(key, _BODY) for key in keys])
    connection.commit()

    def commit() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, version FROM alone WHERE key = ANY(%s) ORDER BY key FOR UPDATE", [keys])
            rows = [(_BODY, version + 1, key) for key, version in cursor.fetchall()]
            cursor.executemany("UPDATE alone SET body = %s, version = %s WHERE key = %s", rows)
        connection.commit()

    return lambda: _timed(commit, clock)


def _check(versions: Mapping[str, int], keys: list[str], expected: int) -> None:
    if any(versions.get(key, 0) != expected for key in keys):
        raise SystemExit("somebody else has written")


def sqlite_candidates(count: int, clock: Clock, folder: Path, stack: ExitStack) -> Mapping[str, Callable[[], float]]:
    """Ours and the bare driver, each with a file of its own and synchronous=FULL."""
    store = stack.enter_context(closing(SQLiteStore(folder / f"ours-{count}.db")))
    bare, alone = (_bare_file(folder / f"{name}-{count}.db", stack) for name in ("bare", "alone"))
    return {
        "SQLiteStore": ours(store, count, clock),
        "sqlite3, versions alone": bare_sqlite_alone(alone, count, clock),
        "sqlite3": bare_sqlite(bare, count, clock),
    }


def _bare_file(path: Path, stack: ExitStack) -> sqlite3.Connection:
    connection = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def postgres_candidates(
    count: int, clock: Clock, server: Postgres, stack: ExitStack
) -> Mapping[str, Callable[[], float]]:
    """Ours and the bare driver, each with a database of its own."""
    store = stack.enter_context(closing(SQLAlchemyStore(server.new_database())))
    bare, alone = (stack.enter_context(closing(psycopg.connect(server.new_database()))) for _ in range(2))
    return {
        "SQLAlchemyStore, PostgreSQL": ours(store, count, clock),
        "psycopg, versions alone": bare_postgres_alone(alone, count, clock),
        "psycopg": bare_postgres(bare, count, clock),
    }


def rows_of(count: int, taken: list[Taken]) -> Iterator[dict[str, str]]:
    """A row of the report for each candidate."""
    bare = taken[-1]
    for each in taken:
        yield {
            "Candidate": each.name,
            "records": f"{count:,}",
            MEASURED_IN: f"{each.median:.2f}",
            "nine tenths between": "{:.2f} and {:.2f}".format(*each.spread),
            "times the bare driver": f"{1 / each.times_faster_than(bare):.1f}",
        }


def main() -> int:
    """Print what each took, as a Markdown table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--processor", action="store_true", help="the program's own processor time")
    given = parser.parse_args()
    clock = time.process_time if given.processor else time.perf_counter
    rows: list[dict[str, str]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="xerosync-", ignore_cleanup_errors=True)))
        for count in _COUNTS:
            rows += rows_of(count, take_turns(sqlite_candidates(count, clock, folder, stack), rounds=given.rounds))
        try:
            server = Postgres(folder / "postgres", durable=True)
        except PostgresCannotRun as reason:
            sys.stderr.write(f"PostgreSQL cannot run here: {reason}\n")
        else:
            stack.callback(server.stop)
            for count in _COUNTS:
                rows += rows_of(
                    count, take_turns(postgres_candidates(count, clock, server, stack), rounds=given.rounds)
                )
    report(f"Durable commits, {given.rounds} rounds", list(rows[0]), rows, as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
