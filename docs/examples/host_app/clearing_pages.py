"""The clearing account, explained: what is in flight, what is not as it should be, and what can be done about it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from host_app.problems import Problem
from host_app.product import product
from xerosync import Fix

pages = Blueprint("clearing", __name__, url_prefix="/clearing")


@pages.get("")
def show() -> ResponseReturnValue:
    """The sum, each kind of discrepancy with its fixes, and the whole report."""
    with product().settling() as work:
        report = work.reconcile()
    fixes = {each.code: each.fixes for each in report.discrepancies if each.fixes}
    return render_template("clearing.html", report=report, fixes=fixes)


@pages.get("/report")
def whole_report() -> ResponseReturnValue:
    """The library's own report, as it is sent to whoever keeps the books."""
    with product().settling() as work:
        page = Response(work.reconcile().html(), mimetype="text/html")
    # It says itself what may be loaded: nothing.
    page.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
    return page


@pages.post("/fix")
def fix() -> ResponseReturnValue:
    """Put all discrepancies of one kind right, in the way that was chosen."""
    chosen = request.form.get("fix", "")
    if chosen not in list(Fix):
        raise Problem("No way to put it right was chosen", "Use one of the buttons.", "clearing.show")
    with product().settling() as work:
        done = work.put_right(request.form.get("code", ""), Fix(chosen))
    count = len(done.report.results) - len(done.report.unfinished)
    flash(f"Done: {count}." if count else "There was nothing to put right.")
    return redirect(url_for("clearing.show"))
