"""A first import goes page by page: in memory that does not grow, resumed at its page, each invoice once."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, found_product

from xerosync import (
    Customer,
    ImportSettings,
    ImportTerms,
    MemoryStore,
    Receivables,
    Report,
    SQLiteStore,
    Transaction,
    map_invoice,
)
from xerosync.client import _paging
from xerosync.errors import InvalidInput
from xerosync.models import Invoice
from xerosync.ports import Request
from xerosync.storage import Fence, Record, RecordKey

PER_PAGE = 4


class Killed(BaseException):
    """The process dies."""


class Mortal(MemoryStore):
    """A store whose process dies *before* or else after its commit of number *dies_at*."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.dies_at = 0
        self.before = True

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self.commits += 1
        if self.commits == self.dies_at and self.before:
            raise Killed
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)
        if self.commits == self.dies_at:
            raise Killed


def founded(store: MemoryStore | SQLiteStore, invoices: int, *, left_out: int = 0) -> Product:
    """A product whose customer owes *invoices*, and a stranger some that are *left_out*."""
    product = evolve(found_product(), store=store)
    ana, ben = product.books.add_contact("Ana"), product.books.add_contact("Ben")
    for place in range(invoices):
        product.books.add_invoice(ana.id, amount=Decimal(place + 1), date=DAY)
        if place % 100 == 99:
            product.clock.advance(5)  # which of those of one moment were met is remembered for the next read
    for _ in range(left_out):
        product.books.add_invoice(ben.id, amount=Decimal(1), date=DAY)
    sales = Receivables(product.xero())
    sales.apply(sales.match([Customer(id="a", custom_identifier="Ana")]))
    product.clock.advance(600)
    return product


def told(report: Report) -> dict[str, Decimal]:
    """What a host saves of *report*."""
    return {
        each.action.transaction.id: each.action.worth.amount  # type: ignore[attr-defined, union-attr]
        for each in report.results
    }


def everything(product: Product) -> dict[str, Decimal]:
    ana = next(each.id for each in product.books.contacts if each.name == "Ana")
    return {each.id: each.total for each in product.books.invoices if each.contact_id == ana}


def test_every_page_is_planned_applied_and_handed_out() -> None:
    product = founded(MemoryStore(), 10, left_out=3)
    sales = Receivables(product.xero())
    rows: dict[str, Decimal] = {}

    reports = []
    for report in sales.import_in_pages(per_page=PER_PAGE):
        rows |= told(report)
        reports.append(report)

    assert rows == everything(product) == {each.id: each.amount.amount for each in sales.transactions()}
    assert max(len(report.results) for report in reports) <= PER_PAGE
    assert sum(report.done("transaction") for report in reports) == 10
    assert [each.code for report in reports for each in report.findings] == ["customer not connected"] * 3
    again = list(sales.import_in_pages(per_page=PER_PAGE))
    assert sum(len(report.results) for report in again) == 0
    assert not sales.import_invoices(), "it is what import_invoices would have done"


def commits_of_an_import() -> int:
    store = Mortal()
    product = founded(store, 10, left_out=2)
    before = store.commits
    list(Receivables(product.xero()).import_in_pages(per_page=PER_PAGE))
    return store.commits - before


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_at_any_commit_it_goes_on_at_its_page_and_the_host_hears_of_each(before: bool) -> None:
    for place in range(1, commits_of_an_import() + 1):
        store = Mortal()
        product = founded(store, 10, left_out=2)
        store.dies_at, store.before = store.commits + place, before
        rows: dict[str, Decimal] = {}
        handed_out: list[str] = []
        with suppress(Killed):
            for report in Receivables(product.xero()).import_in_pages(per_page=PER_PAGE):
                rows |= told(report)
                handed_out += told(report)

        for report in Receivables(product.xero()).import_in_pages(per_page=PER_PAGE):
            rows |= told(report)
            handed_out += told(report)

        assert rows == everything(product), place
        assert len(handed_out) <= 10 + PER_PAGE, "one page at most is handed out again"
        assert len(Receivables(product.xero()).transactions()) == 10
        product.simulator.close()


@pytest.mark.parametrize("saved", [0, 1, 2, 3])
def test_a_host_that_dies_before_it_has_saved_a_page_is_handed_it_again(saved: int) -> None:
    product = founded(MemoryStore(), 14)
    rows: dict[str, Decimal] = {}
    for place, report in enumerate(Receivables(product.xero()).import_in_pages(per_page=PER_PAGE)):
        if place == saved:
            break  # it had the report, and dies
        rows |= told(report)

    first, *_ = reports = list(Receivables(product.xero()).import_in_pages(per_page=PER_PAGE))

    for report in reports:
        rows |= told(report)
    assert rows == everything(product)
    assert all(each.earlier for each in first.results)
    assert sum(len(report.results) for report in reports) == 14 - PER_PAGE * saved


def test_invoices_are_read_once_and_part_paid_ones_not_again() -> None:
    product = founded(MemoryStore(), 30)
    for each in list(product.books.invoices)[::3]:
        product.books.add_payment(each.id, account=BANK, amount=Decimal("0.50"))
    asked: list[str] = []

    def see(request: Request) -> None:
        asked.append(request.url)

    sales = Receivables(product.xero(transport=Through(product.simulator.transport, before=see)))

    list(sales.import_in_pages(per_page=PER_PAGE))

    assert sum("/Invoices" in url for url in asked) == 1
    assert len(sales.transactions()) == 30


def test_what_changes_while_it_is_long_under_way_is_seen() -> None:
    product = founded(MemoryStore(), 12)
    sales = Receivables(product.xero())
    pages = sales.import_in_pages(per_page=PER_PAGE)
    first = set(told(next(pages)))
    for each in product.books.invoices:
        if each.id not in first:
            product.books.void_invoice(each.id)
    product.clock.advance(1200)

    rest = list(pages)

    assert rest == []
    assert {each.id for each in sales.transactions()} == first


def test_a_mapper_that_gives_an_id_twice_is_found_out_across_pages() -> None:
    product = founded(MemoryStore(), 9)

    def always(invoice: Invoice, terms: ImportTerms) -> Transaction:
        return evolve(map_invoice(invoice, terms), id="the same")

    sales = Receivables(product.xero(), imports=ImportSettings(mapper=always))

    reports = list(sales.import_in_pages(per_page=PER_PAGE))

    assert len(sales.transactions()) == 1
    assert [each.code for report in reports for each in report.findings] == ["transaction id taken"] * 8


def test_another_choice_begins_at_the_first_page() -> None:
    product = founded(MemoryStore(), 10)
    sales = Receivables(product.xero())
    next(sales.import_in_pages(per_page=PER_PAGE, due_from=date(2030, 1, 1)), None)
    next(sales.import_in_pages(per_page=PER_PAGE))

    list(sales.import_in_pages(per_page=PER_PAGE, due_from=date(2020, 1, 1)))

    assert len(sales.transactions()) == 10


@pytest.mark.parametrize("per_page", [0, 1001])
def test_a_page_of_no_size_is_refused(product: Product, per_page: int) -> None:
    with pytest.raises(InvalidInput, match="per_page"):
        next(Receivables(product.xero()).import_in_pages(per_page=per_page))


def most_held(path: Path, invoices: int) -> int:
    """The most bytes that an import of so many *invoices* held when it called Xero, or had a page done."""
    held: list[int] = []

    def look(_: Request | None = None) -> None:
        # What nobody holds any more is not held, however long the collector would let it lie in a large process.
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])

    with closing(SQLiteStore(path)) as store:
        product = founded(store, invoices)
        sales = Receivables(product.xero(transport=Through(product.simulator.transport, before=look, after=look)))
        gc.freeze()
        tracemalloc.start()
        try:
            for _ in sales.import_in_pages(per_page=100):
                look()
        finally:
            tracemalloc.stop()
            gc.unfreeze()
        product.simulator.close()
    return max(held)


def test_the_memory_of_an_import_does_not_grow_with_its_invoices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_paging, "PAGE_SIZE", 50)
    monkeypatch.setattr(_paging, "_REMEMBERED", 200)

    most_held(tmp_path / "first.db", 3400)  # what is imported, and what is cached of the same texts, is once
    # Pages share rows and begin at multiples of their size: the most come at a time at some 1,900 rows, in both lists.
    small, large = most_held(tmp_path / "small.db", 2000), most_held(tmp_path / "large.db", 3400)

    assert large < 1.1 * small
