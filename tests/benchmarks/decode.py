"""
How fast a page of 1,000 invoices becomes typed values: ``python -m tests.benchmarks.decode [--rounds N] [--json]``.

The page is the simulator's: four lines an invoice, every second one paid in part. Each candidate has a process of its
own, in which nothing else was imported, and they take turns. xero-python reads its numbers as exact decimals too;
pyxero reads floats; the floors make no typed values at all.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from tests.benchmarks.turns import report, speeds, take_turns

GOAL: Final = 8.0
HEADERS_GOAL: Final = 30.0
XEROSYNC: Final = "xerosync"
HEADERS: Final = "xerosync, headers"
OFFICIAL: Final = "xero-python"
INVOICES: Final = 1000


def xerosync(body: bytes) -> Callable[[], object]:
    """As a list of the client does it."""
    from xerosync.client._wire import answers, codec  # noqa: PLC0415 - each candidate in its own process
    from xerosync.models import Invoice  # noqa: PLC0415
    from xerosync.ports import Response  # noqa: PLC0415

    def decoded() -> object:
        rows = answers.envelope(Response(200, {}, body), "Invoices", Invoice).rows
        return codec.decode_all(Invoice, rows, where="Invoices")

    return decoded


def xerosync_in_detail(body: bytes) -> Callable[[], object]:
    """The way of what is odd: the one that says where an answer cannot be read."""
    from xerosync.client._wire import answers, codec  # noqa: PLC0415
    from xerosync.models import Invoice  # noqa: PLC0415
    from xerosync.ports import Response  # noqa: PLC0415

    def decoded() -> object:
        rows = answers.envelope(Response(200, {}, body), "Invoices").rows
        return [codec.decode_in_detail(Invoice, row, where="Invoices") for row in rows]

    return decoded


def xerosync_headers(body: bytes) -> Callable[[], object]:
    """As the mirror reads it: what matching and reconciling need, dates as Xero wrote them."""
    from xerosync.client._wire import answers  # noqa: PLC0415
    from xerosync.engine.mirror import INVOICES as SHELF  # noqa: PLC0415
    from xerosync.ports import Response  # noqa: PLC0415

    return lambda: answers.envelope(Response(200, {}, body), "Invoices", SHELF.header).rows


def xero_python(body: bytes) -> Callable[[], object]:
    """As its ``ApiClient.deserialize`` does it."""
    deserializer = importlib.import_module("xero_python.api_client.deserializer")
    models = importlib.import_module("xero_python.accounting.models")
    finder = importlib.import_module("xero_python.api_client").ModelFinder(models)

    def decoded() -> object:
        return deserializer.deserialize("Invoices", json.loads(body.decode(), parse_float=Decimal), finder).invoices

    return decoded


def pyxero(body: bytes) -> Callable[[], object]:
    """As its ``_parse_api_response`` does it."""
    hook = importlib.import_module("xero.utils").json_load_object_hook
    return lambda: json.loads(body.decode(), object_hook=hook)["Invoices"]


def msgspec_dicts(body: bytes) -> Callable[[], object]:
    """Dictionaries, numbers exact."""
    decoder = importlib.import_module("msgspec").json.Decoder(float_hook=Decimal)
    return lambda: decoder.decode(body)["Invoices"]


def orjson_dicts(body: bytes) -> Callable[[], object]:
    """Dictionaries, numbers as floats."""
    loads = importlib.import_module("orjson").loads
    return lambda: loads(body)["Invoices"]


CANDIDATES: Final[Mapping[str, Callable[[bytes], Callable[[], object]]]] = {
    OFFICIAL: xero_python,
    "pyxero (floats)": pyxero,
    XEROSYNC: xerosync,
    HEADERS: xerosync_headers,
    "xerosync, in detail": xerosync_in_detail,
    "floor: msgspec, dicts": msgspec_dicts,
    "floor: orjson, dicts and floats": orjson_dicts,
}


def work(name: str, page: Path) -> None:
    """Decode *page* once for each line on standard input, and say what it took."""
    decoded = CANDIDATES[name](page.read_bytes())
    for _ in sys.stdin:
        start = time.process_time()
        invoices = decoded()
        # What a pause of the collector of garbage has put off is due with the next few values: it is paid here.
        due: list[object] = [[] for _ in range(INVOICES)]
        taken = 1000 * (time.process_time() - start)
        if not isinstance(invoices, list) or len(cast(list[object], invoices)) != len(due):
            raise SystemExit(f"{name} read something else than {INVOICES} invoices")
        total = sum(Decimal(str(_total(each))) for each in cast(list[object], invoices))
        sys.stdout.write(f"{taken} {total}\n")
        sys.stdout.flush()


def _total(invoice: object) -> object:
    read = getattr(invoice, "get", None)
    return read("Total") if callable(read) else getattr(invoice, "total")  # noqa: B009 - of any class


def page_of_invoices() -> bytes:
    """The page that all read."""
    from tests.benchmarks.simulator_speed import Caller, invoice_row  # noqa: PLC0415 - no candidate shall have it

    caller = Caller()
    customers = [caller.books.add_contact(f"Customer {number}").id for number in range(200)]
    for first in range(0, INVOICES, 100):
        rows = [
            invoice_row(customers[number % 200], number, lines=4, day=1 + number % 28)
            for number in range(first, first + 100)
        ]
        body = caller.call("PUT", "Invoices", json.dumps({"Invoices": rows}).encode())
        paid = [row["InvoiceID"] for row in json.loads(body)["Invoices"]][::2]
        payments = [{"Invoice": {"InvoiceID": one}, "Account": {"Code": "090"}, "Amount": "100.00"} for one in paid]
        caller.call("PUT", "Payments", json.dumps({"Payments": payments}).encode())
    return caller.call("GET", f"Invoices?page=1&pageSize={INVOICES}")


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.page)
        return 0
    totals: dict[str, str] = {}
    with ExitStack() as stack:
        page = Path(stack.enter_context(TemporaryDirectory())) / "page.json"
        size = page.write_bytes(page_of_invoices())

        def measure(name: str, process: subprocess.Popen[str]) -> float:
            if process.stdin is None or process.stdout is None:
                raise SystemExit("a worker without its pipes")
            process.stdin.write("once\n")
            process.stdin.flush()
            taken, totals[name] = process.stdout.readline().split()
            return float(taken)

        taken = take_turns(
            {name: partial(measure, name, _worker(name, page, stack)) for name in CANDIDATES}, rounds=given.rounds
        )
    if totals[XEROSYNC] != totals[OFFICIAL]:
        raise SystemExit(f"xerosync read a total of {totals[XEROSYNC]}, xero-python one of {totals[OFFICIAL]}")
    official = next(each for each in taken if each.name == OFFICIAL)
    rows = speeds(taken, official)
    title = f"A page of {INVOICES:,} invoices, {size / 1e6:.1f} MB, {given.rounds} rounds"
    report(title, list(rows[0]), rows, as_json=given.json)
    goals = {XEROSYNC: GOAL, HEADERS: HEADERS_GOAL}
    reached = (each.times_faster_than(official) >= goals[each.name] for each in taken if each.name in goals)
    return 0 if all(reached) else 1


def _worker(name: str, page: Path, stack: ExitStack) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.decode", "--work", name, "--page", str(page)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.enter_context(process)
    return process


if __name__ == "__main__":
    sys.exit(main())
