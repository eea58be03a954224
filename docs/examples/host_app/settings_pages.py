"""Settings, Xero: connect, choose the accounts, see how the connection is, disconnect."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from host_app.models import Company, Errand
from host_app.problems import Problem, problem_of
from host_app.product import product
from xerosync import ClearingChoice, ConnectionState, ConsentRequest, Doctor, Eligibility
from xerosync.errors import XerosyncError

pages = Blueprint("settings", __name__, url_prefix="/settings/xero")

_EXPENSES = frozenset({"EXPENSE", "DIRECTCOSTS", "OVERHEADS"})


@pages.get("")
def show() -> ResponseReturnValue:
    """The connection, and the accounts that were chosen."""
    here = product()
    company = here.company
    connection = here.access.connection_of(company.id)
    choices: Sequence[ClearingChoice] = ()
    trouble = None
    if connection is not None and connection.state is ConnectionState.CONNECTED:
        try:
            with here.collecting() as work:
                choices = work.clearing_choices()
        except XerosyncError as error:
            trouble = problem_of(error)
    return render_template(
        "settings.html",
        company=company,
        connection=connection,
        is_connected=connection is not None and connection.state is ConnectionState.CONNECTED and trouble is None,
        trouble=trouble,
        needs=here.access.asked_for(),
        choices=sorted(choices, key=lambda each: list(Eligibility).index(each.answer)),
        banks=[each.account for each in choices if _is_active(each) and each.account.type == "BANK"],
        expenses=[each.account for each in choices if _is_active(each) and each.account.type in _EXPENSES],
    )


@pages.post("/connect")
def connect() -> ResponseReturnValue:
    """Send the browser to Xero; what must be known when it comes back stays on the server."""
    here = product()
    asked = here.access.leave_for_xero()
    errand = secrets.token_urlsafe(24)
    with here.session() as rows, rows.begin():
        rows.add(Errand(id=errand, company=here.company_id, request=asked.to_json()))
    session["errand"] = errand
    return redirect(here.access.consent_page(asked.url), 303)


@pages.get("/back")
def back() -> ResponseReturnValue:
    """Where Xero sends the browser back to. The kept request serves once."""
    here = product()
    with here.session() as rows, rows.begin():
        errand = rows.get(Errand, session.pop("errand", ""))
        if errand is None or errand.company != here.company_id:
            raise Problem("Nobody left for Xero from here", "Start again with the button.", "settings.show")
        kept = errand.request
        rows.delete(errand)
    here.access.come_back(here.company_id, ConsentRequest.from_json(kept), request.url)
    flash("Xero is connected.")
    return redirect(url_for("settings.show"))


@pages.post("/clearing")
def choose_clearing() -> ResponseReturnValue:
    """Keep the clearing account that the user picked, and enable payments on it where that is all it lacks."""
    here = product()
    code = request.form.get("account", "")
    with here.collecting() as work:
        choice = next((each for each in work.clearing_choices() if code and each.account.code == code), None)
    if choice is None:
        raise Problem("No clearing account was chosen", "Pick one from the list.", "settings.show")
    if choice.answer is Eligibility.REFUSED:
        text = f"{choice.account.name}: {choice.reason}. Pick one that is marked eligible."
        raise Problem("That account cannot be the clearing account", text, "settings.show")
    _keep(clearing_account=code)
    with here.collecting() as work:
        enabled = work.prepare()
    flash(
        f"Settlements go into {choice.account.name}."
        + (" Payments are enabled on it now." if enabled.report.results else "")
    )
    return redirect(url_for("settings.show"))


@pages.post("/accounts")
def choose_accounts() -> ResponseReturnValue:
    """Keep where payouts arrive, where fees are booked, and what bills are paid from."""
    with product().collecting() as work:
        codes = {each.account.code for each in work.clearing_choices() if _is_active(each)}
    chosen = {name: request.form.get(name, "") for name in ("bank_account", "fee_account", "payment_account")}
    if not set(chosen.values()) <= codes:
        raise Problem("An account is missing", "Choose all three from the lists.", "settings.show")
    _keep(**chosen)
    flash("The accounts are saved.")
    return redirect(url_for("settings.show"))


@pages.get("/disconnect")
def ask_to_disconnect() -> ResponseReturnValue:
    """Ask before the connection ends."""
    connection = product().access.connection_of(product().company_id)
    if connection is None:
        raise Problem("Xero is not connected", "There is nothing to disconnect.", "settings.show")
    return render_template("disconnect.html", connection=connection)


@pages.post("/disconnect")
def disconnect() -> ResponseReturnValue:
    """End the connection at Xero and here; links and settings stay, and are found again."""
    here = product()
    with here.access.xero_of(here.company_id) as xero:
        xero.disconnect()
    flash("Xero is disconnected. Your links are kept.")
    return redirect(url_for("settings.show"))


@pages.get("/check-up")
def check_up() -> ResponseReturnValue:
    """What the doctor finds: of the connection, the accounts, the lock dates."""
    here = product()
    company = here.company
    with here.access.xero_of(company.id) as xero:
        doctor = Doctor(
            xero,
            features=("receivables", "payables", "clearing balance"),
            clearing_account=company.clearing_account or None,
            payment_account=company.payment_account or None,
            currencies=[company.currency],
            earliest=here.today,
        )
        return render_template("check_up.html", checkup=doctor.examine())


def _keep(**chosen: str) -> None:
    here = product()
    with here.session() as rows, rows.begin():
        company = rows.get_one(Company, here.company_id)
        for name, code in chosen.items():
            setattr(company, name, code)


def _is_active(choice: ClearingChoice) -> bool:
    return choice.account.status == "ACTIVE" and bool(choice.account.code)
