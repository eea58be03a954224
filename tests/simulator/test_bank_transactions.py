"""Spend and receive money, what is paid over or before, transfers: all of it in the ledger at once (facts 6h)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, connect, inside, make, payment, rows_of, text

from xerosync.errors import InvalidInput

NO_CONTACT = "A Contact must be specified for this type of transaction"
NO_ID = "00000000-0000-0000-0000-000000000000"


def spend(contact_id: str, **others: object) -> Sent:
    """100.00 spent and 15.00 tax, unless *others* say otherwise."""
    line: Sent = {"Description": "Chairs", "Quantity": "1", "UnitAmount": "100.00", "AccountCode": "453"}
    fields: Sent = {
        "Type": "SPEND",
        "Contact": {"ContactID": contact_id},
        "BankAccount": {"Code": "090"},
        "LineItems": [line],
    }
    return fields | others


def received(contact_id: str, kind: str, amount: str, **others: object) -> Sent:
    code = {} if kind.endswith("OVERPAYMENT") else {"AccountCode": "835"}
    line: Sent = {"Description": "On account", "Quantity": "1", "UnitAmount": amount, **code}
    return spend(contact_id, Type=kind, LineItems=[line], LineAmountTypes="Inclusive") | others


def balance(product: Product, code: str) -> Decimal:
    return product.books.balance(product.books.account(code).id)


def debtors(product: Product) -> Decimal:
    return balance(product, "610")


def test_money_spent_is_in_the_ledger_at_once_with_its_tax(product: Product) -> None:
    """F 6.152."""
    shop = product.books.add_contact("ABC Furniture")

    row = product.call("PUT", "BankTransactions", spend(shop.id, Reference="R 1")).one("BankTransactions")

    assert (row["Status"], row["SubTotal"], row["TotalTax"], row["Total"]) == (
        "AUTHORISED", Decimal("100.00"), Decimal("15.00"), Decimal("115.00"),
    )  # fmt: skip
    assert inside(row, "BankAccount")["Code"] == "090"
    assert [balance(product, code) for code in ("090", "453", "820")] == [
        Decimal("-115.00"), Decimal("100.00"), Decimal("15.00"),
    ]  # fmt: skip


def test_a_list_has_lines_only_in_pages_and_thin_contacts(product: Product) -> None:
    shop = product.books.add_contact("ABC Furniture")
    product.call("PUT", "BankTransactions", spend(shop.id))

    whole = product.call("GET", "BankTransactions").one("BankTransactions")
    page = product.call("GET", 'BankTransactions?page=1&where=Type=="SPEND"')

    assert whole["LineItems"] == []
    assert list(page.row)[4:] == ["pagination", "BankTransactions"]
    assert len(rows_of(page.one("BankTransactions"), "LineItems")) == 1
    assert "EmailAddress" not in inside(page.one("BankTransactions"), "Contact")


def test_a_deleted_transaction_leaves_the_ledger_and_stays_in_the_list(product: Product) -> None:
    """F 6.153."""
    shop = product.books.add_contact("ABC Furniture")
    made = product.call("PUT", "BankTransactions", spend(shop.id)).one("BankTransactions")

    reply = product.call("POST", f"BankTransactions/{made['BankTransactionID']}", {"Status": "DELETED"})

    assert reply.one("BankTransactions")["Status"] == "DELETED"
    assert balance(product, "090") == 0
    assert product.call("GET", "BankTransactions").one("BankTransactions")["Status"] == "DELETED"
    again = product.call("POST", f"BankTransactions/{made['BankTransactionID']}", {"Status": "DELETED"})
    assert again.status == 400


def test_what_is_reconciled_is_neither_edited_nor_deleted_by_the_api(product: Product) -> None:
    """F 6.151; people may remove and redo."""
    shop = product.books.add_contact("ABC Furniture")
    made = product.call("PUT", "BankTransactions", spend(shop.id, IsReconciled=True)).one("BankTransactions")
    path = f"BankTransactions/{made['BankTransactionID']}"

    assert product.call("POST", path, {"Reference": "x"}).status == 400
    assert product.call("POST", path, {"Status": "DELETED"}).status == 400
    assert balance(product, "090") == Decimal("-115.00")

    product.books.remove_bank_transaction(text(made, "BankTransactionID"))
    assert balance(product, "090") == 0


def test_people_edit_money_that_was_spent(product: Product) -> None:
    shop = product.books.add_contact("ABC Furniture")
    spent = product.books.add_bank_transaction(shop.id, amount=Decimal("115.00"))
    later = spent.date + timedelta(days=1)

    product.books.edit_bank_transaction(spent.id, date=later)
    edited = product.books.edit_bank_transaction(spent.id, amount=Decimal("23.00"), account="404", Reference="desk")

    assert (edited.date, edited.total, edited.reference) == (later, Decimal("23.00"), "desk")
    assert balance(product, "090") == Decimal("-23.00")
    assert balance(product, "404") > 0
    with pytest.raises(InvalidInput, match="transaction_id"):
        product.books.edit_bank_transaction("nothing", amount=Decimal(1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Type": "SPEND-TRANSFER"}, "BankTransaction not of valid type for creation"),
        ({"Status": "DRAFT"}, "BankTransaction not of valid status for creation"),
        ({"BankAccount": {"Code": "200"}}, "The BankAccount must be an account of type BANK"),
        ({"BankAccount": {"Code": "999"}}, "Account could not be found"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"Url": "nowhere"}, "Url must be a valid absolute url"),
        ({"Contact": {}}, NO_CONTACT),
    ],
)
def test_bank_transactions_are_refused_in_these_words(product: Product, change: Sent, message: str) -> None:
    shop = product.books.add_contact("ABC Furniture")

    reply = product.call("PUT", "BankTransactions", spend(shop.id) | change)

    assert reply.status == 400
    assert reply.messages() == [message]
    assert reply.rows("Elements")[0]["BankTransactionID"] == NO_ID
    assert product.books.bank_transactions == ()


def test_an_overpayment_stands_on_the_debtors_account_until_it_is_allocated_and_refunded(product: Product) -> None:
    """F 6.130, 6.154, 6.155."""
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("115.00"))

    row = product.call("PUT", "BankTransactions", received(ana.id, "RECEIVE-OVERPAYMENT", "150.00")).one(
        "BankTransactions"
    )
    key = text(row, "OverpaymentID")
    assert (row["LineAmountTypes"], row["TotalTax"]) == ("NoTax", Decimal("0.00"))
    assert debtors(product) == Decimal("-35.00")

    product.call("PUT", f"Overpayments/{key}/Allocations", {"Amount": "115.00", "Invoice": {"InvoiceID": sale.id}})
    read = product.call("GET", f"Invoices/{sale.id}").one("Invoices")
    assert (read["Status"], read["AmountCredited"]) == ("PAID", Decimal("115.00"))
    assert rows_of(read, "Overpayments")[0]["AppliedAmount"] == Decimal("115.00")
    assert debtors(product) == Decimal("-35.00")

    refund: Sent = {"Overpayment": {"OverpaymentID": key}, "Account": {"Code": "090"}, "Amount": "35.00"}
    paid = product.call("PUT", "Payments", refund).one("Payments")
    assert paid["PaymentType"] == "AROVERPAYMENTPAYMENT"
    over = product.call("GET", f"Overpayments/{key}").one("Overpayments")
    assert (over["Status"], over["RemainingCredit"], over["ID"]) == ("PAID", Decimal("0.00"), key)
    assert debtors(product) == 0
    assert balance(product, "090") == Decimal("115.00")


def test_a_prepayment_leaves_its_own_account_when_it_is_allocated(product: Product) -> None:
    """F 6.155, 6.156."""
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("115.00"))
    sent = received(ana.id, "RECEIVE-PREPAYMENT", "46.00", Reference="INV-9")
    key = text(product.call("PUT", "BankTransactions", sent).one("BankTransactions"), "PrepaymentID")
    assert (balance(product, "835"), debtors(product)) == (Decimal("-40.00"), Decimal("115.00"))

    reply = product.call(
        "PUT", f"Prepayments/{key}/Allocations", {"Amount": "23.00", "Invoice": {"InvoiceID": sale.id}}
    )

    assert inside(reply.one("Allocations"), "Prepayment")["ID"] == key
    assert (balance(product, "835"), debtors(product)) == (Decimal("-20.00"), Decimal("92.00"))
    read = product.call("GET", f"Prepayments/{key}").one("Prepayments")
    assert (read["RemainingCredit"], read["InvoiceNumber"], read["Reference"]) == (Decimal("23.00"), "INV-9", "INV-9")

    (part,) = rows_of(read, "Allocations")
    undone = product.call("DELETE", f"Prepayments/{key}/Allocations/{text(part, 'AllocationID')}")
    assert undone.row["IsDeleted"] is True
    assert (balance(product, "835"), debtors(product)) == (Decimal("-40.00"), Decimal("115.00"))


def test_a_transaction_whose_overpayment_is_applied_stays(product: Product) -> None:
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("115.00"))
    row = product.call("PUT", "BankTransactions", received(ana.id, "RECEIVE-OVERPAYMENT", "10.00")).one(
        "BankTransactions"
    )
    key, path = text(row, "OverpaymentID"), f"BankTransactions/{text(row, 'BankTransactionID')}"
    sent: Sent = {"Amount": "10.00", "Invoice": {"InvoiceID": sale.id}}
    part = product.call("PUT", f"Overpayments/{key}/Allocations", sent).one("Allocations")

    assert product.call("POST", path, {"Status": "DELETED"}).status == 400
    product.call("DELETE", f"Overpayments/{key}/Allocations/{text(part, 'AllocationID')}")
    assert product.call("POST", path, {"Status": "DELETED"}).status == 200
    assert product.call("GET", f"Overpayments/{key}").one("Overpayments")["Status"] == "VOIDED"
    assert debtors(product) == Decimal("115.00")


def test_credit_at_another_rate_realises_a_gain(product: Product) -> None:
    """F 6.116: nothing is left on the control account."""
    product.books.add_currency("USD")
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("100.00"), CurrencyRate="0.5", CurrencyCode="USD")
    note = product.books.add_credit_note(ana.id, amount=Decimal("100.00"), CurrencyRate="0.4", CurrencyCode="USD")

    product.books.allocate(note.id, invoice_id=sale.id, amount=Decimal("100.00"))

    assert debtors(product) == 0
    assert balance(product, "499") == Decimal("-50.00")  # what we owed vanished: a gain


def test_a_transfer_moves_money_and_shows_on_both_accounts(product: Product) -> None:
    """F 6.157."""
    sent: Sent = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": "250.00"}

    row = product.call("PUT", "BankTransfers", sent).one("BankTransfers")

    assert (balance(product, "090"), balance(product, "091")) == (Decimal("-250.00"), Decimal("250.00"))
    listed = product.call("GET", "BankTransactions").rows("BankTransactions")
    assert {text(one, "BankTransactionID"): one["Type"] for one in listed} == {
        text(row, "FromBankTransactionID"): "SPEND-TRANSFER",
        text(row, "ToBankTransactionID"): "RECEIVE-TRANSFER",
    }
    edit = product.call("POST", f"BankTransactions/{text(row, 'FromBankTransactionID')}", {"Reference": "x"})
    assert edit.status == 400

    removed = product.call("POST", "BankTransfers", {"BankTransferID": row["BankTransferID"], "Status": "DELETED"})
    assert removed.one("BankTransfers")["Status"] == "DELETED"
    assert balance(product, "091") == 0
    assert product.call("GET", "BankTransfers").rows("BankTransfers") == []
    assert len(product.call("GET", "BankTransfers?includeDeleted=true").rows("BankTransfers")) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ToBankAccount": {"Code": "090"}}, "The from and to bank accounts of a transfer must differ"),
        ({"ToBankAccount": {"Code": "850"}}, "The ToBankAccount must be an account of type BANK"),
        ({"Amount": "0"}, "The transfer amount must be greater than zero"),
    ],
)
def test_transfers_are_refused_in_these_words(product: Product, change: Sent, message: str) -> None:
    sent: Sent = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": "250.00"}

    assert product.call("PUT", "BankTransfers", sent | change).messages() == [message]
    assert product.books.bank_transfers == ()


def test_closed_books_take_no_bank_transactions(product: Product) -> None:
    shop = product.books.add_contact("ABC Furniture")
    made = product.books.add_bank_transaction(shop.id, amount=Decimal("11.50"))
    product.books.lock_period(product.books.today)

    assert product.call("PUT", "BankTransactions", spend(shop.id)).status == 400
    assert product.call("POST", f"BankTransactions/{made.id}", {"Status": "DELETED"}).status == 400
    with pytest.raises(InvalidInput, match="lock date"):
        product.books.add_transfer(from_bank="090", to_bank="091", amount=Decimal(1))


def test_an_overpayment_is_no_way_around_the_amount_due(product: Product) -> None:
    """F 6.114, 6.130."""
    ana = product.books.add_contact("Ana")
    sale = product.books.add_invoice(ana.id, amount=Decimal("115.00"))
    over = product.books.add_bank_transaction(ana.id, type="RECEIVE-OVERPAYMENT", amount=Decimal("200.00"))
    sent: Sent = {"Amount": "120.00", "Invoice": {"InvoiceID": sale.id}}

    assert product.call("PUT", f"Overpayments/{over.credit_id}/Allocations", sent).status == 400
    assert product.call("PUT", "Payments", payment(sale.id, "115.01")).status == 400


def test_each_needs_its_own_scope() -> None:
    """F 1.45."""
    product = make()
    narrow = connect(product.simulator, product.books, scopes="accounting.payments.read")

    assert narrow.call("GET", "Overpayments").status == 200
    assert narrow.call("GET", "BankTransactions").status == 401
