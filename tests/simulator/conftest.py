"""A product of the tests' own that calls the simulator: plain requests, nothing of the client under test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

import pytest
from attrs import field, frozen

from xerosync.ports import Request
from xerosync.simulator import DEFAULT_SCOPES, Bookkeeper, Simulator, Switches, VirtualClock

Json: TypeAlias = "dict[str, Json] | list[Json] | str | Decimal | int | bool | None"
Row: TypeAlias = dict[str, Json]
Sent: TypeAlias = dict[str, object]


@frozen
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def row(self) -> Row:
        read: Json = json.loads(self.text, parse_float=Decimal)
        assert isinstance(read, dict)
        return read

    def rows(self, plural: str) -> list[Row]:
        return rows_of(self.row, plural)

    def one(self, plural: str) -> Row:
        (row,) = self.rows(plural)
        return row

    def messages(self) -> list[str]:
        """What Xero objects to in the first refused element, as said on the element itself."""
        return [text(error, "Message") for error in rows_of(self.rows("Elements")[0], "ValidationErrors")]

    def line_messages(self) -> list[str]:
        """What Xero objects to in the lines of the first refused element."""
        lines = rows_of(self.rows("Elements")[0], "LineItems")
        bad = [line for line in lines if line.get("ValidationErrors")]
        return [text(error, "Message") for line in bad for error in rows_of(line, "ValidationErrors")]


def rows_of(row: Row, name: str) -> list[Row]:
    found = row[name]
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, dict)]


def inside(row: Row, name: str) -> Row:
    found = row[name]
    assert isinstance(found, dict)
    return found


def text(row: Row, name: str) -> str:
    found = row[name]
    assert isinstance(found, str)
    return found


@frozen
class Product:
    """An app that is connected to one organisation, and its access token."""

    simulator: Simulator
    books: Bookkeeper
    client_id: str
    client_secret: str
    access_token: str
    refresh_token: str
    tenant_id: str
    further: dict[str, str] = field(factory=dict[str, str])

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Call ``/api.xro/2.0/``*path*; header names have underscores, a blank header is not sent."""
        sent = {
            "Authorization": f"Bearer {self.access_token}",
            "Xero-Tenant-Id": self.tenant_id,
            "Accept": "application/json",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"https://api.xero.com/api.xro/2.0/{path}"
        written = b"" if body is None else json.dumps(body, default=str).encode()
        return self.send(method, url, {name: value for name, value in sent.items() if value}, written)

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        answer = self.simulator.handle(Request(method, url, headers, body))
        return Reply(answer.status, dict(answer.headers), answer.body.decode())

    def refresh(self, refresh_token: str) -> Reply:
        form = f"grant_type=refresh_token&refresh_token={refresh_token}&client_id={self.client_id}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"{form}&client_secret={self.client_secret}".encode()
        return self.send("POST", "https://identity.xero.com/connect/token", headers, body)


def connect(simulator: Simulator, books: Bookkeeper, scopes: str = DEFAULT_SCOPES) -> Product:
    app = simulator.register_app("Test product")
    tokens = simulator.consent(app, tenants=[books.tenant_id], scopes=scopes)
    return Product(
        simulator,
        books,
        app.client_id,
        app.client_secret,
        tokens.access_token,
        tokens.refresh_token,
        books.tenant_id,
    )


def make(switches: Switches | None = None, *, limits: bool = False) -> Product:
    simulator = Simulator(limits=limits, switches=switches)
    return connect(simulator, simulator.add_organisation())


def wait(product: Product, seconds: float) -> None:
    """Let *seconds* pass for the simulator and everybody in it."""
    assert isinstance(product.simulator.clock, VirtualClock)
    product.simulator.clock.advance(seconds)


@pytest.fixture
def product() -> Iterator[Product]:
    made = make()
    yield made
    made.simulator.close()


def invoice(contact_id: str, **others: object) -> Sent:
    """An approved sale of 100.00 and 15.00 tax, unless *others* say otherwise."""
    fields: Sent = {
        "Type": "ACCREC",
        "Contact": {"ContactID": contact_id},
        "DueDate": "2026-02-05",
        "Status": "AUTHORISED",
        "LineItems": [{"Description": "Work", "Quantity": "1", "UnitAmount": "100.00", "AccountCode": "200"}],
    }
    return fields | others


def payment(invoice_id: str, amount: str, **others: object) -> Sent:
    fields: Sent = {"Invoice": {"InvoiceID": invoice_id}, "Account": {"Code": "090"}, "Amount": amount}
    return fields | others
