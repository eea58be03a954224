"""
How fast the simulator answers and what it weighs: ``python tests/benchmarks/simulator_speed.py [--invoices N]``.

In process, on its virtual clock, without call limits: reads of one invoice, payments one by one and in batches of 50,
the first page of 1,000 invoices and further ones, and the memory that N invoices take.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from attrs import frozen
from tests.benchmarks.turns import memory_mb

from xerosync.ports import Request
from xerosync.simulator import Simulator

_HOST: Final = "https://api.xero.com/api.xro/2.0/"
_PAGE: Final = 1000


@frozen
class Figure:
    """One measurement beside its goal; *at_least* says in which direction the goal lies."""

    name: str
    value: float
    unit: str
    goal: float
    at_least: bool

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


class Caller:
    """One connected app that calls one organisation."""

    def __init__(self) -> None:
        self.simulator: Final = Simulator(limits=False)
        self.books: Final = self.simulator.add_organisation()
        app = self.simulator.register_app()
        tokens = self.simulator.consent(app, tenants=[self.books.tenant_id])
        self._headers: Final = {
            "Authorization": f"Bearer {tokens.access_token}",
            "Xero-Tenant-Id": self.books.tenant_id,
            "Accept": "application/json",
        }

    def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Call *path*; the body of an answer that must be 200."""
        answer = self.simulator.handle(Request(method, _HOST + path, self._headers, body))
        if answer.status != 200:
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.body[:300]!r}")
        return answer.body


def enter_invoices(caller: Caller, count: int) -> list[str]:
    """*count* approved invoices of a thousand customers, two lines each; their ids."""
    customers = [caller.books.add_contact(f"Customer {number}").id for number in range(1000)]
    ids: list[str] = []
    for first in range(0, count, 500):
        rows = [invoice_row(customers[number % 1000], number) for number in range(first, min(first + 500, count))]
        body = caller.call("PUT", "Invoices", json.dumps({"Invoices": rows}).encode())
        ids += [row["InvoiceID"] for row in json.loads(body)["Invoices"]]
    return ids


def invoice_row(contact_id: str, number: int, *, lines: int = 2, day: int = 5) -> dict[str, object]:
    """The approved invoice of this *number*, of that many *lines*, of a *day* of January and due a month later."""
    work = [
        {
            "Description": f"Hours of work on part {part} of the order",
            "Quantity": 1 + part,
            "UnitAmount": f"{100 + number % 900}.50",
            "AccountCode": "200",
        }
        for part in range(lines)
    ]
    return {
        "Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactID": contact_id}, "Date": f"2026-01-{day:02}",
        "DueDate": f"2026-02-{day:02}", "Reference": f"R-{number}", "LineItems": work,
    }  # fmt: skip


def rate(times: int, call: Callable[[int], object]) -> float:
    """How often a second *call* runs, over *times* of them."""
    start = time.perf_counter()
    for number in range(times):
        call(number)
    return times / (time.perf_counter() - start)


def measured(count: int) -> Iterator[Figure]:
    """Every figure, in the order in which the work is done."""
    before = memory_mb()
    caller = Caller()
    ids = enter_invoices(caller, count)
    yield Figure(f"{count:,} invoices held", memory_mb() - before, "MB", 1000 * count / 100_000, at_least=False)

    yield Figure(
        "organisation read", rate(5000, lambda _: caller.call("GET", "Organisation")), "a second", 5000, at_least=True
    )
    one = rate(5000, lambda number: caller.call("GET", f"Invoices/{ids[number % len(ids)]}"))
    yield Figure("one invoice read by id", one, "a second", 5000, at_least=True)

    pages = -(-count // _PAGE)
    taken: list[float] = []
    for page in range(1, min(pages, 10) + 1):
        start = time.perf_counter()
        caller.call("GET", f"Invoices?page={page}&pageSize={_PAGE}")
        taken.append(1000 * (time.perf_counter() - start))
    yield Figure("first page of 1,000 invoices", taken[0], "ms", 60, at_least=False)
    yield Figure("each further page of 1,000", statistics.median(taken[1:] or taken), "ms", 60, at_least=False)

    def payment(number: int) -> dict[str, object]:
        return {"Invoice": {"InvoiceID": ids[number]}, "Account": {"Code": "090"}, "Amount": str(Decimal("1.00"))}

    half = min(count // 2, 2000)
    single = rate(half, lambda number: caller.call("PUT", "Payments", json.dumps(payment(number)).encode()))
    yield Figure("payments, one a call", single, "a second", 2000, at_least=True)

    def batch(number: int) -> bytes:
        rows = [payment(half + number * 50 + place) for place in range(50)]
        return caller.call("PUT", "Payments?summarizeErrors=false", json.dumps({"Payments": rows}).encode())

    batches = min((count - half) // 50, 40)
    yield Figure("payments, 50 a call", 50 * rate(batches, batch), "a second", 2000, at_least=True)


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = list(measured(given.invoices))
    if given.json:
        rows = [{"name": one.name, "value": round(one.value, 1), "unit": one.unit, "goal": one.goal} for one in figures]
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        sys.stdout.write("| What | Measured | Goal |\n|---|---:|---:|\n")
        for one in figures:
            sign = "≥" if one.at_least else "≤"
            sys.stdout.write(f"| {one.name} | {one.value:,.0f} {one.unit} | {sign} {one.goal:,.0f} |\n")
    return 0 if all(one.is_met for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
