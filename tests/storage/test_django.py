"""The Django store of the docs keeps the contract, within Django's own transactions too."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connections, transaction
from tests.storage import django_project
from tests.storage.django_project import DjangoStore
from tests.storage.postgres import Postgres

from xerosync.errors import StoreFailed
from xerosync.storage import Record, Storage
from xerosync.storage.owner import this_process
from xerosync.testing.storage import Ability, HostTransaction, OpenerOf, StorageTests, StoreFactory

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@contextmanager
def atomic(store: Storage) -> Iterator[Storage]:
    """A transaction of the host's: the store joins it by itself."""
    assert isinstance(store, DjangoStore)
    with transaction.atomic(using=store.using):
        yield store


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    connections.close_all()


class TestDjangoStoreOnSQLite(StorageTests):
    """In a SQLite file."""

    abilities = frozenset(Ability)
    model_examples = 8
    schedules = 2

    @pytest.fixture
    def store_factory(self, tmp_path_factory: pytest.TempPathFactory) -> StoreFactory:
        """A file of its own."""
        return lambda: django_project.made(django_project.sqlite(str(tmp_path_factory.mktemp("django") / "django.db")))

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """The same file."""
        return django_project.elsewhere

    @pytest.fixture
    def host_transaction(self) -> HostTransaction:
        """Django's own."""
        return atomic


class TestDjangoStoreOnPostgreSQL(TestDjangoStoreOnSQLite):
    """In PostgreSQL."""

    model_examples = 8

    @pytest.fixture
    def store_factory(self, postgres: Postgres) -> StoreFactory:
        """A database of its own."""
        return lambda: django_project.made(django_project.postgresql(postgres.new_database()))


def test_the_store_is_no_longer_than_the_docs_say() -> None:
    lines = Path(inspect.getfile(DjangoStore)).read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line.strip()]) < 150


def test_no_lease_is_taken_within_a_transaction_of_the_hosts(tmp_path: Path) -> None:
    store = django_project.made(django_project.sqlite(str(tmp_path / "django.db")))

    with transaction.atomic(using=store.using), pytest.raises(RuntimeError, match="durable"):
        store.lease("books", this_process(), ttl_s=60, now=NOW)


def test_a_database_without_the_tables_is_a_store_that_failed(tmp_path: Path) -> None:
    store = django_project.opened(django_project.sqlite(str(tmp_path / "django.db")))

    with pytest.raises(StoreFailed, match="OperationalError"):
        store.commit([Record("link", "books", "1", "{}")])
