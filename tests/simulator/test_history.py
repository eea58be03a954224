"""What was done to each row, and notes on it (F 6.191)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, connect, inside, invoice, payment, rows_of, text, wait

from xerosync.errors import InvalidInput
from xerosync.simulator import Simulator

NOBODY = "00000000-0000-0000-0000-00000000000a"
NOT_FOUND = "The document with the supplied id was not found for this endpoint."


@pytest.fixture
def sale(product: Product) -> str:
    """The id of an approved sales invoice of 115.00."""
    return product.books.add_invoice(product.books.add_contact("Ana").id, number="INV-1", amount=Decimal("115.00")).id


def changes(product: Product, path: str) -> list[str]:
    """The kinds of change, newest first."""
    return [text(row, "Changes") for row in product.call("GET", f"{path}/History").rows("HistoryRecords")]


def test_a_note_is_written_and_read_back(product: Product, sale: str) -> None:
    """F 6.191, A.09: the reply has dates without offset and no Changes; a read has all."""
    written = product.call("PUT", f"Invoices/{sale}/History", {"HistoryRecords": [{"Details": "Called them"}]})
    read = product.call("GET", f"Invoices/{sale}/History").rows("HistoryRecords")[0]

    row = written.one("HistoryRecords")
    assert list(row) == ["DateUTCString", "DateUTC", "Details", "ValidationErrors"]
    assert "+0000" not in text(row, "DateUTC")
    assert list(read) == ["Changes", "DateUTCString", "DateUTC", "User", "Details"]
    assert (read["Changes"], read["User"], read["Details"]) == ("Note", "System Generated", "Called them")
    assert text(read, "DateUTC").endswith("+0000)/")
    assert len(text(read, "DateUTCString")) == len("2026-01-05T00:00:00")


def test_several_notes_at_once_and_a_post_is_the_same(product: Product, sale: str) -> None:
    """F 6.191: newest first."""
    product.call("PUT", f"Invoices/{sale}/History", {"HistoryRecords": [{"Details": "one"}, {"Details": "two"}]})
    product.call("POST", f"Invoices/{sale}/History", {"Details": "three"})

    details = [row["Details"] for row in product.call("GET", f"Invoices/{sale}/History").rows("HistoryRecords")]
    assert details[:3] == ["three", "two", "one"]


@pytest.mark.parametrize("endpoint", ["Invoices", "Payments", "Contacts", "Quotes"])
def test_a_note_on_nothing_is_refused_in_xeros_words(product: Product, endpoint: str) -> None:
    """F 6.191."""
    reply = product.call("PUT", f"{endpoint}/{NOBODY}/History", {"HistoryRecords": [{"Details": "Hello World"}]})

    assert (reply.status, reply.row["ErrorNumber"]) == (400, 10)
    assert reply.messages() == [NOT_FOUND]
    assert reply.rows("Elements")[0]["Details"] == "Hello World"
    assert product.call("GET", f"{endpoint}/{NOBODY}/History").status == 404


def test_a_note_too_long_or_blank_is_refused(product: Product, sale: str) -> None:
    """F 8.68: 2,500 characters."""
    before = product.books.history_of(sale)

    for details in ("x" * 2501, " "):
        assert product.call("PUT", f"Invoices/{sale}/History", {"Details": details}).status == 400
    assert product.books.history_of(sale) == before
    assert product.call("PUT", f"Invoices/{sale}/History", {"Details": "x" * 2500}).status == 200


def test_an_invoice_tells_its_life(product: Product) -> None:
    """F 6.191: drafted, approved, paid, opened again, voided."""
    contact = product.books.add_contact("Ana")
    made = product.call("PUT", "Invoices", invoice(contact.id, Status="DRAFT", InvoiceNumber="INV-1")).one("Invoices")
    path = f"Invoices/{made['InvoiceID']}"
    product.call("POST", path, {"Status": "AUTHORISED"})
    paid = product.call("PUT", "Payments", payment(text(made, "InvoiceID"), "115.00")).one("Payments")
    product.call("POST", f"Payments/{paid['PaymentID']}", {"Status": "DELETED"})
    product.call("POST", path, {"Reference": "R"})
    product.call("POST", path, {"Status": "VOIDED"})

    assert changes(product, path) == ["Voided", "Edited", "Payment removed", "Paid", "Approved", "Created"]
    details = [entry.details for entry in product.books.history_of(text(made, "InvoiceID"))]
    assert details[0] == "INV-1 to Ana for 115.00."
    assert "Payment received from Ana" in details[2]
    assert details[2].endswith("This has been fully paid.")
    assert changes(product, f"Payments/{paid['PaymentID']}") == ["Deleted", "Created"]


def test_a_credit_is_told_on_both_documents(product: Product, sale: str) -> None:
    """F 6.191: "Amount credited on … for …", as recorded."""
    note = product.books.add_credit_note(product.books.invoice(sale).contact_id, amount=Decimal("15.00"))
    product.call("PUT", f"CreditNotes/{note.id}/Allocations", {"Invoice": {"InvoiceID": sale}, "Amount": "15.00"})

    today = product.books.today
    assert product.books.history_of(sale)[-1].changes == "Credited"
    assert product.books.history_of(sale)[-1].details == f"Amount credited on {today:%d/%m/%Y} for 15.00."
    assert product.books.history_of(note.id)[-1].changes == "Credited"


def test_what_moves_no_stamp_leaves_no_trace_on_a_contact(product: Product) -> None:
    """F 6.29: becoming a customer is nobody's edit."""
    contact = product.books.add_contact("Ana")
    product.books.add_invoice(contact.id, amount=Decimal(1))
    product.call("POST", f"Contacts/{contact.id}", {"EmailAddress": "ana@example.com"})
    product.call("POST", f"Contacts/{contact.id}", {"ContactStatus": "ARCHIVED"})

    assert changes(product, f"Contacts/{contact.id}") == ["Archived", "Edited", "Created"]


def test_a_refused_write_leaves_no_history(product: Product, sale: str) -> None:
    """Undone with the change it tells of."""
    before = product.books.history_of(sale)

    assert product.call("PUT", "Payments", payment(sale, "999.00")).status == 400
    assert product.call("POST", f"Invoices/{sale}", {"Status": "DELETED"}).status == 400

    assert product.books.history_of(sale) == before


def test_a_file_is_told_with_the_name_of_the_app(product: Product, sale: str) -> None:
    """F 6.191, in the words of the specification's example."""
    headers = {"Authorization": f"Bearer {product.access_token}", "Xero-Tenant-Id": product.tenant_id}
    url = f"https://api.xero.com/api.xro/2.0/Invoices/{sale}/Attachments/sample2.jpg"
    product.send("PUT", url, headers, b"x")
    product.books.attach("Invoices", sale, "by-hand.txt", b"x")

    told = product.books.history_of(sale)[-2:]
    assert [entry.changes for entry in told] == ["Attached a file"] * 2
    assert told[0].details == "Attached the file sample2.jpg through the Xero API using Test product"
    assert told[1].details == "Attached the file by-hand.txt"


def test_history_needs_the_scope_of_its_document() -> None:
    """F 1.45."""
    simulator = Simulator(limits=False)
    books = simulator.add_organisation()
    contact = books.add_contact("Ana")
    sale = books.add_invoice(contact.id, amount=Decimal(1))
    product = connect(simulator, books, "accounting.contacts accounting.invoices.read")

    assert product.call("PUT", f"Contacts/{contact.id}/History", {"Details": "a"}).status == 200
    assert product.call("GET", f"Invoices/{sale.id}/History").status == 200
    assert product.call("PUT", f"Invoices/{sale.id}/History", {"Details": "a"}).status == 401


def test_notes_by_hand_stand_in_the_same_history(product: Product, sale: str) -> None:
    """The bookkeeper writes and reads what the API does."""
    wait(product, 60)
    product.books.note("Invoices", sale, "Promised for Friday")

    assert changes(product, f"Invoices/{sale}")[0] == "Note"
    with pytest.raises(InvalidInput):
        product.books.note("Payments", sale, "nothing of that kind")


def test_history_outlives_the_process(tmp_path: object) -> None:
    """Notes and files are kept with the books."""
    file = f"{tmp_path}/books.xero"
    with Simulator(file) as simulator:
        books = simulator.add_organisation()
        sale = books.add_invoice(books.add_contact("Ana").id, amount=Decimal(1)).id
        books.note("Invoices", sale, "Kept")
        paper = books.attach("Invoices", sale, "a.pdf", b"\x00\xff").id
        books.add_quote(books.contacts[0].id, amount=Decimal(2))
        books.add_purchase_order(books.contacts[0].id, amount=Decimal(3))
        told = books.history_of(sale)
    with Simulator(file) as simulator:
        books = simulator.bookkeeper(simulator.organisations[0].id)
        assert books.history_of(sale) == told
        assert books.attachment_content(paper) == b"\x00\xff"
        assert (books.quotes[0].total, books.purchase_orders[0].total) == (Decimal("2.00"), Decimal("3.00"))


def test_the_desk_shows_orders_and_quotes(product: Product) -> None:
    """What a test elsewhere reads over HTTP."""
    contact = product.books.add_contact("Ana").id
    product.books.add_quote(contact, amount=Decimal(2))
    product.books.add_purchase_order(contact, amount=Decimal(3))

    url = f"https://localhost/_simulator/organisations/{product.tenant_id}/books"
    row = product.send("GET", url, {}).row

    assert [one["total"] for one in rows_of(row, "quotes")] == ["2.00"]
    assert [one["number"] for one in rows_of(row, "purchase_orders")] == ["PO-0001"]
    assert inside(row, "balances") is not None


def test_money_spent_and_moved_has_files_and_a_history(product: Product) -> None:
    """F 6.185, 6.191: bank transactions and transfers like any document."""
    books = product.books
    spent = product.call(
        "PUT",
        "BankTransactions",
        {
            "Type": "SPEND",
            "Contact": {"Name": "Shop"},
            "BankAccount": {"Code": "090"},
            "LineItems": [{"Description": "pens", "Quantity": 1, "UnitAmount": "10.00", "AccountCode": "429"}],
        },
    ).one("BankTransactions")
    path = f"BankTransactions/{spent['BankTransactionID']}"
    books.attach("BankTransactions", text(spent, "BankTransactionID"), "receipt.jpg", b"x")
    product.call("PUT", f"{path}/History", {"Details": "For the office"})
    product.call("POST", path, {"Status": "DELETED"})

    assert changes(product, path) == ["Deleted", "Note", "Attached a file", "Created"]
    assert product.call("GET", path).one("BankTransactions")["HasAttachments"] is True
    assert product.call("GET", f"{path}/Attachments").one("Attachments")["MimeType"] == "image/jpeg"
