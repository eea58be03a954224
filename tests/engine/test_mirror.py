"""The mirror: kept fresh by the same rule as `changes()`, so that no plan is made of what has long changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.conftest import Product, Through

from xerosync import Customer, Receivables
from xerosync.client import _paging
from xerosync.ports import Request


def test_a_contact_renamed_while_the_mirror_reads_is_met_by_the_next_plan(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood on a page read already, and something newer was on the next one."""
    monkeypatch.setattr(_paging, "PAGE_SIZE", 20)
    monkeypatch.setattr(_paging, "_SHARED", 2)
    people = sorted(product.books.add_contact(f"Contact {place}").id for place in range(50))
    customer = Customer(id="7", custom_identifier="Ana Costa")

    def work() -> None:
        product.clock.advance(100)
        product.books.rename_contact(people[0], "Ana Costa")
        product.clock.advance(100)
        product.books.rename_contact(people[-1], "Ben")

    product.simulator.faults.then(work, path="/Contacts")
    sales = Receivables(product.xero())

    assert "1 not in Xero" in str(sales.match([customer]))
    assert "1 match found" in str(sales.match([customer]))


def test_a_refresh_asks_for_nothing_but_what_has_changed(product: Product) -> None:
    asked: list[str] = []

    def see(request: Request) -> None:
        if "/Contacts" in request.url:
            asked.append(request.headers.get("If-Modified-Since", "everything"))

    product.books.add_contact("Ana")
    sales = Receivables(product.xero(transport=Through(product.simulator.transport, before=see)))
    for _ in range(2):
        sales.match([])

    second_before = product.books.contacts[0].updated - timedelta(seconds=1)
    assert asked == ["everything", f"{second_before:%Y-%m-%dT%H:%M:%S}"]
