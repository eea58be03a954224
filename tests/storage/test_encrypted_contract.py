"""A store keeps the contract as before when its records lie encrypted in it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from xerosync import KeyRing, encrypted
from xerosync.storage import AsyncStorage, MemoryStore, SQLiteStore, Storage, stepped_storage
from xerosync.testing.storage import StorageTests, StoreFactory

KEYS: Final = KeyRing(KeyRing.new_key(), KeyRing.new_key())


class TestEncryptedMemoryStore(StorageTests):
    """Before the store in memory."""

    model_examples = 40

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """A new one."""
        return lambda: encrypted(MemoryStore(), KEYS)

    @pytest.fixture
    def reopen(self) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """It keeps what it holds when closed."""
        return lambda store: store


class TestEncryptedSQLiteStore(StorageTests):
    """Before the store in a file."""

    model_examples = 15  # each example makes a file

    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> StoreFactory:
        """A new file."""
        numbers = count()
        return lambda: encrypted(SQLiteStore(tmp_path / f"books-{next(numbers)}.db"), KEYS)

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """Another store over the one file there is."""
        return lambda _: encrypted(SQLiteStore(next(tmp_path.glob("*.db"))), KEYS)


class TestAsyncEncryptedStore(StorageTests):
    """Before an async store."""

    model_examples = 10

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """A new one."""
        return lambda: encrypted(stepped_storage(MemoryStore()), KEYS)

    @pytest.fixture
    def reopen(self) -> Callable[[Storage | AsyncStorage], Storage | AsyncStorage]:
        """As the store it stands before."""
        return lambda store: store
