"""Contact details that flow from Xero to the host: what changed since it was told, for the customers it names."""

from __future__ import annotations

import pytest
from tests.conftest import Product

from xerosync import Customer, Receivables, UpdateCustomer
from xerosync.simulator import Bookkeeper

ANA = Customer(id="ana", custom_identifier="Ana Costa")
BEA = Customer(id="bea", custom_identifier="Bea Diaz")


@pytest.fixture(autouse=True)
def connected(sales: Receivables, books: Bookkeeper) -> None:
    books.add_contact(
        "Ana Costa",
        email="ana@costa.test",
        FirstName="Ana",
        Phones=[
            {"PhoneType": "DEFAULT", "PhoneCountryCode": "64", "PhoneAreaCode": "9", "PhoneNumber": "5550100"},
            {"PhoneType": "MOBILE", "PhoneNumber": "21 555 010"},
        ],
        Addresses=[{"AddressType": "POBOX", "AddressLine1": "PO Box 1", "City": "Oamaru"}],
    )
    books.add_contact("Bea Diaz")
    sales.apply(sales.match([ANA, BEA]))


def updates(sales: Receivables, *customer_ids: str) -> list[UpdateCustomer]:
    return sales.contact_updates(customer_ids).of(UpdateCustomer)


def test_at_first_all_details_come_for_the_customers_that_follow(sales: Receivables) -> None:
    (update,) = updates(sales, "ana")

    details = update.details
    assert update.host_ref == "ana"
    assert (details.name, details.first_name, details.email) == ("Ana Costa", "Ana", "ana@costa.test")
    assert (details.phone, details.mobile) == ("64 9 5550100", "21 555 010")
    assert (details.postal_address.address_line1, details.postal_address.city) == ("PO Box 1", "Oamaru")
    assert details.street_address.address_line1 is None


def test_after_that_only_what_changed_comes_and_says_so(product: Product, sales: Receivables) -> None:
    sales.apply(sales.contact_updates(["ana", "bea"]))
    assert updates(sales, "ana", "bea") == []

    (ana, _) = product.books.contacts
    product.books.rename_contact(ana.id, "Ana Costa Ltd")
    plan = sales.contact_updates(["ana", "bea"])

    (update,) = plan.of(UpdateCustomer)
    assert (update.host_ref, update.changed, update.details.name) == ("ana", ("name",), "Ana Costa Ltd")
    assert plan.rows()[0]["reason"] == "changed in Xero: name"
    sales.apply(plan)
    assert updates(sales, "ana", "bea") == []


def test_an_update_that_was_not_applied_comes_again(sales: Receivables) -> None:
    """The host may die between reading and saving it."""
    first = updates(sales, "ana")

    assert updates(sales, "ana") == first


def test_a_change_is_one_read_of_what_changed(product: Product, sales: Receivables) -> None:
    sales.apply(sales.contact_updates(["ana", "bea"]))
    (ana, _) = product.books.contacts
    product.books.rename_contact(ana.id, "Ana Costa Ltd")
    before = product.simulator.calls

    updates(sales, "ana", "bea")

    assert product.simulator.calls - before == 1


def test_the_contact_that_a_connected_one_was_merged_into_is_told_of(product: Product, sales: Receivables) -> None:
    sales.apply(sales.contact_updates(["ana"]))
    ana, _ = product.books.contacts
    survivor = product.books.add_contact("Costa Family", email="all@costa.test")
    product.books.merge_contacts(ana.id, into=survivor.id)

    (update,) = updates(sales, "ana")

    assert (update.details.name, update.details.email) == ("Costa Family", "all@costa.test")


def test_nothing_comes_of_archived_contacts_and_of_customers_that_are_not_connected(
    product: Product, sales: Receivables
) -> None:
    ana, _ = product.books.contacts
    product.books.archive_contact(ana.id)

    assert updates(sales, "ana", "nobody") == []


def test_details_show_in_no_repr(sales: Receivables) -> None:
    (update,) = updates(sales, "ana")

    assert "Costa" not in repr(update) + repr(update.details)
