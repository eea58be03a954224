"""A worker's runs as jobs of Procrastinate, for `procrastinate --app=xero_jobs.jobs worker`: copy it, and adapt it."""

from __future__ import annotations

import os
from typing import Final

from procrastinate import App as Jobs
from procrastinate import PsycopgConnector

from xerosync import App, AsyncReceivables, AsyncWorker, AsyncXero, Customer, Endpoints
from xerosync.procrastinate import XeroJobs
from xerosync.storage import AsyncSQLAlchemyStore

BOOKS: Final = os.environ["BOOKS"].replace("+psycopg", "")
"""The address of the database: ``postgresql://worker@db.internal/books``."""
ELSEWHERE: Final = os.environ.get("XERO_URL")  # a simulator's


async def work(xero: AsyncXero) -> None:
    """One run of one organisation: what is done already is never done again."""
    sales = AsyncReceivables(xero, clearing_account="091")
    await sales.apply(await sales.match([Customer(id="c1", custom_identifier="Ana Costa")]))
    await sales.apply(await sales.import_invoices())


jobs: Final = Jobs(connector=PsycopgConnector(conninfo=BOOKS))
worker: Final = AsyncWorker(
    App(os.environ["XERO_CLIENT_ID"], os.environ["XERO_CLIENT_SECRET"]),
    store=AsyncSQLAlchemyStore(BOOKS.replace("postgresql:", "postgresql+asyncpg:")),
    work=work,
    calls=200,
    endpoints=Endpoints.at(ELSEWHERE) if ELSEWHERE else None,
)
xero_jobs: Final = XeroJobs(jobs, worker)
