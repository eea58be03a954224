"""Demo companies come with a past, in the taxes and currency of their country."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import connect, rows_of

from xerosync.errors import InvalidInput
from xerosync.simulator import DemoCompany, Simulator


@pytest.mark.parametrize(
    ("country", "currency", "sales_tax", "title"),
    [
        ("NZ", "NZD", Decimal(15), "Demo Company (NZ)"),
        ("AU", "AUD", Decimal(10), "Demo Company (AU)"),
        ("GB", "GBP", Decimal(20), "Demo Company (UK)"),
        ("US", "USD", Decimal("8.25"), "Demo Company (US)"),
        ("CA", "CAD", Decimal(13), "Demo Company (CA)"),
    ],
)
def test_a_demo_company_trades_in_the_taxes_of_its_country(
    country: str, currency: str, sales_tax: Decimal, title: str
) -> None:
    books = Simulator(limits=False).found(DemoCompany(country))

    sale = next(one for one in books.invoices if one.type == "ACCREC" and one.status == "PAID" and one.total_tax)
    assert books.organisation.name == title
    assert sale.currency == currency
    assert sale.total_tax == (sale.sub_total * sales_tax / 100).quantize(Decimal("0.01"))
    assert sum(line.balance for line in books.trial_balance()) == 0


@pytest.mark.parametrize(
    ("code", "iso", "title"), [("GB", "GB", "UK"), ("UK", "GB", "UK"), ("uk", "GB", "UK"), ("ca", "CA", "CA")]
)
def test_a_country_has_one_code_and_a_demo_company_of_its_name(code: str, iso: str, title: str) -> None:
    simulator = Simulator()

    for books in (simulator.add_organisation(country=code), simulator.found(DemoCompany(code, months=0))):
        organisation = connect(simulator, books).call("GET", "Organisation").one("Organisations")
        assert (organisation["CountryCode"], organisation["Name"]) == (iso, f"Demo Company ({title})")


def test_a_year_of_history_is_partly_open_and_all_explained() -> None:
    books = Simulator(limits=False).found(DemoCompany("NZ"))

    statuses = {one.status for one in books.invoices}
    assert statuses == {"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED"}
    assert len(books.contacts) > 20
    assert len(books.invoices) > 100
    assert books.allocations
    due = sum(one.amount_due for one in books.invoices if one.status == "AUTHORISED" and one.is_sale)
    assert books.balance(next(one for one in books.accounts if one.system == "DEBTORS").id) == due


def test_nothing_of_the_history_seems_to_have_changed_lately() -> None:
    """F 4.28."""
    simulator = Simulator(limits=False)
    product = connect(simulator, simulator.found(DemoCompany("NZ")))

    fresh = product.call("GET", "Invoices?page=1", If_Modified_Since="2026-01-04T00:00:00")
    old = product.call("GET", "Invoices?page=1&pageSize=1000")

    assert fresh.rows("Invoices") == []
    stamps = [str(row["UpdatedDateUTC"]) for row in rows_of(old.row, "Invoices")]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == len(stamps)


def test_the_same_seed_founds_the_same_company() -> None:
    one, other = (Simulator(limits=False, seed=7).found(DemoCompany("AU")) for _ in range(2))

    assert one.invoices == other.invoices
    assert one.payments == other.payments


def test_a_country_that_is_not_served_is_named_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="AU, CA, GB, NZ, UK, US"):
        DemoCompany("FR")
    with pytest.raises(InvalidInput, match="country"):
        Simulator().add_organisation("Ailleurs", country="FR")
