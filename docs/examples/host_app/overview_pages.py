"""The first page: how far the connection has come, and what is to do next."""

from __future__ import annotations

from collections import Counter

from attrs import frozen
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from host_app.models import Collection, Customer, Settlement
from host_app.product import product
from xerosync import ConnectionState

pages = Blueprint("overview", __name__)


@frozen
class Step:
    """One step of the way: what it is *called*, what it *says*, the page it is done on, and whether it *is_done*."""

    called: str
    says: str
    endpoint: str
    is_done: bool


@pages.get("/")
def show() -> ResponseReturnValue:
    """The way from a new account to a clearing account that explains itself."""
    here = product()
    company, connection = here.company, here.access.connection_of(here.company_id)
    with here.session() as rows:
        collections = rows.scalars(select(Collection).filter_by(company=company.id)).all()
        customers = rows.scalars(select(Customer).filter_by(company=company.id)).all()
        settled = rows.scalars(select(Settlement).filter_by(company=company.id)).first()
    connected = sum(each.is_connected for each in customers)
    is_connected = connection is not None and connection.state is ConnectionState.CONNECTED
    accounts = (company.clearing_account, company.bank_account, company.fee_account, company.payment_account)
    steps = (
        Step("Connect Xero", "Sign in at Xero and let Paua in.", "settings.show", is_connected),
        Step("Choose your accounts", "The clearing account first: money waits there.", "settings.show", all(accounts)),
        Step(
            "Connect customers", f"{connected} of {len(customers)} have their contact.", "customers.show", connected > 0
        ),
        Step("Import invoices", "Each becomes a collection.", "invoices.show", bool(collections)),
        Step("Settle", "Report what came in, and mark invoices paid.", "settlements.show", settled is not None),
    )
    counts = Counter(each.status.value for each in collections)
    return render_template("overview.html", company=company, connection=connection, steps=steps, counts=counts)
