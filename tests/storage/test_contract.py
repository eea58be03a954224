"""Every store that comes with the library, behind every face it may get, keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from xerosync.storage import AsyncStorage, MemoryStore, SQLiteStore, Storage, stepped_storage, threaded_storage
from xerosync.testing.storage import StorageTests, StoreFactory


@pytest.fixture
def new_sqlite_store(tmp_path: Path) -> Callable[[], SQLiteStore]:
    """Makes a store in a file of its own at each call."""
    numbers = count()
    return lambda: SQLiteStore(tmp_path / f"books-{next(numbers)}.db")


class TestMemoryStore(StorageTests):
    """The store in memory."""

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """A new one."""
        return MemoryStore

    @pytest.fixture
    def reopen(self) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """It keeps what it holds when closed, for the next client."""
        return lambda store: store


class TestSQLiteStore(StorageTests):
    """The store in a file."""

    model_examples = 30  # each example makes a file

    @pytest.fixture
    def store_factory(self, new_sqlite_store: Callable[[], SQLiteStore]) -> StoreFactory:
        """A new file."""
        return new_sqlite_store

    @pytest.fixture
    def reopen(self) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """Another store over the same file."""

        def over_the_same_file(store: Storage | AsyncStorage) -> Storage:
            assert isinstance(store, SQLiteStore)
            return SQLiteStore(store.path)

        return over_the_same_file


class TestSteppedStorage(StorageTests):
    """The async face that never suspends."""

    model_examples = 10

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """Over a store in memory."""
        return lambda: stepped_storage(MemoryStore())

    @pytest.fixture
    def reopen(self) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """As the store it stands before."""
        return lambda store: store


class TestThreadedStorage(StorageTests):
    """The async face with a worker thread."""

    model_examples = 10

    @pytest.fixture
    def store_factory(self, new_sqlite_store: Callable[[], SQLiteStore]) -> StoreFactory:
        """Over a store in a file."""
        return lambda: threaded_storage(new_sqlite_store())

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """A new worker, and a new store over the one file there is."""
        return lambda _: threaded_storage(SQLiteStore(next(tmp_path.glob("*.db"))))
