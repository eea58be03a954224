"""
What an invoice costs to read, to mirror and to write, counted and not timed: calls of functions, and blocks of memory.

The same input costs the same on every machine, so that a change that makes it dearer is seen here, and on purpose.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from types import FrameType
from unittest.mock import patch

import pytest
from tests.benchmarks.simulator_speed import Caller, invoice_row
from tests.conftest import CLEARING, DAY, Product, nzd

from xerosync import Customer, MemoryStore, Receivables, Settlement, SettlementLine
from xerosync.client._wire import answers, codec, outgoing
from xerosync.client._wire.codec import dump
from xerosync.engine.mirror import INVOICES
from xerosync.models import Invoice
from xerosync.ports import Response

MANY = 200


@pytest.fixture(scope="module")
def page() -> Response:
    """A page of invoices, each of four lines."""
    caller = Caller()
    customer = caller.books.add_contact("Ana Costa").id
    for first in range(0, MANY, 50):
        rows = [invoice_row(customer, number, lines=4, day=1) for number in range(first, first + 50)]
        caller.call("PUT", "Invoices", dump({"Invoices": rows}))
    return Response(200, {}, caller.call("GET", f"Invoices?page=1&pageSize={MANY}"))


def calls_of(work: Callable[[], object]) -> float:
    """Calls of functions, Python's and C's, an invoice, when *work* is done for the second time."""
    work()
    count = 0

    def see(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count / MANY


def documents(page: Response) -> list[Invoice]:
    rows = answers.envelope(page, "Invoices", Invoice).rows
    return codec.decode_all(Invoice, rows, where="Invoices")


def test_reading_an_invoice_takes_few_calls(page: Response) -> None:
    assert len(documents(page)) == MANY

    # In a process of its own: so many unknown fields are remembered, and other tests here make up more than that.
    alone = f"import sys; from {__name__} import *; page = Response(200, {{}}, sys.stdin.buffer.read())"
    told = subprocess.run(
        [sys.executable, "-c", f"{alone}; documents(page); print(calls_of(lambda: documents(page)))"],
        input=page.body, capture_output=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert float(told.stdout) < 22


def test_reading_a_header_takes_next_to_none(page: Response) -> None:
    assert calls_of(lambda: answers.envelope(page, "Invoices", INVOICES.header).rows) < 1


def test_writing_an_invoice_takes_few_calls(page: Response) -> None:
    invoices = documents(page)

    assert calls_of(lambda: [outgoing.encode(each, to_write=True) for each in invoices]) < 112


def blocks_of(work: Callable[[], Sequence[object]]) -> float:
    """Blocks of memory, an invoice, of what *work* makes, once it has been done before."""
    work()

    def blocks() -> float:
        gc.collect()
        before = sys.getallocatedblocks()
        kept = work()
        gc.collect()
        return (sys.getallocatedblocks() - before) / len(kept)

    # Others in this process may take memory meanwhile, or give some back: most of the time nobody does.
    return median(blocks() for _ in range(5))


def test_an_invoice_that_is_kept_takes_few_blocks_of_memory(page: Response) -> None:
    assert blocks_of(lambda: documents(page)) < 53


def test_a_header_that_is_kept_takes_few_blocks_of_memory(page: Response) -> None:
    assert blocks_of(lambda: answers.envelope(page, "Invoices", INVOICES.header).rows) < 10


def test_a_batch_of_fifty_payments_more_takes_two_durable_commits_more(product: Product) -> None:
    store = MemoryStore()
    contact = product.books.add_contact("Ana Costa")
    invoices = [product.books.add_invoice(contact.id, amount=Decimal(10), date=DAY) for _ in range(200)]
    sales = Receivables(product.xero(store=store), clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="c1", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())

    def commits(first: int, last: int, name: str) -> int:
        lines = [SettlementLine(id=each.id, transaction=each.id, amount=nzd(10)) for each in invoices[first:last]]
        plan = sales.settle(Settlement(id=name, on=DAY, lines=tuple(lines)))
        with patch.object(MemoryStore, "commit", autospec=True, side_effect=MemoryStore.commit) as commit:
            sales.apply(plan)
        return commit.call_count

    one, three = commits(0, 50, "S1"), commits(50, 200, "S3")

    # A run has three of its own: that it begins with what it intends, and that it ended.
    assert one <= 3 + 2
    assert three - one <= 2 * 2
