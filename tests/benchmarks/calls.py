"""
What Xero's limits make of a product's work: ``python -m tests.benchmarks.calls [--scale S] [--json]``.

Calls, bytes in gzip and minutes of the virtual clock, with each answer on its way for 1.5 s, against a simulator that
enforces the limits: 60 calls a minute, five at a time. The floor is what the same work takes at 1,000 rows a page and
50 elements a write, without a call more; its minutes let sixty calls go at once, four in flight, and wait for the next
minute. ``--scale 0.1`` does a tenth of everything. Each work stands on the one before it.

Then plans of an ordinary size, each with what its report says that it took.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from math import ceil
from typing import Final, TypeVar

from attrs import define, evolve, frozen
from tests.benchmarks.turns import report
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd
from tests.engine.scenarios import paper

from xerosync import (
    BillPayment,
    Customer,
    Fee,
    Payables,
    Receivables,
    Report,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.client._limits import Limits
from xerosync.ports import Request, Response, Transport, TransportFault
from xerosync.simulator import VirtualClock

T = TypeVar("T")

LATENCY_S: Final = 1.5
PAGE: Final = 1000
BATCH: Final = 50
CHANGED: Final = 50


@define(eq=False)
class Slow:
    """A way to Xero on which each answer takes its time; those that are asked for together take it together."""

    inner: Transport
    clock: VirtualClock
    refused: int = 0
    packed: int = 0

    async def send(self, request: Request) -> Response:
        """As the transport, later."""
        self.clock.advance(LATENCY_S)
        response = await self.inner.send(request)
        self._count(response)
        return response

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """As the transport, *at_most* under way at any time."""
        outcomes: list[Response | TransportFault] = []
        for start in range(0, len(requests), at_most):
            self.clock.advance(LATENCY_S)
            outcomes += await self.inner.send_all(requests[start : start + at_most], at_most=at_most)
        for each in outcomes:
            if isinstance(each, Response):
                self._count(each)
        return outcomes

    def _count(self, response: Response) -> None:
        self.refused += response.status == 429
        self.packed += len(zlib.compress(response.body))

    async def close(self) -> None:
        """As the transport."""
        await self.inner.close()


@frozen
class Spent:
    """What one work took, and its floor in calls."""

    work: str
    floor: int
    calls: int
    megabytes: float
    minutes: float
    refused: int

    @property
    def floor_minutes(self) -> float:
        """Sixty calls at once, four in flight, then the next minute."""
        whole, rest = divmod(max(self.floor - 1, 0), 60)
        return whole + (ceil((rest + 1) / 4) * LATENCY_S) / 60

    @property
    def row(self) -> dict[str, str]:
        """As a row of the table."""
        return {
            "Work": self.work,
            "calls": f"{self.calls:,}",
            "floor": f"{self.floor:,}",
            "times the floor": f"{self.calls / self.floor:.2f}",
            "MB down": f"{self.megabytes:.1f}",
            "minutes": f"{self.minutes:.1f}",
            "minutes of the floor": f"{self.floor_minutes:.1f}",
            "refused": str(self.refused),
        }


@define(eq=False)
class Measured:
    """One organisation, its product's client, and how long it takes."""

    product: Product
    way: Slow
    xero: Xero
    sales: Receivables

    def spent(self, work: str, floor: int, do: Callable[[], object]) -> Spent:
        """What *do* takes, a quiet minute after whatever came before it."""
        self.product.clock.advance(90)
        began, refused, packed = self.product.clock.now(), self.way.refused, self.way.packed
        with self.xero.run() as run:
            do()
        minutes = (self.product.clock.now() - began) / timedelta(minutes=1)
        megabytes = (self.way.packed - packed) / 1e6
        return Spent(work, floor, run.usage.calls, megabytes, minutes, self.way.refused - refused)


def opened() -> Measured:
    """An organisation, and a product with a client on a slow way to it."""
    product = found_product(limits=True)
    way = Slow(product.simulator.transport, product.clock)
    xero = product.xero(transport=way)
    return Measured(product, way, xero, Receivables(xero, clearing_account=CLEARING))


def entered(product: Product, many: int, enter: Callable[[int], T]) -> list[T]:
    """What people *enter*, a hundred a minute."""
    made: list[T] = []
    for start in range(0, many, 100):
        with product.simulator.transaction():
            made += [enter(place) for place in range(start, min(start + 100, many))]
        product.clock.advance(60)
    return made


def first_works(here: Measured, scale: float) -> list[Spent]:
    """A product comes to books that are years old, posts what it has collected, and looks again an hour later."""
    books, sales, clock = here.product.books, here.sales, here.product.clock
    contacts, invoices, payments = int(20_000 * scale), int(100_000 * scale), int(10_000 * scale)
    known = entered(here.product, contacts, lambda place: books.add_contact(f"Customer {place}").id)
    issued = entered(
        here.product,
        invoices,
        lambda place: books.add_invoice(known[place % contacts], amount=Decimal(10 + place % 90), date=DAY),
    )
    clock.advance(3600)
    customers = [Customer(id=f"c{place}", custom_identifier=f"Customer {place}") for place in range(contacts)]
    lines = [SettlementLine(id=each.id, transaction=each.id, amount=nzd(each.total)) for each in issued[:payments]]
    settlement = Settlement(id="S1", on=DAY + timedelta(days=1), lines=tuple(lines))

    def first_import() -> None:
        sales.apply(sales.match(customers))
        for _ in sales.import_in_pages():
            pass

    def hourly() -> None:
        sales.apply(sales.match(customers))
        sales.apply(sales.import_invoices())

    done = [
        here.spent("set-up", 3, sales.clearing_accounts),
        here.spent("first import", -(-contacts // PAGE) - (-invoices // PAGE), first_import),
        here.spent(f"post {payments:,} payments", -(-payments // BATCH), lambda: sales.apply(sales.settle(settlement))),
    ]
    clock.advance(3600)
    hourly()
    clock.advance(3600)
    with here.product.simulator.transaction():
        for each in issued[payments : payments + CHANGED]:
            books.add_payment(each.id, account=BANK, amount=Decimal(1), date=DAY)
    return [*done, here.spent(f"hourly sync, {CHANGED} changes", 2, hourly)]


def pairing(here: Measured, scale: float) -> Spent:
    """A product's customers meet the books' contacts, and those that are missing are created."""
    contacts, new = int(20_000 * scale), int(1_000 * scale)
    entered(here.product, contacts, lambda place: here.product.books.add_contact(f"Customer {place}"))
    here.product.clock.advance(3600)
    here.spent("set-up", 3, here.sales.clearing_accounts)
    names = [*(f"Customer {place}" for place in range(contacts)), *(f"Newcomer {place}" for place in range(new))]
    customers = [Customer(id=name, custom_identifier=name) for name in names]
    return here.spent(
        f"pair {contacts:,} customers, create {new:,}",
        -(-contacts // PAGE) - (-new // BATCH),
        lambda: here.sales.apply(here.sales.match(customers, create_missing=True)),
    )


def features(here: Measured) -> list[dict[str, str]]:
    """What a plan of each feature costs, in the words of its report: an ordinary day of a small product."""
    books, clock = here.product.books, here.product.clock
    books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(here.xero, clearing_account="650", settlements=chosen)
    purchases = Payables(here.xero, payment_account=BANK)
    known = entered(here.product, 190, lambda place: books.add_contact(f"Customer {place}").id)
    issued = entered(
        here.product, 300, lambda place: books.add_invoice(known[place % 190], amount=Decimal(10), date=DAY)
    )
    clock.advance(3600)
    customers = [Customer(id=f"c{place}", custom_identifier=f"Customer {place}") for place in range(200)]
    lines = [SettlementLine(id=each.id, transaction=each.id, amount=nzd(10)) for each in issued]
    paid_out = DAY + timedelta(days=2)
    settlement = Settlement(id="S1", on=DAY, lines=lines, fees=[Fee(amount=nzd(90))], paid_out_on=paid_out)
    bills = [evolve(paper(f"b{place}", "20.00"), vendor=f"Vendor {place % 30}") for place in range(100)]
    paid = [BillPayment(id=f"p{place}", bill_id=f"b{place}", on=DAY) for place in range(100)]
    plans: dict[str, Callable[[], Report]] = {
        "pair 200 customers, create 10": lambda: sales.apply(sales.match(customers, create_missing=True)),
        "import 300 invoices": lambda: sales.apply(sales.import_invoices()),
        "settle 300 lines with fees and a payout": lambda: sales.apply(sales.settle(settlement)),
        "submit 100 bills of 30 vendors": lambda: purchases.apply(purchases.submit(bills)),
        "pay them": lambda: purchases.apply(purchases.pay(paid)),
    }
    return [_costed(here, name, do) for name, do in plans.items()]


def _costed(here: Measured, name: str, do: Callable[[], Report]) -> dict[str, str]:
    with here.xero.run() as run:
        cost = do().cost
    kilobytes = -(-(run.usage.bytes_up + run.usage.bytes_down) // 1000)
    return {"Plan": name, "its report says": cost, "with its making": f"{run.usage.calls} calls, {kilobytes:,} kB"}


def main() -> int:
    """Print the tables; 1 when a work took more calls than it may, or Xero refused one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    done = [*first_works(opened(), given.scale), pairing(opened(), given.scale)]
    rows = [each.row for each in done]
    report(f"At {LATENCY_S} s an answer, {Limits().at_a_time} in flight", list(rows[0]), rows, as_json=given.json)
    costs = features(opened())
    report("What a plan costs", list(costs[0]), costs, as_json=given.json)
    return 0 if not any(each.refused for each in done) else 1


if __name__ == "__main__":
    sys.exit(main())
