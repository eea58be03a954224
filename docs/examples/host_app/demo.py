"""A yoga studio that uses the product, and its books in a simulated Xero whose days pass at the press of a button."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from attrs import frozen
from flask import Blueprint, Flask, flash, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from host_app import forms
from host_app.access import Access
from host_app.app import create_app
from host_app.collecting import CALENDAR
from host_app.models import Company, Customer
from host_app.problems import Problem
from xerosync import App, Endpoints, KeyRing
from xerosync.simulator import Bookkeeper, Simulator, VirtualClock

COMPANY: Final = "harbour-yoga"
_APP: Final = "Paua"
_CUSTOMERS: Final = (
    ("c-1", "Ana Costa", "Ana Costa", "ana@example.com"),
    ("c-2", "Bo Lindgren", "bo lindgren", "bo@example.com"),
    ("c-3", "Café José", "Cafe Jose and Sons", "jose@example.com"),
    ("c-4", "Gil Green", "G-0044", "gil@example.com"),
    ("c-5", "Mia Hansen", "Mia Hansen", "mia@example.com"),
    ("c-6", "Eve Elm", "Eve Elm", "eve@example.com"),
    ("c-7", "Tui Parata", "Tui Parata", "tui@example.com"),
)
_CONTACTS: Final = (
    ("Ana Costa", "ana@example.com"),
    ("Bo Lindgren", ""),
    ("Café José & Sons Ltd", ""),
    ("Gilbert Green", "gil@example.com"),
    ("Mia Hansen", ""),
    ("Tui Parata", ""),
    ("Corner Store", ""),
)
_INVOICES: Final = (
    ("Ana Costa", "INV-301", "89.00", 4, "AUTHORISED"),
    ("Bo Lindgren", "INV-302", "145.50", 4, "AUTHORISED"),
    ("Mia Hansen", "INV-303", "62.00", 5, "AUTHORISED"),
    ("Café José & Sons Ltd", "INV-304", "480.00", 5, "AUTHORISED"),
    ("Gilbert Green", "INV-305", "89.00", 8, "AUTHORISED"),
    ("Ana Costa", "INV-306", "35.00", 12, "AUTHORISED"),
    ("Corner Store", "INV-307", "210.00", 9, "AUTHORISED"),
    ("Bo Lindgren", "INV-308", "54.00", 14, "DRAFT"),
)


@frozen(repr=False)
class Demo:
    """The product on a simulated Xero; *books* is the hand of whoever keeps the studio's books there."""

    app: Flask
    access: Access
    simulator: Simulator
    books: Bookkeeper


@contextmanager
def demo(folder: Path, *, address: str, is_kept: bool = False) -> Iterator[Demo]:
    """
    The product, to be served at *address*, with its database in *folder*; Xero's books beside it, if *is_kept*.

    The key of what is encrypted lies there too, which is good enough for a studio that does not exist.
    """
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(folder / "xero.db" if is_kept else None))
        served = stack.enter_context(simulator.serve())
        engine = database(folder / "product.db")
        stack.callback(engine.dispose)
        back = f"{address}/settings/xero/back"
        registered = simulator.app(_APP) or simulator.register_app(_APP, redirects=[back])
        access = Access(
            app=App(registered.client_id, registered.client_secret),
            engine=engine,
            keys=KeyRing(_key(folder / "key")),
            redirect_uri=back,
            clock=simulator.clock,
            transport=simulator.transport,
            endpoints=Endpoints(login=served.url),
            consent_page=lambda url: f"{url}&prompt=consent",
        )
        app = create_app(access, company=COMPANY)
        books = _founded(simulator)
        app.register_blueprint(_bookkeeping(simulator, books))
        with Session(engine) as rows, rows.begin():
            if rows.get(Company, COMPANY) is None:
                rows.add(Company(id=COMPANY, name="Harbour Yoga", currency="NZD"))
                rows.flush()
                rows.add_all(
                    Customer(id=each, company=COMPANY, name=name, custom_identifier=known_as, email=email)
                    for each, name, known_as, email in _CUSTOMERS
                )
        yield Demo(app, access, simulator, books)


def database(file: Path) -> Engine:
    """The product's database: nobody who reads waits for somebody who writes, and who writes waits for his turn."""
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    return engine


def _key(file: Path) -> str:
    if not file.exists():
        file.write_text(KeyRing.new_key().reveal(), encoding="ascii")
        file.chmod(0o600)
    return file.read_text(encoding="ascii")


def _founded(simulator: Simulator) -> Bookkeeper:
    """The books as the studio's bookkeeper had them before the product came."""
    if simulator.organisations:
        return simulator.bookkeeper(simulator.organisations[0].id)
    books = simulator.add_organisation("Harbour Yoga Ltd")
    books.add_account("650", "Collections Clearing", type="CURRENT")
    contacts = {name: books.add_contact(name, email=email).id for name, email in _CONTACTS}
    for name, number, amount, day, status in _INVOICES:
        books.add_invoice(
            contacts[name],
            number=number,
            amount=Decimal(amount),
            date=date(2025, 12, 15),
            due=date(2026, 1, day),
            status=status,
        )
    return books


def _bookkeeping(simulator: Simulator, books: Bookkeeper) -> Blueprint:
    """The bar above the demo's pages: what the clock says, and what people do in Xero meanwhile."""
    pages = Blueprint("demo", __name__, url_prefix="/demo")

    @pages.app_context_processor
    def _() -> dict[str, object]:
        return {"demo_day": CALENDAR.today(simulator.clock.now())}

    @pages.post("/next-day")
    def next_day() -> ResponseReturnValue:
        clock = simulator.clock
        if isinstance(clock, VirtualClock):
            clock.move_to(clock.now() + timedelta(days=1))
        return redirect(forms.back_to("/"))

    @pages.post("/remove-payment")
    def remove_payment() -> ResponseReturnValue:
        sales = {each.id for each in books.invoices if each.is_sale}
        standing = [each for each in books.payments if each.status == "AUTHORISED" and each.document_id in sales]
        if not standing:
            raise Problem("There is no payment to remove", "Report a settlement to Xero first.")
        books.remove_payment(standing[-1].id)
        flash(f"In Xero, the bookkeeper has removed a payment of {standing[-1].amount}.")
        return redirect(forms.back_to("/"))

    return pages
