"""Settlements: line by line what stands in Xero, "Report to Xero", and the payout."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from host_app.models import Settlement
from host_app.problems import Problem
from host_app.product import product

pages = Blueprint("settlements", __name__, url_prefix="/settlements")


@pages.get("")
def show() -> ResponseReturnValue:
    """Every settlement, the newest first, with how it stands in Xero."""
    here = product()
    with here.session() as rows:
        found = rows.scalars(
            select(Settlement).filter_by(company=here.company_id).order_by(Settlement.on.desc(), Settlement.id.desc())
        ).all()
    return render_template("settlements.html", settlements=found)


@pages.get("/<settlement_id>")
def one(settlement_id: str) -> ResponseReturnValue:
    """One settlement, each line ticked or crossed."""
    settlement = _settlement(settlement_id)
    with product().settling() as work:
        (report,) = work.settlement_report(settlement)
    payers = {each.id: each.collection for each in settlement.lines}
    return render_template("settlement.html", settlement=settlement, report=report, payers=payers)


@pages.post("/<settlement_id>/report")
def report(settlement_id: str) -> ResponseReturnValue:
    """Report to Xero: post what is not there yet."""
    settlement = _settlement(settlement_id)
    with product().settling() as work:
        done = work.report_to_xero(settlement)
        work.follow()
    count = len(done.report.results) - len(done.report.unfinished)
    flash(f"Reported: {count} written to Xero." if count else "There was nothing left to report.")
    if done.findings:
        flash(str(done))
    return redirect(url_for("settlements.one", settlement_id=settlement_id))


@pages.post("/<settlement_id>/payout")
def pay_out(settlement_id: str) -> ResponseReturnValue:
    """The bank has paid the settlement out, less its fee."""
    here = product()
    _settlement(settlement_id)
    if not here.company.bank_account:
        raise Problem("Choose where payouts arrive first", "It is one of three accounts.", "settings.show", status=409)
    with here.session() as rows, rows.begin():
        rows.get_one(Settlement, settlement_id).paid_out_on = here.today
    return report(settlement_id)


def _settlement(settlement_id: str) -> Settlement:
    with product().session() as rows:
        found = rows.get(Settlement, settlement_id)
    if found is None or found.company != product().company_id:
        raise Problem("There is no such settlement", "It may have been removed.", "settlements.show", status=404)
    return found
