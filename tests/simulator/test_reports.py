"""Reports: rows of texts that people would read (F 6.192–6.195)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Row, connect, rows_of

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


@pytest.mark.rank(59)
def test_the_trial_balance_is_told_by_name_and_says_what_earlier_years_earned(product: Product) -> None:
    """F 6.193: accounts by name inside their class; ReportDate is the day it was asked for."""
    ana = product.books.add_contact("Ana")
    product.books.add_invoice(ana.id, amount=Decimal("115.00"), date=date(2025, 3, 31))
    for code in ("091", "090"):
        sale = product.books.add_invoice(ana.id, amount=Decimal("23.00"), date=date(2026, 1, 5))
        product.books.add_payment(sale.id, account=code, date=date(2026, 1, 5))

    report = product.call("GET", "Reports/TrialBalance?date=2026-01-31").one("Reports")

    parts = [row for row in rows_of(report, "Rows") if row["RowType"] == "Section"]
    assert [part["Title"] for part in parts] == ["Revenue", "Assets", "Liabilities", "Equity", ""]
    assert [cells(row)[0] for row in rows_of(parts[1], "Rows")] == [
        "Accounts Receivable (610)", "Business Bank Account (090)", "Business Savings Account (091)",
    ]  # fmt: skip
    (retained,) = rows_of(parts[3], "Rows")
    assert cells(retained) == ["Retained Earnings (960)", "", "0.00", "", "100.00"]
    named, *figures = [rows_of(cell, "Attributes") for cell in rows_of(retained, "Cells")]
    assert [one["Id"] for one in named] == ["account"]
    assert figures[0][1:] == [{"Value": "", "Id": "fromDate"}, {"Value": "03/31/2025", "Id": "toDate"}]
    assert cells(rows_of(parts[-1], "Rows")[0]) == ["Total", "46.00", "46.00", "161.00", "161.00"]
    assert report["ReportTitles"] == ["Trial Balance", product.books.organisation.name, "As at 31 January 2026"]
    today = product.books.today
    assert report["ReportDate"] == f"{today.day} {today:%B %Y}"


@pytest.mark.rank(59)
def test_on_the_cash_basis_a_sale_counts_for_what_was_paid_of_it(product: Product) -> None:
    """What is owed has not been earned; a manual journal may stay out of it (F 6.165)."""
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("115.00"))
    product.books.add_payment(sale.id, account="090", amount=Decimal("46.00"))
    note = product.books.add_credit_note(ana.id, amount=Decimal("23.00"))
    product.books.allocate(note.id, invoice_id=sale.id, amount=Decimal("23.00"))
    lines = [{"AccountCode": code, "LineAmount": amount} for code, amount in (("400", "9.00"), ("850", "-9.00"))]
    for shown in (True, False):
        fields = {"Narration": "x", "Status": "POSTED", "ShowOnCashBasisReports": shown, "JournalLines": lines}
        product.call("PUT", "ManualJournals", fields)

    told = sections(product, "TrialBalance?paymentsOnly=true")

    rows = [cells(row) for part in told[1:-1] for row in rows_of(part, "Rows")]
    assert {row[0]: row[3:] for row in rows} == {
        "Sales (200)": ["", "40.00"],
        "Advertising (400)": ["9.00", ""],
        "Business Bank Account (090)": ["46.00", ""],
        "GST (820)": ["", "6.00"],
        "Suspense (850)": ["", "9.00"],
    }


@pytest.mark.rank(59)
def test_a_bank_summary_is_of_this_month_unless_days_are_given(product: Product) -> None:
    """F 6.194, as the specification shows it."""
    report = product.call("GET", "Reports/BankSummary").one("Reports")

    first = product.books.today.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    titles = report["ReportTitles"]
    assert isinstance(titles, list)
    assert titles[-1] == f"From 1 {first:%B %Y} to {last.day} {last:%B %Y}"


def test_credits_and_foreign_sales_count_in_base_currency(product: Product) -> None:
    """F 6.195: what a contact owes is what stands on the debtors account."""
    product.books.add_currency("EUR")
    ana = product.books.add_contact("Ana")
    product.books.add_invoice(ana.id, amount=Decimal("10.00"), CurrencyCode="EUR", CurrencyRate="0.5")
    product.books.add_credit_note(ana.id, amount=Decimal("3.00"))
    product.books.add_bank_transaction(ana.id, type="RECEIVE-OVERPAYMENT", amount=Decimal("4.00"))

    *_, lines, foot = sections(product, f"AgedReceivablesByContact?contactId={ana.id}")

    assert [cells(row)[-1] for row in rows_of(lines, "Rows")] == ["20.00", "-3.00", "-4.00", "13.00"]
    assert cells(rows_of(foot, "Rows")[0])[-1] == "13.00"
    assert product.books.balance(product.books.account("610").id) == Decimal("13.00")


@pytest.mark.rank(31)
@pytest.mark.parametrize(
    ("scope", "report"),
    [
        ("accounting.reports.trialbalance.read", "TrialBalance"),
        ("accounting.reports.banksummary.read", "BankSummary"),
        ("accounting.reports.aged.read", "AgedPayablesByContact"),
    ],
)
def test_each_report_has_a_scope_and_the_broad_one_opens_all(product: Product, scope: str, report: str) -> None:
    """F 1.44, 1.45, 1.53."""
    ana = product.books.add_contact("Ana")
    path = f"Reports/{report}?contactId={ana.id}"

    assert connect(product.simulator, product.books, scope).call("GET", path).status == 200
    assert connect(product.simulator, product.books, "accounting.reports.read").call("GET", path).status == 200
    others = "accounting.invoices accounting.settings accounting.reports.profitandloss.read"
    assert connect(product.simulator, product.books, others).call("GET", path).status == 401
