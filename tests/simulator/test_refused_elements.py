"""What a refused element shows: all that was given, as Xero has read it, and what it could work out (F 5.36)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, inside, invoice, payment, rows_of


@pytest.mark.rank(2)
@pytest.mark.parametrize(
    ("plural", "kind"), [("Invoices", "ACCREC"), ("Invoices", "ACCPAY"), ("CreditNotes", "ACCRECCREDIT")]
)
def test_a_refused_document_is_shown_as_far_as_xero_worked_it_out(product: Product, plural: str, kind: str) -> None:
    """F 5.36: the full contact, taxes and sums, numbers as numbers; neither id nor line ids nor a number of Xero's."""
    ana = product.books.add_contact("Ana").id
    account = "200" if kind.startswith("ACCREC") else "400"
    good: Sent = {"Description": "Work", "Quantity": "2", "UnitAmount": "50", "AccountCode": account}
    sent = invoice(ana, Type=kind, Date="2026-01-05", CurrencyCode="EUR", LineItems=[good])

    row = product.call("PUT", plural, sent).rows("Elements")[0]

    assert row[f"{plural.removesuffix('s')}ID"] == "00000000-0000-0000-0000-000000000000"
    assert not {"InvoiceNumber", "CreditNoteNumber"} & set(row)
    assert inside(row, "Contact")["Name"] == "Ana"
    assert (row["DateString"], row["DueDate"]) == ("2026-01-05T00:00:00", "/Date(1770249600000+0000)/")
    assert (row["SubTotal"], row["TotalTax"], row["Total"]) == (Decimal(100), Decimal(15), Decimal(115))
    (line,) = rows_of(row, "LineItems")
    assert (line["Quantity"], line["UnitAmount"], line["TaxAmount"]) == (Decimal(2), Decimal(50), Decimal(15))
    assert line["AccountID"] == product.books.account(account).id
    assert "LineItemID" not in line


@pytest.mark.rank(2, 50)
def test_a_line_that_cannot_be_read_is_shown_as_given_beside_those_that_can(product: Product) -> None:
    """F 5.36, 5.41."""
    ana = product.books.add_contact("Ana").id
    lines: list[Sent] = [
        {"Description": "Work", "UnitAmount": "50", "AccountCode": "200", "LineItemID": ana},
        {"Description": "Work", "Quantity": "1", "UnitAmount": "5", "LineAmount": "9", "AccountCode": "200"},
    ]

    reply = product.call("PUT", "Invoices", invoice(ana, LineItems=lines))

    row = reply.rows("Elements")[0]
    first, second = rows_of(row, "LineItems")
    assert (first["TaxAmount"], "LineItemID" in first) == (Decimal("7.5"), False)
    assert (second["LineAmount"], "TaxAmount" in second, "Total" in row) == (Decimal(9), False, False)
    assert reply.line_messages() == ["The line total 9 does not match the expected line total 5.00"]


@pytest.mark.rank(2)
def test_a_refused_payment_is_shown_in_numbers_and_has_no_id(product: Product) -> None:
    """F 5.36, A.05."""
    ana = product.books.add_contact("Ana").id
    sale = product.books.add_invoice(ana, amount=Decimal(10)).id

    row = product.call("PUT", "Payments", payment(sale, "99", Date="2026-01-05")).rows("Elements")[0]

    assert (row["Amount"], row["Date"], "PaymentID" in row) == (Decimal(99), "/Date(1767571200000+0000)/", False)
