"""The web application: its pages, its forms' tokens, and how it answers when something goes wrong."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path

from flask import Flask, Response, abort, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from host_app import (
    bill_pages,
    clearing_pages,
    collection_pages,
    customer_pages,
    invoice_pages,
    overview_pages,
    settings_pages,
    settlement_pages,
)
from host_app.access import Access
from host_app.models import Table
from host_app.problems import Problem, problem_of
from host_app.product import KEY, Product
from xerosync import Money
from xerosync.errors import XerosyncError

_LARGEST_UPLOAD = 10 * 1024 * 1024
_SAID = {
    404: ("That page is not here", "The address may have changed. The menu leads everywhere."),
    405: ("That is no page to open", "Use the button that leads there."),
    413: ("That document is too large", "It may have up to 10 MB. Go back and choose a smaller one."),
}
_PAGES = (
    overview_pages,
    settings_pages,
    customer_pages,
    invoice_pages,
    collection_pages,
    settlement_pages,
    bill_pages,
    clearing_pages,
)


def create_app(access: Access, *, company: str) -> Flask:
    """The product, serving *company*: who signed in is somebody else's example."""
    app = Flask(__name__, root_path=str(Path(__file__).parent))
    # Sessions end with the process here; a real product keeps its key where it keeps passwords.
    app.config.update(
        SECRET_KEY=secrets.token_hex(32),
        MAX_CONTENT_LENGTH=_LARGEST_UPLOAD + 100_000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    Table.metadata.create_all(access.engine)
    app.extensions[KEY] = Product(access, company)
    for pages in _PAGES:
        app.register_blueprint(pages.pages)
    app.before_request(_check_form)
    app.after_request(_guard)
    app.register_error_handler(Problem, _show)
    app.register_error_handler(XerosyncError, lambda error: _show(problem_of(error)))
    app.register_error_handler(HTTPException, _show_http)
    app.jinja_env.globals["form_token"] = _form_token
    app.jinja_env.filters |= {"money": _money, "day": _day}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app


def _form_token() -> str:
    """What every form of this visitor carries, and no other site can know."""
    if "form" not in session:
        session["form"] = secrets.token_urlsafe(24)
    return str(session["form"])


def _check_form() -> None:
    if request.method == "POST" and not secrets.compare_digest(request.form.get("token", ""), _form_token()):
        abort(400, "This form is from another visit. Go back, load the page again, and send it once more.")


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; frame-ancestors 'self'")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store" if request.endpoint != "static" else "max-age=3600"
    return response


def _show(problem: Problem) -> ResponseReturnValue:
    return render_template("problem.html", problem=problem), problem.status


def _show_http(error: HTTPException) -> ResponseReturnValue:
    title, text = _SAID.get(error.code or 500, (error.name, error.description or ""))
    return _show(Problem(title, text, status=error.code or 500))


def _money(amount: Money | None) -> str:
    return "" if amount is None else f"{amount.amount:,.2f} {amount.currency}"


def _day(on: date | None) -> str:
    return "" if on is None else f"{on.day} {on:%b %Y}"
