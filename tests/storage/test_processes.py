"""Several processes over one SQLite file: nothing is lost or done twice, and the dead are told from the slow."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xerosync.storage import RecordKey, SQLiteStore, is_dead, this_process

# Each worker adds 1 to a counter by compare-and-set; under the lease it also enters and leaves a room for one.
WORKER = """
import sys
from datetime import UTC, datetime
from xerosync.errors import VersionConflict
from xerosync.storage import Record, RecordKey, SQLiteStore, this_process

store, me = SQLiteStore(sys.argv[1]), this_process()
COUNTER, ROOM = RecordKey("counter", "books", "1"), RecordKey("room", "books", "1")

def change(key, to_body, fence=None):
    while True:
        [before] = store.get_many([key])
        body, version = ("0", 0) if before is None else (before.body, before.version)
        try:
            store.commit([Record(key.kind, key.tenant, key.key, to_body(body))], expect={key: version}, fence=fence)
        except VersionConflict:
            if fence:
                raise
            continue
        return body

sys.stdin.readline()
for _ in range(100):
    change(COUNTER, lambda body: str(int(body) + 1))
turns = 0
while turns < 25:
    fence = store.lease("room", me, ttl_s=60, now=datetime.now(UTC))
    if fence is None:
        continue
    assert change(ROOM, lambda body: str(me.process), fence) == "0", "somebody was in the room"
    assert change(ROOM, lambda body: "0", fence) == str(me.process), "somebody came into the room"
    print(fence.epoch)
    store.release(fence)
    turns += 1
"""

# Commits 20 records at a time, says so, and goes on until it is killed.
WRITER = """
import sys
from datetime import UTC, datetime
from itertools import count
from xerosync.storage import Event, Record, SQLiteStore, this_process

store = SQLiteStore(sys.argv[1])
fence = store.lease("books", this_process(), ttl_s=3600, now=datetime.now(UTC))
for batch in count():
    puts = [Record("payment", "books", f"{batch:06}-{n:02}", "x" * 500, lookups=(("batch", str(batch)),))
            for n in range(20)]
    store.commit(puts, fence=fence)
    store.append("runs", [Event(datetime.now(UTC), "batch", str(batch))])
    print(batch, flush=True)
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


def test_two_processes_lose_no_update_and_never_hold_a_lease_together(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    workers = [start(WORKER, path) for _ in range(2)]  # they also race to make the file

    epochs = [worker.communicate("go\n", timeout=30)[0].split() for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(int(epoch) for each in epochs for epoch in each) == list(range(1, 51))
    with closing(SQLiteStore(path)) as store:
        [counter] = store.get_many([RecordKey("counter", "books", "1")])
    assert counter is not None
    assert (counter.body, counter.version) == ("200", 200)


def test_what_a_killed_process_was_told_is_kept_is_there(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with start(WRITER, path) as writer:
        assert writer.stdout is not None
        for _ in range(8):
            writer.stdout.readline()
        writer.kill()
        told = 8 + len(writer.stdout.read().splitlines())

    with closing(SQLiteStore(path)) as store:
        keys = [record.key for record in store.query("payment", "books", limit=1_000_000)]
        batches = len(keys) // 20
        assert told <= batches <= told + 1
        assert keys == [f"{batch:06}-{n:02}" for batch in range(batches) for n in range(20)]
        assert len(store.query("payment", "books", lookup=("batch", str(batches - 1)))) == 20
        assert told <= len(store.events("runs", limit=1_000_000)) <= batches


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc to ask")
def test_the_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    now = datetime.now(UTC)
    with start(WRITER, path) as writer, closing(SQLiteStore(path)) as store:
        assert writer.stdout is not None
        writer.stdout.readline()
        owner = store.lease_owner("books")
        assert owner is not None
        assert not is_dead(owner)
        assert store.lease("books", this_process(), ttl_s=60, now=now) is None
        writer.kill()
        writer.stdout.read()
        writer.wait()

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
