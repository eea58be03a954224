"""Bills and card receipts: entered with their document, sent to Xero at once, paid."""

from __future__ import annotations

import secrets
from io import BytesIO

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from host_app import forms
from host_app.models import Paper
from host_app.problems import Problem, problem_of
from host_app.product import product
from xerosync.errors import XerosyncError

pages = Blueprint("bills", __name__, url_prefix="/bills")


@pages.get("")
def show() -> ResponseReturnValue:
    """Every bill and receipt, and the form for the next."""
    here = product()
    with here.session() as rows:
        papers = rows.scalars(
            select(Paper).filter_by(company=here.company_id).order_by(Paper.on.desc(), Paper.id)
        ).all()
    with here.paying() as work:
        return render_template(
            "bills.html",
            papers=papers,
            standing=work.standing(papers),
            categories=work.categories(),
            company=here.company,
            today=here.today,
        )


@pages.post("")
def enter() -> ResponseReturnValue:
    """Save what was entered, then send it: should Xero be away, it is sent later."""
    here = product()
    is_receipt = request.form.get("kind") == "receipt"
    if is_receipt and not here.company.payment_account:
        raise Problem("Choose the payment account first", "Receipts are booked on it.", "settings.show", status=409)
    file = request.files.get("document")
    paper = Paper(
        id=f"paper {secrets.token_hex(6)}",
        company=here.company_id,
        is_receipt=is_receipt,
        vendor=forms.text("vendor", "The vendor"),
        number=forms.text("number", "The number", longest=60),
        on=forms.day("on", "The day"),
        due=forms.optional_day("due", "The due day"),
        description=forms.text("description", "What it is for"),
        account=forms.text("account", "The category", longest=10),
        amount=forms.amount("amount", "The amount", here.company.currency),
        file_name=(file.filename or "") if file else "",
        document=file.read() if file else b"",
    )
    with here.session() as rows, rows.begin():
        rows.add(paper)
    return _send(paper.id)


@pages.post("/<paper_id>/send")
def send(paper_id: str) -> ResponseReturnValue:
    """Send it again."""
    return _send(_paper(paper_id).id)


@pages.post("/<paper_id>/pay")
def pay(paper_id: str) -> ResponseReturnValue:
    """Pay a bill today."""
    here = product()
    paper = _paper(paper_id)
    if paper.is_receipt:
        raise Problem("A receipt is paid already", "There is nothing to pay.", "bills.show")
    if not here.company.payment_account:
        raise Problem("Choose the payment account first", "Bills are paid from it.", "settings.show", status=409)
    with here.paying() as work:
        done = work.pay(paper, here.today)
    if not done.findings:
        with here.session() as rows, rows.begin():
            rows.get_one(Paper, paper_id).paid_on = here.today
    flash(str(done) or f"{paper.vendor} is paid.")
    return redirect(url_for("bills.show"))


@pages.get("/<paper_id>/document")
def document(paper_id: str) -> ResponseReturnValue:
    """The document that was uploaded."""
    paper = _paper(paper_id)
    with product().session() as rows:
        content = rows.get_one(Paper, paper_id).document
    if not content:
        raise Problem("It has no document", "None was uploaded.", "bills.show", status=404)
    return send_file(BytesIO(content), as_attachment=True, download_name=paper.file_name)


def _send(paper_id: str) -> ResponseReturnValue:
    try:
        with product().paying() as work:
            done = work.send(paper_id)
    except XerosyncError as error:
        flash(f"Saved, and not in Xero yet. {problem_of(error).text}")
    else:
        flash(str(done) or "Saved, and in Xero.")
    return redirect(url_for("bills.show"))


def _paper(paper_id: str) -> Paper:
    with product().session() as rows:
        found = rows.get(Paper, paper_id)
    if found is None or found.company != product().company_id:
        raise Problem("There is no such bill", "It may have been removed.", "bills.show", status=404)
    return found
