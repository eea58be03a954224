"""
Whether the library works in a straight line: ``python -m tests.benchmarks.growth [--sizes N …] [--json]``.

So many invoices of a fifth as many customers are matched, imported at once and page by page, settled (a tenth of them,
by settlements of 500) and reconciled, with a store in a SQLite file. Each work has a process of its own, and the
simulator has another: processor time and memory are the library's alone. A straight line is the same time an invoice
whatever the size.

``--kept FILE`` keeps the figures, beside those of other sizes that are in it; ``--drawn FILE`` draws all that are kept.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from attrs import define, evolve, frozen
from tests.benchmarks.calls import entered
from tests.benchmarks.growth_picture import draw
from tests.benchmarks.turns import memory_mb, report
from tests.conftest import CLEARING, DAY, found_product, nzd

from xerosync import App, Customer, Receivables, Settlement, SettlementLine, SQLiteStore, Tokens, Xero
from xerosync.ports import Request, Response, Transport, TransportFault
from xerosync.simulator import VirtualClock

BENT: Final = 2.0
"""How many times as long an invoice may take in the largest of the sizes as in the smallest."""
_LINES: Final = 500
"""How many lines a settlement has."""

Figures = dict[str, tuple[float, float]]
"""Seconds of processor time, and MB more than before at the peak, by work."""


@frozen
class Opened:
    """What a product knows of books that are in another process."""

    app: str
    secret: str
    tenant: str
    tokens: str
    invoices: Sequence[str]
    now: datetime


@define(eq=False)
class Away:
    """A way to a simulator in another process, whose clock goes with this one's."""

    pipe: Connection
    clock: VirtualClock

    async def send(self, request: Request) -> Response:
        """As the transport."""
        (outcome,) = await self.send_all([request], at_most=1)
        if isinstance(outcome, TransportFault):
            raise outcome
        return outcome

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """As the transport."""
        # The clock, which has a lock, stays here: the simulator's shows the same time.
        self.pipe.send((self.clock.now(), [evolve(each, clock=None) for each in requests], at_most))
        outcomes: list[Response | TransportFault]
        outcomes, now = self.pipe.recv()
        self.clock.move_to(now)
        return outcomes

    async def close(self) -> None:
        """Leave the simulator as it is: other works come after this one."""


def _simulate(pipe: Connection, size: int) -> None:
    """Keep books of *size* invoices, and answer whoever asks until nobody does."""
    product = found_product()
    books = product.books
    known = entered(product, size // 5, lambda place: books.add_contact(_name(place)).id)
    issued = entered(
        product, size, lambda place: books.add_invoice(known[place % len(known)], amount=Decimal(10), date=DAY).id
    )
    product.clock.advance(600)
    app, now = product.app, product.clock.now()
    tokens = product.tokens.to_json()
    pipe.send(Opened(app.client_id, app.client_secret, books.tenant_id, tokens, issued[: size // 10], now))
    way: Transport = product.simulator.transport
    while (asked := pipe.recv()) is not None:
        now, requests, at_most = asked
        product.clock.move_to(now)
        answered = way.send_all(requests, at_most=at_most)
        try:
            answered.send(None)
        except StopIteration as ended:
            pipe.send((ended.value, product.clock.now()))


def _name(place: int) -> str:
    return f"Customer {place}"


@contextmanager
def _split(run: Callable[..., None], *given: object) -> Iterator[Connection]:
    """A process that is split off from this one and *run*s, with the other end of a pipe as the first it is given."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, *given))
    process.start()
    theirs.close()
    try:
        yield ours
        process.join()
    finally:
        process.terminate()


def _measure(pipe: Connection, work: Callable[[Receivables], object], far: Connection, file: Path, of: Opened) -> None:
    clock = VirtualClock(of.now)
    way = Away(far, clock)
    with closing(SQLiteStore(file)) as store:
        xero = Xero(App(of.app, of.secret), of.tenant, store=store, transport=way, clock=clock, quarantine_s=0.0)
        if not store.query("grant", ""):
            xero.connect(Tokens.from_json(of.tokens))
        sales = Receivables(xero, clearing_account=CLEARING)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        before, start = memory_mb(), time.process_time()
        work(sales)
        spent, grown = time.process_time() - start, memory_mb(most=True) - before
        pipe.send((spent, grown, clock.now()))


def taken(size: int) -> Figures:
    """What each work takes on so many."""
    with _split(_simulate, size) as far, TemporaryDirectory(prefix="xerosync-", ignore_cleanup_errors=True) as name:
        opened: Opened = far.recv()
        file, in_pages = Path(name, "books.db"), Path(name, "in-pages.db")
        figures: Figures = {}
        for called, work in _works(size, opened.invoices).items():
            if called == "import":
                shutil.copy(file, in_pages)  # for the import page by page, which finds nothing imported either
            kept_in = in_pages if called == "import in pages" else file
            with _split(_measure, work, far, kept_in, opened) as pipe:
                seconds, megabytes, now = pipe.recv()
            figures[called], opened = (seconds, megabytes), evolve(opened, now=now)
        far.send(None)
    return figures


def _works(size: int, invoices: Sequence[str]) -> Mapping[str, Callable[[Receivables], object]]:
    """The works, in their order, on what the product brings along."""
    customers = [Customer(id=f"c{place}", custom_identifier=_name(place)) for place in range(size // 5)]
    lines = [SettlementLine(id=each, transaction=each, amount=nzd(10)) for each in invoices]
    settlements = [
        Settlement(id=f"s{start}", on=DAY + timedelta(days=1), lines=tuple(lines[start : start + _LINES]))
        for start in range(0, len(lines), _LINES)
    ]
    return {
        "match": lambda sales: sales.apply(sales.match(customers)),
        "import": lambda sales: sales.apply(sales.import_invoices()),
        "import in pages": lambda sales: [None for _ in sales.import_in_pages()],
        "settle": lambda sales: sales.apply(sales.settle(settlements)),
        "reconcile": lambda sales: sales.reconcile(settlements),
    }


def _rows(figures: Mapping[int, Figures]) -> Iterator[dict[str, str]]:
    for size, works in sorted(figures.items()):
        times = {name: f"{1e6 * seconds / size:,.0f}" for name, (seconds, _) in works.items()}
        memory = {f"{name}, MB": f"{megabytes:,.0f}" for name, (_, megabytes) in works.items()}
        yield {"Invoices": f"{size:,}", **times, **memory}


def _is_straight(figures: Mapping[int, Figures]) -> bool:
    first, last = (figures[size] for size in (min(figures), max(figures)))
    times = max(figures) / min(figures)
    return all(last[name][0] <= BENT * times * first[name][0] for name in first)


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 where a line is bent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kept", type=Path, help="a file in which figures are kept")
    parser.add_argument("--drawn", type=Path, help="a file for the picture of them")
    given = parser.parse_args()
    figures: dict[int, Figures] = {}
    if given.kept is not None and given.kept.exists():
        figures = {int(size): works for size, works in json.loads(given.kept.read_text()).items()}
    if given.sizes:
        taken(200)  # what is made once is made here
    for size in given.sizes:
        figures[size] = taken(size)
        if given.kept is not None:
            given.kept.write_text(json.dumps(figures))
    if given.drawn is not None:
        draw(figures, given.drawn)
    rows = list(_rows(figures))
    report(
        "Microseconds of processor time an invoice, and MB more than before", list(rows[0]), rows, as_json=given.json
    )
    return 0 if _is_straight(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
