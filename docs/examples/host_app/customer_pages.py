"""Customers: how each stands towards the contacts in Xero, connect, choose, and how invoices are imported."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from host_app import forms
from host_app.models import Customer
from host_app.outcomes import Done
from host_app.problems import Problem
from host_app.product import product
from xerosync import ImportPolicy, MatchStatus

pages = Blueprint("customers", __name__, url_prefix="/customers")


@pages.get("")
def show() -> ResponseReturnValue:
    """Every customer with a status."""
    with product().collecting() as work:
        matches, policies = work.review(), work.policies()
    found = sum(each.status is MatchStatus.MATCH_FOUND for each in matches)
    return render_template("customers.html", matches=matches, policies=policies, found=found, by_hand=_BY_HAND)


@pages.post("/connect")
def connect() -> ResponseReturnValue:
    """Connect all customers that a match was found for."""
    with product().collecting() as work:
        done = work.connect_matches()
    count = done.report.done("customer")
    flash(f"{count} customer{'s are' if count != 1 else ' is'} connected.")
    return redirect(url_for("customers.show"))


@pages.get("/<customer_id>")
def one(customer_id: str) -> ResponseReturnValue:
    """One customer: why it stands as it does, and what can be done."""
    customer = _customer(customer_id)
    with product().collecting() as work:
        match = next(each for each in work.review() if each.customer.id == customer_id)
        policy = work.policies().get(customer_id, _BY_HAND)
    return render_template("customer.html", customer=customer, match=match, policy=policy, policies=ImportPolicy)


@pages.post("/<customer_id>/identifier")
def identify(customer_id: str) -> ResponseReturnValue:
    """Change the custom identifier, by which the customer is found in Xero."""
    identifier = forms.text("custom_identifier", "The custom identifier")
    with product().session() as rows, rows.begin():
        rows.get_one(Customer, _customer(customer_id).id).custom_identifier = identifier
    flash("The custom identifier is saved.")
    return redirect(url_for("customers.one", customer_id=customer_id))


@pages.post("/<customer_id>/link")
def link(customer_id: str) -> ResponseReturnValue:
    """Connect the customer to the contact that was chosen."""
    _customer(customer_id)
    contact = request.form.get("contact", "")
    if not contact:
        raise Problem("No contact was chosen", "Go back and pick one.")
    with product().collecting() as work:
        return _done(customer_id, work.connect(customer_id, contact), "The customer is connected.")


@pages.post("/<customer_id>/unlink")
def unlink(customer_id: str) -> ResponseReturnValue:
    """Take the customer and its contact apart."""
    _customer(customer_id)
    with product().collecting() as work:
        return _done(customer_id, work.unlink(customer_id), "The customer is not connected any more.")


@pages.post("/<customer_id>/create")
def create(customer_id: str) -> ResponseReturnValue:
    """Create a contact for the customer in Xero."""
    customer = _customer(customer_id)
    with product().collecting() as work:
        return _done(customer_id, work.create_contact(customer), "The contact was created, and is connected.")


@pages.post("/<customer_id>/policy")
def policy(customer_id: str) -> ResponseReturnValue:
    """Choose how the customer's invoices are imported."""
    _customer(customer_id)
    with product().collecting() as work:
        return _done(customer_id, work.set_policy(customer_id, request.form.get("policy", "")), "Saved.")


@pages.post("/<customer_id>/details")
def details(customer_id: str) -> ResponseReturnValue:
    """Let the customer's details follow the contact in Xero, or not; what has changed by now is taken over at once."""
    follows = request.form.get("follows") == "yes"
    with product().session() as rows, rows.begin():
        rows.get_one(Customer, _customer(customer_id).id).follows_xero = follows
    if follows:
        with product().collecting() as work:
            work.update_customers([customer_id])
    flash("Its details follow Xero." if follows else "Its details do not follow Xero any more.")
    return redirect(url_for("customers.one", customer_id=customer_id))


@pages.post("/update")
def update() -> ResponseReturnValue:
    """What a worker does several times a day: take over what has changed of the customers whose details follow."""
    here = product()
    with here.session() as rows:
        ids = rows.scalars(select(Customer.id).filter_by(company=here.company_id, follows_xero=True)).all()
    with here.collecting() as work:
        count = work.update_customers(ids)
    flash(f"{count} customer{'s have' if count != 1 else ' has'} changed in Xero." if count else "Nothing has changed.")
    return redirect(url_for("customers.show"))


_BY_HAND = ImportPolicy.BY_HAND


def _customer(customer_id: str) -> Customer:
    with product().session() as rows:
        found = rows.get(Customer, customer_id)
    if found is None or found.company != product().company_id:
        raise Problem("There is no such customer", "It may have been removed.", "customers.show", status=404)
    return found


def _done(customer_id: str, done: Done, said: str) -> ResponseReturnValue:
    flash(str(done) or said)
    return redirect(url_for("customers.one", customer_id=customer_id))
