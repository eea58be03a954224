"""Opening the file of a SQLite store: its marks, its schema, and what its faults mean in plain words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from xerosync.errors import InvalidInput, StoreFailed

_APPLICATION: Final = 0x7865726F  # "xero": marks the file as ours
# What leads from each schema number to the next, the first from an empty file: a new number is a new step at the end.
# A shelf stands for a kind and a tenant: with their 40 letters in every index, bulk commits took twice as long. Two
# indexes leave out the key for the same reason; the few records that tie there are sorted when read.
_STEPS: tuple[str, ...] = (
    """
CREATE TABLE shelves (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, tenant TEXT NOT NULL, UNIQUE (kind, tenant));
CREATE TABLE records (
    shelf INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, due INTEGER,
    lookups TEXT NOT NULL, version INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (shelf, key));
CREATE INDEX records_by_change ON records (shelf, changed);
CREATE INDEX records_by_due ON records (shelf, due) WHERE due IS NOT NULL;
CREATE INDEX records_by_state ON records (shelf, state, key) WHERE state <> '';
CREATE TABLE lookups (
    shelf INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (shelf, name, value, key)) WITHOUT ROWID;
CREATE TABLE leases (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    stream TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (stream, number));
CREATE TABLE commits (latest INTEGER NOT NULL);
INSERT INTO commits VALUES (0)
""",
)
_REMEDIES: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space, then run again",
    sqlite3.SQLITE_BUSY: "another process keeps it locked: let that one end, then run again",
    sqlite3.SQLITE_LOCKED: "another connection keeps it locked: let that one end, then run again",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database: give another path",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore the latest backup and call recover() before anything is sent",
    sqlite3.SQLITE_READONLY: "it may not be written: give this user the right to write the file and its folder",
    sqlite3.SQLITE_PERM: "it may not be opened: give this user the right to read and write it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that its folder exists and may be written",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: check the disk, then run again",
}


@contextmanager
def plain_errors(path: Path) -> Generator[None]:
    """Turn what SQLite raises into errors that say what to do about the store at *path*."""
    try:
        yield
    except UnicodeEncodeError:
        raise InvalidInput("record", "a text holds a lone surrogate, half a character: replace it") from None
    except sqlite3.Error as error:
        # Without its frames, which hold the rows: whoever reports an error with its values would report tokens.
        raise StoreFailed(f"The store {path} failed: {remedy_for(error)}.") from error.with_traceback(None)


def remedy_for(error: sqlite3.Error) -> str:
    """What *error* means, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte; the others tell its varieties apart
    return _REMEDIES.get(code, f"SQLite says: {error}")


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the file, made ours if it is new. Raises `StoreFailed` for one of another program or a later xerosync."""
    try:
        # Only when there is none: closing a file that this process has open elsewhere would drop its locks.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreFailed(
            f"The store {path} cannot be made ({error.strerror}): check that its folder exists."
        ) from error
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        _check_ours(connection, path)
        _use_write_ahead_log(connection, path, busy_timeout_s)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "PRAGMA cache_size = -16384"
        )  # 16 MB: Xero's ids are random, so a bulk commit goes everywhere
        connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: more than one bulk commit writes
        connection.execute("PRAGMA fullfsync = ON")  # without it macOS only hands the bytes to the disk's own cache
        _bring_up_to_date(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN")
    application, number, tables = (
        connection.execute(sql).fetchone()[0]
        for sql in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    connection.execute("COMMIT")
    if application != _APPLICATION and (tables or number):
        raise StoreFailed(f"{path} is the database of another program: give the store a file of its own.")
    if number > len(_STEPS):
        raise StoreFailed(
            f"The store {path} was written by a newer xerosync (schema {number}, this one knows {len(_STEPS)}): "
            "upgrade xerosync."
        )


def _use_write_ahead_log(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    # SQLite does not wait by itself for two processes that switch a new file at the same moment.
    give_up = time.monotonic() + busy_timeout_s
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
            continue
        if mode == "wal":
            return
        raise StoreFailed(f"The store {path} cannot be shared safely there: put it on a local disk.")


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file, or change those that an earlier xerosync wrote, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    for step in _STEPS[number:]:
        for statement in step.split(";"):
            connection.execute(statement)
    if number < len(_STEPS):
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(_STEPS)}")
    connection.execute("COMMIT")
