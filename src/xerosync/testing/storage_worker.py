"""
A second process over a store, for the conformance kit: it does what a line says, and says what became of it.

Its first line names how to open the store, as a pickle that the kit wrote.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import count
from typing import Final, Self, TypeAlias, cast

from xerosync.errors import LeaseLost, VersionConflict
from xerosync.storage import AsyncStorage, Event, Fence, Record, RecordKey, Storage
from xerosync.testing.storage_face import OWNERS, START, plain_face

Opener: TypeAlias = Callable[[], Storage | AsyncStorage]
"""Opens the place of a store in whatever process: it can be pickled, such as ``partial(OurStore, path)``."""

Told: TypeAlias = dict[str, str | int | None]

CLAIMED: Final = RecordKey("claimed", "books", "1")
LEASE: Final = "books"
BATCH: Final = 20

_PATIENCE_S: Final = 60.0


class Worker:
    """A process of its own over the store that *opener* opens. Leaving the block ends it."""

    def __init__(self, opener: Opener) -> None:
        self._process: Final = subprocess.Popen(
            [sys.executable, "-m", "xerosync.testing.storage_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        # A store whose writers wait for each other would keep the kit waiting for ever.
        self._watch: Final = threading.Timer(_PATIENCE_S, self._process.kill)
        self._watch.daemon = True
        self._watch.start()
        self.tell(base64.b64encode(pickle.dumps(opener)).decode())
        self.answer()

    def tell(self, what: str | Told) -> None:
        """Tell it to do something; `answer` waits for what became of it."""
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(f"{json.dumps(what)}\n")
        self._process.stdin.flush()

    def answer(self) -> int | str | None:
        """What it says next."""
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"a process over this store died, or did nothing for {_PATIENCE_S:g} seconds")
        return cast("int | str | None", json.loads(line))

    def ask(self, what: Told) -> int | str | None:
        """Tell it, and wait."""
        self.tell(what)
        return self.answer()

    def kill(self) -> list[str]:
        """Kill it where it stands (SIGKILL); the lines it had yet to be heard saying."""
        assert self._process.stdout is not None  # noqa: S101
        self._process.kill()
        return [line for line in self._process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.cancel()
        self._process.kill()
        self._process.communicate()


def at_once(workers: Sequence[Worker], orders: Sequence[Told]) -> list[int | str | None]:
    """Tell each of *workers* its order before any is waited for; what became of each."""
    for worker, order in zip(workers, orders, strict=True):
        worker.tell(order)
    return [worker.answer() for worker in workers]


def _claim(store: Storage, told: Told) -> str:
    """Take the record as it was at a version, and leave a mark in the same commit."""
    version, mark = cast(int, told["version"]), str(told["mark"])
    mine = Record(CLAIMED.kind, CLAIMED.tenant, CLAIMED.key, mark)
    try:
        store.commit([mine, Record("mark", "books", mark, "{}")], expect={CLAIMED: version})
    except VersionConflict:
        return "conflict"
    return "kept"


def _lease(store: Storage, told: Told) -> int | None:
    force = told.get("force")
    fence = store.lease(
        LEASE,
        OWNERS[cast(int, told["owner"])],
        ttl_s=60,
        now=START + timedelta(seconds=cast(int, told["after_s"])),
        force=None if force is None else OWNERS[cast(int, force)],
    )
    return None if fence is None else fence.epoch


def _fenced(store: Storage, told: Told) -> str:
    epoch = cast(int, told["epoch"])
    try:
        store.commit([Record("fenced", "books", str(told["mark"]), str(epoch))], fence=Fence(LEASE, epoch))
    except LeaseLost:
        return "lost"
    return "kept"


def _write(store: Storage, told: Told) -> int:
    """Several commits of a record each, and as many events."""
    for number in range(cast(int, told["count"])):
        store.commit([Record("written", "books", f"{told['mark']}-{number:04}", "{}")])
        store.append("written", [Event(START, str(told["mark"]), str(number))])
    return cast(int, told["count"])


def _go_on(store: Storage, told: Told) -> str:
    """Commit and append, without end unless told how many *commits*, saying each number once it is kept."""
    first, commits = cast(int, told["first"]), cast("int | None", told["commits"])
    for batch in count(first) if commits is None else range(first, first + commits):
        keys = [f"{batch:06}-{number:02}" for number in range(BATCH)]
        store.commit([Record("payment", "books", key, "{}", lookups=(("batch", str(batch)),)) for key in keys])
        store.append("batches", [Event(START, "batch", str(batch))])
        _say(batch)
    return "rests"


_ORDERS: Final[Mapping[str, Callable[[Storage, Told], int | str | None]]] = {
    "claim": _claim, "lease": _lease, "fenced": _fenced, "write": _write, "go on": _go_on,
}  # fmt: skip


def _say(what: int | str | None) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def main() -> None:
    """Open the store, then do what each line says."""
    opener: Opener = pickle.loads(base64.b64decode(json.loads(sys.stdin.readline())))  # noqa: S301 (the kit's own)
    with closing(plain_face(opener())) as store:
        _say("open")
        for line in sys.stdin:
            told: Told = json.loads(line)
            _say(_ORDERS[str(told["do"])](store, told))


if __name__ == "__main__":
    main()
