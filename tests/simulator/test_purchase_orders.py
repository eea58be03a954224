"""/PurchaseOrders as Xero takes, lists and refuses them (F 6.176, A.10, 4.34)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Row, Sent, inside, rows_of, text

ZERO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def supplier(product: Product) -> str:
    """The id of a contact with an email address and one phone number."""
    reply = product.call(
        "PUT",
        "Contacts",
        {"Name": "Steel", "EmailAddress": "s@example.com", "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "123"}]},
    )
    return text(reply.one("Contacts"), "ContactID")


def order(contact: str, **others: object) -> Sent:
    """An order for 100.00 of steel, as it was sent when the recordings were made."""
    line: Sent = {"Description": "steel", "Quantity": 1, "UnitAmount": 100, "AccountCode": "429"}
    fields: Sent = {"Contact": {"ContactID": contact}, "Date": "2026-01-05", "LineItems": [line]}
    return fields | others


def put(product: Product, contact: str, **others: object) -> Row:
    reply = product.call("PUT", "PurchaseOrders", order(contact, **others))
    assert reply.status == 200
    return reply.one("PurchaseOrders")


def numbers(product: Product, query: str) -> list[str]:
    rows = product.call("GET", f"PurchaseOrders?{query}").rows("PurchaseOrders")
    return [text(row, "PurchaseOrderNumber") for row in rows]


def test_the_reply_to_a_new_order_has_the_recorded_keys(product: Product, supplier: str) -> None:
    """F 6.176: as recorded, in this order."""
    row = put(product, supplier, PurchaseOrderNumber="PO-REC", Status="SUBMITTED")

    assert list(row) == [
        "PurchaseOrderID", "PurchaseOrderNumber", "DateString", "Date", "HasErrors", "IsDiscounted", "TotalDiscount",
        "SentToContact", "Type", "CurrencyRate", "CurrencyCode", "Contact", "Status", "LineAmountTypes", "LineItems",
        "SubTotal", "TotalTax", "Total", "UpdatedDateUTC",
    ]  # fmt: skip
    assert list(rows_of(row, "LineItems")[0]) == [
        "Description", "UnitAmount", "TaxType", "TaxAmount", "LineAmount", "AccountCode", "Tracking", "Quantity",
        "LineItemID", "AccountID",
    ]  # fmt: skip
    contact = inside(row, "Contact")
    assert (contact["IsSupplier"], contact["DefaultCurrency"], contact["Addresses"]) == (False, "NZD", [])
    assert [phone["PhoneType"] for phone in rows_of(contact, "Phones")] == ["DEFAULT"]
    assert (row["SubTotal"], row["TotalTax"], row["Total"]) == (100, 15, 115)


@pytest.mark.rank(30)
def test_list_row_single_order_and_reply_differ(product: Product, supplier: str) -> None:
    """F 4.11, 4.12: files and the rest of the contact are shown by a read of one only."""
    written = put(product, supplier)

    listed = product.call("GET", "PurchaseOrders").one("PurchaseOrders")
    one = product.call("GET", f"PurchaseOrders/{written['PurchaseOrderID']}").one("PurchaseOrders")

    assert set(one) - set(listed) == {"SentToContact", "Attachments"}
    assert "HasAttachments" not in written
    assert "TotalDiscount" not in one
    assert "AccountID" not in rows_of(one, "LineItems")[0]
    assert set(inside(one, "Contact")) - set(inside(listed, "Contact")) == {
        "EmailAddress", "BankAccountDetails", "IsSupplier", "IsCustomer", "SalesTrackingCategories",
        "PurchasesTrackingCategories",
    }  # fmt: skip


def test_the_list_is_always_paged_and_whole(product: Product, supplier: str) -> None:
    """F 4.07, 4.02."""
    for _ in range(3):
        put(product, supplier)

    first = product.call("GET", "PurchaseOrders")
    small = product.call("GET", "PurchaseOrders?page=2&pageSize=2")

    assert inside(first.row, "pagination") == {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 3}
    assert list(first.row)[4:] == ["pagination", "PurchaseOrders"]
    assert rows_of(first.rows("PurchaseOrders")[0], "LineItems")
    assert inside(small.row, "pagination")["pageCount"] == 2
    assert len(small.rows("PurchaseOrders")) == 1


def test_lists_are_filtered_by_parameters_and_not_by_where(product: Product, supplier: str) -> None:
    """F 4.34."""
    put(product, supplier, PurchaseOrderNumber="A", Date="2026-01-01")
    put(product, supplier, PurchaseOrderNumber="B", Date="2026-01-15", Status="AUTHORISED")
    put(product, supplier, PurchaseOrderNumber="C", Date="2026-02-01", Status="AUTHORISED")

    assert numbers(product, "Status=AUTHORISED") == ["B", "C"]
    assert numbers(product, "DateFrom=2026-01-01&DateTo=2026-01-15") == ["A", "B"]
    assert numbers(product, "order=PurchaseOrderNumber%20DESC") == ["C", "B", "A"]
    assert numbers(product, 'where=Status=="DRAFT"') == ["A", "B", "C"]
    assert product.call("GET", "PurchaseOrders?Status=PAID").status == 400
    assert product.call("GET", "PurchaseOrders?DateFrom=yesterday").status == 400


def test_changed_orders_are_listed_since(product: Product, supplier: str) -> None:
    """F 4.21."""
    put(product, supplier)

    reply = product.call("GET", "PurchaseOrders", If_Modified_Since="2099-01-01T00:00:00")

    assert reply.rows("PurchaseOrders") == []


@pytest.mark.rank(12)
def test_a_post_with_a_live_number_silently_updates_that_order(product: Product, supplier: str) -> None:
    """F 6.176: another supplier's order, with no error."""
    first = put(product, supplier, PurchaseOrderNumber="PO-7")
    other = product.books.add_contact("Other").id

    reply = product.call("POST", "PurchaseOrders", order(other, PurchaseOrderNumber="po-7", Reference="mine"))

    assert reply.one("PurchaseOrders")["PurchaseOrderID"] == first["PurchaseOrderID"]
    (held,) = product.books.purchase_orders
    assert (held.contact_id, held.reference) == (other, "mine")


def test_a_put_with_a_number_in_use_is_refused(product: Product, supplier: str) -> None:
    """F 6.176."""
    put(product, supplier, PurchaseOrderNumber="PO-7")

    reply = product.call("PUT", "PurchaseOrders", order(supplier, PurchaseOrderNumber="PO-7"))

    assert reply.messages() == ["Order number must be unique"]
    assert len(product.books.purchase_orders) == 1


@pytest.mark.rank(2)
def test_a_number_held_by_a_deleted_order_is_refused_with_two_texts(product: Product, supplier: str) -> None:
    """F 6.176, 5.36: recorded, in that order; the failed element is enriched."""
    held = put(product, supplier, PurchaseOrderNumber="PO-H")
    product.call("POST", "PurchaseOrders", {"PurchaseOrderID": held["PurchaseOrderID"], "Status": "DELETED"})

    reply = product.call(
        "POST",
        "PurchaseOrders?summarizeErrors=False",
        order(supplier, PurchaseOrderNumber="PO-H", Status="SUBMITTED"),
    )

    row = reply.one("PurchaseOrders")
    assert (reply.status, row["StatusAttributeString"], row["HasErrors"]) == (200, "ERROR", True)
    assert (row["PurchaseOrderID"], row["PurchaseOrderNumber"]) == (ZERO_ID, "PO-H")
    assert [error["Message"] for error in rows_of(row, "ValidationErrors")] == [
        "PurchaseOrder status change is invalid",
        "Deleted PurchaseOrders cannot be updated",
    ]
    assert set(row) == {
        "PurchaseOrderID", "PurchaseOrderNumber", "DateString", "Date", "HasErrors", "IsDiscounted", "TotalDiscount",
        "Type", "CurrencyCode", "Contact", "Status", "LineAmountTypes", "LineItems", "SubTotal", "TotalTax", "Total",
        "StatusAttributeString", "ValidationErrors",
    }  # fmt: skip
    line = rows_of(row, "LineItems")[0]
    assert "LineItemID" not in line
    assert (line["TaxAmount"], line["ValidationErrors"], row["Total"]) == (15, [], 115)
    contact = inside(row, "Contact")
    assert (contact["Name"], len(rows_of(contact, "Phones"))) == ("Steel", 4)


def test_a_deleted_order_may_leave_its_number_as_it_goes_and_not_after(product: Product, supplier: str) -> None:
    """A.10: renumbered in the very update that deletes it."""
    made = put(product, supplier, PurchaseOrderNumber="PO-1")
    path = f"PurchaseOrders/{made['PurchaseOrderID']}"

    gone = product.call("POST", path, {"Status": "DELETED", "PurchaseOrderNumber": "PO-1-VOID"})
    after = product.call("POST", path, {"PurchaseOrderNumber": "PO-2"})
    again = product.call("PUT", "PurchaseOrders", order(supplier, PurchaseOrderNumber="PO-1"))

    assert gone.one("PurchaseOrders")["PurchaseOrderNumber"] == "PO-1-VOID"
    assert after.messages() == ["Deleted PurchaseOrders cannot be updated"]
    assert again.status == 200


def test_an_order_may_be_made_billed_and_deleted_when_billed(product: Product, supplier: str) -> None:
    """A.10."""
    made = put(product, supplier, Status="BILLED")

    product.call("POST", f"PurchaseOrders/{made['PurchaseOrderID']}", {"Status": "DELETED"})

    assert [one.status for one in product.books.purchase_orders] == ["DELETED"]


def test_an_approved_order_does_not_go_back(product: Product, supplier: str) -> None:
    """F 6.176."""
    made = put(product, supplier, Status="AUTHORISED")

    reply = product.call("POST", f"PurchaseOrders/{made['PurchaseOrderID']}", {"Status": "DRAFT"})

    assert reply.messages() == ["PurchaseOrder status change is invalid"]
    assert product.call("PUT", "PurchaseOrders", order(supplier, Status="DELETED")).status == 400
    assert product.call("PUT", "PurchaseOrders", order(supplier, Status="PAID")).row["ErrorNumber"] == 17


@pytest.mark.rank(50)
def test_a_draft_is_not_marked_as_sent_and_that_is_a_warning(product: Product, supplier: str) -> None:
    """F 6.176, 5.48."""
    draft = put(product, supplier, SentToContact=True)
    approved = put(product, supplier, SentToContact=True, Status="AUTHORISED")

    assert [row["Message"] for row in rows_of(draft, "Warnings")] == [
        "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."
    ]
    assert (draft["SentToContact"], approved["SentToContact"]) == (False, True)


@pytest.mark.rank(25)
def test_prices_have_four_places_without_asking(product: Product, supplier: str) -> None:
    """F 5.21."""
    line: Sent = {"Description": "nails", "Quantity": 1000, "UnitAmount": "0.12345", "AccountCode": "429"}

    made = put(product, supplier, LineItems=[line])

    assert made["SubTotal"] == Decimal("123.50")
    assert '"UnitAmount": 0.1235' in product.call("GET", f"PurchaseOrders/{made['PurchaseOrderID']}").text


def test_delivery_is_kept_and_shown(product: Product, supplier: str) -> None:
    """The specification's fields."""
    fields: Sent = {
        "DeliveryDate": "2026-02-01",
        "ExpectedArrivalDate": "2026-02-03",
        "DeliveryAddress": "23 Main Street\nMarineville",
        "AttentionTo": "Ana",
        "Telephone": "0800 1234",
        "DeliveryInstructions": "Ring twice",
        "Reference": "710",
    }
    made = put(product, supplier, **fields)
    product.call("POST", f"PurchaseOrders/{made['PurchaseOrderID']}", {"AttentionTo": "Bo"})

    row = product.call("GET", f"PurchaseOrders/{made['PurchaseOrderNumber']}").one("PurchaseOrders")

    assert row["DeliveryDateString"] == "2026-02-01T00:00:00"
    assert row["ExpectedArrivalDateString"] == "2026-02-03T00:00:00"
    assert row["DeliveryAddress"] == "23 Main Street\r\nMarineville"
    assert (row["AttentionTo"], row["Reference"]) == ("Bo", "710")
    assert product.call("PUT", "PurchaseOrders", order(supplier, DeliveryInstructions="x" * 501)).status == 400


def test_a_discount_is_counted(product: Product, supplier: str) -> None:
    """The specification's example."""
    line: Sent = {"Description": "guitar", "Quantity": 1, "UnitAmount": 2500, "AccountCode": "429", "DiscountRate": 10}

    made = put(product, supplier, LineItems=[line])
    one = product.call("GET", f"PurchaseOrders/{made['PurchaseOrderID']}").one("PurchaseOrders")

    assert (one["IsDiscounted"], one["TotalDiscount"], one["Total"]) == (True, 250, Decimal("2587.50"))


def test_omitted_lines_stay_and_given_ones_replace(product: Product, supplier: str) -> None:
    """F 6.65, as recorded for orders."""
    made = put(product, supplier)
    path = f"PurchaseOrders/{made['PurchaseOrderID']}"
    line = rows_of(made, "LineItems")[0]

    kept = product.call("POST", path, {"Status": "SUBMITTED"}).one("PurchaseOrders")
    replaced = product.call("POST", path, order(supplier)).one("PurchaseOrders")

    assert rows_of(kept, "LineItems")[0]["LineItemID"] == line["LineItemID"]
    assert rows_of(replaced, "LineItems")[0]["LineItemID"] != line["LineItemID"]


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"Contact": None}, "A Contact must be specified"),
        ({"LineItems": []}, "line items"),
        ({"CurrencyCode": "XXX"}, "not subscribed"),
        ({"PurchaseOrderNumber": "9" * 256}, "255"),
    ],
)
def test_what_is_missing_or_wrong_is_refused(product: Product, supplier: str, fields: Sent, part: str) -> None:
    """And nothing is kept."""
    assert part in product.call("PUT", "PurchaseOrders", order(supplier, **fields)).messages()[0]
    assert product.books.purchase_orders == ()


def test_orders_post_nothing(product: Product, supplier: str) -> None:
    """An order is no bill: the ledger knows nothing of it."""
    put(product, supplier, Status="BILLED")
    product.books.add_purchase_order(supplier, amount=Decimal(10), date=date(2026, 1, 5))

    assert all(line.balance == 0 for line in product.books.trial_balance())
    assert product.call("GET", f"PurchaseOrders/{ZERO_ID}").status == 404
