"""/Quotes, which a younger part of Xero answers in its own manner (F 4.04, 4.35, 5.15)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Row, Sent, inside, rows_of, text


@pytest.fixture
def customer(product: Product) -> str:
    """The id of a contact with an email address."""
    return product.books.add_contact("Ana", email="ana@example.com").id


def quote(contact: str, **others: object) -> Sent:
    """A quote as it was sent when the recordings were made."""
    line: Sent = {"Description": "Job", "Quantity": 1, "UnitAmount": "703.02", "AccountCode": "200"}
    fields: Sent = {"Contact": {"ContactID": contact}, "Date": "2026-01-05", "LineItems": [line], "Terms": "Net 30"}
    return fields | others


def put(product: Product, contact: str, **others: object) -> Row:
    reply = product.call("PUT", "Quotes", quote(contact, **others))
    assert reply.status == 200
    return reply.one("Quotes")


def test_a_new_quote_is_answered_with_the_recorded_keys(product: Product, customer: str) -> None:
    """F 5.15: no charset, SummarizeErrors first, dates without offset, line amount types in capitals."""
    reply = product.call("PUT", "Quotes?summarizeErrors=False", quote(customer))

    assert reply.headers["content-type"] == "application/json"
    assert list(reply.row) == ["SummarizeErrors", "Id", "Status", "ProviderName", "DateTimeUTC", "Quotes"]
    assert reply.row["SummarizeErrors"] is False
    row = reply.one("Quotes")
    assert list(row) == [
        "QuoteID", "QuoteNumber", "Terms", "Contact", "LineItems", "Date", "DateString", "Status", "CurrencyRate",
        "CurrencyCode", "SubTotal", "TotalTax", "Total", "BrandingThemeID", "UpdatedDateUTC", "LineAmountTypes",
        "StatusAttributeString",
    ]  # fmt: skip
    assert list(inside(row, "Contact")) == ["ContactID", "Name", "EmailAddress"]
    assert list(rows_of(row, "LineItems")[0]) == [
        "LineItemID", "AccountCode", "Description", "UnitAmount", "LineAmount", "ItemCode", "Quantity", "TaxAmount",
        "Tracking",
    ]  # fmt: skip
    assert (row["QuoteNumber"], row["LineAmountTypes"]) == ("QU-0001", "EXCLUSIVE")
    assert "+0000" not in text(row, "Date") + text(row, "UpdatedDateUTC")


def test_a_line_without_tax_type_bears_no_tax(product: Product, customer: str) -> None:
    """As recorded: a quote takes no tax from the account."""
    line: Sent = {"Description": "Job", "Quantity": 1, "UnitAmount": "100.00", "AccountCode": "200"}

    bare = put(product, customer, LineItems=[line])
    taxed = put(product, customer, LineItems=[line | {"TaxType": "OUTPUT2"}])

    assert (bare["Total"], taxed["Total"]) == (100, 115)


@pytest.mark.rank(15)
def test_the_list_has_pages_and_no_word_of_them(product: Product, customer: str) -> None:
    """F 4.04: a hundred at a time, no pagination object, no page size."""
    for _ in range(101):
        product.books.add_quote(customer, amount=Decimal(1))

    first, second = product.call("GET", "Quotes?page=1&pageSize=7"), product.call("GET", "Quotes?page=2")

    assert "pagination" not in first.row
    assert [len(page.rows("Quotes")) for page in (first, second)] == [100, 1]
    assert product.call("GET", "Quotes?page=3").rows("Quotes") == []


@pytest.mark.rank(30)
def test_a_list_row_differs_from_a_single_quote(product: Product, customer: str) -> None:
    """As recorded: the list has discounts even of nothing, and no blank terms."""
    made = put(product, customer, Terms="")

    listed = product.call("GET", "Quotes?page=1").one("Quotes")
    one = product.call("GET", f"Quotes/{made['QuoteID']}").one("Quotes")

    assert set(one) - set(listed) == {"Terms"}
    assert set(listed) - set(one) == {"TotalDiscount"}
    assert set(rows_of(listed, "LineItems")[0]) ^ set(rows_of(one, "LineItems")[0]) == {"DiscountAmount", "ItemCode"}


def test_lists_are_filtered_by_parameters(product: Product, customer: str) -> None:
    """F 4.35."""
    other = product.books.add_contact("Bo").id
    put(product, customer, QuoteNumber="A", Date="2026-01-01", ExpiryDate="2026-03-01")
    put(product, customer, QuoteNumber="B", Date="2026-02-01", Status="SENT")
    put(product, other, QuoteNumber="C", Date="2026-03-01", ExpiryDate="2026-04-01")

    def numbers(query: str) -> list[str]:
        return [text(row, "QuoteNumber") for row in product.call("GET", f"Quotes?{query}").rows("Quotes")]

    assert numbers("Status=SENT") == ["B"]
    assert numbers("DateFrom=2026-02-01&DateTo=2026-02-28") == ["B"]
    assert numbers("ExpiryDateFrom=2026-03-15") == ["C"]
    assert numbers("ExpiryDateTo=2026-03-01") == ["A"]
    assert numbers(f"ContactID={other}") == ["C"]
    assert numbers("QuoteNumber=b") == ["B"]
    assert numbers("order=QuoteNumber%20DESC") == ["C", "B", "A"]
    assert product.call("GET", "Quotes?Status=PAID").status == 400


def test_an_update_keeps_lines_and_clears_what_is_not_said(product: Product, customer: str) -> None:
    """As recorded: texts blank, a new number, the lines as they were."""
    made = put(product, customer, Title="Your quote", ExpiryDate="2026-02-01", Reference="R")

    reply = product.call(
        "POST",
        "Quotes",
        {"QuoteID": made["QuoteID"], "Status": "SENT", "Contact": {"ContactID": customer}, "Date": "2026-01-05"},
    )

    row = reply.one("Quotes")
    assert (row["Status"], row["Terms"], row["Total"]) == ("SENT", "", made["Total"])
    assert not {"Title", "Reference", "ExpiryDate"} & set(row)
    assert rows_of(row, "LineItems")[0]["LineItemID"] == rows_of(made, "LineItems")[0]["LineItemID"]
    assert (made["QuoteNumber"], row["QuoteNumber"]) == ("QU-0001", "QU-0002")


def test_numbers_follow_as_they_were_recorded(product: Product, customer: str) -> None:
    """Each update without a number takes the next; a deleted quote gives its number back."""
    made = put(product, customer)
    path = f"Quotes/{made['QuoteID']}"

    taken = [
        text(product.call("POST", path, quote(customer, Status=status)).one("Quotes"), "QuoteNumber")
        for status in ("SENT", "ACCEPTED", "DELETED")
    ]

    assert made["QuoteNumber"] == "QU-0001"
    assert taken == ["QU-0002", "QU-0003", "QU-0002"]
    assert put(product, customer)["QuoteNumber"] == "QU-0002"


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (("SENT", "ACCEPTED", "INVOICED"), 200),
        (("SENT", "DECLINED", "SENT", "ACCEPTED", "DELETED"), 200),
        (("DELETED",), 200),
        (("DECLINED",), 400),
        (("SENT", "ACCEPTED", "DECLINED"), 400),
        (("INVOICED",), 400),
        (("SENT", "DELETED", "SENT"), 400),
        (("SENT", "DRAFT"), 400),
    ],
)
def test_a_quote_goes_from_status_to_status(
    product: Product, customer: str, steps: tuple[str, ...], status: int
) -> None:
    """A refused step leaves the quote as it was."""
    made = put(product, customer)
    *before, last = steps
    for step in before:
        assert product.call("POST", f"Quotes/{made['QuoteID']}", quote(customer, Status=step)).status == 200
    held = product.books.quotes[0]

    reply = product.call("POST", f"Quotes/{made['QuoteID']}", quote(customer, Status=last))

    assert reply.status == status
    assert product.books.quotes[0].status == (last if status == 200 else held.status)


def test_a_number_is_held_once(product: Product, customer: str) -> None:
    """A PUT is refused, a POST updates the one that bears it."""
    made = put(product, customer, QuoteNumber="QU-7")

    refused = product.call("PUT", "Quotes", quote(customer, QuoteNumber="qu-7"))
    updated = product.call("POST", "Quotes", quote(customer, QuoteNumber="QU-7", Reference="R"))

    assert refused.messages() == ["Quote number must be unique"]
    assert updated.one("Quotes")["QuoteID"] == made["QuoteID"]
    assert len(product.books.quotes) == 1


def test_amounts_may_hold_their_tax(product: Product, customer: str) -> None:
    """F 5.15, 5.26: INCLUSIVE in capitals, and exclusive again unless it is repeated."""
    line: Sent = {
        "Description": "x", "Quantity": 1, "UnitAmount": "115.00", "AccountCode": "200", "TaxType": "OUTPUT2"
    }  # fmt: skip
    made = put(product, customer, LineItems=[line], LineAmountTypes="INCLUSIVE")
    again = product.call("POST", f"Quotes/{made['QuoteID']}", {"Reference": "R"}).one("Quotes")

    assert (made["LineAmountTypes"], made["SubTotal"], made["Total"]) == ("INCLUSIVE", 100, 115)
    assert (again["LineAmountTypes"], again["Total"]) == ("EXCLUSIVE", Decimal("132.25"))


def test_discounts_are_shown_by_rate_and_amount(product: Product, customer: str) -> None:
    """The specification's example."""
    line: Sent = {
        "Description": "Fish", "Quantity": 1, "UnitAmount": "19.95", "DiscountRate": 10, "AccountCode": "200",
        "TaxType": "OUTPUT2",
    }  # fmt: skip
    put(product, customer, LineItems=[line])

    row = product.call("GET", "Quotes?page=1").one("Quotes")

    assert (row["SubTotal"], row["TotalTax"], row["Total"]) == (Decimal("17.96"), Decimal("2.69"), Decimal("20.65"))
    assert row["TotalDiscount"] == rows_of(row, "LineItems")[0]["DiscountAmount"] == Decimal("1.99")


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"Title": "x" * 101}, "Title"),
        ({"Summary": "x" * 3001}, "Summary"),
        ({"Terms": "x" * 4001}, "Terms"),
        ({"Status": "ACCEPTED"}, "cannot be created"),
        ({"LineItems": None}, "line items"),
        ({"Contact": {}}, "A Contact must be specified"),
    ],
)
def test_what_is_missing_or_too_long_is_refused(product: Product, customer: str, fields: Sent, part: str) -> None:
    """The specification's lengths; nothing is kept."""
    reply = product.call("PUT", "Quotes", quote(customer, **fields))

    assert part in reply.messages()[0]
    assert reply.rows("Elements")[0]["QuoteID"] == "00000000-0000-0000-0000-000000000000"
    assert product.books.quotes == ()


def test_quotes_post_nothing(product: Product, customer: str) -> None:
    """A quote is no invoice: the ledger knows nothing of it, and no contact becomes a customer."""
    put(product, customer)

    assert all(line.balance == 0 for line in product.books.trial_balance())
    assert not product.books.contact(customer).is_customer
