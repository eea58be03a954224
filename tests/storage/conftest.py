"""A PostgreSQL of the tests' own: one server a session, which each worker of xdist is, and databases when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.storage.postgres import Postgres, PostgresCannotRun


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server, shared by the tests of this session: take a database of your own, and leave the server be."""
    yield from running()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A running server of this test's own, which it may stop."""
    yield from running()


def running() -> Iterator[Postgres]:
    """A server, until the test ends; where it cannot run, the test is skipped."""
    # Not below pytest's own folder: where root runs the tests, the server is another user's, who must get there.
    with TemporaryDirectory(prefix="xerosync-", ignore_cleanup_errors=True) as folder:
        try:
            server = Postgres(Path(folder))
        except PostgresCannotRun as reason:
            pytest.skip(f"PostgreSQL cannot run here: {reason}")
        yield server
        server.stop()
