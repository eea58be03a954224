"""
A worker process of a fleet, whatever brings it its work: ``python -m tests.running.fleet KIND`` reads its orders.

Every kind does the same work on the same store, so that one test holds them all to the same books.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import date, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from attrs import asdict, frozen

from xerosync import (
    App,
    AsyncReceivables,
    AsyncWorker,
    AsyncXero,
    Customer,
    Endpoints,
    Receivables,
    Settlement,
    SettlementLine,
    Worker,
    Xero,
)
from xerosync.storage import AsyncSQLAlchemyStore, SQLAlchemyStore

if TYPE_CHECKING:
    from celery import Celery
    from procrastinate import App as Jobs

    from celery_tasks import XeroTasks
    from xerosync.procrastinate import XeroJobs

CLEARING: Final = "091"
CUSTOMER: Final = "Ana Costa"


@frozen
class Orders:
    """Where everything is: the database, and Xero."""

    database: str
    xero: str
    client_id: str
    client_secret: str
    day: str
    broker: str = ""

    def text(self) -> str:
        """These orders, to be read by `orders`."""
        return json.dumps(asdict(self))


async def work(xero: AsyncXero, day: str) -> None:
    """Pair the customer, import all invoices, and settle each of them alone, so that a run takes its time."""
    sales = AsyncReceivables(xero, clearing_account=CLEARING)
    await sales.apply(await sales.match([Customer(id="c1", custom_identifier=CUSTOMER)]))
    await sales.apply(await sales.import_invoices())
    on = date.fromisoformat(day)
    for each in await sales.transactions():
        line = SettlementLine(id=each.id, transaction=each.id, amount=each.amount)
        await sales.apply(await sales.settle(Settlement(id=f"S {each.id}", on=on, lines=(line,))))


def worker_of(orders: Orders) -> AsyncWorker:
    async def of_the_day(xero: AsyncXero) -> None:
        await work(xero, orders.day)

    return AsyncWorker(
        App(orders.client_id, orders.client_secret),
        store=AsyncSQLAlchemyStore(orders.database),
        work=of_the_day,
        every=timedelta(minutes=15),
        endpoints=Endpoints.at(orders.xero),
        quarantine_s=0.0,
    )


def plain_worker_of(orders: Orders) -> Worker:
    def of_the_day(xero: Xero) -> None:
        sales = Receivables(xero, clearing_account=CLEARING)
        sales.apply(sales.match([Customer(id="c1", custom_identifier=CUSTOMER)]))
        sales.apply(sales.import_invoices())
        on = date.fromisoformat(orders.day)
        for each in sales.transactions():
            line = SettlementLine(id=each.id, transaction=each.id, amount=each.amount)
            sales.apply(sales.settle(Settlement(id=f"S {each.id}", on=on, lines=(line,))))

    return Worker(
        App(orders.client_id, orders.client_secret),
        store=SQLAlchemyStore(orders.database.replace("+asyncpg", "+psycopg")),
        work=of_the_day,
        every=timedelta(minutes=15),
        endpoints=Endpoints.at(orders.xero),
        quarantine_s=0.0,
    )


async def embedded(orders: Orders) -> None:
    """The loop that comes with the library."""
    stop = Event()

    def end(number: int, frame: object) -> None:  # noqa: ARG001 - as signal calls it
        stop.set()

    signal.signal(signal.SIGTERM, end)
    await worker_of(orders).run_forever(should_stop=stop.is_set)


def xero_jobs_of(orders: Orders) -> tuple[Jobs, XeroJobs]:
    from procrastinate import App as Jobs  # noqa: PLC0415 - of this kind alone
    from procrastinate import PsycopgConnector  # noqa: PLC0415

    from xerosync.procrastinate import XeroJobs  # noqa: PLC0415

    address = orders.database.replace("postgresql+asyncpg", "postgresql")
    jobs = Jobs(connector=PsycopgConnector(conninfo=address))
    return jobs, XeroJobs(jobs, worker_of(orders), beat="* * * * * */2", stalled_after_s=3)


async def procrastinate(orders: Orders) -> None:
    """Jobs of Procrastinate."""
    jobs, _ = xero_jobs_of(orders)
    async with jobs.open_async():
        await jobs.run_worker_async(update_heartbeat_interval=1, stalled_worker_timeout=3, fetch_job_polling_interval=1)


async def ask_procrastinate(orders: Orders, tenant: str, times: int) -> None:
    """Enqueue the organisation so often, as a host does that has news."""
    jobs, xero_jobs = xero_jobs_of(orders)
    async with jobs.open_async():
        for _ in range(times):
            await xero_jobs.enqueue(tenant)


def celery_of(orders: Orders) -> tuple[Celery, XeroTasks]:
    from celery import Celery  # noqa: PLC0415 - of this kind alone

    from celery_tasks import XeroTasks  # noqa: PLC0415

    app = Celery("fleet", broker=orders.broker)
    app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
    made = plain_worker_of(orders)
    return app, XeroTasks(app, lambda: made, beat=2.0)


async def ask_celery(orders: Orders, tenant: str, times: int) -> None:
    """As `ask_procrastinate`."""
    app, tasks = celery_of(orders)
    with app:
        for _ in range(times):
            tasks.run.delay(tenant)


async def celery(orders: Orders) -> None:
    """Tasks of Celery, with a beat in each process: twice as often asked is no more done."""
    from celery.beat import Scheduler, Service  # noqa: PLC0415 - of this kind alone

    app, _ = celery_of(orders)
    beat = Service(app, max_interval=1, scheduler_cls=Scheduler)
    Thread(target=beat.start, daemon=True).start()
    app.worker_main(["worker", "--pool=solo", "--loglevel=ERROR", "--without-gossip", "--without-mingle"])


KINDS: Final = {"celery": celery, "embedded": embedded, "procrastinate": procrastinate}


ASKED: Final = {"celery": ask_celery, "procrastinate": ask_procrastinate}


def main() -> None:
    orders = Orders(**json.loads(sys.stdin.readline()))
    sys.stdout.write("up\n")
    sys.stdout.flush()
    asyncio.run(KINDS[sys.argv[1]](orders))


if __name__ == "__main__":
    main()
