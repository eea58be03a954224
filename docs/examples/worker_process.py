"""
A worker in a process of its own: ``python worker_process.py STORE``, as often as you like on one store.

STORE is a SQLite file, or the address of a PostgreSQL database. Copy it, and adapt what it says of your product.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Event

from xerosync import App, Customer, Endpoints, Receivables, SQLiteStore, Worker, Xero
from xerosync.storage import SQLAlchemyStore, Storage


def customers_of(organisation: str) -> list[Customer]:
    """What your product knows of the customers of *organisation*."""
    del organisation
    return [Customer(id="c1", custom_identifier="Ana Costa")]


def work(xero: Xero) -> None:
    """One run of one organisation: what is done already is never done again."""
    sales = Receivables(xero, clearing_account="091")
    sales.apply(sales.match(customers_of(xero.books.tenant)))
    sales.apply(sales.import_invoices())


def store_at(place: str) -> Storage:
    """The store in the file or the database *place*."""
    return SQLAlchemyStore(place) if "://" in place else SQLiteStore(place)


def main() -> None:
    """Work on whatever is due until a SIGTERM comes, and end within a second or after the call under way."""
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    app = App(os.environ["XERO_CLIENT_ID"], os.environ["XERO_CLIENT_SECRET"])
    elsewhere = os.environ.get("XERO_URL")  # a simulator's
    endpoints = Endpoints.at(elsewhere) if elsewhere else None
    worker = Worker(app, store=store_at(sys.argv[1]), work=work, endpoints=endpoints)
    sys.stdout.write(f"worker {os.getpid()} is up\n")
    sys.stdout.flush()
    worker.run_forever(should_stop=stop.is_set)


if __name__ == "__main__":
    main()
