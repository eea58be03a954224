"""Batch payments: one line at the bank, several payments in the books (facts 6g)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, inside, payment, rows_of, text


def batch(amounts: dict[str, str], **others: object) -> Sent:
    rows = [{"Invoice": {"InvoiceID": key}, "Amount": amount} for key, amount in amounts.items()]
    fields: Sent = {"Account": {"Code": "090"}, "Date": "2026-01-05", "Reference": "Deposit 7", "Payments": rows}
    return fields | others


@pytest.fixture
def sales(product: Product) -> list[str]:
    ana = product.books.add_contact("Ana")
    return [product.books.add_invoice(ana.id, amount=Decimal(amount)).id for amount in ("100.00", "50.00")]


@pytest.mark.rank(49)
def test_a_batch_is_one_sum_of_ordinary_payments(product: Product, sales: list[str]) -> None:
    """F 6.118, 6.143, 8.24."""
    row = product.call("PUT", "BatchPayments", batch({sales[0]: "100.00", sales[1]: "20.00"})).one("BatchPayments")

    assert (row["Type"], row["TotalAmount"], row["IsReconciled"]) == ("RECBATCH", Decimal("120.00"), False)
    assert [one.amount_due for one in product.books.invoices] == [Decimal("0.00"), Decimal("30.00")]
    member = product.call("GET", "Payments").rows("Payments")[0]
    assert member["BatchPaymentID"] == row["BatchPaymentID"]
    assert inside(member, "BatchPayment")["TotalAmount"] == "120.00"
    assert inside(member, "BatchPayment")["IsReconciled"] == "false"
    (embedded,) = rows_of(product.call("GET", f"Invoices/{sales[0]}").one("Invoices"), "Payments")
    assert embedded["BatchPaymentID"] == row["BatchPaymentID"]


@pytest.mark.rank(49)
def test_a_member_cannot_be_deleted_and_a_deleted_batch_reopens_every_invoice(
    product: Product, sales: list[str]
) -> None:
    """F 6.123, 6.142."""
    row = product.call("PUT", "BatchPayments", batch({sales[0]: "100.00", sales[1]: "20.00"})).one("BatchPayments")
    member = product.books.payments[0]

    alone = product.call("POST", f"Payments/{member.id}", {"Status": "DELETED"})
    whole = product.call("POST", "BatchPayments", {"BatchPaymentID": row["BatchPaymentID"], "Status": "DELETED"})

    assert alone.status == 400
    assert whole.one("BatchPayments")["Status"] == "DELETED"
    assert whole.one("BatchPayments")["Payments"] == []
    assert {one.status for one in product.books.payments} == {"DELETED"}
    assert [one.amount_due for one in product.books.invoices] == [Decimal("100.00"), Decimal("50.00")]
    again = product.call("POST", f"BatchPayments/{text(row, 'BatchPaymentID')}", {"Status": "DELETED"})
    assert again.status == 400


@pytest.mark.rank(49)
def test_a_batch_with_one_bad_payment_makes_none(product: Product, sales: list[str]) -> None:
    """F 5.41: what is wrong with a payment stands on that payment."""
    reply = product.call("PUT", "BatchPayments", batch({sales[0]: "100.00", sales[1]: "50.01"}))

    assert reply.status == 400
    good, bad = rows_of(reply.rows("Elements")[0], "Payments")
    assert "ValidationErrors" not in good
    assert [error["Message"] for error in rows_of(bad, "ValidationErrors")] == [
        "Payment amount exceeds the amount outstanding on this document"
    ]
    assert product.books.payments == ()
    assert product.books.batch_payments == ()


@pytest.mark.rank(49)
def test_a_batch_is_of_one_kind_in_base_currency_and_of_invoices_only(product: Product, sales: list[str]) -> None:
    """F 6.140."""
    product.books.add_currency("USD")
    ana = product.books.contacts[0]
    bill = product.books.add_invoice(ana.id, amount=Decimal("10.00"), type="ACCPAY")
    foreign = product.books.add_invoice(ana.id, amount=Decimal("10.00"), CurrencyCode="USD")
    note = product.books.add_credit_note(ana.id, amount=Decimal("10.00"))
    credit: Sent = {"Payments": [{"CreditNote": {"CreditNoteID": note.id}, "Amount": "10.00"}]}

    for sent in (
        batch({sales[0]: "1.00", bill.id: "1.00"}),
        batch({foreign.id: "1.00"}),
        batch({}) | credit,
        batch({}),
        batch({sales[0]: "1.00"}, Particulars="thirteen here"),
    ):
        assert product.call("PUT", "BatchPayments", sent).status == 400
    assert product.call("PUT", "BatchPayments", batch({bill.id: "10.00"})).one("BatchPayments")["Type"] == "PAYBATCH"
    assert len(product.books.batch_payments) == 1


@pytest.mark.rank(49)
def test_a_reconciled_batch_stays(product: Product, sales: list[str]) -> None:
    made = product.books.add_batch_payment({sales[0]: Decimal("100.00")})
    product.books.reconcile_batch_payment(made.id)

    reply = product.call("POST", f"BatchPayments/{made.id}", {"Status": "DELETED"})

    assert reply.status == 400
    assert product.books.payments[0].is_reconciled
    assert product.books.invoices[0].status == "PAID"


@pytest.mark.rank(15, 49)
def test_batches_are_listed_whole_and_filtered(product: Product, sales: list[str]) -> None:
    """F 4.05, 4.52."""
    product.call("PUT", "BatchPayments", batch({sales[0]: "1.00"}))
    product.call("PUT", "Payments", payment(sales[1], "1.00"))

    reply = product.call("GET", 'BatchPayments?page=1&where=Type=="RECBATCH" AND Status=="AUTHORISED"')

    assert "pagination" not in reply.row
    assert len(reply.rows("BatchPayments")) == 1
    assert product.call("GET", 'BatchPayments?where=Type=="PAYBATCH"').rows("BatchPayments") == []
