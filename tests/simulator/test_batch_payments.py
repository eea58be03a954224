"""Batch payments: one line at the bank, several payments in the books (facts 6g)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, connect, inside, payment, rows_of, text

from xerosync.errors import InvalidInput


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


@pytest.mark.rank(49)
def test_what_the_bank_is_told_depends_on_the_country(product: Product, sales: list[str]) -> None:
    """F 6.141: Particulars and Code are for New Zealand, Details for elsewhere, Narrative for the United Kingdom."""
    said: Sent = {"Particulars": "Rent", "Code": "A7", "Details": "Rent of May", "Narrative": "Rent in May"}
    british = connect(product.simulator, product.simulator.add_organisation("Acme", country="GB"))
    ana = british.books.add_contact("Ana")
    sale = british.books.add_invoice(ana.id, amount=Decimal("9.00"))

    here = product.call("PUT", "BatchPayments", batch({sales[0]: "1.00"}, **said)).one("BatchPayments")
    there = british.call("PUT", "BatchPayments", batch({sale.id: "1.00"}, **said)).one("BatchPayments")

    assert {name: here.get(name) for name in said} == said | {"Details": None, "Narrative": None}
    assert {name: there.get(name) for name in said} == said | {"Particulars": None, "Code": None}


@pytest.mark.rank(49)
def test_a_payment_of_a_batch_keeps_its_own_reference_and_bank_account(product: Product, sales: list[str]) -> None:
    """F 6.140, 6.143: the day and the account are the batch's."""
    row: Sent = {"Invoice": {"InvoiceID": sales[0]}, "Amount": "1.00", "Reference": "ref/cheque", "Date": "2025-01-01"}
    sent = batch({}) | {"Payments": [row | {"BankAccountNumber": "12-3456-7", "Account": {"Code": "091"}}]}

    key = product.call("PUT", "BatchPayments", sent).one("BatchPayments")["BatchPaymentID"]

    (member,) = rows_of(product.call("GET", f"BatchPayments/{key}").one("BatchPayments"), "Payments")
    assert (member["Reference"], member["BankAccountNumber"]) == ("ref/cheque", "12-3456-7")
    assert rows_of(inside(member, "Invoice"), "LineItems") == []
    made = product.books.payments[0]
    assert (made.date.isoformat(), made.account_id) == ("2026-01-05", product.books.account("090").id)


@pytest.mark.rank(2, 49)
def test_without_summary_each_batch_tells_how_it_went(product: Product, sales: list[str]) -> None:
    body = {"BatchPayments": [batch({sales[0]: "100.01"}), batch({sales[1]: "50.00"})]}

    bad, good = product.call("PUT", "BatchPayments?summarizeErrors=false", body).rows("BatchPayments")

    assert (bad["StatusAttributeString"], good["StatusAttributeString"]) == ("ERROR", "OK")
    assert bad["BatchPaymentID"] == "00000000-0000-0000-0000-000000000000"
    assert [one.status for one in product.books.invoices] == ["AUTHORISED", "PAID"]


@pytest.mark.rank(32, 49)
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nowhere", "Account could not be found"),
        ("200", "Account type is invalid for making a payment to/from"),
    ],
)
def test_a_batch_needs_an_account_that_can_pay(product: Product, sales: list[str], code: str, message: str) -> None:
    reply = product.call("PUT", "BatchPayments", batch({sales[0]: "1.00"}, Account={"Code": code}))

    assert reply.messages() == [message]


@pytest.mark.rank(37, 49)
def test_a_batch_in_a_closed_period_is_neither_made_nor_deleted(product: Product, sales: list[str]) -> None:
    """F 6.67, 6.131."""
    made = product.books.add_batch_payment({sales[0]: Decimal("1.00")}, date=date(2026, 1, 2))
    product.books.lock_period(date(2026, 1, 31))

    new = product.call("PUT", "BatchPayments", batch({sales[1]: "1.00"}))
    gone = product.call("POST", f"BatchPayments/{made.id}", {"Status": "DELETED"})

    assert new.messages() == [
        "The document date cannot be before the period lock date, currently set at 31 January 2026"
    ]
    assert gone.messages() == ["The document cannot be edited as it is currently dated before the period lock date"]
    assert gone.rows("Elements")[0]["BatchPaymentID"] == made.id
    assert [one.status for one in product.books.batch_payments] == ["AUTHORISED"]


@pytest.mark.rank(49)
def test_nothing_but_the_status_of_a_batch_can_be_changed(product: Product, sales: list[str]) -> None:
    """F 6.142."""
    made = product.books.add_batch_payment({sales[0]: Decimal("1.00")})
    path = f"BatchPayments/{made.id}"

    for sent in ({"Reference": "New"}, {"Status": "AUTHORISED"}, {"Status": "DELETED", "Reference": "New"}):
        assert product.call("POST", path, sent).messages() == ["Only Status accepted for updates."]
    unknown = product.call("POST", "BatchPayments", {"BatchPaymentID": sales[0], "Status": "DELETED"})
    assert unknown.status == 400
    assert product.call("GET", f"BatchPayments/{sales[0]}").status == 404


def test_people_reconcile_and_remove_a_batch_as_a_whole(product: Product, sales: list[str]) -> None:
    """F 6.123, 6.144: the bank shows one line."""
    made = product.books.add_batch_payment({key: Decimal("1.00") for key in sales})

    product.books.reconcile_payment(product.books.payments[0].id)
    assert product.books.batch_payments[0].is_reconciled
    assert [one.is_reconciled for one in product.books.payments] == [True, True]
    with pytest.raises(InvalidInput):
        product.books.remove_payment(product.books.payments[0].id)
    product.books.remove_batch_payment(made.id)

    assert [one.amount_due for one in product.books.invoices] == [Decimal("100.00"), Decimal("50.00")]
