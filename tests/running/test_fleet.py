"""
Two workers on one PostgreSQL, whatever brings them their work: killed, frozen, asked twice. Xero's books tell.

One test for every adapter, in processes of their own, against a Xero that is served to them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from attrs import define, field
from tests.running.conftest import redis_served
from tests.running.fleet import ASKED, CUSTOMER, KINDS, Orders

from xerosync import App, Endpoints, Tokens, Xero
from xerosync.engine.schedule import wake_record
from xerosync.simulator import Bookkeeper, Simulator, SystemClock
from xerosync.storage import SQLAlchemyStore

PROJECT: Final = Path(__file__).parents[2]
INVOICES: Final = 4
"""So few that even with a second beginning they are within the sixty calls of a minute."""
PATIENCE_S: Final = 90.0


@define(eq=False)
class Fleet:
    """Worker processes of one kind on one database, and the Xero they work in."""

    kind: str
    orders: Orders
    books: Bookkeeper
    store: SQLAlchemyStore
    stack: ExitStack
    workers: list[subprocess.Popen[str]] = field(factory=list[subprocess.Popen[str]])

    @property
    def tenant(self) -> str:
        return self.books.tenant_id

    def start(self) -> None:
        """One more worker."""
        worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.running.fleet", self.kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "docs" / "examples")},
        )  # fmt: skip
        self.stack.callback(_end, worker)
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(self.orders.text() + "\n")
        worker.stdin.flush()
        assert worker.stdout.readline() == "up\n"
        self.workers.append(worker)

    def paid(self) -> int:
        return sum(each.status == "AUTHORISED" for each in self.books.payments)

    def at_work(self) -> int:
        """The process that is in the organisation now; it is woken again where a run was over before one looked."""
        found: list[int] = []
        looks = count(1)

        def is_there() -> bool:
            owner = self.store.lease_owner(f"run/{self.tenant}")
            if owner is None and next(looks) % 100 == 0:
                self.store.commit([wake_record(self.tenant, datetime.now(UTC))])
            found[:] = [] if owner is None else [owner.process]
            return bool(found)

        until(is_there)
        return found[0]

    def every_cent_once(self) -> None:
        """Every invoice is paid by one payment, and nothing is left to do."""
        until(lambda: self.paid() >= INVOICES)
        until(lambda: self.store.lease_owner(f"run/{self.tenant}") is None)
        assert self.paid() == INVOICES
        assert {each.status for each in self.books.invoices} == {"PAID"}
        assert sum(each.amount for each in self.books.payments) == sum(each.total for each in self.books.invoices)


def _end(worker: subprocess.Popen[str]) -> None:
    if worker.poll() is None:
        os.kill(worker.pid, signal.SIGCONT)
        worker.kill()
    worker.communicate(timeout=20)


def until(holds: Callable[[], bool]) -> None:
    """Wait until it *holds*, as real processes need real time."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


@pytest.fixture(params=sorted(KINDS))
def fleet(request: pytest.FixtureRequest, database: str) -> Iterator[Fleet]:
    kind: str = request.param
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(clock=SystemClock(), limits=False))
        books = simulator.add_organisation()
        app = simulator.register_app("Fleet")
        given = simulator.consent(app, tenants=[books.tenant_id])
        served = stack.enter_context(simulator.serve(latency_s=0.02))
        contact = books.add_contact(CUSTOMER)
        today = simulator.clock.now().date()
        for place in range(INVOICES):
            books.add_invoice(contact.id, amount=Decimal(place + 1), date=today)
        orders = Orders(
            database.replace("postgresql:", "postgresql+asyncpg:"), served.url, app.client_id, app.client_secret,
            today.isoformat(), f"redis://127.0.0.1:{stack.enter_context(redis_served())}" if kind == "celery" else "",
        )  # fmt: skip
        store = SQLAlchemyStore(database.replace("postgresql:", "postgresql+psycopg:"))
        stack.callback(store.close)
        with Xero(
            App(app.client_id, app.client_secret), books.tenant_id, store=store, endpoints=Endpoints.at(served.url)
        ) as xero:
            expires_at = simulator.clock.now()
            xero.connect(Tokens(given.access_token, given.refresh_token, expires_at))
        if kind == "procrastinate":
            asyncio.run(_schema(database))
        yield Fleet(kind, orders, books, store, stack)


async def _schema(database: str) -> None:
    from procrastinate import App as Jobs  # noqa: PLC0415 - of this kind alone
    from procrastinate import PsycopgConnector  # noqa: PLC0415

    async with Jobs(connector=PsycopgConnector(conninfo=database)).open_async() as jobs:
        await jobs.schema_manager.apply_schema_async()


def test_a_worker_that_is_killed_in_the_middle_is_followed_by_the_other(fleet: Fleet) -> None:
    fleet.start()
    fleet.start()
    until(lambda: fleet.paid() >= 1)

    os.kill(fleet.at_work(), signal.SIGKILL)

    fleet.every_cent_once()


def test_a_worker_that_freezes_and_wakes_does_nothing_twice(fleet: Fleet) -> None:
    fleet.start()
    fleet.start()
    frozen = fleet.at_work()
    until(lambda: fleet.paid() >= 1)

    os.kill(frozen, signal.SIGSTOP)
    time.sleep(5)
    os.kill(frozen, signal.SIGCONT)

    fleet.every_cent_once()


def test_an_organisation_that_is_asked_for_many_times_is_worked_on_once(fleet: Fleet) -> None:
    """By the host's own queue, too, where there is one."""
    fleet.start()
    fleet.start()
    for _ in range(5):
        fleet.store.commit([wake_record(fleet.tenant, datetime.now(UTC))])
        time.sleep(0.2)
        if fleet.kind in ASKED:
            asyncio.run(ASKED[fleet.kind](fleet.orders, fleet.tenant, 2))

    fleet.every_cent_once()
