"""What becomes of a document's lines when they are named by their id, left out, or given in part."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest
from tests.simulator.conftest import Product, Row, Sent, invoice, payment, rows_of


def line(**changes: object) -> Sent:
    whole: dict[str, object] = {"Description": "Work", "Quantity": 1, "UnitAmount": "100.00", "AccountCode": "200"}
    return cast(Sent, {name: value for name, value in (whole | changes).items() if value is not None})


def made(product: Product, lines: list[Sent], path: str = "Invoices", **fields: object) -> Row:
    contact = product.books.add_contact("Ridgeway")
    plural = path.partition("?")[0]
    return product.call("PUT", path, invoice(contact.id, LineItems=lines, **fields)).one(plural)


@pytest.mark.parametrize(
    ("path", "given", "total"),
    [
        ("Invoices?unitdp=4", line(UnitAmount="1.2345", Quantity=100), "141.97"),
        ("Invoices", line(DiscountAmount="10.00"), "103.50"),
        ("Invoices", line(DiscountRate="10"), "103.50"),
        ("Invoices", line(UnitAmount=None, Quantity=3, LineAmount="100.00"), "115.00"),
        ("Invoices", line(TaxAmount="14.50"), "114.50"),
        ("CreditNotes", line(TaxAmount="14.50"), "114.50"),
    ],
)
@pytest.mark.rank(20)
def test_approving_a_draft_changes_no_amount(product: Product, path: str, given: Sent, total: str) -> None:
    """F 5.21, 5.27, 6.51: a status alone says nothing of the lines."""
    plural, kind = path.partition("?")[0], {"Type": "ACCRECCREDIT"} if path == "CreditNotes" else {}
    draft = made(product, [given], path, Status="DRAFT", **kind)
    id_name = f"{plural[:-1]}ID"

    approved = product.call("POST", f"{plural}/{draft[id_name]}", {"Status": "AUTHORISED"}).one(plural)

    assert (approved["Status"], approved["Total"]) == ("AUTHORISED", Decimal(total))
    assert approved["LineItems"] == draft["LineItems"] or path.endswith("unitdp=4")


@pytest.mark.rank(41)
def test_a_line_named_by_its_id_alone_is_kept_as_it_is(product: Product) -> None:
    """F 6.65: what is not said of a kept line stays; a line not named is removed."""
    sale = made(product, [line(), line(Description="More", UnitAmount="50.00")])
    first, _ = rows_of(sale, "LineItems")
    path = f"Invoices/{sale['InvoiceID']}"

    kept = product.call("POST", path, {"LineItems": [{"LineItemID": first["LineItemID"]}]}).one("Invoices")
    changed = product.call("POST", path, {"LineItems": [{"LineItemID": first["LineItemID"], "Quantity": 2}]}).one(
        "Invoices"
    )

    assert rows_of(kept, "LineItems") == [first]
    assert kept["Total"] == Decimal("115.00")
    assert (changed["Status"], changed["Total"]) == ("AUTHORISED", Decimal("230.00"))


def test_a_kept_line_of_an_order_and_of_a_quote_stays_too(product: Product) -> None:
    contact = product.books.add_contact("Ridgeway")
    for plural in ("PurchaseOrders", "Quotes"):
        given: Sent = {
            "Contact": {"ContactID": contact.id},
            "LineItems": [line(TaxType="OUTPUT2")],
            "Date": "2026-01-05",
        }
        order = product.call("PUT", plural, given).one(plural)
        (only,) = rows_of(order, "LineItems")

        path = f"{plural}/{order[plural[:-1] + 'ID']}"
        kept = product.call("POST", path, {"LineItems": [{"LineItemID": only["LineItemID"]}]}).one(plural)

        assert kept["Total"] == order["Total"]


def test_a_stated_tax_is_worked_out_anew_when_amounts_mean_something_else(product: Product) -> None:
    """F 5.15, 5.27."""
    draft = made(product, [line(TaxAmount="14.50")], Status="DRAFT")

    inclusive = product.call("POST", f"Invoices/{draft['InvoiceID']}", {"LineAmountTypes": "Inclusive"}).one("Invoices")

    assert (inclusive["Total"], inclusive["TotalTax"]) == (Decimal("100.00"), Decimal("13.04"))


@pytest.mark.rank(40)
def test_the_rate_of_a_document_may_change_and_its_currency_in_any_letter_case_keeps_it(product: Product) -> None:
    """F 6.70, 5.07."""
    product.books.add_currency("USD")
    draft = made(product, [line()], Status="DRAFT", CurrencyCode="USD", CurrencyRate="0.5")
    path = f"Invoices/{draft['InvoiceID']}"

    same = product.call("POST", path, {"CurrencyCode": "usd"}).one("Invoices")
    other = product.call("POST", path, {"CurrencyRate": "0.9"}).one("Invoices")

    assert (same["CurrencyRate"], other["CurrencyRate"]) == (Decimal("0.5"), Decimal("0.9"))


PAID_REFUSALS: list[tuple[dict[str, object], str]] = [
    ({"CurrencyRate": "2"}, "Invoice not of valid status for modification"),
    ({"Status": "AUTHORISED"}, "The status AUTHORISED cannot be applied to the invoice because"),
    ({"Line": {"AccountCode": "610"}}, "Account code '610' is not a valid code for this document."),
    ({"Line": {"AccountCode": "999"}}, "Account code '999' is not a valid code for this document."),
    ({"Line": {"DiscountRate": "50"}}, "Invoice not of valid status for modification"),
    ({"Line": {"ItemCode": "ZZZ"}}, "Invoice not of valid status for modification"),
]


@pytest.mark.rank(42)
@pytest.mark.parametrize(("change", "refusal"), PAID_REFUSALS)
def test_little_of_a_paid_invoice_may_change(product: Product, change: dict[str, object], refusal: str) -> None:
    """F 6.53, 6.66, 6.20."""
    sale = made(product, [line()])
    product.call("PUT", "Payments", payment(str(sale["InvoiceID"]), "115.00"))
    (only,) = rows_of(sale, "LineItems")
    inside = change.get("Line")
    if isinstance(inside, dict):
        change = {"LineItems": [{"LineItemID": only["LineItemID"], **inside}]}
    before = product.books.invoices[0]

    reply = product.call("POST", f"Invoices/{sale['InvoiceID']}", change)

    said = [*reply.messages(), *(reply.line_messages() if inside is not None else [])]
    assert reply.status == 400
    assert any(message.startswith(refusal) for message in said)
    assert product.books.invoices[0] == before


@pytest.mark.rank(42)
def test_a_paid_line_coded_to_an_archived_account_is_refused_in_both_messages(product: Product) -> None:
    """F 6.18."""
    product.books.archive_account("260")
    sale = made(product, [line()])
    product.call("PUT", "Payments", payment(str(sale["InvoiceID"]), "115.00"))
    (only,) = rows_of(sale, "LineItems")
    lines: list[Sent] = [{"LineItemID": only["LineItemID"], "AccountCode": "260"}]

    reply = product.call("POST", f"Invoices/{sale['InvoiceID']}", {"LineItems": lines})

    assert len(reply.line_messages()) == 2


@pytest.mark.rank(42)
def test_the_contact_of_a_credited_invoice_stays_however_another_is_named(product: Product) -> None:
    """F 6.66."""
    sale = made(product, [line()])
    ridgeway, bo = product.books.invoices[0].contact_id, product.books.add_contact("Bo")
    credit = product.books.add_credit_note(ridgeway, amount=Decimal(10))
    product.books.allocate(credit.id, invoice_id=str(sale["InvoiceID"]), amount=Decimal(5))

    by_id = product.call("POST", f"Invoices/{sale['InvoiceID']}", {"Contact": {"ContactID": bo.id}})
    by_name = product.call("POST", f"Invoices/{sale['InvoiceID']}", {"Contact": {"Name": "Bo"}})

    assert (by_id.status, by_name.status) == (400, 400)
    assert product.books.invoices[0].contact_id == ridgeway


def test_a_discount_is_for_sales_only_and_is_told_back(product: Product) -> None:
    """F 6.63, 6.74."""
    sale = made(product, [line(DiscountAmount="10.00"), line(DiscountRate="50")])
    lines: list[Sent] = [line(DiscountRate="10", AccountCode="400")]

    bill = product.call("PUT", "Invoices", invoice(product.books.contacts[0].id, Type="ACCPAY", LineItems=lines))

    assert (sale["TotalDiscount"], rows_of(sale, "LineItems")[0]["DiscountAmount"]) == (Decimal("60.00"), Decimal(10))
    assert bill.line_messages() == ["Discounts are not supported on this type of document"]


BAD_REFERENCE_ROWS: list[tuple[str, Sent, str]] = [
    ("Contacts", {"Name": "A", "Phones": [{"PhoneType": "DDI", "PhoneNumber": "1" * 51}]}, "PhoneNumber"),
    ("Contacts", {"Name": "A", "Addresses": [{"AddressType": "POBOX", "City": "x" * 256}]}, "City"),
    ("Contacts", {"Name": "A", "Addresses": [{"AddressType": "POBOX", "Country": "N2"}]}, "letters"),
    ("Accounts", {"Code": "1", "Name": "A", "Type": "REVENUE", "Description": "x" * 4001}, "Description"),
    ("Accounts", {"Name": "A", "Type": "BANK", "BankAccountNumber": "1", "Description": "x"}, "description"),
    ("Accounts", {"Name": "A", "Type": "BANK", "BankAccountNumber": "1", "CurrencyCode": "JPY"}, "JPY"),
    ("Accounts", {"Code": "1", "Name": "A", "Type": "REVENUE", "TaxType": "FOO"}, "FOO"),
]


@pytest.mark.parametrize(("plural", "given", "said"), BAD_REFERENCE_ROWS)
def test_reference_rows_that_xero_would_not_keep_are_refused(
    product: Product, plural: str, given: Sent, said: str
) -> None:
    """F 6.11, 6.22, 6.69, 6.71."""
    reply = product.call("PUT", plural, given)

    assert reply.status == 400
    assert said in reply.messages()[0]


def test_an_archived_contact_is_not_made_anew_by_its_id(product: Product) -> None:
    """F 6.31."""
    gone = product.books.add_contact("Gone")
    product.books.archive_contact(gone.id)

    reply = product.call("PUT", "Contacts", {"ContactID": gone.id, "Name": "Gone again"})

    assert "archived contact" in reply.messages()[0]
    assert len(product.books.contacts) == 1


def test_too_little_to_allocate_is_refused_before_it_is_rounded(product: Product) -> None:
    sale = made(product, [line()])
    credit = product.books.add_credit_note(product.books.contacts[0].id, amount=Decimal(10))
    given: Sent = {"Amount": "0.001", "Invoice": {"InvoiceID": sale["InvoiceID"]}}

    reply = product.call("PUT", f"CreditNotes/{credit.id}/Allocations", given)

    assert reply.messages() == ["The allocation amount must be greater than zero"]


def test_a_payment_is_made_standing(product: Product) -> None:
    """F 6.121."""
    sale = made(product, [line()])

    reply = product.call("PUT", "Payments", payment(str(sale["InvoiceID"]), "1.00") | {"Status": "DELETED"})

    assert reply.messages() == ["Payment not of valid status for creation"]
    assert not product.books.payments
