"""Invoices in Xero: what would become of each and why not, imported by hand or by themselves."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from host_app import forms
from host_app.product import product
from xerosync import ImportInvoice, Plan

pages = Blueprint("invoices", __name__, url_prefix="/invoices")


@pages.get("")
def show() -> ResponseReturnValue:
    """Every open invoice with a box to tick, or with the reason why it has none."""
    due_from = forms.optional_day("due_from", "The day")
    with product().collecting() as work:
        preview = work.preview(due_from)
    return render_template("invoices.html", preview=preview, due_from=due_from)


@pages.post("/import")
def import_chosen() -> ResponseReturnValue:
    """Make collections of the invoices that were ticked."""
    chosen = forms.ticked("invoice", "invoice")
    with product().collecting() as work:
        return _told(work.import_invoices(chosen))


@pages.post("/automatic")
def import_automatically() -> ResponseReturnValue:
    """What a worker does several times a day: customers set to automatic import."""
    with product().collecting() as work:
        return _told(work.import_invoices(automatic=True))


def _told(plan: Plan) -> ResponseReturnValue:
    count = len(plan.of(ImportInvoice))
    flash(f"{count} invoice{'s were' if count != 1 else ' was'} imported.")
    for cause in plan.causes:
        flash(f"{cause.cause[:1].upper()}{cause.cause[1:]}: {cause.fix}.")
    return redirect(url_for("collections.show"))
