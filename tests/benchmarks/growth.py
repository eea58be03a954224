"""
Whether the library works in a straight line: ``python -m tests.benchmarks.growth [--sizes N …] [--json]``.

So many invoices of a fifth as many customers are matched, imported, settled (a tenth of them) and reconciled. Processor
time is the library's alone: what the simulator takes to answer is left out. A straight line is the same time an invoice
whatever the size.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from attrs import define
from tests.benchmarks.calls import entered
from tests.benchmarks.turns import report
from tests.conftest import CLEARING, DAY, found_product, nzd

from xerosync import Customer, Receivables, Settlement, SettlementLine
from xerosync.ports import Request, Response, Transport, TransportFault

BENT: Final = 2.0
"""How many times as long an invoice may take in the largest of the sizes as in the smallest."""


@define(eq=False)
class Aside:
    """A way to Xero that keeps account of the processor time on its far side."""

    inner: Transport
    spent_s: float = 0.0

    async def send(self, request: Request) -> Response:
        """As the transport."""
        start = time.process_time()
        try:
            return await self.inner.send(request)
        finally:
            self.spent_s += time.process_time() - start

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """As the transport."""
        start = time.process_time()
        try:
            return await self.inner.send_all(requests, at_most=at_most)
        finally:
            self.spent_s += time.process_time() - start

    async def close(self) -> None:
        """As the transport."""
        await self.inner.close()


def taken(size: int) -> dict[str, float]:
    """Microseconds an invoice that each work takes on so many."""
    product = found_product()
    books, way = product.books, Aside(product.simulator.transport)
    sales = Receivables(product.xero(transport=way), clearing_account=CLEARING)
    known = entered(product, size // 5, lambda place: books.add_contact(f"Customer {place}").id)
    issued = entered(
        product, size, lambda place: books.add_invoice(known[place % len(known)], amount=Decimal(10), date=DAY)
    )
    product.clock.advance(600)
    customers = [Customer(id=f"c{place}", custom_identifier=f"Customer {place}") for place in range(len(known))]
    lines = tuple(SettlementLine(id=each.id, transaction=each.id, amount=nzd(10)) for each in issued[: size // 10])
    settlement = Settlement(id="S1", on=DAY + timedelta(days=1), lines=lines)
    works: dict[str, Callable[[], object]] = {
        "match": lambda: sales.apply(sales.match(customers)),
        "import": lambda: sales.apply(sales.import_invoices()),
        "settle": lambda: sales.apply(sales.settle(settlement)),
        "reconcile": lambda: sales.reconcile([settlement]),
    }
    figures: dict[str, float] = {}
    for name, work in works.items():
        aside, start = way.spent_s, time.process_time()
        work()
        figures[name] = 1e6 * (time.process_time() - start - (way.spent_s - aside)) / size
    product.simulator.close()
    return figures


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 where a line is bent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    taken(200)  # what is made once is made here
    figures = {size: taken(size) for size in given.sizes}
    rows = [
        {"Invoices": f"{size:,}", **{name: f"{each:,.0f}" for name, each in works.items()}}
        for size, works in figures.items()
    ]
    report("Microseconds of processor time an invoice", list(rows[0]), rows, as_json=given.json)
    first, last = figures[given.sizes[0]], figures[given.sizes[-1]]
    return 0 if all(last[name] <= BENT * first[name] for name in first) else 1


if __name__ == "__main__":
    sys.exit(main())
