"""What the host product of the examples says of what cannot be: a page that can be read, and nothing in the books."""

from __future__ import annotations

from io import BytesIO

import pytest
from tests.examples.visitor import ACCOUNTS, BILL, Visitor

from xerosync.simulator import Fault


@pytest.mark.parametrize(
    "path",
    [
        "/customers/no-one",
        "/settlements/none",
        "/bills/none/document",
        "/nothing",
        "/customers/%00",
        "/settlements/%27",
    ],
)
def test_what_is_not_there_is_said_on_a_page(settled_in: Visitor, path: str) -> None:
    answer = settled_in.open(path)

    assert (answer.status, "<h1>" in answer.markup) == (404, True)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/customers/no-one/link", {"contact": "c"}),
        ("/customers/c-1/link", {}),
        ("/customers/c-1/link", {"contact": "no such contact"}),
        ("/customers/c-1/unlink", {}),
        ("/customers/c-1/identifier", {"custom_identifier": " "}),
        ("/customers/c-1/identifier", {"custom_identifier": "x" * 300}),
        ("/customers/c-1/policy", {"policy": "now and then"}),
        ("/customers/c-1/policy", {"policy": "automatic"}),
        ("/invoices/import", {}),
        ("/invoices/import", {"invoice": "no such invoice"}),
        ("/collections/answer", {}),
        ("/collections/answer", {"collection": "none"}),
        ("/collections/back/none", {"amount": "1.00"}),
        ("/collections/delete/none", {}),
        ("/settlements/none/report", {}),
        ("/settlements/none/payout", {}),
        ("/clearing/fix", {"code": "removed in Xero", "fix": "wish it away"}),
        ("/clearing/fix", {}),
        ("/settings/xero/accounts", {}),
        ("/settings/xero/accounts", ACCOUNTS | {"fee_account": "nowhere"}),
        ("/bills/none/pay", {}),
        ("/bills/none/send", {}),
        ("/demo/remove-payment", {}),
    ],
)
def test_what_cannot_be_is_said_on_a_page_and_changes_no_books(
    settled_in: Visitor, path: str, fields: dict[str, str]
) -> None:
    before = settled_in.books.ledger

    answer = settled_in.send(path, **fields)

    assert answer.status < 500
    assert len(answer.text) > 40
    assert settled_in.books.ledger == before


@pytest.mark.parametrize("amount", ["", "0", "-5", "12.345", "1e5", "NaN", "twelve", "9" * 30, "１２", "1,000.00", " "])
def test_an_amount_that_cannot_be_is_named_and_nothing_is_saved(settled_in: Visitor, amount: str) -> None:
    answer = settled_in.send("/bills", **BILL | {"amount": amount})

    assert (answer.status, "The amount is not an amount" in answer.text) == (400, True)
    assert "Nothing yet." in settled_in.open("/bills").text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("on", "tomorrow"),
        ("on", ""),
        ("on", "0001-01-01"),
        ("due", "31.12."),
        ("vendor", ""),
        ("number", "\x00"),
        ("account", ""),
    ],
)
def test_a_bill_that_cannot_be_is_not_saved(settled_in: Visitor, field: str, value: str) -> None:
    assert settled_in.send("/bills", **BILL | {field: value}).status == 400
    assert "Nothing yet." in settled_in.open("/bills").text


def test_a_bill_on_an_account_that_is_not_there_stays_here_with_the_reason(visitor: Visitor) -> None:
    visitor.set_up()

    answer = visitor.send("/bills", **BILL | {"account": "99999"})

    assert "99999" in answer.text
    assert [each for each in visitor.books.invoices if not each.is_sale] == []


def test_a_document_that_is_too_large_is_said_on_a_page(settled_in: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settled_in.product.app.config, "MAX_CONTENT_LENGTH", 10_000)

    answer = settled_in.send("/bills", **BILL, document=(BytesIO(b"x" * 20_000), "7781.pdf"))

    assert (answer.status, "up to 10 MB" in answer.text) == (413, True)
    assert "Nothing yet." in settled_in.open("/bills").text


def test_a_document_that_xero_does_not_take_leaves_the_bill_in_xero_and_says_so(visitor: Visitor) -> None:
    visitor.set_up()

    answer = visitor.send("/bills", **BILL, document=(BytesIO(b"MZ"), "7781.exe"))

    assert "AUTHORISED" in answer.text
    assert "Xero takes files that end in" in answer.text


def test_more_than_came_in_cannot_go_back(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")

    answer = visitor.send(f"/collections/back/{visitor.invoice('INV-301').id}", amount="90.00")

    assert (answer.status, "more than came in" in answer.text) == (400, True)


def test_what_is_not_due_yet_is_not_collected(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    invoice = visitor.boxes("/invoices", "invoice")["INV-306"]
    visitor.send("/invoices/import", invoice=invoice)

    assert visitor.send("/collections/answer", collection=invoice, answer="came in").status == 400
    for _ in range(7):
        visitor.send("/demo/next-day")

    assert visitor.send("/collections/answer", collection=invoice, answer="came in").status == 200


def test_xero_that_is_away_is_said_on_a_page(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.product.simulator.faults.plan(Fault.MAINTENANCE, path="/Contacts", times=50)

    answer = visitor.open("/customers")

    assert (answer.status, "Nothing is lost" in answer.text) == (503, True)
    visitor.product.simulator.faults.clear()


def test_a_name_cannot_become_markup(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/c-6/identifier", custom_identifier="<script>alert(1)</script>")
    visitor.send("/customers/c-6/create")

    assert "<script>" not in visitor.open("/customers").markup
    assert "<script>" not in visitor.open("/customers/c-6").markup
