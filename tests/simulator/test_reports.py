"""Reports: rows of texts that people would read (F 6.192–6.195)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Row, rows_of

from xerosync.simulator import Document


def cells(row: Row) -> list[object]:
    return [cell["Value"] for cell in rows_of(row, "Cells")]


def sections(product: Product, path: str) -> list[Row]:
    return rows_of(product.call("GET", f"Reports/{path}").one("Reports"), "Rows")


@pytest.fixture
def sale(product: Product) -> Document:
    ana = product.books.add_contact("Ana")
    made = product.books.add_invoice(ana.id, amount=Decimal("115.00"), date=date(2025, 12, 1), due=date(2025, 12, 15))
    product.books.add_payment(made.id, account="090", amount=Decimal("15.00"), date=date(2025, 12, 20))
    product.books.add_payment(made.id, account="090", amount=Decimal("40.00"), date=date(2026, 1, 4))
    return made


@pytest.mark.rank(59)
@pytest.mark.usefixtures("sale")
def test_the_bank_summary_tells_what_came_in_and_went_out(product: Product) -> None:
    """F 6.194: the first cell names its account otherwise than the rest."""
    product.books.add_transfer(from_bank="090", to_bank="091", amount=Decimal("10.00"), date=date(2026, 1, 5))

    head, body = sections(product, "BankSummary?fromDate=2026-01-01&toDate=2026-01-31")

    assert cells(head) == ["Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance"]
    first, second, foot = rows_of(body, "Rows")
    assert cells(first)[1:] == ["15.00", "40.00", "10.00", "45.00"]
    assert cells(second)[1:] == ["0.00", "10.00", "0.00", "10.00"]
    assert cells(foot) == ["Total", "15.00", "50.00", "10.00", "55.00"]
    ids = [
        [one["Id"] for one in rows_of(cell, "Attributes")] for cell in rows_of(first, "Cells") if "Attributes" in cell
    ]
    assert ids == [["accountID"], ["account"], ["account"]]


def test_what_a_contact_owes_is_told_as_at_a_day(product: Product, sale: Document) -> None:
    """F 6.195."""
    path = f"AgedReceivablesByContact?contactId={sale.contact_id}"

    early = sections(product, f"{path}&date=2025-12-31")
    late = sections(product, f"{path}&date=2026-01-10")

    assert cells(rows_of(early[2], "Rows")[0])[3:] == ["16 days overdue", "115.00", "15.00", "0.00", "100.00"]
    assert cells(rows_of(late[2], "Rows")[0])[3:] == ["26 days overdue", "115.00", "55.00", "0.00", "60.00"]
    assert cells(rows_of(late[-1], "Rows")[0])[-1] == "60.00"
    bills = sections(product, f"AgedPayablesByContact?contactId={sale.contact_id}")
    assert cells(rows_of(bills[-1], "Rows")[0])[-1] == "0.00"


@pytest.mark.parametrize("query", ["", "?contactId=5b96e86b-418e-48e8-8949-308c14aec278", "?contactId=x"])
def test_an_aged_report_needs_a_contact_that_is_there(product: Product, query: str) -> None:
    reply = product.call("GET", f"Reports/AgedReceivablesByContact{query}")

    assert reply.status == 400
    assert reply.row["ErrorNumber"] in {10, 17}


def test_days_of_a_report_must_be_days(product: Product) -> None:
    for path in (
        "TrialBalance?date=soon",
        "BankSummary?fromDate=2026-02-30",
        "BankSummary?fromDate=2026-02-02&toDate=2026-01-01",
    ):
        assert product.call("GET", f"Reports/{path}").status == 400
