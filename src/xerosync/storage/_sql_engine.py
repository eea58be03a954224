"""The engine of a store in a host's database: made from an address, or the host's own and left as it is."""

from __future__ import annotations

import os
from typing import Final, NoReturn
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidRequestError
from sqlalchemy.pool import ConnectionPoolEntry

from xerosync.errors import InvalidInput, Misconfigured

NO_LEASE: Final = (
    "A store within your transaction takes no lease, so no client can work on it: what is sent to Xero must be kept "
    "whether or not you commit. Give the client the store itself."
)


def address(database: URL | str, driver: str) -> URL:
    """*database* as an address, by *driver* where it names none."""
    try:
        url = make_url(database)
    except ArgumentError:
        raise InvalidInput("database", "give an address such as postgresql://user@host/name") from None
    return url.set(drivername=f"postgresql+{driver}") if url.drivername == "postgresql" else url


UNFIT: Final = (ImportError, ArgumentError, InvalidRequestError)
"""What SQLAlchemy raises for an address whose driver it cannot use."""


def no_driver(url: URL, error: Exception) -> NoReturn:
    """Say that the driver an address asks for is missing, or is not of this store's kind."""
    raise Misconfigured(
        f"The driver {url.drivername} cannot be used here: pip install 'xerosync[postgres]', and leave the driver out."
    ) from error


def check_dialect(dialect: str, *known: str) -> None:
    """Refuse a database that this store was not written for."""
    if dialect not in known:
        raise Misconfigured(f"This store does not speak to {dialect}: give it {' or '.join(known)}.")


def name_of(engine: Engine) -> str:
    """What errors call the store: its database, and neither user nor password."""
    return f"{engine.dialect.name}:{engine.url.database}"


def isolation_of(engine: Engine) -> str:
    """How a writing transaction runs, whatever the host has set for its own: statement by statement, or by hand."""
    return "READ COMMITTED" if engine.dialect.name == "postgresql" else "AUTOCOMMIT"


def set_up(engine: Engine, lock_timeout_s: float) -> None:
    """Make every connection of *engine*, which is ours, wait no longer than that, and hold nobody up for longer."""
    if engine.dialect.name == "postgresql":
        wait = f"{round(lock_timeout_s * 1000)}ms"

        # A worker that was stopped in the middle of a transaction keeps its locks until the server ends it.
        @event.listens_for(engine, "connect")
        def _(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
            cursor = connection.cursor()
            for setting, value in (
                ("lock_timeout", wait),
                ("idle_in_transaction_session_timeout", wait),
                ("synchronous_commit", "on"),
            ):
                cursor.execute(f"SET {setting} = '{value}'")
            cursor.close()
            connection.commit()

    _ours.add(engine)


def begin(connection: Connection) -> None:
    """Begin to write: SQLite's writers take turns from here on, not only once they have read."""
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    if not getattr(driver, "in_transaction", True):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


_ours: Final[WeakSet[Engine]] = WeakSet()


def _after_fork() -> None:
    # The connections are the parent's: the child forgets them without a word to the server.
    for engine in list(_ours):
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
