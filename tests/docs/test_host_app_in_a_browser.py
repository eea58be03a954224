"""The host product of the examples, walked through in a real browser as its user would; the books are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import host_app_walk as walk
from chromium import Tab, opened
from host_app.demo import Demo
from run_host_app import served
from xerosync.simulator import Bookkeeper


@pytest.fixture(scope="module")
def walked(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tab, str, Demo]]:
    with served(tmp_path_factory.mktemp("host")) as (address, product), opened(chromium) as tab:
        tab.resize(walk.WIDTH, walk.HEIGHTS[1])
        yield tab, address, product


def _not_looking(_: str) -> None:
    """The pictures are for the page."""


def test_a_user_walks_from_connecting_to_disconnecting(walked: tuple[Tab, str, Demo], tmp_path: Path) -> None:
    tab, address, product = walked
    books = product.books

    walk.connect(tab, address, _not_looking)
    assert "Harbour Yoga Ltd connected" in tab.text()

    walk.choose_accounts(tab, _not_looking)
    assert books.account("650").enable_payments

    walk.connect_customers(tab, _not_looking)
    tab.follow("Customers")
    assert tab.text().count("connected") == 6

    tab.follow("Review Ana Costa")
    walk.follow_details(tab, _not_looking)
    assert "Nothing has changed." in tab.text()

    walk.import_invoices(tab, _not_looking)
    assert "5 invoices were imported." in tab.text()
    assert set(_sales(books).values()) == {"AUTHORISED", "DRAFT"}

    walk.settle(tab, _not_looking)
    assert "declined" in tab.text()
    assert _paid(books) == {"INV-301", "INV-302", "INV-304"}
    assert _balance(books, "650") == Decimal("714.50")

    walk.pay_out_and_take_back(tab, _not_looking)
    assert _paid(books) == {"INV-301", "INV-304"}
    assert (_balance(books, "650"), _balance(books, "090")) == (Decimal("-145.50"), Decimal("713.45"))

    walk.explain(tab, _not_looking)
    assert "Every cent is explained" in tab.text()
    assert (_paid(books), _balance(books, "650")) == ({"INV-301", "INV-304"}, Decimal("-145.50"))

    walk.ask_by_hand(tab, _not_looking)
    assert "All of it stands in Xero." in tab.text()
    assert (_paid(books), _balance(books, "650")) == ({"INV-301", "INV-304", "INV-306"}, Decimal("-110.50"))

    paper = tmp_path / "7781.pdf"
    paper.write_bytes(walk.BILL)
    walk.enter_papers(tab, paper, _not_looking)
    assert _papers(books) == [("PAID", ["7781.pdf"]), ("SPEND", Decimal("18.40"))]

    walk.look_after(tab, _not_looking)
    assert "All is well." in tab.text()

    walk.disconnect(tab)
    assert "Your links are kept." in tab.text()


def _sales(books: Bookkeeper) -> dict[str, str]:
    return {each.number: each.status for each in books.invoices if each.is_sale}


def _papers(books: Bookkeeper) -> list[tuple[object, object]]:
    bills = [each for each in books.invoices if not each.is_sale]
    spent = [each for each in books.bank_transactions if each.type == "SPEND"]
    documents = [(each.status, [one.name for one in books.attachments_of(each.id)]) for each in bills]
    return [*documents, *((each.type, each.total) for each in spent)]


def _paid(books: Bookkeeper) -> set[str]:
    return {number for number, status in _sales(books).items() if status == "PAID"}


def _balance(books: Bookkeeper, code: str) -> Decimal:
    return books.balance(books.account(code).id)
