"""Every store that comes with the library, behind every face it may get, keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from xerosync.storage import MemoryStore, SQLiteStore
from xerosync.storage.adapt import stepped_storage, threaded_storage
from xerosync.testing.storage import Ability, OpenerOf, StorageTests, StoreFactory


@pytest.fixture
def new_path(tmp_path: Path) -> Callable[[], Path]:
    """The path of a file that is not there yet, at each call."""
    numbers = count()
    return lambda: tmp_path / f"books-{next(numbers)}.db"


class TestMemoryStore(StorageTests):
    """The store in memory keeps what it holds when closed, for the next client."""

    abilities = frozenset({Ability.REOPENED})
    schedules = 2

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """A new one."""
        return MemoryStore

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """The same one."""
        return lambda store: lambda: store


class TestSQLiteStore(StorageTests):
    """The store in a file."""

    abilities = frozenset({Ability.REOPENED, Ability.SHARED})
    model_examples = 30  # each example makes a file
    schedules = 20

    @pytest.fixture
    def store_factory(self, new_path: Callable[[], Path]) -> StoreFactory:
        """A new file."""
        return lambda: SQLiteStore(new_path())

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """Another store over the same file."""

        def of(store: object) -> partial[SQLiteStore]:
            assert isinstance(store, SQLiteStore)
            return partial(SQLiteStore, store.path)

        return of


class TestSteppedStorage(StorageTests):
    """The async face that never suspends."""

    model_examples = 10
    schedules = 2

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """Over a store in memory."""
        return lambda: stepped_storage(MemoryStore())


class TestThreadedStorage(StorageTests):
    """The async face with a worker thread."""

    abilities = frozenset({Ability.REOPENED})
    model_examples = 10
    schedules = 2

    @pytest.fixture
    def store_factory(self, new_path: Callable[[], Path]) -> StoreFactory:
        """Over a store in a file."""
        return lambda: threaded_storage(SQLiteStore(new_path()))

    @pytest.fixture
    def opener(self, tmp_path: Path) -> OpenerOf:
        """A new worker, and a new store over the one file there is."""
        return lambda _: lambda: threaded_storage(SQLiteStore(next(tmp_path.glob("*.db"))))
