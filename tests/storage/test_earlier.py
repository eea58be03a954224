"""Stores that earlier versions of xerosync wrote are read and written on; those of later versions are refused."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from tests.storage.postgres import Postgres
from tests.storage.write_earlier import HOLDER, PAID, RECORDS, SQLITE_NUMBER, START, WRITTEN

from xerosync.errors import StoreFailed
from xerosync.storage import Event, Fence, Record, SQLAlchemyStore, SQLiteStore, Storage, _sql_tables, _sqlite_file
from xerosync.storage._sql_tables import SCHEMA_NUMBER


@pytest.fixture(params=sorted(file.name for file in WRITTEN.iterdir()))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Storage]:
    """Opens one of the stores that were written, as often as asked."""
    name: str = request.param
    if name.startswith("sqlalchemy-postgresql"):
        address = request.getfixturevalue("postgres").new_database()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute((WRITTEN / name).read_bytes())
        return lambda: SQLAlchemyStore(address)
    path = tmp_path / "books.db"
    path.write_bytes(gzip.decompress((WRITTEN / name).read_bytes()))
    return (
        (lambda: SQLAlchemyStore(f"sqlite:///{path}")) if name.startswith("sqlalchemy") else lambda: SQLiteStore(path)
    )


def test_a_store_of_every_schema_was_kept() -> None:
    """Run write_earlier.py before a number changes, and again after: nobody can write an earlier schema later."""
    numbers = [*range(1, SQLITE_NUMBER + 1)], [*range(1, SCHEMA_NUMBER + 1)]
    assert {file.name for file in WRITTEN.iterdir()} == {
        *(f"sqlite-{number}.db.gz" for number in numbers[0]),
        *(f"sqlalchemy-sqlite-{number}.db.gz" for number in numbers[1]),
        *(f"sqlalchemy-postgresql-{number}.sql" for number in numbers[1]),
    }


def test_a_store_of_every_earlier_schema_is_read_and_written_on(written: Callable[[], Storage]) -> None:
    with closing(written()) as store:
        kept = {record.identity: record for record in store.get_many([record.identity for record in RECORDS]) if record}
        assert [kept[record.identity].body for record in RECORDS] == [record.body for record in RECORDS]
        assert [kept[record.identity].lookups for record in RECORDS] == [record.lookups for record in RECORDS]
        assert [record.key for record in store.query("intent", "books", due_before=START, order="due")] == [
            "k-3",
            "k-2",
        ]
        assert [record.key for record in store.query("intent", "books", order="changed")] == ["k-3", "k-2", "k-1"]
        assert [record.key for record in store.query("intent", "books", lookup=("tag", "XS-1"))] == ["k-2"]
        assert store.query("link", "books", lookup=("number", "gone")) == []
        assert store.events("runs", after=1) == [(2, Event(START, "ended", '{"n":"1"}'))]
        assert store.lease_owner("organisation/books") == HOLDER

        store.commit([PAID.with_body("paid", state="confirmed")], expect={PAID.identity: 2})
        store.commit([Record("grant", "", "new", "{}")])
        store.append("runs", [Event(START, "begun again", "{}")])
        later = START + timedelta(seconds=601)
        assert store.lease("consent", HOLDER, ttl_s=60, now=later) == Fence("consent", 2)

    with closing(written()) as store:
        [paid] = store.query("intent", "books", states=["confirmed"], order="changed")[-1:]
        assert (paid.key, paid.version) == ("k-2", 3)
        assert [number for number, _ in store.events("runs")] == [1, 2, 3]


def test_a_file_of_an_earlier_schema_is_brought_up_to_date_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "books.db"
    path.write_bytes(gzip.decompress((WRITTEN / "sqlite-1.db.gz").read_bytes()))
    last = len(_sqlite_file._STEPS)
    steps = (*_sqlite_file._STEPS, "ALTER TABLE leases ADD COLUMN note TEXT", "UPDATE leases SET note = 'kept'")
    monkeypatch.setattr(_sqlite_file, "_STEPS", steps)

    with closing(SQLiteStore(path)) as store:
        assert [record.key for record in store.query("link", "books")] == ["c-1"]

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT DISTINCT note FROM leases").fetchall() == [("kept",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (last + 2,)
    monkeypatch.undo()
    with pytest.raises(StoreFailed, match="upgrade xerosync"):
        SQLiteStore(path)


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "books.db"
    SQLiteStore(path).close()
    steps = (*_sqlite_file._STEPS, "ALTER TABLE leases ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1)")
    monkeypatch.setattr(_sqlite_file, "_STEPS", steps)
    with pytest.raises(StoreFailed):
        SQLiteStore(path)
    monkeypatch.undo()

    with closing(SQLiteStore(path)) as store:
        store.commit(RECORDS)


def test_tables_of_an_earlier_schema_are_brought_up_to_date_step_by_step(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.new_database()
    with closing(SQLAlchemyStore(address)) as store:
        store.commit(RECORDS)
    note = sa.text("ALTER TABLE xerosync_leases ADD COLUMN note TEXT DEFAULT 'kept'")
    monkeypatch.setattr(_sql_tables, "UPGRADES", (*_sql_tables.UPGRADES, lambda connection: connection.execute(note)))
    monkeypatch.setattr(_sql_tables, "SCHEMA_NUMBER", SCHEMA_NUMBER + 1)

    with closing(SQLAlchemyStore(address)) as store:
        assert [record.key for record in store.query("link", "books")] == ["c-1"]

    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT number FROM xerosync_schema").fetchall() == [(SCHEMA_NUMBER + 1,)]
        assert connection.execute("SELECT note FROM xerosync_leases").fetchall() == []
    monkeypatch.undo()
    with closing(SQLAlchemyStore(address)) as store, pytest.raises(StoreFailed, match="upgrade xerosync"):
        store.query("link", "books")
