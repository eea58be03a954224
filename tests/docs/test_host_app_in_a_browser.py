"""The host product of the examples, walked through in a real browser as its user would; the books are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

import host_app_walk as walk
from chromium import Tab, opened
from host_app.demo import Demo
from run_host_app import served
from xerosync.simulator import Bookkeeper


@pytest.fixture(scope="module")
def walked(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tab, str, Demo]]:
    with served(tmp_path_factory.mktemp("host")) as (address, product), opened(chromium) as tab:
        tab.resize(walk.WIDTH, walk.HEIGHT_MAX)
        yield tab, address, product


def _not_looking(_: str) -> None:
    """The pictures are for the page."""


def _statuses(books: Bookkeeper) -> dict[str, str]:
    return {each.number: each.status for each in books.invoices if each.is_sale}


def test_a_user_gets_from_connecting_to_a_settlement_reported_to_xero(walked: tuple[Tab, str, Demo]) -> None:
    tab, address, product = walked
    books = product.books

    walk.connect(tab, address, _not_looking)
    assert "Harbour Yoga Ltd connected" in tab.text()

    walk.choose_accounts(tab, _not_looking)
    assert books.account("650").enable_payments

    walk.connect_customers(tab, _not_looking)
    tab.follow("Customers")
    assert tab.text().count("connected") == 6

    walk.import_invoices(tab, _not_looking)
    assert "5 invoices were imported." in tab.text()
    assert set(_statuses(books).values()) == {"AUTHORISED", "DRAFT"}

    walk.settle(tab, _not_looking)
    assert "declined" in tab.text()
    paid = {number for number, status in _statuses(books).items() if status == "PAID"}
    assert paid == {"INV-301", "INV-302", "INV-304"}
    assert books.balance(books.account("650").id) == Decimal("714.50")
