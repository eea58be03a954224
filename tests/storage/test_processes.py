"""Several processes over one SQLite file, beyond the conformance kit: the dead are told from the slow, and forks."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xerosync.storage import SQLiteStore
from xerosync.storage.owner import is_dead, this_process

# Takes the lease, says so, and lives until it is killed.
HOLDER = """
import sys
from datetime import UTC, datetime
from xerosync.storage import SQLiteStore
from xerosync.storage.owner import this_process

SQLiteStore(sys.argv[1]).lease("books", this_process(), ttl_s=3600, now=datetime.now(UTC))
print("held", flush=True)
input()
"""

FORKER = """
import os, sys
from xerosync.storage import Record, SQLiteStore
store = SQLiteStore(sys.argv[1])
store.commit([Record("link", "books", "before", "{}")])
child = os.fork()
store.commit([Record("link", "books", "parent" if child else "child", "{}")])
if child:
    assert os.waitpid(child, 0)[1] == 0
    store.commit([Record("link", "books", "after", "{}")])
store.close()
os._exit(0)
"""


def start(program: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc to ask")
def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    now = datetime.now(UTC)
    with start(HOLDER, path) as holder, closing(SQLiteStore(path)) as store:
        assert holder.stdout is not None
        holder.stdout.readline()
        owner = store.lease_owner("books")
        assert owner is not None
        assert not is_dead(owner)
        assert store.lease("books", this_process(), ttl_s=60, now=now) is None
        holder.kill()
        holder.wait()

        assert is_dead(owner)
        fence = store.lease("books", this_process(), ttl_s=60, now=now, force=owner)

        assert fence is not None
        assert fence.epoch == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_store_inherited_through_a_fork_is_whole_in_both(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with start(FORKER, path) as forker:
        forker.communicate(timeout=30)

    assert forker.returncode == 0
    with closing(SQLiteStore(path)) as store:
        assert [record.key for record in store.query("link", "books")] == ["after", "before", "child", "parent"]
