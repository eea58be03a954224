"""
Idle work of worker processes on one store: ``python -m tests.benchmarks.idle_runs [--file] [--day] [--json]``.

Every organisation is due, and none has anything new. *With webhooks* a run asks nothing of Xero; *without*, it reads
the invoices, and is told that none has changed, by a stand-in that answers at once. Two processes run
`AsyncWorker.run_forever`, three tasks each, until every organisation had its run. Measured are runs a second on the
wall, and the processor time that a run takes of the workers and of PostgreSQL together: on a busy machine the second
figure is the one to read, and what two whole cores sustain follows from it.

``--file`` instead has one `Worker`, then two, on one SQLite file.

``--day`` instead lets one worker live through a day of a clock that jumps, with 300 organisations, and shows the memory
that it holds each third hour.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Final
from uuid import UUID

from attrs import frozen
from tests.benchmarks.turns import memory_mb, report
from tests.storage.postgres import Postgres, PostgresCannotRun

from xerosync import App, AsyncReceivables, AsyncWorker, AsyncXero, Limits, Receivables, SQLiteStore, Tokens, Worker
from xerosync.client._grant import new_grant
from xerosync.client._kept import Kept
from xerosync.engine.inbox import EventNumbers
from xerosync.engine.schedule import SCHEDULE, Standing
from xerosync.models import ConnectionId, TenantId
from xerosync.ports import Request, Response, TransportFault
from xerosync.simulator import VirtualClock
from xerosync.storage import AsyncSQLAlchemyStore, SQLAlchemyStore, Storage

GOAL_A_SECOND: Final = 100
GOAL_GROWTH_MB: Final = 5
_APP: Final = App("0123456789ABCDEF0123456789ABCDEF", "secret")
_LIMITS: Final = Limits()
_PAGE: Final = 1000
_TASKS: Final = 3
_WORKERS: Final = 2
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class NothingNew:
    """A Xero in which nothing ever changes, and which answers at once."""

    async def send(self, request: Request) -> Response:
        """An empty list of what was asked for."""
        collection = request.url.partition("?")[0].rpartition("/")[2]
        body = {"pagination": {"page": 1, "pageSize": 1000, "pageCount": 0, "itemCount": 0}, collection: []}
        counters = {"x-minlimit-remaining": "55", "x-daylimit-remaining": "4500", "x-appminlimit-remaining": "9000"}
        return Response(200, {"content-type": "application/json", **counters}, json.dumps(body).encode())

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """As `send`."""
        del at_most
        return [await self.send(request) for request in requests]

    async def close(self) -> None:
        """Nothing is open."""


def tenant_of(number: int) -> str:
    return str(UUID(int=number + 1))


async def read_invoices(xero: AsyncXero) -> None:
    """What a run does: it looks whether there is anything to import."""
    await AsyncReceivables(xero).import_invoices()


def connect(store: Storage, organisations: int, *, now: datetime) -> None:
    """Let the app into *organisations*, all by one consent, which outlives the measurement."""
    grant = new_grant(_APP, Tokens("token", "another token", now + timedelta(days=900)), now)
    store.commit([grant])
    for numbers in _pages(organisations):
        tenants = [tenant_of(number) for number in numbers]
        kept = [Kept(each, TenantId(each), ConnectionId(each), grant.key, now, each) for each in tenants]
        store.commit([record for each in kept for record in each.records()])


def make_due(store: Storage, organisations: int, *, now: datetime, webhooks: bool) -> None:
    """Have all of *organisations* due *now*; with *webhooks*, one that was looked at an hour ago has nothing to do."""
    began = now - (timedelta(hours=1) if webhooks else timedelta(hours=7))
    standing = Standing(began=began, ended="done", idle=9)
    for numbers in _pages(organisations):
        store.commit([standing.record(tenant_of(number), now) for number in numbers])
    sequence = EventNumbers(1).record("app")
    store.commit([sequence] if webhooks else [], deletes=[] if webhooks else [sequence.identity])


def _pages(organisations: int) -> Iterator[range]:
    for start in range(0, organisations, _PAGE):
        yield range(start, min(start + _PAGE, organisations))


async def work(address: str) -> None:
    """What each process does: work on whatever is due until it is told to end, and say what processor time it took."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store = AsyncSQLAlchemyStore(address.replace("postgresql:", "postgresql+asyncpg:"))
    workers = [
        AsyncWorker(_APP, store=store, work=read_invoices, transport=NothingNew(), limits=_LIMITS)
        for _ in range(_TASKS)
    ]
    await workers[0].due()
    _tell("up")
    before = time.process_time()
    await asyncio.gather(*(each.run_forever(should_stop=stop.is_set) for each in workers))
    _tell(str(time.process_time() - before))
    await store.close()


def work_in_file(path: str) -> None:
    """As `work`, on the SQLite file at *path*."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with closing(SQLiteStore(path)) as store:
        worker = Worker(
            _APP, store=store, work=lambda xero: Receivables(xero).import_invoices(), transport=NothingNew(),
            limits=_LIMITS,
        )  # fmt: skip
        _tell("up")
        before = time.process_time()
        worker.run_forever(should_stop=stop.is_set)
        _tell(str(time.process_time() - before))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@frozen
class Sustained:
    """What *runs* took: *seconds* on the wall, and of the processors in the workers and in the *database*."""

    runs: int
    seconds: float
    workers: float
    database: float

    @property
    def on_two_cores(self) -> float:
        """Runs a second where two cores do nothing else."""
        return 2 * self.runs / (self.workers + self.database)

    def row(self, name: str) -> dict[str, object]:
        """A row of the report."""
        return {
            "Idle work": name,
            "runs": f"{self.runs:,}",
            "a second, on the wall": round(self.runs / self.seconds),
            "ms of processor time a run": round(1000 * (self.workers + self.database) / self.runs, 2),
            "of that PostgreSQL": round(1000 * self.database / self.runs, 2),
            "a second, on two whole cores": round(self.on_two_cores),
        }

    def row_of_file(self, name: str) -> dict[str, object]:
        """A row of the report on a file."""
        ms = 1000 * self.workers / self.runs
        whole = {"ms of processor time a run": round(ms, 2), "a second, on a whole core": round(1000 / ms)}
        return {"Idle work": name, "runs": f"{self.runs:,}", **whole}


def sustained(server: Postgres, folder: Path, organisations: int, *, webhooks: bool) -> Sustained:
    """What two processes on *server* make of *organisations* that are due."""
    address = server.new_database()
    store = SQLAlchemyStore(address.replace("postgresql:", "postgresql+psycopg:"))
    return measured(store, address, folder, organisations, workers=_WORKERS, webhooks=webhooks)


def sustained_in_file(organisations: int, *, workers: int, webhooks: bool) -> Sustained:
    """What so many *workers* on one file make of *organisations* that are due."""
    with TemporaryDirectory(prefix="xerosync-") as name:
        path = Path(name) / "books.db"
        return measured(SQLiteStore(path), str(path), None, organisations, workers=workers, webhooks=webhooks)


def measured(
    opened: Storage, address: str, folder: Path | None, organisations: int, *, workers: int, webhooks: bool
) -> Sustained:
    """What so many *workers* on the store at *address* make of *organisations*; *folder* is its database's, if any."""
    now = datetime.now(UTC)
    with closing(opened) as store:
        connect(store, organisations, now=now)
        make_due(store, organisations, now=now, webhooks=webhooks)
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.idle_runs", "--work", address],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(workers)
        ]
        for each in processes:
            assert each.stdout is not None
            each.stdout.readline()
        began, database = time.monotonic(), _database_seconds(folder)
        while store.query(SCHEDULE, "", due_before=now, order="due", limit=1):
            time.sleep(0.2)
        seconds = time.monotonic() - began
        database = _database_seconds(folder) - database
        for each in processes:
            each.send_signal(signal.SIGTERM)
        took = [float(each.communicate(timeout=60)[0]) for each in processes]
    return Sustained(organisations, seconds, sum(took), database)


def _database_seconds(folder: Path | None) -> float:
    """The processor time that the server with its files in *folder* has taken so far, all its processes together."""
    if folder is None:
        return 0.0
    head = int((folder / "postmaster.pid").read_text().splitlines()[0])
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == head:
            ticks += sum(map(int, fields[11:15]))  # its own, and of those of its children that have ended
        elif int(fields[1]) == head:
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICKS


def held_over_a_day(organisations: int) -> list[dict[str, object]]:
    """What memory one worker holds while a day passes in which all *organisations* are looked at each hour."""
    clock = VirtualClock()
    rows: list[dict[str, object]] = []
    with TemporaryDirectory(prefix="xerosync-") as name, closing(SQLiteStore(Path(name) / "books.db")) as store:
        connect(store, organisations, now=clock.now())
        hour = timedelta(hours=1)
        worker = Worker(
            _APP, store=store, work=lambda xero: Receivables(xero).import_invoices(), transport=NothingNew(),
            limits=_LIMITS, clock=clock, every=hour, max_silence=hour,
        )  # fmt: skip
        worker.enrol()
        runs = 0
        for passed in range(25):
            for each in worker.due(limit=organisations):
                runs += worker.run(each.organisation).calls > 0
            if passed % 3 == 0:
                gc.collect()
                rows.append({"hours": passed, "runs so far": f"{runs:,}", "MB": round(memory_mb(), 1)})
            clock.advance(3600)
    return rows


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=3000)
    parser.add_argument("--work")
    parser.add_argument("--file", action="store_true")
    parser.add_argument("--day", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.work is not None:
        asyncio.run(work(given.work)) if "://" in given.work else work_in_file(given.work)
        return 0
    if given.file:
        rows = [
            sustained_in_file(given.organisations, workers=workers, webhooks=webhooks).row_of_file(
                f"{workers} on a file, {'with webhooks: no call' if webhooks else 'without: one call'}"
            )
            for webhooks in (True, False)
            for workers in (1, _WORKERS)
        ]
        report("Workers on one SQLite file", list(rows[0]), rows, as_json=given.json)
        return 0
    if given.day:
        rows = held_over_a_day(min(given.organisations, 300))
        report("A worker over a day", list(rows[0]), rows, as_json=given.json)
        grown = float(str(rows[-1]["MB"])) - float(str(rows[1]["MB"]))
        return 0 if grown <= GOAL_GROWTH_MB else 1
    with TemporaryDirectory(prefix="xerosync-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / "postgres"
        try:
            server = Postgres(folder, durable=True)
        except PostgresCannotRun as reason:
            sys.stderr.write(f"PostgreSQL cannot run here: {reason}\n")
            return 0
        try:
            quiet = sustained(server, folder, given.organisations, webhooks=True)
            polled = sustained(server, folder, given.organisations, webhooks=False)
        finally:
            server.stop()
    rows = [quiet.row("with webhooks: no call"), polled.row("without: one call")]
    report("Two workers on one PostgreSQL", list(rows[0]), rows, as_json=given.json)
    return 0 if quiet.on_two_cores >= GOAL_A_SECOND else 1


if __name__ == "__main__":
    sys.exit(main())
