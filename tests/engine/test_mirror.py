"""The mirror: kept fresh by the same rule as `changes()`, so that no plan is made of what has long changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

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


def test_a_worker_that_was_held_up_puts_no_older_document_in_the_place_of_a_newer(product: Product) -> None:
    invoice = product.invoice("Ana", "100.00")
    quick = Receivables(product.xero())
    quick.preview_imports()

    def meanwhile(request: Request) -> None:
        if "/Invoices" in request.url and product.books.invoice(invoice.id).total == Decimal(100):
            product.clock.advance(60)
            product.books.edit_invoice(invoice.id, amount=Decimal(120))
            product.clock.advance(60)
            product.invoice("Ana", "5.00")  # the last to be stamped is read again anyhow
            quick.preview_imports()

    slow = Receivables(product.xero(transport=Through(product.simulator.transport, after=meanwhile)))
    slow.preview_imports()

    assert {row["amount"] for row in quick.preview_imports().rows()} == {"120.00 NZD", "5.00 NZD"}


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
