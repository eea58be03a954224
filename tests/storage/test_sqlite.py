"""What is the SQLite store's own: its file, its faults in plain words, and threads."""

from __future__ import annotations

import pickle
import sqlite3
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from xerosync.errors import InvalidInput, StoreFailed, VersionConflict
from xerosync.storage import Record, RecordKey, SQLiteStore

COUNTER = RecordKey("counter", "books", "invoices")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(path)) as store:
        yield store


def count_one_more(store: SQLiteStore) -> None:
    """Add 1 to the counter by compare-and-set, as often as it takes."""
    while True:
        [counter] = store.get_many([COUNTER])
        number, version = (0, 0) if counter is None else (int(counter.body), counter.version)
        try:
            store.commit([Record("counter", "books", "invoices", str(number + 1))], expect={COUNTER: version})
        except VersionConflict:
            continue
        return


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_the_file(store: SQLiteStore, path: Path) -> None:
    store.commit([Record("grant", "books", "1", "{}")])

    files = sorted(path.parent.iterdir())
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in files} == {
        "books.db": 0o600, "books.db-shm": 0o600, "books.db-wal": 0o600,
    }  # fmt: skip


def test_a_path_may_be_text(path: Path) -> None:
    with closing(SQLiteStore(str(path))) as store:
        store.commit([Record("link", "books", "1", "{}")])
        assert repr(store) == "<SQLiteStore books.db>"
    assert path.exists()


def test_a_commit_is_on_the_disk_when_its_call_returns(store: SQLiteStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with store._using() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_closed_store_opens_again_when_it_is_used(store: SQLiteStore) -> None:
    store.commit([Record("link", "books", "1", "{}")])
    store.close()

    assert [record.key for record in store.query("link", "books")] == ["1"]


def test_two_stores_over_one_file_are_one_store(store: SQLiteStore, path: Path) -> None:
    with closing(SQLiteStore(path)) as other:
        for _ in range(3):
            count_one_more(store)
            count_one_more(other)
        assert store.get_many([COUNTER]) == other.get_many([COUNTER])
    count_one_more(store)

    [counter] = store.get_many([COUNTER])
    assert counter is not None
    assert (counter.body, counter.version) == ("7", 7)


def test_threads_take_turns(store: SQLiteStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(count_one_more, store) for _ in range(80)]:
            done.result()

    [counter] = store.get_many([COUNTER])
    assert counter is not None
    assert counter.body == "80"


def test_a_file_of_a_newer_xerosync_is_left_alone(path: Path) -> None:
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreFailed, match="newer xerosync"):
        SQLiteStore(path)


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE orders (id)")
    before = path.read_bytes()

    with pytest.raises(StoreFailed, match="another program: give the store a file of its own"):
        SQLiteStore(path)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("date,amount\n" * 200)

    with pytest.raises(StoreFailed, match="no SQLite database: give another path") as failure:
        SQLiteStore(path)

    assert path.read_text() == "date,amount\n" * 200
    assert str(pickle.loads(pickle.dumps(failure.value))) == str(failure.value)  # noqa: S301


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="check that its folder exists"):
        SQLiteStore(tmp_path / "nowhere" / "books.db")
    with pytest.raises(StoreFailed, match="cannot be opened"):
        SQLiteStore(tmp_path)


def test_a_store_in_memory_is_another_class() -> None:
    with pytest.raises(InvalidInput, match="use MemoryStore"):
        SQLiteStore(":memory:")


def test_a_lock_that_is_never_let_go_is_a_failure_and_nothing_is_kept(path: Path) -> None:
    with closing(SQLiteStore(path, busy_timeout_s=0.05)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed, match="another process keeps it locked"):
            count_one_more(store)
        assert store.get_many([COUNTER]) == [None]
        other.rollback()

        count_one_more(store)


def test_a_full_disk_keeps_nothing_of_the_commit_and_all_before_it(store: SQLiteStore) -> None:
    count_one_more(store)
    with store._using() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StoreFailed, match="the disk is full: free some space"):
        store.commit([Record("invoice", "books", str(n), "x" * 2000) for n in range(50)])
    with store._using() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")

    assert store.query("invoice", "books") == []
    count_one_more(store)
    [counter] = store.get_many([COUNTER])
    assert counter is not None
    assert counter.body == "2"


def test_a_due_time_without_a_zone_is_refused(store: SQLiteStore) -> None:
    with pytest.raises(InvalidInput, match="aware"):
        Record("intent", "books", "1", "{}", due=datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None))
    with pytest.raises(InvalidInput, match="aware"):
        store.query("intent", "books", due_before=datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None))


def test_what_a_commit_brought_lies_in_the_order_of_its_keys(store: SQLiteStore) -> None:
    """So a walk over records of random ids reads each page of the file about once, and not once for each record."""
    ids = [str(UUID(int=Random(number).getrandbits(128))) for number in range(300)]
    for start in range(0, 300, 100):
        store.commit([Record("mirror.payment", "books", each, "x" * 400) for each in ids[start : start + 100]])

    with store._using() as connection:
        lying = [key for (key,) in connection.execute("SELECT key FROM records ORDER BY rowid")]
    assert lying == [*sorted(ids[:100]), *sorted(ids[100:200]), *sorted(ids[200:])]


@pytest.mark.parametrize("conditions", [{"states": ["sent", "unknown"]}, {"lookup": ("number", "7"), "order": "due"}])
def test_few_among_many_are_found_without_reading_the_many(
    store: SQLiteStore, conditions: dict[str, list[str]]
) -> None:
    store.commit(
        [
            Record("intent", "books", f"{n:05}", "{}", state="confirmed", lookups=(("number", str(n)),))
            for n in range(5000)
        ]
    )
    store.commit([Record("intent", "books", "x", "{}", state="sent", due=datetime(2026, 3, 1, tzinfo=UTC))])
    steps = 0

    def count_steps() -> None:
        nonlocal steps
        steps += 1

    with store._using() as connection:
        connection.set_progress_handler(count_steps, 100)
        store.query("intent", "books", **conditions)  # type: ignore[arg-type]

    assert steps < 10, "hundreds of virtual machine steps"
