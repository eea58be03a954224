"""
A store in a host's own PostgreSQL, through SQLAlchemy's asyncio face.

``pip install 'xerosync[postgres]'`` brings what it needs; nothing else of xerosync imports this module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

try:
    from sqlalchemy import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
except ImportError as _missing:
    raise ImportError("SQLAlchemy is not installed: pip install 'xerosync[postgres]'") from _missing

from xerosync.errors import Misconfigured
from xerosync.storage import _sql_verbs as verbs
from xerosync.storage._sql_engine import (
    NO_LEASE,
    UNFIT,
    address,
    check_dialect,
    isolation_of,
    name_of,
    no_driver,
    set_up,
)
from xerosync.storage._sql_faults import plain_errors
from xerosync.storage._sql_tables import prepare
from xerosync.storage.protocol import AsyncStorage, Event, Fence, Order, Owner, Record, RecordKey
from xerosync.storage.rules import check_commit, check_limit, check_order, check_text, cursor_of

_T = TypeVar("_T")


class _Awaited:
    """The verbs of `AsyncStorage`, over whoever finds the connection and its transaction."""

    async def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`."""
        return await self._read(lambda connection: verbs.get_many(connection, keys))

    async def commit(
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
        await self._write(
            lambda connection: verbs.commit(connection, puts, expect=expect or {}, fence=fence, deletes=deletes)
        )

    async def query(
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
        return await self._read(
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

    async def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        return cursor_of(record, order)

    async def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        return await self._alone(
            lambda connection: verbs.lease(connection, name, owner, ttl_s=ttl_s, now=now, force=force)
        )

    async def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        return await self._read(lambda connection: verbs.lease_owner(connection, name))

    async def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        await self._alone(lambda connection: verbs.release(connection, fence))

    async def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        await self._write(lambda connection: verbs.append(connection, stream, events))

    async def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        check_limit(limit)
        return await self._read(lambda connection: verbs.events(connection, stream, after=after, limit=limit))

    async def _read(self, work: Callable[[Connection], _T]) -> _T:
        raise NotImplementedError

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        raise NotImplementedError

    async def _alone(self, work: Callable[[Connection], _T]) -> _T:
        """As `_write`, for what no transaction of the host's may take back."""
        return await self._write(work)


class AsyncSQLAlchemyStore(_Awaited):
    """As `SQLAlchemyStore`, awaited: *database* is your async engine, or an address. It serves one event loop."""

    def __init__(self, database: AsyncEngine | URL | str, *, lock_timeout_s: float = 30.0) -> None:
        self._is_ours: Final = not isinstance(database, AsyncEngine)
        given = (
            database if isinstance(database, AsyncEngine) else _engine_of(address(database, "asyncpg"), lock_timeout_s)
        )
        check_dialect(given.dialect.name, "postgresql")
        self._name: Final = name_of(given.sync_engine)
        self._engine: Final = given
        self._reading: Final = given.execution_options(isolation_level="AUTOCOMMIT")
        self._writing: Final = given.execution_options(isolation_level=isolation_of(given.sync_engine))
        self._is_open = False

    def within(self, connection: AsyncConnection) -> AsyncStorage:
        """As `SQLAlchemyStore.within`."""
        check_dialect(connection.dialect.name, self._engine.dialect.name)
        return _AsyncWithin(self._name, self._open, connection)

    async def close(self) -> None:
        """As `Storage.close`. The next call opens it again."""
        if self._is_ours:
            await self._engine.dispose()
        self._is_open = False

    def __repr__(self) -> str:
        return f"<AsyncSQLAlchemyStore {self._name}>"

    async def _open(self) -> None:
        if not self._is_open:
            async with self._writing.begin() as connection:
                await connection.run_sync(prepare)
            self._is_open = True

    async def _read(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            await self._open()
            async with self._reading.connect() as connection:
                return await connection.run_sync(work)

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            await self._open()
            async with self._writing.begin() as connection:
                return await connection.run_sync(work)


class _AsyncWithin(_Awaited):
    """As `_Within`, awaited."""

    def __init__(self, name: str, opened: Callable[[], Awaitable[None]], connection: AsyncConnection) -> None:
        self._name: Final = name
        self._opened: Final = opened
        self._connection: Final = connection

    async def close(self) -> None:
        """Nothing to give back: the connection is yours."""

    def __repr__(self) -> str:
        return f"<AsyncSQLAlchemyStore {self._name} within a transaction>"

    async def _read(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            await self._opened()
            return await self._connection.run_sync(work)

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        with plain_errors(self._name):
            await self._opened()
            async with self._connection.begin_nested():
                return await self._connection.run_sync(work)

    async def _alone(self, work: Callable[[Connection], _T]) -> _T:
        del work
        raise Misconfigured(NO_LEASE)


def _engine_of(url: URL, lock_timeout_s: float) -> AsyncEngine:
    try:
        engine = create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
    except UNFIT as error:
        no_driver(url, error)
    set_up(engine.sync_engine, lock_timeout_s)
    return engine
