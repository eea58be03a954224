"""Payments: what they take, what they refuse, what they leave in the books (facts 6.110–6.132)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, inside, invoice, make, payment, rows_of, text

from xerosync.simulator import Document, Switches


def sale(product: Product, amount: str = "100.00") -> Document:
    contact = product.books.add_contact(f"Customer {len(product.books.contacts)}")
    return product.books.add_invoice(contact.id, amount=Decimal(amount))


@pytest.mark.rank(21)
def test_a_part_payment_leaves_the_rest_due_and_the_last_one_pays(product: Product) -> None:
    """F 6.117, 6.129, 6.75 (rank 21)."""
    one = sale(product)

    first = product.call("PUT", "Payments", payment(one.id, "40.00", Date="2026-01-07")).one("Payments")
    last = product.call("PUT", "Payments", payment(one.id, "60.00", Date="2026-01-06")).one("Payments")

    assert inside(first, "Invoice")["AmountDue"] == Decimal("60.00")
    assert (inside(first, "Invoice")["Status"], inside(last, "Invoice")["Status"]) == ("AUTHORISED", "PAID")
    assert inside(last, "Invoice")["FullyPaidOnDate"] == "/Date(1767744000000+0000)/"  # the later of the two days
    assert product.books.balance(product.books.account("090").id) == Decimal("100.00")


@pytest.mark.rank(6)
def test_overpaying_is_refused_and_on_a_paid_invoice_with_both_texts(product: Product) -> None:
    """F 6.114 (rank 6)."""
    one = sale(product)
    exceeds = "Payment amount exceeds the amount outstanding on this document"
    closed = "Payments can only be made against Authorised documents"

    over = product.call("PUT", "Payments", payment(one.id, "100.01"))
    product.call("PUT", "Payments", payment(one.id, "100.00"))
    again = product.call("PUT", "Payments", payment(one.id, "100.00"))

    assert over.messages() == [exceeds]
    assert "PaymentID" not in over.rows("Elements")[0]  # A.05
    assert again.messages() == [exceeds, closed]
    assert len(product.books.payments) == 1


def test_two_part_payments_with_one_reference_both_stand(product: Product) -> None:
    """F 6.128: Xero is no guard against paying twice."""
    one = sale(product)

    for _ in range(2):
        assert product.call("PUT", "Payments", payment(one.id, "10.00", Reference="same")).status == 200

    assert product.books.invoice(one.id).amount_due == Decimal("80.00")


@pytest.mark.rank(34)
def test_a_payment_inside_an_invoice_says_nothing_of_account_status_and_reconciliation(product: Product) -> None:
    """F 6.78: and one that was deleted is not there at all."""
    contact = product.books.add_contact("Ridgeway")
    sale = product.books.add_invoice(contact.id, amount=Decimal("115.00"))
    kept = product.books.add_payment(sale.id, account="090", amount=Decimal("15.00"), is_reconciled=True)
    product.books.remove_payment(product.books.add_payment(sale.id, account="090", amount=Decimal("5.00")).id)

    (embedded,) = rows_of(product.call("GET", f"Invoices/{sale.id}").one("Invoices"), "Payments")

    assert embedded["PaymentID"] == kept.id
    assert {"Account", "Status", "IsReconciled"} & set(embedded) == set()
    assert embedded["HasAccount"] is False


@pytest.mark.rank(7, 55)
def test_a_deleted_payment_reopens_its_invoice_and_stays_readable(product: Product) -> None:
    """F 6.122, 6.126, 4.24, 4.25 (ranks 7, 19, 55)."""
    one = sale(product)
    made = product.call("PUT", "Payments", payment(one.id, "100.00")).one("Payments")
    before = product.books.invoice(one.id).updated

    gone = product.call("POST", f"Payments/{made['PaymentID']}", {"Status": "DELETED"}).one("Payments")

    after = product.books.invoice(one.id)
    assert (gone["Status"], gone["Amount"]) == ("DELETED", Decimal("100.00"))
    assert (after.status, after.amount_due, after.fully_paid_on) == ("AUTHORISED", Decimal("100.00"), None)
    assert after.updated > before
    assert [row["Status"] for row in product.call("GET", "Payments").rows("Payments")] == ["DELETED"]
    assert rows_of(product.call("GET", "Invoices?page=1").one("Invoices"), "Payments") == []
    assert product.call("POST", f"Payments/{made['PaymentID']}", {"Status": "DELETED"}).status == 400  # F 6.125
    assert product.books.balance(product.books.account("090").id) == 0


@pytest.mark.rank(7, 54)
def test_a_payment_cannot_be_edited_or_deleted_by_verb(product: Product) -> None:
    """F 6.121, 5.31."""
    one = sale(product)
    made = product.call("PUT", "Payments", payment(one.id, "100.00")).one("Payments")
    path = f"Payments/{made['PaymentID']}"

    edited = product.call("POST", path, {"Status": "DELETED", "Reference": "x"})

    assert edited.messages() == ["Only Status accepted for updates."]
    assert product.call("DELETE", path).status == 405
    assert product.books.payments[0].status == "AUTHORISED"


def test_a_reconciled_payment_stays(product: Product) -> None:
    """F 6.124; people may still remove it."""
    one = sale(product)
    made = product.books.add_payment(one.id, account="090", is_reconciled=True)

    assert product.call("POST", f"Payments/{made.id}", {"Status": "DELETED"}).status == 400
    assert product.books.remove_payment(made.id).status == "DELETED"


@pytest.mark.rank(32)
def test_payments_go_to_bank_and_enabled_accounts_only(product: Product) -> None:
    """F 6.14, 6.19, 6.113 (rank 32)."""
    one = sale(product)
    product.books.add_account("615", "Clearing", type="CURRENT", enable_payments=True)
    product.books.archive_account("091")

    def paid_into(code: str) -> list[str]:
        reply = product.call("PUT", "Payments", payment(one.id, "1.00", Account={"Code": code}))
        return [] if reply.status == 200 else reply.messages()

    assert paid_into("090") == []
    assert paid_into("615") == []
    assert paid_into("620") == ["Account type is invalid for making a payment to/from"]
    assert paid_into("091") == ["The bank account is archived and cannot be used"]
    assert paid_into("nope") == ["Account could not be found"]
    rows = product.call("GET", 'Accounts?where=Type=="BANK"').rows("Accounts")
    assert [row["EnablePaymentsToAccount"] for row in rows] == [False, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Invoice": {}}, "You must specify an Invoice ID or Invoice Number for the payment"),
        ({"Invoice": {"InvoiceID": "00000000-0000-0000-0000-00000000000a"}}, "Invoice could not be found"),
        ({"CreditNote": {"CreditNoteNumber": "CN-1"}}, "Payment is applied to more than one document"),
    ],
)
def test_payments_are_refused_in_these_words(product: Product, change: dict[str, dict[str, str]], message: str) -> None:
    """F 6.113, 6.132, A.06."""
    one = sale(product)

    reply = product.call("PUT", "Payments", payment(one.id, "1.00") | {name: dict(row) for name, row in change.items()})

    assert reply.messages() == [message]


def test_a_draft_takes_no_payment(product: Product) -> None:
    """F 6.114."""
    contact = product.books.add_contact("Ridgeway")
    one = product.books.add_invoice(contact.id, amount=Decimal(10), status="DRAFT")

    reply = product.call("PUT", "Payments", payment(one.id, "1.00"))

    assert reply.messages() == ["Payments can only be made against Authorised documents"]


@pytest.mark.rank(33)
def test_a_refund_appears_as_payment_of_an_invoice_of_credit_type(product: Product) -> None:
    """F 6.103, 6.119 (rank 33)."""
    contact = product.books.add_contact("Ridgeway")
    note = product.books.add_credit_note(contact.id, amount=Decimal(30))

    made = product.call(
        "PUT", "Payments", {"CreditNote": {"CreditNoteID": note.id}, "Account": {"Code": "090"}, "Amount": 30}
    )

    row = product.call("GET", f"Payments/{made.one('Payments')['PaymentID']}").one("Payments")
    assert (row["PaymentType"], inside(row, "Invoice")["Type"]) == ("ARCREDITPAYMENT", "ACCRECCREDIT")
    assert inside(row, "Invoice")["InvoiceID"] == note.id
    assert product.books.invoice(note.id).status == "PAID"
    assert product.books.balance(product.books.account("090").id) == Decimal("-30.00")


@pytest.mark.rank(54)
def test_several_payments_are_taken_by_post_too(product: Product) -> None:
    """F 5.30, A.06."""
    one, two = sale(product), sale(product)

    reply = product.call("POST", "Payments", {"Payments": [payment(one.id, "1.00"), payment(two.id, "2.00")]})

    assert [row["Amount"] for row in reply.rows("Payments")] == [Decimal("1.00"), Decimal("2.00")]


@pytest.mark.rank(2)
def test_a_batch_shows_which_payment_failed(product: Product) -> None:
    """F 5.35, 5.39, A.06: the good one stands."""
    one, two = sale(product), sale(product)

    body = {"Payments": [payment(one.id, "500.00"), payment(two.id, "2.00")]}
    reply = product.call("PUT", "Payments?summarizeErrors=false", body)

    bad, good = reply.rows("Payments")
    assert reply.status == 200
    assert (bad["HasValidationErrors"], good["HasValidationErrors"]) == (True, False)
    assert [made.amount for made in product.books.payments] == [Decimal("2.00")]


@pytest.mark.rank(51)
def test_fields_are_read_as_clients_in_use_write_them(product: Product) -> None:
    """F 5.07, 5.08, 6.88, 6.112, A.11 (rank 51): any letter case, texts for numbers, nulls, unknown keys, ids bare."""
    one = sale(product)
    body = {
        "invoice": {"InvoiceId": one.id.replace("-", "").upper()},
        "ACCOUNT": {"AccountId": product.books.account("090").id},
        "amount": "12.5",
        "Nonsense": {"deep": [1]},
        "reference": None,
        "date": "/Date(1767571200000)/",
    }

    row = product.call("PUT", "payments", body).one("Payments")

    assert (row["Amount"], row["Date"]) == (Decimal("12.50"), "/Date(1767571200000+0000)/")


@pytest.mark.rank(55)
def test_deleted_payments_may_leave_the_lists() -> None:
    """F 4.25, the other way of the switch."""
    product = make(Switches(deleted_payments_are_listed=False))
    one = sale(product)
    made = product.books.add_payment(one.id, account="090")
    product.books.remove_payment(made.id)

    assert product.call("GET", "Payments").rows("Payments") == []
    assert product.call("GET", f"Payments/{made.id}").status == 200


def test_an_invoice_by_number_can_be_paid(product: Product) -> None:
    """F 6.110."""
    contact = product.books.add_contact("Ridgeway")
    made = product.call("PUT", "Invoices", invoice(contact.id, InvoiceNumber="N-7")).one("Invoices")

    reply = product.call("PUT", "Payments", payment("", "1.00", Invoice={"InvoiceNumber": "N-7"}))

    assert inside(reply.one("Payments"), "Invoice")["InvoiceID"] == text(made, "InvoiceID")
