"""
A first import of half a million invoices, killed and begun again: ``python -m tests.benchmarks.first_import [--json]``.

A process of its own connects 20,000 customers and imports the invoices of an organisation page by page, into a SQLite
file. It is killed (SIGKILL) while it reads, and again while it imports; then it runs to its end. Measured are the most
memory that any of the processes held, all calls, and that every invoice is imported once. What Xero answers is made of
rows of the simulator's own, one by one: the simulator itself would take gigabytes to hold that many. Calls are not
paced; at sixty a minute they would take as many minutes as are told.
"""

from __future__ import annotations

import argparse
import gzip
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from attrs import define, frozen
from tests.benchmarks.turns import report

from xerosync import App, Customer, Limits, Receivables, SQLiteStore, Tokens, Xero
from xerosync.ports import Request, Response, TransportFault
from xerosync.simulator import Simulator, SystemClock

GOAL_MB: Final = 300
GOAL_CALLS: Final = 1.1
_PAGE: Final = 1000
_API: Final = "https://api.xero.com/api.xro/2.0/"
_STAMPED: Final = "/Date(1735689600000+0000)/"  # long before the import begins
Row = dict[str, object]


@frozen
class Size:
    """How much there is to import."""

    invoices: int
    customers: int

    @property
    def floor(self) -> int:
        """The fewest calls that read them all."""
        return -(-self.invoices // _PAGE) + -(-self.customers // _PAGE)


def name_of(number: int) -> str:
    return f"Customer {number}"


def _id(kind: int, number: int) -> str:
    return str(UUID(int=kind << 64 | number))


def set_up(folder: Path) -> None:
    """Connect an organisation in *folder*, and keep there a contact and an invoice as the simulator has them."""
    with Simulator(clock=SystemClock(), limits=False) as simulator, closing(SQLiteStore(folder / "books.db")) as store:
        books = simulator.add_organisation()
        app = simulator.register_app()
        given = simulator.consent(app, tenants=[books.tenant_id])
        with Xero(
            App(app.client_id, app.client_secret), books.tenant_id, store=store, transport=simulator.transport
        ) as xero:
            for_long = simulator.clock.now() + timedelta(days=1)
            xero.connect(Tokens(given.access_token, given.refresh_token, for_long))
        books.add_invoice(books.add_contact("Ana").id, amount=Decimal(100))
        headers = {
            "Authorization": f"Bearer {given.access_token}", "Xero-Tenant-Id": books.tenant_id,
            "Accept": "application/json",
        }  # fmt: skip
        rows = [
            json.loads(simulator.handle(Request("GET", f"{_API}{name}?page=1", headers)).body)[name][-1]
            for name in ("Contacts", "Invoices")
        ]
        (folder / "given").write_text(json.dumps({"tenant": books.tenant_id, "app": app.client_id, "rows": rows}))


@define
class ManyInvoices:
    """A way to a Xero that holds so many; each call is a line in the file *calls*, whoever dies meanwhile."""

    size: Size
    calls: Path
    rows: tuple[Row, Row]

    async def send(self, request: Request) -> Response:
        """Answer *request*."""
        parts = urlsplit(request.url)
        collection = parts.path.rpartition("/")[2]
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.calls.open("a") as file:
            file.write(f"{collection}\n")
        if "If-Modified-Since" in request.headers:
            return self._answer(collection, [], 0, 1, _PAGE)
        count, row = {
            "Contacts": (self.size.customers, self._contact),
            "Invoices": (self.size.invoices, self._invoice),
        }[collection]
        page, size = int(asked["page"]), int(asked.get("pageSize", "100"))
        some = [row(number) for number in range((page - 1) * size, min(page * size, count))]
        return self._answer(collection, some, count, page, size)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Answer *requests*."""
        del at_most
        return [await self.send(request) for request in requests]

    async def close(self) -> None:
        """Nothing is open."""

    def _answer(self, collection: str, rows: list[Row], items: int, page: int, size: int) -> Response:
        pagination = {"page": page, "pageSize": size, "pageCount": -(-items // size), "itemCount": items}
        body = json.dumps({"pagination": pagination, "DateTimeUTC": _now(), collection: rows}).encode()
        wire = len(gzip.compress(body, 1))
        return Response(200, {"content-type": "application/json"}, body, wire)

    def _contact(self, number: int) -> Row:
        of_its_own = {"ContactID": _id(1, number), "Name": name_of(number), "UpdatedDateUTC": _STAMPED}
        return {**self.rows[0], **of_its_own}

    def _invoice(self, number: int) -> Row:
        contact = {"ContactID": _id(1, number % self.size.customers), "Name": name_of(number % self.size.customers)}
        of_its_own = {
            "InvoiceID": _id(2, number), "InvoiceNumber": f"INV-{number}", "Contact": contact,
            "UpdatedDateUTC": _STAMPED,
        }  # fmt: skip
        return {**self.rows[1], **of_its_own}


def _now() -> str:
    return f"/Date({int(time.time() * 1000)})/"


def work(folder: Path, size: Size) -> None:
    """What the process does that is killed: connect the customers, import the invoices, and tell of each page."""
    given = json.loads((folder / "given").read_text())
    limits = Limits(a_minute=10**6, a_day=10**6, app_a_minute=10**6)
    way = ManyInvoices(size, folder / "calls", tuple(given["rows"]))
    with (
        closing(SQLiteStore(folder / "books.db")) as store,
        Xero(App(given["app"], "secret"), given["tenant"], store=store, transport=way, limits=limits) as xero,
    ):
        sales = Receivables(xero)
        if not (folder / "connected").exists():
            customers = [Customer(id=f"c{n}", custom_identifier=name_of(n)) for n in range(size.customers)]
            sales.apply(sales.match(customers))
            (folder / "connected").touch()
        for each in sales.import_in_pages():
            sys.stdout.write(f"{len(each.results)} {len(each.findings)}\n")
            sys.stdout.flush()


@frozen
class Life:
    """One process: what it had done when it ended, the most memory it held, in MB, and the seconds it lived."""

    pages: int
    peak_mb: float
    seconds: float


def live(folder: Path, size: Size, *, killed_when: Callable[[int], bool]) -> Life:
    """Let a process work until it has done all, or is *killed_when* it has imported so many pages."""
    arguments = ["--work", str(folder), "--invoices", str(size.invoices), "--customers", str(size.customers)]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.first_import", *arguments], stdout=subprocess.PIPE, text=True
    )
    pages, peak_mb = _Counted(process), 0.0
    while process.poll() is None:
        peak_mb = max(peak_mb, _peak_mb(process.pid))
        if killed_when(pages.count):
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(0.05)
    pages.join()
    if process.returncode not in {0, -signal.SIGKILL}:
        raise SystemExit("the process that imports failed")
    return Life(pages.count, peak_mb, time.monotonic() - began)


class _Counted(Thread):
    """Counts the lines that *process* writes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._process = process
        self.start()

    def run(self) -> None:
        for _ in self._process.stdout or ():
            self.count += 1


def _peak_mb(process: int) -> float:
    """The most memory that *process* held so far, in MB of a million bytes; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), 0.0)


def imported(folder: Path) -> int:
    """How many transactions there are, each of an invoice of its own."""
    tenant = json.loads((folder / "given").read_text())["tenant"]
    with closing(sqlite3.connect(folder / "books.db")) as connection:
        (count, invoices) = connection.execute(
            "SELECT count(*), count(DISTINCT json_extract(body, '$.xero_id')) FROM records WHERE state = 'transaction' "
            "AND shelf = (SELECT id FROM shelves WHERE kind = 'link' AND tenant = ?)",
            (tenant,),
        ).fetchone()
    return int(count) if count == invoices else -1


def measured(size: Size) -> dict[str, object]:
    """The figures of an import of this *size* that is killed twice."""
    with TemporaryDirectory(prefix="xerosync-") as name:
        folder = Path(name)
        set_up(folder)
        (folder / "calls").touch()

        def calls() -> int:
            return len((folder / "calls").read_bytes().splitlines())

        pages = -(-size.invoices // _PAGE)
        lives = [
            live(folder, size, killed_when=lambda _: calls() >= size.floor // 2),
            live(folder, size, killed_when=lambda done: done >= pages // 2),
            live(folder, size, killed_when=lambda _: False),
        ]
        return {
            "invoices": f"{size.invoices:,}",
            "imported once": f"{imported(folder):,}",
            "calls": calls(),
            "times the floor": round(calls() / size.floor, 3),
            "peak MB": round(max(each.peak_mb for each in lives)),
            "MB of each process": ", ".join(f"{each.peak_mb:.0f}" for each in lives),
            "seconds": ", ".join(f"{each.seconds:.0f}" for each in lives),
            "minutes at 60 calls": round(calls() / 60, 1),
        }


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=500_000)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    size = Size(given.invoices, given.customers)
    if given.work is not None:
        work(given.work, size)
        return 0
    row = measured(size)
    report("A first import, killed twice", list(row), [row], as_json=given.json)
    is_met = float(str(row["times the floor"])) <= GOAL_CALLS and int(str(row["peak MB"])) <= GOAL_MB
    return 0 if is_met and row["imported once"] == row["invoices"] else 1


if __name__ == "__main__":
    sys.exit(main())
