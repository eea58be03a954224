"""Lists, pages, filters and shapes (facts section 4 and 5a)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.conftest import Product, Row, connect, inside, invoice, make, payment, rows_of, text, wait

from xerosync.simulator import Simulator, Switches
from xerosync.simulator.query import Names, read_where
from xerosync.simulator.refusals import UnreadableQuery


def with_sales(product: Product, count: int) -> list[str]:
    contact = product.books.add_contact("Ridgeway University")
    with product.simulator.transaction():
        return [product.books.add_invoice(contact.id, amount=Decimal(10 + i)).id for i in range(count)]


def found(product: Product, where: str, plural: str = "Invoices") -> list[Row]:
    return product.call("GET", f"{plural}?where={quote(where)}").rows(plural)


@pytest.mark.rank(14, 15)
def test_only_a_paged_list_has_lines_and_a_pagination(product: Product) -> None:
    """F 4.03, 4.08, 4.11 (ranks 14, 15)."""
    with_sales(product, 1)

    light = product.call("GET", "Invoices")
    paged = product.call("GET", "Invoices?page=1")
    one = product.call("GET", f"Invoices/{product.books.invoices[0].id}")

    assert light.one("Invoices")["LineItems"] == []
    assert len(rows_of(paged.one("Invoices"), "LineItems")) == 1
    assert list(light.row) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Invoices"]
    assert list(paged.row)[4:] == ["pagination", "Invoices"]
    assert "EmailAddress" not in inside(paged.one("Invoices"), "Contact")
    assert inside(one.one("Invoices"), "Contact")["ContactStatus"] == "ACTIVE"
    assert "Payments" not in one.one("Invoices")


@pytest.mark.rank(15)
def test_pages_have_at_most_a_thousand_rows_and_an_end(product: Product) -> None:
    """F 4.01, 4.09 (rank 15)."""
    with_sales(product, 5)

    clamped = inside(product.call("GET", "Invoices?page=1&pageSize=5000").row, "pagination")
    second = product.call("GET", "Invoices?page=2&pageSize=2")
    beyond = product.call("GET", "Invoices?page=4&pageSize=2")

    assert clamped == {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": 5}
    assert inside(second.row, "pagination") == {"page": 2, "pageSize": 2, "pageCount": 3, "itemCount": 5}
    assert [row["Total"] for row in second.rows("Invoices")] == [Decimal(12), Decimal(13)]
    assert (beyond.status, beyond.rows("Invoices")) == (200, [])


@pytest.mark.rank(16)
def test_an_edit_moves_a_row_to_the_end_and_shifts_the_pages(product: Product) -> None:
    """F 4.13, 4.14 (rank 16): the naive reader never sees the third invoice."""
    ids = with_sales(product, 4)
    first = product.call("GET", "Invoices?page=1&pageSize=2").rows("Invoices")
    product.call("POST", f"Invoices/{ids[0]}", {"Reference": "edited"})
    second = product.call("GET", "Invoices?page=2&pageSize=2").rows("Invoices")

    assert ids[2] not in {row["InvoiceID"] for row in first + second}


@pytest.mark.rank(15)
@pytest.mark.rank(16)
def test_lists_stay_in_the_order_of_stamps_when_a_change_is_taken_back_and_when_the_file_is_opened_again(
    tmp_path: Path,
) -> None:
    """F 4.13."""
    with Simulator(tmp_path / "books.xero", limits=False) as simulator:
        product = connect(simulator, simulator.add_organisation())
        books = product.books
        ana = books.add_contact("Ana").id
        sales = [books.add_invoice(ana, amount=Decimal(100), number=f"S-{place}").id for place in range(4)]
        books.add_payment(sales[1], account="090", amount=Decimal(1))
        books.add_payment(sales[0], account="090", amount=Decimal(1))
        with suppress(KeyError), simulator.transaction():
            books.add_payment(sales[2], account="090", amount=Decimal(1))
            raise KeyError
        books.remove_payment(books.payments[0].id)
        expected = {"Invoices": ["S-2", "S-3", "S-0", "S-1"], "Payments": [sales[0], sales[1]]}

        assert shown_in_order(product) == expected
    with Simulator(tmp_path / "books.xero", limits=False) as simulator:
        (organisation,) = simulator.organisations

        assert shown_in_order(connect(simulator, simulator.bookkeeper(organisation.id))) == expected


def shown_in_order(product: Product) -> dict[str, list[str]]:
    sales = product.call("GET", "Invoices?page=1").rows("Invoices")
    payments = product.call("GET", "Payments?page=1").rows("Payments")
    return {
        "Invoices": [text(row, "InvoiceNumber") for row in sales],
        "Payments": [text(inside(row, "Invoice"), "InvoiceID") for row in payments],
    }


def test_accounts_and_tax_rates_are_never_paged(product: Product) -> None:
    """F 4.05."""
    for plural in ("Accounts", "TaxRates"):
        assert "pagination" not in product.call("GET", f"{plural}?page=1").row


@pytest.mark.rank(17)
def test_modified_since_counts_in_seconds_and_leaves_out_the_second_itself(product: Product) -> None:
    """F 4.18, 4.19 (rank 17)."""
    with_sales(product, 1)
    updated = product.books.invoices[0].updated

    def since(moment: str) -> int:
        return len(product.call("GET", "Invoices", If_Modified_Since=moment).rows("Invoices"))

    assert since((updated - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")) == 1
    assert since(updated.strftime("%Y-%m-%dT%H:%M:%S")) == 0
    assert since((updated - timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")) == 1
    assert since("2026-01-05T13:00:00+13:00") == 0


def test_modified_since_may_include_the_second_or_answer_304() -> None:
    """F 4.19, 4.20, the other ways of the switches."""
    inclusive = make(Switches(modified_since_includes_equal=True))
    with_sales(inclusive, 1)
    moment = inclusive.books.invoices[0].updated.strftime("%Y-%m-%dT%H:%M:%S")
    bare = make(Switches(unchanged_is_304=True))

    assert len(inclusive.call("GET", "Invoices", If_Modified_Since=moment).rows("Invoices")) == 1
    assert bare.call("GET", "Invoices", If_Modified_Since="2030-01-01T00:00:00").status == 304


@pytest.mark.rank(19)
def test_a_payment_moves_the_stamp_of_its_invoice(product: Product) -> None:
    """F 4.24 (rank 19)."""
    (one,) = with_sales(product, 1)
    wait(product, 60)
    since = product.simulator.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    wait(product, 60)
    product.call("PUT", "Payments", payment(one, "1.00"))

    assert len(product.call("GET", "Invoices", If_Modified_Since=since).rows("Invoices")) == 1


@pytest.mark.rank(35)
@pytest.mark.parametrize(
    ("where", "count"),
    [
        ('Type=="ACCREC"', 3),
        ('Type="ACCPAY"', 0),
        ('Status=="AUTHORISED"&&AmountDue>10', 2),
        ("AmountDue >= 10 AND AmountDue <= 11.00", 2),
        ("AmountDue == 10 OR AmountDue == 12", 2),
        ("AmountPaid=0", 3),
        ('Contact.Name.ToLower()=="ridgeway university"', 3),
        ('Contact.Name=="RIDGEWAY university"', 3),
        ('Contact.Name.Contains("way") AND InvoiceNumber.StartsWith("INV") && InvoiceNumber.EndsWith("2")', 1),
        ("Date >= DateTime(2026, 1, 5) AND Date < DateTime(2026,01,06,00,00,00)", 3),
        ("Reference == null", 3),
        ('Reference != null AND Reference.Contains("x")', 0),
        ('(Type=="ACCREC" OR Type=="ACCPAY") AND !(AmountDue > 10)', 1),
        ("SentToContact==false", 3),
    ],
)
def test_filters_are_read_as_xero_reads_them(product: Product, where: str, count: int) -> None:
    """F 4.44, 4.45, 4.55 (rank 35)."""
    with_sales(product, 3)

    assert len(found(product, where)) == count


def test_ids_are_filtered_as_guids(product: Product) -> None:
    """F 4.44, 4.55."""
    ids = with_sales(product, 2)
    made = product.call("PUT", "Payments", payment(ids[1], "1.00")).one("Payments")

    assert [row["InvoiceID"] for row in found(product, f'InvoiceID==Guid("{ids[0].upper()}")')] == [ids[0]]
    by_invoice = found(product, f'Invoice.InvoiceID==guid("{ids[1]}")', "Payments")
    assert [row["PaymentID"] for row in by_invoice] == [made["PaymentID"]]
    assert found(product, f'Invoice.InvoiceID==guid("{ids[0]}")', "Payments") == []


@pytest.mark.rank(35)
@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("Type==", "Syntax error"),
        ("Type ~ 3", "Syntax error"),
        ('Nonsense=="x"', "No property or field 'Nonsense' exists in type 'Invoice'"),
        ('Type=="x', "Unterminated string literal"),
        ("Type=='ACCREC'", "Character literal must contain exactly one character"),
        ('Reference.Contains("x")', "Object reference not set to an instance of an object."),
        ("Type", "Expression of type 'Boolean' expected"),
    ],
)
def test_an_unreadable_filter_is_error_sixteen(product: Product, where: str, message: str) -> None:
    """F 4.46, 4.49."""
    with_sales(product, 1)

    reply = product.call("GET", f"Invoices?where={quote(where)}")

    assert (reply.status, reply.row) == (
        400,
        {"ErrorNumber": 16, "Type": "QueryParseException", "Message": message},
    )


@pytest.mark.rank(36)
def test_an_unencoded_ampersand_cuts_the_filter(product: Product) -> None:
    """F 4.48 (rank 36)."""
    product.books.add_contact("Abby & Wells")

    cut = product.call("GET", 'Contacts?where=Name=="Abby & Wells"')
    whole = product.call("GET", "Contacts?where=" + quote('Name=="Abby & Wells"'))

    assert (cut.status, len(whole.rows("Contacts"))) == (400, 1)


def test_order_goes_either_way(product: Product) -> None:
    """F 4.53."""
    with_sales(product, 3)

    down = product.call("GET", "Invoices?order=AmountDue%20DESC").rows("Invoices")

    assert [row["AmountDue"] for row in down] == [Decimal(12), Decimal(11), Decimal(10)]
    assert product.call("GET", "Invoices?order=Nonsense").status == 400


@pytest.mark.rank(60)
def test_lists_can_be_asked_for_by_their_own_parameters(product: Product) -> None:
    """F 4.29, 4.42, 4.57 (rank 60)."""
    ids = with_sales(product, 3)
    contact = product.books.contacts[0]
    product.call("PUT", "Invoices", invoice(contact.id, InvoiceNumber="Own-1", Reference="Spring"))

    def count(query: str) -> int:
        return len(product.call("GET", f"Invoices?{query}").rows("Invoices"))

    assert count(f"IDs={ids[0]},{ids[2]}") == 2
    assert count("InvoiceNumbers=own-1,INV-0001") == 2
    assert count(f"ContactIDs={contact.id}") == 4
    assert count("Statuses=DRAFT,AUTHORISED") == 4
    assert count("Statuses=PAID") == 0
    assert count("createdByMyApp=true") == 1
    assert count("searchTerm=spr") == 1
    assert count("misspelt=true") == 4
    assert "pagination" in product.call("GET", "Invoices?Statuses=PAID").row


@pytest.mark.rank(60)
def test_a_summary_leaves_out_lines_and_payments(product: Product) -> None:
    """F 4.15."""
    with_sales(product, 1)

    reply = product.call("GET", "Invoices?summaryOnly=true")

    assert "pagination" in reply.row
    assert {"Payments", "LineItems", "HasAttachments"} & set(reply.one("Invoices")) == set()
    assert "Addresses" not in product.call("GET", "Contacts?summaryOnly=true").one("Contacts")


@pytest.mark.rank(56)
def test_paths_are_borne_in_any_case_singular_and_plural(product: Product) -> None:
    """F 4.43, 6.37, 6.80 (rank 56)."""
    with_sales(product, 1)
    product.books.add_contact("Numbered", number="C 1")

    for path in ("organisation", "ORGANISATIONS", "invoice/inv-0001", "Contacts/C%201"):
        assert product.call("GET", path).status == 200


@pytest.mark.rank(28)
def test_what_is_not_there_is_no_json(product: Product) -> None:
    """F 5.44 (rank 28)."""
    reply = product.call("GET", "Invoices/d4ad8fd6-5c72-4924-91b1-07f1472eb4c3")

    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert make(Switches(not_found_is_html=False)).call("GET", "Nothing").text == ""


@pytest.mark.rank(26)
def test_dates_are_written_with_escaped_slashes_and_twins(product: Product) -> None:
    """F 5.02, 5.10 (rank 26)."""
    with_sales(product, 1)

    written = product.call("GET", "Invoices?page=1").text

    assert '"Date": "\\/Date(1767571200000+0000)\\/"' in written
    assert '"DateString": "2026-01-05T00:00:00"' in written
    assert '"Total": 10.00' in written
    assert '"Quantity": 1.0000' in written
    assert "\r\n" in written


@pytest.mark.rank(26)
def test_the_stamp_of_an_embedded_contact_is_local_time(product: Product) -> None:
    """F 5.12a (rank 26): thirteen hours ahead in a New Zealand summer."""
    (one,) = with_sales(product, 1)
    alone = text(product.call("GET", f"Contacts/{product.books.contacts[0].id}").one("Contacts"), "UpdatedDateUTC")
    embedded = text(inside(product.call("GET", f"Invoices/{one}").one("Invoices"), "Contact"), "UpdatedDateUTC")

    assert int(embedded[6:19]) - int(alone[6:19]) == 13 * 3600 * 1000


@pytest.mark.rank(59)
def test_the_trial_balance_is_made_of_texts(product: Product) -> None:
    """F 6.192, 6.193 (rank 59)."""
    (one,) = with_sales(product, 1)
    product.books.add_payment(one, account="091", date=date(2026, 1, 5))

    (report,) = product.call("GET", "Reports/TrialBalance").rows("Reports")

    header, *sections, total = rows_of(report, "Rows")
    rows = [row for section in sections for row in rows_of(section, "Rows")]
    read = {
        str(inside_cells[0]["Value"]): [cell["Value"] for cell in inside_cells[1:]]
        for inside_cells in (rows_of(row, "Cells") for row in rows)
    }
    assert [cell["Value"] for cell in rows_of(header, "Cells")] == [
        "Account", "Debit", "Credit", "YTD Debit", "YTD Credit",
    ]  # fmt: skip
    assert read["Business Savings Account (091)"] == ["10.00", "", "10.00", ""]
    assert read["Sales (200)"] == ["", "8.70", "", "8.70"]
    assert [cell["Value"] for cell in rows_of(rows_of(total, "Rows")[0], "Cells")] == [
        "Total", "10.00", "10.00", "10.00", "10.00",
    ]  # fmt: skip
    account = rows_of(rows_of(rows_of(sections[0], "Rows")[0], "Cells")[0], "Attributes")
    assert account == [{"Value": product.books.account("200").id, "Id": "account"}]


def test_earnings_of_last_year_stand_in_retained_earnings(product: Product) -> None:
    """F 6.193: the year of a New Zealand company ends with March."""
    contact = product.books.add_contact("Ridgeway")
    product.books.add_invoice(contact.id, amount=Decimal("115.00"), date=date(2026, 3, 31))

    after = {line.account.code: line.balance for line in product.books.trial_balance(date(2026, 4, 1))}

    assert after == {"610": Decimal("115.00"), "820": Decimal("-15.00"), "960": Decimal("-100.00")}


def test_the_organisation_is_the_tenant(product: Product) -> None:
    """F 6.02."""
    row = product.call("GET", "Organisation").one("Organisations")

    assert row["OrganisationID"] == product.tenant_id
    assert text(row, "ShortCode").startswith("!")


@pytest.mark.parametrize(
    ("country", "currency", "rate"), [("AU", "AUD", "OUTPUT"), ("GB", "GBP", "OUTPUT2"), ("US", "USD", "TAX001")]
)
def test_other_countries_have_their_own_money_and_taxes(
    product: Product, country: str, currency: str, rate: str
) -> None:
    """F 6.168."""
    there = connect(product.simulator, product.simulator.add_organisation("There", country=country))

    taxes = {row["TaxType"]: row["EffectiveRate"] for row in there.call("GET", "TaxRates").rows("TaxRates")}

    assert there.call("GET", "Organisation").one("Organisations")["BaseCurrency"] == currency
    assert taxes["NONE"] == 0
    assert Decimal(str(taxes[rate])) > 0


NAMES: Names[tuple[Decimal, str]] = Names("Row", {"amount": lambda row: row[0], "name": lambda row: row[1]})


@given(st.text(alphabet='ab"()=<>!&|. 0129AND', max_size=40))
def test_any_filter_is_read_or_refused(where: str) -> None:
    """F 4.49: never a crash."""
    with suppress(UnreadableQuery):
        read_where(where, NAMES)((Decimal(1), "a"))


@given(
    st.decimals("-99", "99", places=2, allow_nan=False),
    st.decimals("-99", "99", places=2, allow_nan=False),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
)
def test_amounts_compare_as_numbers(amount: Decimal, bound: Decimal, sign: str) -> None:
    expected = {
        "==": amount == bound, "!=": amount != bound, "<": amount < bound, "<=": amount <= bound,
        ">": amount > bound, ">=": amount >= bound,
    }[sign]  # fmt: skip

    assert read_where(f"Amount {sign} {bound:f}", NAMES)((amount, "")) is expected
