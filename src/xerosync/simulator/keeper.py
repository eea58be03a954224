"""The file: every row of every table in one SQLite database, written as it changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from xerosync.errors import Misconfigured
from xerosync.simulator.tables import AnyTable
from xerosync.simulator.world import World

_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS row (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, came INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) WITHOUT ROWID
"""
_KEEP: Final = """
INSERT INTO row (tenant, kind, id, body, came) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body
"""


class FileKeeper:
    """
    Keeps rows in *file*; what `keep` has returned from survives the death of the process and of the machine.

    The file is this keeper's alone until it is closed, or its process has ended: a simulator has read it once, and what
    another one wrote meanwhile would be lost. Raises `Misconfigured` where another one holds it for *patience_s*.
    """

    def __init__(self, file: Path, *, patience_s: float = 30.0) -> None:
        self._base = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=patience_s)
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._base.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise Misconfigured(
                f"another process uses the simulator's books {file.name}: wait until it has ended, or serve them with "
                "python -m xerosync simulator and give both its URL"
            ) from None

    def _open(self) -> None:
        self._base.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        if version not in {0, _FORMAT}:
            raise Misconfigured("the file holds books of another version of the simulator: give another file")
        self._base.execute(_SCHEMA)
        self._base.execute(f"PRAGMA user_version={_FORMAT}")
        self._came = 0

    def load(self, world: World) -> None:
        """Read everything into *world*."""
        tables = {table.kind: table for table in world.tables()}
        rows: list[tuple[str, str, str, bytes, int]] = self._base.execute(
            "SELECT tenant, kind, id, body, came FROM row"
        ).fetchall()
        self._came = max((row[4] for row in rows), default=0)
        books: dict[str, Mapping[str, AnyTable]] = {"": tables}
        # Organisations come back in the order they were founded.
        founded = sorted((row for row in rows if row[1] == "organisation"), key=lambda row: row[4])
        for tenant, *_ in founded:
            books[tenant] = {table.kind: table for table in world.open_books(tenant).tables()}
        rank = {(tenant, kind): place for tenant, held in books.items() for place, kind in enumerate(held)}
        rows.sort(key=lambda row: (rank[row[0], row[1]], row[4]))
        for tenant, kind, id_, body, _ in rows:
            books[tenant][kind].load(id_, body)
        world.recall()

    def time_kept_ms(self) -> int:
        """The time of the books, in milliseconds from 1970; 0 when there are none yet."""
        kept = self._base.execute("SELECT body FROM row WHERE tenant = '' AND kind = 'heart'").fetchone()
        if kept is None:
            return 0
        found = self._base.execute("SELECT json_extract(?, '$.now_ms')", (bytes(kept[0]).decode(),)).fetchone()
        return int(found[0])

    def keep(self, changed: dict[tuple[str, str, str], AnyTable]) -> None:
        """Write the rows of *changed*, all or none."""
        puts: list[tuple[str, str, str, bytes, int]] = []
        drops: list[tuple[str, str, str]] = []
        for (tenant, kind, id_), table in changed.items():
            body = table.encoded(id_)
            if body is None:
                drops.append((tenant, kind, id_))
            else:
                self._came += 1
                puts.append((tenant, kind, id_, body, self._came))
        self._base.execute("BEGIN IMMEDIATE")
        try:
            self._base.executemany(_KEEP, puts)
            self._base.executemany("DELETE FROM row WHERE tenant = ? AND kind = ? AND id = ?", drops)
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Give the file back."""
        self._base.close()
