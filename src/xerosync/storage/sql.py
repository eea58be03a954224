"""
A store in a host's own PostgreSQL, through SQLAlchemy.

``pip install 'xerosync[postgres]'`` brings what it needs; nothing else of xerosync imports this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

try:
    from sqlalchemy import URL, Connection, Engine, create_engine
except ImportError as _missing:
    raise ImportError("SQLAlchemy is not installed: pip install 'xerosync[postgres]'") from _missing

from xerosync.errors import Misconfigured
from xerosync.storage import _sql_verbs as verbs
from xerosync.storage._sql_engine import (
    NO_LEASE,
    UNFIT,
    address,
    begin,
    check_dialect,
    isolation_of,
    name_of,
    no_driver,
    set_up,
)
from xerosync.storage._sql_faults import plain_errors
from xerosync.storage._sql_moving import take_over
from xerosync.storage._sql_tables import prepare
from xerosync.storage.protocol import Event, Fence, Order, Owner, Record, RecordKey, Storage
from xerosync.storage.rules import check_commit, check_limit, check_order, check_text, cursor_of
from xerosync.storage.sqlite import SQLiteStore

_T = TypeVar("_T")


class _Plain:
    """The verbs of `Storage`, over whoever finds the connection and its transaction."""

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`."""
        return self._read(lambda connection: verbs.get_many(connection, keys))

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """As `Storage.commit`."""
        check_commit(puts, deletes)
        check_text(puts)
        self._write(
            lambda connection: verbs.commit(connection, puts, expect=expect or {}, fence=fence, deletes=deletes)
        )

    def query(
        self,
        kind: str,
        tenant: str,
        *,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
        lookup: tuple[str, str] | None = None,
        order: Order = "key",
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Record]:
        """As `Storage.query`."""
        check_limit(limit)
        check_order(order)
        return self._read(
            lambda connection: verbs.query(
                connection,
                kind,
                tenant,
                states=states,
                due_before=due_before,
                lookup=lookup,
                order=order,
                after=after,
                limit=limit,
            )
        )

    def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        return cursor_of(record, order)

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        return self._alone(lambda connection: verbs.lease(connection, name, owner, ttl_s=ttl_s, now=now, force=force))

    def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        return self._read(lambda connection: verbs.lease_owner(connection, name))

    def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        self._alone(lambda connection: verbs.release(connection, fence))

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        self._write(lambda connection: verbs.append(connection, stream, events))

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        check_limit(limit)
        return self._read(lambda connection: verbs.events(connection, stream, after=after, limit=limit))

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        raise NotImplementedError

    def _write(self, work: Callable[[Connection], _T]) -> _T:
        raise NotImplementedError

    def _alone(self, work: Callable[[Connection], _T]) -> _T:
        """As `_write`, for what no transaction of the host's may take back."""
        return self._write(work)


class SQLAlchemyStore(_Plain):
    """
    Storage in the tables ``xerosync_…`` of a PostgreSQL database, made when it is first used. Usable from many threads.

    *database* is your engine, or an address for one of its own, such as ``postgresql://books@db/product``; that engine
    waits up to *lock_timeout_s* seconds for other writers, ends with `close`, and opens again when it is next used. An
    engine of yours stays yours, settings and all. Every fault of the database is a `StoreFailed` that says what to do.
    SQLite serves too, through an engine of yours; `SQLiteStore` does it faster.
    """

    def __init__(self, database: Engine | URL | str, *, lock_timeout_s: float = 30.0) -> None:
        self._is_ours: Final = not isinstance(database, Engine)
        given = database if isinstance(database, Engine) else _engine_of(address(database, "psycopg"), lock_timeout_s)
        check_dialect(given.dialect.name, "postgresql", "sqlite")
        self._name: Final = name_of(given)
        self._engine: Final = given
        self._reading: Final = given.execution_options(isolation_level="AUTOCOMMIT")
        self._writing: Final = given.execution_options(isolation_level=isolation_of(given))
        self._is_open = False

    def within(self, connection: Connection) -> Storage:
        """
        This store inside your own transaction: what it keeps is there when *connection* commits, or not at all.

        It keeps, finds and drops records, and appends events. It takes no lease, so no client works on it: what is sent
        to Xero, and the tokens, must be kept whether or not you commit.
        """
        check_dialect(connection.dialect.name, self._engine.dialect.name)
        return _Within(self._name, self._open_within, connection)

    def take_over(self, store: SQLiteStore) -> int:
        """
        Copy into this one all that *store* holds, so that its workers may go on here; how many records there are.

        Stop them first, and let none go on there. It is one transaction: broken off, nothing was copied. Raises
        `InvalidInput` where this store is not empty, or a worker is at work on the other.
        """
        return self._write(lambda connection: take_over(connection, store.path))

    def close(self) -> None:
        """As `Storage.close`. The next call opens it again."""
        if self._is_ours:
            self._engine.dispose()
        self._is_open = False

    def __repr__(self) -> str:
        return f"<SQLAlchemyStore {self._name}>"

    def _open(self) -> None:
        if not self._is_open:
            with self._writing.begin() as connection:
                begin(connection)
                prepare(connection)
            self._is_open = True

    def _open_within(self, connection: Connection) -> None:
        if connection.dialect.name == "sqlite":  # its one writer is the host: nobody else could make the tables now
            prepare(connection)
        else:
            self._open()

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            self._open()
            with self._reading.connect() as connection:
                return work(connection)

    def _write(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            self._open()
            with self._writing.begin() as connection:
                begin(connection)
                return work(connection)


class _Within(_Plain):
    """A store on a connection of the host's, whose transaction it neither begins nor ends."""

    def __init__(self, name: str, opened: Callable[[Connection], None], connection: Connection) -> None:
        self._name: Final = name
        self._opened: Final = opened
        self._connection: Final = connection

    def close(self) -> None:
        """Nothing to give back: the connection is yours."""

    def __repr__(self) -> str:
        return f"<SQLAlchemyStore {self._name} within a transaction>"

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            self._opened(self._connection)
            return work(self._connection)

    def _write(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            self._opened(self._connection)
            begin(self._connection)
            # Should a verb fail half way, and you commit nevertheless, the half is not kept.
            with self._connection.begin_nested():
                return work(self._connection)

    def _alone(self, work: Callable[[Connection], _T]) -> _T:
        del work
        raise Misconfigured(NO_LEASE)


def _engine_of(url: URL, lock_timeout_s: float) -> Engine:
    try:
        waits = {"timeout": lock_timeout_s} if url.get_backend_name() == "sqlite" else {}
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=waits)
    except UNFIT as error:
        no_driver(url, error)
    set_up(engine, lock_timeout_s)
    return engine
