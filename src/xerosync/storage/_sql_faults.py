"""
What the faults of a host's database mean in plain words.

Its own texts may hold amounts and names: none is passed on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from xerosync.errors import InvalidInput, StoreFailed, XerosyncError
from xerosync.storage._sqlite_file import remedy_for

_AGAIN: Final = "two writers met: roll back and run again"
_AWAY: Final = "the database cannot be reached, or ended the connection: see that it runs, then run again"
_REMEDIES: Final = {
    "08": _AWAY,
    "25006": "the database may only be read, as a standby: give the address of its primary",
    "25P02": "your transaction had failed before: roll it back and run again",
    "28": "the database lets this user not in: check user and password",
    "3D": "there is no such database: create it, or give the name of another",
    "40": _AGAIN,
    "42501": "the user may not do that: grant it the right to the tables named xerosync_…, and to create them once",
    "42P01": "its tables are gone: restore the latest backup and call recover() before anything is sent",
    "53100": "the disk of the database is full: free some space, then run again",
    "53200": "the database is out of memory: give it more, then run again",
    "53300": "the database takes no further connection: allow more, or use a smaller pool",
    "55P03": "another writer kept a row locked for too long: let it end, then run again",
    "57014": "the statement was cancelled, or took longer than the database allows: run again",
    "57P": _AWAY,
    "58": "the disk of the database failed to read or write: check it, then run again",
    "XX": "the database found its own files damaged: restore a backup and call recover() before anything is sent",
}
_UNFIT: Final = {
    "22021": "a text holds a character that the database cannot keep: leave it out",
    "54000": "a key or a look-up is longer than PostgreSQL can index, some 2,600 bytes: shorten it",
}


@contextmanager
def plain_errors(name: str) -> Generator[None]:
    """Turn what SQLAlchemy raises into errors that say what to do about the store *name*."""
    try:
        yield
    except DBAPIError as error:
        error.hide_parameters = True
        raise _plain(name, error) from None
    except SQLAlchemyError as error:
        raise StoreFailed(f"The store {name} failed: SQLAlchemy says {type(error).__name__}.") from None


def _plain(name: str, error: DBAPIError) -> XerosyncError:
    if isinstance(error.orig, sqlite3.Error):
        return StoreFailed(f"The store {name} failed: {remedy_for(error.orig)}.")
    code = _code(error)
    for length in (5, 3, 2):
        if code[:length] in _UNFIT:
            return InvalidInput("record", _UNFIT[code[:length]])
        if code[:length] in _REMEDIES:
            return StoreFailed(f"The store {name} failed: {_REMEDIES[code[:length]]}.")
    if error.connection_invalidated or not code:
        return StoreFailed(f"The store {name} failed: {_AWAY}; if it does, check address, user and password.")
    return StoreFailed(f"The store {name} failed: the database says {code} ({type(error.orig).__name__}).")


def _code(error: DBAPIError) -> str:
    """The SQLSTATE, empty where the driver gives none: then no server has answered."""
    code = getattr(error.orig, "sqlstate", None)
    return code if isinstance(code, str) else ""
