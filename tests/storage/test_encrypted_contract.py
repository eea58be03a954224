"""A store keeps the contract as before when its records lie encrypted in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from tests.storage.keyed import KEYS, keyed_file

from xerosync import encrypted
from xerosync.storage import MemoryStore, SQLAlchemyStore, Storage
from xerosync.storage.adapt import stepped_storage
from xerosync.testing.storage import Ability, HostTransaction, OpenerOf, StorageTests, StoreFactory


class TestEncryptedMemoryStore(StorageTests):
    """Before the store in memory."""

    abilities = frozenset({Ability.REOPENED})
    model_examples = 40
    schedules = 2

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """A new one."""
        return lambda: encrypted(MemoryStore(), KEYS)

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """The same one."""
        return lambda store: lambda: store


class TestEncryptedSQLiteStore(StorageTests):
    """Before the store in a file, which processes share."""

    abilities = frozenset({Ability.REOPENED, Ability.SHARED})
    model_examples = 15  # each example makes a file
    schedules = 2

    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> StoreFactory:
        """A new file."""
        numbers = count()
        return lambda: keyed_file(tmp_path / f"books-{next(numbers)}.db")

    @pytest.fixture
    def opener(self, tmp_path: Path) -> OpenerOf:
        """Another store over the one file there is, with the same keys."""
        return lambda _: partial(keyed_file, next(tmp_path.glob("*.db")))


class TestAsyncEncryptedStore(StorageTests):
    """Before an async store."""

    abilities = frozenset({Ability.REOPENED})
    model_examples = 10
    schedules = 2

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """A new one."""
        return lambda: encrypted(stepped_storage(MemoryStore()), KEYS)

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """The same one."""
        return lambda store: lambda: store


class TestEncryptedSQLAlchemyStore(StorageTests):
    """Before the store in a database of the host's, and within its transaction."""

    abilities = frozenset({Ability.HOST_TRANSACTION})
    model_examples = 5  # each example makes a file
    schedules = 2

    @pytest.fixture
    def engines(self) -> Iterator[list[Engine]]:
        """The engines made in this test."""
        made: list[Engine] = []
        yield made
        for each in made:
            each.dispose()

    @pytest.fixture
    def store_factory(self, tmp_path: Path, engines: list[Engine]) -> StoreFactory:
        """A new database."""

        def new() -> Storage:
            engines.append(create_engine(f"sqlite:///{tmp_path}/books-{len(engines)}.db"))
            return encrypted(SQLAlchemyStore(engines[-1]), KEYS)

        return new

    @pytest.fixture
    def host_transaction(self, engines: list[Engine]) -> HostTransaction:
        """On the engine made last."""

        @contextmanager
        def begun(_: Storage) -> Iterator[Storage]:
            with engines[-1].begin() as connection:
                yield encrypted(SQLAlchemyStore(engines[-1]).within(connection), KEYS)

        return begun
