"""A user of the host product of the examples, without a browser."""

from __future__ import annotations

import html
import re
from decimal import Decimal

from attrs import frozen
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from host_app.demo import Demo
from xerosync.ports import Request
from xerosync.simulator import Bookkeeper, Document

PAGES = (
    "/",
    "/customers",
    "/customers/c-1",
    "/invoices",
    "/collections",
    "/settlements",
    "/clearing",
    "/clearing/report",
    "/bills",
    "/settings/xero",
    "/settings/xero/check-up",
    "/settings/xero/disconnect",
)
ACCOUNTS = {"bank_account": "090", "fee_account": "404", "payment_account": "090"}
BILL = {
    "kind": "bill",
    "vendor": "Kauri Timber Ltd",
    "number": "7781",
    "amount": "402.50",
    "on": "2026-01-05",
    "account": "453",
    "description": "Bolsters and blocks",
}


@frozen
class Answer:
    """What a page answers: its status, where the visitor ends up, and what can be read there."""

    status: int
    path: str
    text: str
    markup: str


class Visitor:
    """A user of the product, without a browser."""

    def __init__(self, product: Demo) -> None:
        self.product = product
        self.client: FlaskClient = product.app.test_client()

    @property
    def books(self) -> Bookkeeper:
        return self.product.books

    def open(self, path: str) -> Answer:
        return self._read(self.client.get(path, follow_redirects=True))

    def send(self, path: str, **fields: object) -> Answer:
        fields = {"token": self.token(), **fields}
        kind = "multipart/form-data"
        return self._read(self.client.post(path, data=fields, content_type=kind, follow_redirects=True))

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.open("/settings/xero/disconnect").markup)
        found = found or re.search(r'name="token" value="([^"]+)"', self.open("/settings/xero").markup)
        assert found is not None
        return found[1]

    def boxes(self, path: str, name: str) -> dict[str, str]:
        """The boxes *name* on the page at *path*: what each is for, by what it is called."""
        pattern = rf'<input type="checkbox"[^>]*name="{name}"\s+value="([^"]+)"\s+aria-label="([^"]+)"'
        return {html.unescape(called): value for value, called in re.findall(pattern, self.open(path).markup)}

    def leave(self) -> str:
        """Press "Connect to Xero"; where the browser is sent."""
        left = self.client.post("/settings/xero/connect", data={"token": self.token()})
        return left.headers["Location"].removesuffix("&prompt=consent")

    def consent(self, url: str) -> str:
        """Let the product in at Xero; where the browser is sent back to."""
        answer = self.product.simulator.handle(Request("GET", url))
        return answer.headers["location"].removeprefix("http://localhost")

    def connect(self) -> Answer:
        return self.open(self.consent(self.leave()))

    def set_up(self) -> None:
        """Connect, and choose all accounts."""
        self.connect()
        self.send("/settings/xero/clearing", account="650")
        self.send("/settings/xero/accounts", **ACCOUNTS)

    def collect(self, *numbers: str) -> Answer:
        """Connect customers, import the invoices of these *numbers*, and say that their money came in."""
        self.send("/customers/connect")
        invoices = self.boxes("/invoices", "invoice")
        self.send("/invoices/import", invoice=[invoices[number] for number in numbers])
        due = self.boxes("/collections", "collection")
        chosen = [due[f"Invoice {number}"] for number in numbers]
        return self.send("/collections/answer", collection=chosen, answer="came in")

    def invoice(self, number: str) -> Document:
        (found,) = [each for each in self.books.invoices if each.number == number]
        return found

    def balance(self, code: str) -> Decimal:
        return self.books.balance(self.books.account(code).id)

    def _read(self, answer: TestResponse) -> Answer:
        markup = answer.get_data(as_text=True)
        shown = re.sub(r"<header.*?</header>|<style.*?</style>", "", markup, flags=re.DOTALL)
        text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())
        return Answer(answer.status_code, answer.request.path, text, markup)
