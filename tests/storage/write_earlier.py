"""
Writes the stores that test_earlier.py opens: ``python -m tests.storage.write_earlier``.

Run it, and keep what it writes, before a schema number changes: afterwards nobody can write that schema again.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.storage.postgres import Postgres

from xerosync.storage import Event, Fence, Owner, Record, SQLAlchemyStore, SQLiteStore, Storage, _sqlite_file
from xerosync.storage._sql_tables import SCHEMA_NUMBER

SQLITE_NUMBER: Final = len(_sqlite_file._STEPS)
WRITTEN: Final = Path(__file__).parent / "written"
START: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOLDER: Final = Owner("host-1", "boot-1", 4711, "100", "run-1")

PAID: Final = Record("intent", "books", "k-2", '{"n":"é 😀"}', "sent", START, (("tag", "XS-1"), ("host", "p-1")))
RECORDS: Final = (
    Record("document", "books", "INV-1", '{"total":"120.00"}', lookups=(("number", "INV-1"), ("number", "inv 1"))),
    Record("intent", "books", "k-1", "{}", "confirmed"),
    Record("intent", "books", "k-3", "{}", "unknown", START - timedelta(microseconds=1)),
    PAID,
    Record("link", "books", "c-1", "{}"),
    Record("link", "other books", "c-1", "{}"),
)


def write(store: Storage) -> None:
    """Leave in *store* something of every sort."""
    store.commit(RECORDS)
    store.commit([PAID], expect={PAID.identity: 1})
    gone = Record("link", "books", "gone", "{}", lookups=(("number", "gone"),))
    store.commit([gone])
    store.commit([RECORDS[1]], deletes=[gone.identity])
    assert store.lease("organisation/books", HOLDER, ttl_s=600, now=START) == Fence("organisation/books", 1)
    released = store.lease("consent", HOLDER, ttl_s=600, now=START)
    assert released is not None
    store.release(released)
    store.append("runs", [Event(START, "begun", "{}"), Event(START, "ended", '{"n":"1"}')])
    store.close()


def packed(path: Path) -> bytes:
    """The SQLite file *path*, packed. As SQL it would not do: SQLite ends a text at the NULs that our look-ups hold."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    return gzip.compress(path.read_bytes(), mtime=0)


def dumped_by_postgres(server: Postgres, address: str) -> str:
    """The database at *address* as SQL, its tables in whatever schema comes first."""
    name = address.partition("://")[2].partition("@")[0]
    command = [str(server.program("pg_dump")), "--inserts", "--no-owner", "--no-privileges", "--schema", name, address]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line.replace(f"{name}.", "") for line in dump.splitlines() if line and not line.startswith(("--", "\\"))]
    return (
        "\n".join(line for line in lines if not re.match(r"SET |CREATE SCHEMA |SELECT pg_catalog.set_config", line))
        + "\n"
    )


def main() -> None:
    """Write one store of each sort, as this code keeps it."""
    with TemporaryDirectory(prefix="xerosync-") as folder:
        write(SQLiteStore(Path(folder) / "1.db"))
        keep(f"sqlite-{SQLITE_NUMBER}.db.gz", packed(Path(folder) / "1.db"))
        write(SQLAlchemyStore(f"sqlite:///{folder}/2.db"))
        keep(f"sqlalchemy-sqlite-{SCHEMA_NUMBER}.db.gz", packed(Path(folder) / "2.db"))
        server = Postgres(Path(folder) / "postgres")
        address = server.new_database()
        write(SQLAlchemyStore(address))
        keep(f"sqlalchemy-postgresql-{SCHEMA_NUMBER}.sql", dumped_by_postgres(server, address).encode())
        server.stop()


def keep(name: str, store: bytes) -> None:
    """Keep *store*, unless one of that name was kept already: an earlier schema is never written anew."""
    if (WRITTEN / name).exists():
        sys.stdout.write(f"{name} is there already\n")
    else:
        (WRITTEN / name).write_bytes(store)


if __name__ == "__main__":
    main()
