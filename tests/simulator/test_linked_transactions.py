"""/LinkedTransactions as Xero's specification has them (F 6.174, 4.36)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import frozen
from tests.simulator.conftest import Product, Reply, Sent, text

from xerosync.simulator.entities import Document
from xerosync.simulator.given import Json


@frozen
class Purchase:
    """A bill of two lines, and a customer whom they may be charged to."""

    product: Product
    bill: Document
    customer: str

    def put(self, line: int = 0, **others: object) -> Reply:
        fields: Sent = {"SourceTransactionID": self.bill.id, "SourceLineItemID": self.bill.lines[line].id}
        return self.product.call("PUT", "LinkedTransactions", fields | others)

    def linked(self, line: int = 0, **others: object) -> str:
        reply = self.put(line, **others)
        assert reply.status == 200, reply.text
        return text(reply.one("LinkedTransactions"), "LinkedTransactionID")

    def status(self, linked: str) -> str:
        return text(self.product.call("GET", f"LinkedTransactions/{linked}").one("LinkedTransactions"), "Status")

    def sale(self, contact: str = "", status: str = "DRAFT") -> Document:
        return self.product.books.add_invoice(contact or self.customer, amount=Decimal(50), status=status)

    def on(self, sale: Document) -> Sent:
        return {"TargetTransactionID": sale.id, "TargetLineItemID": sale.lines[0].id}


@pytest.fixture
def purchase(product: Product) -> Purchase:
    return bought(product, "AUTHORISED")


def bought(product: Product, status: str) -> Purchase:
    books = product.books
    vendor, customer = books.add_contact("Timber"), books.add_contact("Ana")
    lines = [{"Description": each, "Quantity": 1, "UnitAmount": 10, "AccountCode": "429"} for each in ("Wood", "Nails")]
    bill = books.add_invoice(vendor.id, type="ACCPAY", lines=lines, status=status)
    return Purchase(product, bill, customer.id)


def test_a_line_of_a_bill_is_billable_to_a_customer(purchase: Purchase) -> None:
    row = purchase.put(ContactID=purchase.customer).one("LinkedTransactions")

    assert list(row) == [
        "LinkedTransactionID", "SourceTransactionID", "SourceLineItemID", "ContactID", "Status", "Type",
        "UpdatedDateUTC", "SourceTransactionTypeCode",
    ]  # fmt: skip
    assert (row["Status"], row["Type"], row["SourceTransactionTypeCode"]) == ("APPROVED", "BILLABLEEXPENSE", "ACCPAY")
    assert (row["SourceLineItemID"], row["ContactID"]) == (purchase.bill.lines[0].id, purchase.customer)


def test_money_spent_is_billable_too_and_money_received_is_not(product: Product, purchase: Purchase) -> None:
    for kind, status in (("SPEND", 200), ("RECEIVE", 400)):
        spent = product.books.add_bank_transaction(purchase.customer, type=kind, amount=Decimal(5))
        fields: Sent = {"SourceTransactionID": spent.id, "SourceLineItemID": spent.lines[0].id}
        reply = product.call("PUT", "LinkedTransactions", fields)
        assert reply.status == status
        assert status == 400 or reply.one("LinkedTransactions")["SourceTransactionTypeCode"] == "SPEND"


def test_a_line_of_another_document_is_refused(product: Product, purchase: Purchase) -> None:
    other = purchase.sale()

    for fields in (
        {"SourceTransactionID": purchase.bill.id, "SourceLineItemID": other.lines[0].id},
        {"SourceTransactionID": other.id, "SourceLineItemID": other.lines[0].id},
    ):
        reply = product.call("PUT", "LinkedTransactions", fields)
        assert (reply.status, reply.messages()) == (400, ["The SourceLineItemID and SourceTransactionID do not match"])
    assert product.books.linked_transactions == ()


def test_a_line_is_charged_once(product: Product, purchase: Purchase) -> None:
    purchase.linked()

    assert purchase.put().status == 400
    assert len(product.books.linked_transactions) == 1


def test_its_status_follows_from_the_purchase_and_the_sale(product: Product) -> None:
    purchase = bought(product, "DRAFT")
    linked = purchase.linked()
    seen = [purchase.status(linked)]
    product.call("POST", f"Invoices/{purchase.bill.id}", {"Status": "AUTHORISED", "DueDate": "2026-02-01"})
    seen.append(purchase.status(linked))
    sale = purchase.sale()
    put_on = product.call("POST", f"LinkedTransactions/{linked}", {"ContactID": purchase.customer} | purchase.on(sale))
    seen.append(text(put_on.one("LinkedTransactions"), "Status"))
    product.call("POST", f"Invoices/{sale.id}", {"Status": "AUTHORISED", "DueDate": "2026-02-01"})
    seen.append(purchase.status(linked))
    product.call("POST", f"Invoices/{sale.id}", {"Status": "VOIDED"})
    seen.append(purchase.status(linked))
    product.call("POST", f"Invoices/{purchase.bill.id}", {"Status": "VOIDED"})
    seen.append(purchase.status(linked))

    assert seen == ["DRAFT", "APPROVED", "ONDRAFT", "BILLED", "APPROVED", "VOIDED"]


def test_it_is_put_on_a_sale_to_its_own_customer_alone(product: Product, purchase: Purchase) -> None:
    linked = purchase.linked(ContactID=purchase.customer)
    other = purchase.sale(product.books.add_contact("Ben").id)

    reply = product.call("POST", f"LinkedTransactions/{linked}", purchase.on(other))

    assert reply.messages() == ["The ContactID and the TargetTransaction ContactID do not match"]
    (shown,) = reply.rows("Elements")
    assert (shown["LinkedTransactionID"], shown["ContactID"]) == (linked, purchase.customer)
    assert purchase.status(linked) == "APPROVED"


def test_it_is_deleted_unless_the_customer_was_billed(product: Product, purchase: Purchase) -> None:
    free, billed = purchase.linked(), purchase.linked(1, ContactID=purchase.customer)
    product.books.bill_expense(billed, sale_id=purchase.sale(status="AUTHORISED").id)

    replies = {each: product.call("DELETE", f"LinkedTransactions/{each}").status for each in (free, billed)}

    assert replies == {free: 204, billed: 400}
    assert [each.id for each in product.books.linked_transactions] == [billed]
    assert product.call("GET", f"LinkedTransactions/{free}").status == 404


def test_a_line_that_leaves_its_bill_takes_it_along(product: Product, purchase: Purchase) -> None:
    linked = purchase.linked()

    kept = {"LineItemID": purchase.bill.lines[1].id, "Description": "Nails"}
    assert product.call("POST", f"Invoices/{purchase.bill.id}", {"LineItems": [kept]}).status == 200

    assert purchase.status(linked) == "VOIDED"


def test_the_list_is_chosen_from_and_comes_in_hundreds(product: Product, purchase: Purchase) -> None:
    other = bought_for(product, lines=150)
    for place in range(150):
        other.linked(place)
    mine = purchase.linked(ContactID=purchase.customer)

    def listed(query: str) -> list[str]:
        rows = product.call("GET", f"LinkedTransactions?{query}").rows("LinkedTransactions")
        return [text(row, "LinkedTransactionID") for row in rows]

    assert [len(listed(f"page={page}")) for page in (1, 2, 3)] == [100, 51, 0]
    assert set(product.call("GET", "LinkedTransactions").row) & {"pagination"} == set()
    assert listed(f"SourceTransactionID={purchase.bill.id}") == [mine]
    assert listed(f"ContactID={purchase.customer}&Status=APPROVED") == [mine]
    assert listed(f"ContactID={purchase.customer}&Status=BILLED") == []
    assert listed(f"LinkedTransactionID={mine}") == [mine]
    product.books.bill_expense(mine, sale_id=(sale := purchase.sale()).id)
    assert listed(f"TargetTransactionID={sale.id}") == [mine]
    assert product.call("GET", "LinkedTransactions?Status=LATE").status == 400


def bought_for(product: Product, *, lines: int) -> Purchase:
    """A bill of many *lines*."""
    vendor = product.books.add_contact("Steel")
    rows: list[dict[str, Json]] = [
        {"Description": str(each), "Quantity": 1, "UnitAmount": 1, "AccountCode": "429"} for each in range(lines)
    ]
    return Purchase(product, product.books.add_invoice(vendor.id, type="ACCPAY", lines=rows), "")
