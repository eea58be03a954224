"""Stores in a host's own database keep the contract, and what they are given within the host's own transaction."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import attrs
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from tests.conftest import Product
from tests.storage.postgres import Postgres

from xerosync import Customer, Plan, Receivables
from xerosync.engine.actions import EnablePayments
from xerosync.errors import InvalidInput, Misconfigured, StoreFailed, VersionConflict
from xerosync.models import AccountId, TenantId
from xerosync.storage import AsyncSQLAlchemyStore, AsyncStorage, Event, Record, SQLAlchemyStore, Storage
from xerosync.storage.adapt import port_for
from xerosync.storage.owner import this_process
from xerosync.testing.storage import Ability, HostTransaction, OpenerOf, StorageTests, StoreFactory

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LINK = Record("link", "books", "c-1", '{"xero_id":"1"}')


def address_of(store: Storage | AsyncStorage) -> sa.URL:
    assert isinstance(store, SQLAlchemyStore | AsyncSQLAlchemyStore)
    return store._engine.url


@contextmanager
def on_an_engine_of_the_hosts(store: Storage) -> Generator[Storage]:
    """A transaction on a connection of the host's own."""
    assert isinstance(store, SQLAlchemyStore)
    engine = sa.create_engine(store._engine.url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE IF NOT EXISTS customers (id text)"))
            yield store.within(connection)
    finally:
        engine.dispose()


class TestSQLAlchemyStore(StorageTests):
    """The plain store, in PostgreSQL."""

    abilities = frozenset(Ability)
    model_examples = 8
    schedules = 2

    @pytest.fixture
    def store_factory(self, postgres: Postgres) -> StoreFactory:
        """A database of its own."""
        return lambda: SQLAlchemyStore(postgres.new_database())

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """Another store over the same database."""
        return lambda store: partial(SQLAlchemyStore, address_of(store))

    @pytest.fixture
    def host_transaction(self) -> HostTransaction:
        """On an engine of the host's."""
        return on_an_engine_of_the_hosts


class TestAsyncSQLAlchemyStore(StorageTests):
    """The async store, in PostgreSQL."""

    abilities = frozenset({Ability.REOPENED, Ability.SHARED})
    model_examples = 8
    schedules = 2

    @pytest.fixture
    def store_factory(self, postgres: Postgres) -> StoreFactory:
        """A database of its own."""
        return lambda: AsyncSQLAlchemyStore(postgres.new_database())

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """Another store over the same database."""
        return lambda store: partial(AsyncSQLAlchemyStore, address_of(store))


class TestSQLAlchemyStoreOnSQLite(StorageTests):
    """The plain store, in the SQLite file of a host that has no other database."""

    abilities = frozenset(Ability)
    model_examples = 8
    schedules = 2

    @pytest.fixture
    def store_factory(self, tmp_path_factory: pytest.TempPathFactory) -> StoreFactory:
        """A file of its own."""
        return lambda: SQLAlchemyStore(f"sqlite:///{tmp_path_factory.mktemp('product') / 'product.db'}")

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """Another store over the same file."""
        return lambda store: partial(SQLAlchemyStore, address_of(store))

    @pytest.fixture
    def host_transaction(self) -> HostTransaction:
        """On an engine of the host's."""
        return on_an_engine_of_the_hosts


@pytest.fixture(params=["postgresql", "sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """The engine of a product, with a table of its customers."""
    if request.param == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'product.db'}")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        engine = sa.create_engine(postgres.new_database().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE customers (id text PRIMARY KEY)"))
    yield engine
    engine.dispose()


def customers(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT id FROM customers")).scalars())


def links(store: Storage) -> list[str]:
    return [record.key for record in store.query("link", "books")]


def add_customer(connection: sa.Connection, store: SQLAlchemyStore) -> None:
    connection.execute(sa.text("INSERT INTO customers VALUES ('c-1')"))
    within = store.within(connection)
    within.commit([LINK], expect={LINK.identity: 0})
    within.append("links", [Event(NOW, "linked", "{}")])
    assert links(within) == ["c-1"]


def test_a_link_and_the_hosts_own_row_are_kept_together(engine: sa.Engine) -> None:
    store = SQLAlchemyStore(engine)

    with engine.begin() as connection:
        add_customer(connection, store)

    assert (customers(engine), links(store)) == (["c-1"], ["c-1"])
    assert [number for number, _ in store.events("links")] == [1]


def test_whatever_a_text_holds_is_kept_and_found(engine: sa.Engine) -> None:
    """PostgreSQL is handed a column of many rows as one text, in which some letters mean something."""
    store = SQLAlchemyStore(engine)
    texts = [
        "",
        " ",
        "NULL",
        "null",
        '"',
        "\\",
        '\\"',
        '{"a":"b\\\\"}',
        "{}",
        "{1,2}",
        ",",
        "', '",
        "a\nb\t",
        "é 😀",
        "%s",
        ":x",
    ]
    put = [
        Record("link", f"books {text}", f"{place} {text}", text, text, NOW if place % 2 else None, ((text, text),))
        for place, text in enumerate(texts)
    ]

    store.commit(put, expect={each.identity: 0 for each in put})
    store.append("runs", [Event(NOW, text, text) for text in texts])

    found = store.get_many([each.identity for each in put])
    assert [attrs.evolve(each, version=0) for each in found if each is not None] == put
    assert [store.query("link", each.tenant, lookup=(each.body, each.body))[0].key for each in put] == [
        each.key for each in put
    ]
    assert [event.body for _, event in store.events("runs")] == texts
    store.commit([], deletes=[each.identity for each in put])
    assert store.get_many([each.identity for each in put]) == [None] * len(put)


def test_a_link_goes_with_the_hosts_own_row_when_that_is_taken_back(engine: sa.Engine) -> None:
    store = SQLAlchemyStore(engine)

    with engine.connect() as connection:
        add_customer(connection, store)
        connection.rollback()

    assert (customers(engine), links(store), store.events("links")) == ([], [], [])
    store.commit([LINK], expect={LINK.identity: 0})


def test_a_host_may_go_on_in_its_transaction_after_a_refusal(engine: sa.Engine) -> None:
    store = SQLAlchemyStore(engine)
    store.commit([LINK])

    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO customers VALUES ('c-2')"))
        with pytest.raises(VersionConflict):
            store.within(connection).commit([LINK, Record("link", "books", "c-2", "{}")], expect={LINK.identity: 0})

    assert (customers(engine), links(store)) == (["c-2"], ["c-1"])


def test_no_lease_hangs_on_the_hosts_transaction(engine: sa.Engine) -> None:
    store = SQLAlchemyStore(engine)
    fence = store.lease("books", this_process(), ttl_s=60, now=NOW)
    assert fence is not None

    with engine.connect() as connection:
        within = store.within(connection)
        with pytest.raises(Misconfigured, match="Give the client the store itself"):
            within.lease("books", this_process(), ttl_s=60, now=NOW)
        with pytest.raises(Misconfigured):
            within.release(fence)
        assert within.lease_owner("books") == this_process()
        within.close()
        assert not connection.closed


def test_a_matching_is_kept_within_the_hosts_transaction(engine: sa.Engine, product: Product) -> None:
    product.invoice("Ana", "45.00", "INV-1")
    store = SQLAlchemyStore(engine)
    sales = Receivables(product.xero(store=store), clearing_account="091")
    customers = [Customer(id="c-1", custom_identifier="Ana")]
    plan = sales.match(customers)

    with engine.connect() as connection:
        store.within(connection).commit(plan.records())
        connection.rollback()
    assert len(sales.match(customers)) == 1
    with engine.begin() as connection:
        store.within(connection).commit(plan.records())

    assert len(sales.match(customers)) == 0
    assert len(sales.import_invoices()) == 1


def test_what_is_written_to_xero_is_not_kept_within_a_transaction() -> None:
    plan = Plan(
        tenant=TenantId("books"), actions=(EnablePayments(host_ref="091", reason="chosen", account_id=AccountId("1")),)
    )

    with pytest.raises(InvalidInput, match="it writes to Xero: apply it"):
        plan.records()


async def link_within(address: str, *, commit: bool) -> tuple[list[str], list[str]]:
    engine = create_async_engine(address.replace("postgresql:", "postgresql+asyncpg:"))
    store = AsyncSQLAlchemyStore(engine)
    async with engine.connect() as connection:
        await connection.execute(sa.text("CREATE TABLE customers (id text PRIMARY KEY)"))
        await connection.commit()
        await connection.execute(sa.text("INSERT INTO customers VALUES ('c-1')"))
        within = store.within(connection)
        await within.commit([LINK], expect={LINK.identity: 0})
        with pytest.raises(Misconfigured):
            await within.lease("books", this_process(), ttl_s=60, now=NOW)
        assert [record.key for record in await within.query("link", "books")] == ["c-1"]
        await within.close()
        await (connection.commit() if commit else connection.rollback())
        ids = list((await connection.execute(sa.text("SELECT id FROM customers"))).scalars())
    kept = [record.key for record in await store.query("link", "books")]
    await store.close()
    await engine.dispose()
    return ids, kept


@pytest.mark.parametrize("commit", [True, False])
def test_an_async_host_keeps_both_or_neither(postgres: Postgres, commit: bool) -> None:
    ids, kept = asyncio.run(link_within(postgres.new_database(), commit=commit))

    assert ids == kept == (["c-1"] if commit else [])


def test_a_reader_of_changes_misses_no_commit_that_took_longer(postgres: Postgres) -> None:
    """A commit that is not yet visible holds up the next of its kind, so that it never appears behind a reader."""
    address = postgres.new_database()
    engine = sa.create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with closing(SQLAlchemyStore(address, lock_timeout_s=0.1)) as store:
        store.commit([LINK])
        [first] = store.query("link", "books", order="changed")
        with engine.begin() as connection:
            store.within(connection).commit([Record("link", "books", "slow", "{}")])
            with pytest.raises(StoreFailed, match="another writer kept a row locked for too long"):
                store.commit([Record("link", "books", "fast", "{}")])
            store.commit([Record("link", "other books", "fast", "{}")])
            assert store.query("link", "books", order="changed") == [first]
        store.commit([Record("link", "books", "fast", "{}")])

        after = store.cursor(first, "changed")
        assert [record.key for record in store.query("link", "books", order="changed", after=after)] == ["slow", "fast"]
    engine.dispose()


def test_what_another_writer_left_is_what_a_version_is_checked_against(postgres: Postgres) -> None:
    """A host whose transaction reads from before that is told to run again: it could not see what has changed."""
    engine = sa.create_engine(postgres.new_database().replace("postgresql:", "postgresql+psycopg:"))
    store = SQLAlchemyStore(engine)
    store.commit([LINK])
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        within = store.within(connection)
        assert links(within) == ["c-1"]
        store.commit([LINK], expect={LINK.identity: 1})
        with pytest.raises(StoreFailed, match="two writers met: roll back and run again"):
            within.commit([LINK], expect={LINK.identity: 1})
    engine.dispose()


def test_text_with_a_nul_is_refused(postgres: Postgres) -> None:
    with closing(SQLAlchemyStore(postgres.new_database())) as store:
        with pytest.raises(InvalidInput, match="NUL"):
            store.commit([Record("link", "books", "a\0b", "{}")])
        with pytest.raises(InvalidInput, match="longer than PostgreSQL can index"):
            store.commit([Record("link", "books", "".join(chr(0x4E00 + n) for n in range(5000)), "{}")])
        assert links(store) == []


def test_a_blocking_client_refuses_the_async_store(postgres: Postgres) -> None:
    with pytest.raises(Misconfigured, match="AsyncSQLAlchemyStore is an async store"):
        port_for(AsyncSQLAlchemyStore(postgres.new_database()), blocking=True)


FORKER = """
import os, sys
from xerosync.storage import Record, SQLAlchemyStore
store = SQLAlchemyStore(sys.argv[1])
store.commit([Record("link", "books", "before", "{}")])
child = os.fork()
store.commit([Record("link", "books", "parent" if child else "child", "{}")])
if child:
    assert os.waitpid(child, 0)[1] == 0
    store.commit([Record("link", "books", "after", "{}")])
    store.close()
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_store_inherited_through_a_fork_is_whole_in_both(postgres: Postgres) -> None:
    address = postgres.new_database()

    subprocess.run([sys.executable, "-c", FORKER, address], check=True, timeout=60)

    with closing(SQLAlchemyStore(address)) as store:
        assert links(store) == ["after", "before", "child", "parent"]


def test_faults_of_the_database_say_what_to_do_and_tell_nothing_of_the_records(postgres: Postgres) -> None:
    address = postgres.new_database()
    told = Record("grant", "books", "1", '"a secret"')
    elsewhere = SQLAlchemyStore(address.replace("/postgres?", "/nowhere?"))
    with pytest.raises(StoreFailed, match="check address, user and password"):
        elsewhere.commit([LINK])
    elsewhere.close()
    with closing(SQLAlchemyStore(address)) as store:
        store.commit([LINK])
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only = on")
        store.close()
        with pytest.raises(StoreFailed, match="give the address of its primary") as failure:
            store.commit([told])
        assert "a secret" not in "".join(traceback.format_exception(failure.value))
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER ROLE CURRENT_USER RESET default_transaction_read_only")
            connection.execute("DROP TABLE xerosync_records")
        store.close()
        with pytest.raises(StoreFailed, match="its tables are gone: restore the latest backup"):
            store.query("grant", "books")


def test_an_address_that_is_none_and_a_database_that_nobody_speaks_to_are_refused() -> None:
    with pytest.raises(InvalidInput, match="give an address such as"):
        SQLAlchemyStore("books")
    for unfit in (lambda: SQLAlchemyStore("nosuch://books"), lambda: AsyncSQLAlchemyStore("sqlite:///books.db")):
        with pytest.raises(Misconfigured, match="cannot be used here"):
            unfit()
