"""Collections: what is asked of whom and when, what the bank answered, and what it took back."""

from __future__ import annotations

from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from host_app import forms
from host_app.bank import settle, take_back
from host_app.models import Collection, Customer
from host_app.problems import Problem
from host_app.product import product
from xerosync import LineKind, TransactionStatus

pages = Blueprint("collections", __name__, url_prefix="/collections")


@pages.get("")
def show() -> ResponseReturnValue:
    """Every collection, the next day's first."""
    here = product()
    with here.session() as rows:
        found = rows.scalars(
            select(Collection).filter_by(company=here.company_id).order_by(Collection.on, Collection.comment)
        ).all()
        customers = rows.scalars(select(Customer).filter_by(company=here.company_id).order_by(Customer.name)).all()
    return render_template("collections.html", collections=found, customers=customers, today=here.today)


@pages.post("/by-hand")
def by_hand() -> ResponseReturnValue:
    """Ask a customer for money without an invoice: xerosync does not know of it until it is linked to one."""
    here = product()
    amount = forms.amount("amount", "The amount", here.company.currency)
    comment = forms.text("comment", "What for", longest=100)
    with here.session() as rows, rows.begin():
        customer = rows.get(Customer, request.form.get("customer", ""))
        if customer is None or customer.company != here.company_id:
            raise Problem("No customer was chosen", "Go back and choose who is asked.")
        made = Collection(id=f"by hand {uuid4()}", company=here.company_id, comment=comment, amount=amount)
        made.customer, made.due, made.on = customer, here.today, here.today
        rows.add(made)
    flash(f"{customer.name} is asked for it today.")
    return redirect(url_for("collections.show"))


@pages.post("/link/<path:collection_id>")
def link(collection_id: str) -> ResponseReturnValue:
    """Say which invoice a collection that was asked for by hand pays, so that its settlement can be reported."""
    number = forms.text("invoice", "The invoice's number")
    with product().session() as rows:
        _collection(rows, collection_id)
    with product().collecting() as work:
        done = work.link(collection_id, number)
    flash(str(done) or f"It pays invoice {number}. Report the settlement again.")
    return redirect(forms.back_to(url_for("collections.show")))


@pages.post("/answer")
def answer() -> ResponseReturnValue:
    """The bank's answer to what it was asked to collect, in the place of its file: a settlement comes of it."""
    here = product()
    chosen = forms.ticked("collection", "collection")
    came_in = request.form.get("answer") == "came in"
    kind = LineKind.COLLECTED if came_in else LineKind.DECLINED
    with here.session() as rows, rows.begin():
        collections = [_due(rows, each) for each in chosen]
        settlement = settle(rows, here.company, collections, kind=kind, on=here.today)
        settlement_id = settlement.id
    return redirect(url_for("settlements.one", settlement_id=settlement_id))


@pages.post("/back/<path:collection_id>")
def back(collection_id: str) -> ResponseReturnValue:
    """Money that had come in was taken back by the bank, or refunded."""
    here = product()
    kind = LineKind.REFUNDED if request.form.get("kind") == "refunded" else LineKind.CHARGED_BACK
    amount = forms.amount("amount", "The amount", here.company.currency)
    with here.session() as rows, rows.begin():
        collection = _collection(rows, collection_id)
        if collection.status is not TransactionStatus.APPROVED:
            raise Problem("Nothing came in for it", "Only money that was collected can go back.", "collections.show")
        if amount > collection.amount:
            raise Problem("That is more than came in", f"At most {collection.amount} can go back.")
        settlement_id = take_back(rows, here.company, collection, kind=kind, amount=amount, on=here.today).id
    return redirect(url_for("settlements.one", settlement_id=settlement_id))


@pages.post("/delete/<path:collection_id>")
def delete(collection_id: str) -> ResponseReturnValue:
    """Delete a collection that was not sent yet; its invoice may be imported again."""
    here = product()
    with here.session() as rows, rows.begin():
        collection = _collection(rows, collection_id)
        if collection.status is not TransactionStatus.FUTURE:
            raise Problem("It was sent to the bank", "Only a future collection can be deleted.", "collections.show")
        collection.status = TransactionStatus.DELETED
    with here.collecting() as work:
        work.follow()
    flash("The collection is deleted. Its invoice can be imported again.")
    return redirect(url_for("collections.show"))


@pages.post("/follow")
def follow() -> ResponseReturnValue:
    """Take over what was edited in Xero, where the customer's policy says so."""
    with product().collecting() as work:
        plan = work.follow()
    flash(f"{len(plan)} changed since the last time." if plan else "Nothing has changed in Xero.")
    for finding in plan.findings:
        flash(f"{finding.cause[:1].upper()}{finding.cause[1:]}: {finding.fix}.")
    return redirect(url_for("collections.show"))


def _collection(rows: Session, collection_id: str) -> Collection:
    found = rows.get(Collection, collection_id)
    if found is None or found.company != product().company_id:
        raise Problem("There is no such collection", "It may have been removed.", "collections.show", status=404)
    return found


def _due(rows: Session, collection_id: str) -> Collection:
    found = _collection(rows, collection_id)
    if found.status is not TransactionStatus.FUTURE or found.on is None or found.on > product().today:
        raise Problem(f"{found.comment} is not with the bank", "Choose collections that are due today.")
    return found
