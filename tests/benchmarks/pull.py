"""
A whole list read from a server on this machine: ``python -m tests.benchmarks.pull [--pages N] [--rounds N] [--json]``.

The server has a process of its own, and answers after 300 ms, packed with gzip for whoever asks for that; the pages
are packed beforehand, so that nobody waits for the server's work. Each candidate has a process of its own, too, and
keeps no page when it has counted its invoices. xero-python reads page by page; xerosync reads four at a time.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from tests.benchmarks.decode import INVOICES, OFFICIAL, XEROSYNC, page_of_invoices
from tests.benchmarks.turns import Taken, memory_mb, report

LATENCY_S: Final = 0.3
TENANT: Final = "3c2d1c0f-57d0-4d7c-9a10-3f3f5b7d2f11"
_CONNECTIONS: Final = [
    {
        "id": "e1eede29-f875-4a5d-8470-17f6a29a88b1",
        "authEventId": "d99ecdfe-391d-43d2-b834-17636ba90e8d",
        "tenantId": TENANT,
        "tenantType": "ORGANISATION",
        "tenantName": "Benchmark",
        "createdDateUtc": "2026-01-05T00:00:00.0000000",
        "updatedDateUtc": "2026-01-05T00:00:00.0000000",
    }
]
CPU_GOAL: Final = 4.0
WALL_GOAL: Final = 5.0
MEGABYTES_GOAL: Final = 150


class Lists(BaseHTTPRequestHandler):
    """Answers each read of invoices with the page that is asked for."""

    protocol_version = "HTTP/1.1"
    rows: tuple[bytes, ...] = ()
    total = 0
    packed: Mapping[int, bytes] = {}

    def do_GET(self) -> None:
        """One page, or to whom the tokens lead."""
        if self.path.startswith("/connections"):
            self._answer(json.dumps(_CONNECTIONS).encode())
            return
        if "/Organisation" in self.path:
            self._answer(json.dumps({"Organisations": [{"OrganisationID": TENANT, "Name": "Benchmark"}]}).encode())
            return
        asked = parse_qs(urlsplit(self.path).query)
        page, size = int(asked["page"][0]), int(asked["pageSize"][0])
        if size != INVOICES:
            self.send_error(400, "no such page was prepared")
        elif self._takes_gzip:
            self._answer(self.packed[page], is_packed=True)
        else:
            self._answer(self.page(page))

    @property
    def _takes_gzip(self) -> bool:
        return "gzip" in self.headers.get("Accept-Encoding", "")

    def _answer(self, body: bytes, *, is_packed: bool = False) -> None:
        time.sleep(LATENCY_S)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if is_packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    @classmethod
    def page(cls, number: int) -> bytes:
        """The page of this *number*."""
        places = range((number - 1) * INVOICES, min(number * INVOICES, cls.total))
        paging = {"page": number, "pageSize": INVOICES, "itemCount": cls.total}
        head = json.dumps({"Status": "OK", "pagination": paging})[:-1]
        return b'%s, "Invoices": [%s]}' % (head.encode(), b",".join(map(cls.row, places)))

    @classmethod
    def row(cls, place: int) -> bytes:
        """The invoice at this *place* of the list, under an id of its own."""
        row = cls.rows[place % len(cls.rows)]
        return b'{"InvoiceID": "%s", %s' % (str(UUID(int=place + 1)).encode(), row)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
        """Say nothing."""


def serve(page: Path, pages: int) -> None:
    """Serve until standard input ends; say on which port."""
    rows = [{name: value for name, value in row.items() if name != "InvoiceID"} for row in _invoices(page)]
    Lists.rows = tuple(json.dumps(row).encode()[1:] for row in rows)
    Lists.total = pages * len(rows)
    Lists.packed = {number: gzip.compress(Lists.page(number), 1) for number in range(1, pages + 1)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lists)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def _invoices(page: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(page.read_bytes())["Invoices"]
    return rows


def xerosync(url: str, _: int) -> int:
    """As a product lists its invoices."""
    from xerosync import App, MemoryStore, Tokens, Xero  # noqa: PLC0415 - each candidate in its own process
    from xerosync.client._limits import Limits  # noqa: PLC0415
    from xerosync.client.oauth import Endpoints  # noqa: PLC0415
    from xerosync.secret import Secret  # noqa: PLC0415

    app = App("benchmark", Secret("benchmark"))
    limits = Limits(a_minute=100_000, a_day=100_000, app_a_minute=100_000)
    with Xero(app, TENANT, store=MemoryStore(), endpoints=Endpoints.at(url), limits=limits) as xero:
        xero.connect(Tokens(Secret("access"), Secret("refresh"), datetime.now(UTC) + timedelta(hours=1)))
        return sum(1 for _ in xero.invoices.list())


def xero_python(url: str, pages: int) -> int:
    """Page by page, as its examples do."""
    accounting = importlib.import_module("xero_python.accounting")
    client = importlib.import_module("xero_python.api_client")
    configuration = importlib.import_module("xero_python.api_client.configuration").Configuration()
    oauth2 = importlib.import_module("xero_python.api_client.oauth2")
    configuration.oauth2_token = oauth2.OAuth2Token("benchmark", "benchmark")
    token = {"access_token": "access", "refresh_token": "refresh", "expires_in": 1800, "token_type": "Bearer"}
    token |= {"scope": ["accounting.transactions"], "expires_at": time.time() + 3600}
    through = client.ApiClient(configuration, oauth2_token_getter=lambda: token, oauth2_token_saver=lambda _: None)
    api = accounting.AccountingApi(through, base_url=f"{url}/api.xro/2.0")
    read = 0
    for page in range(1, pages + 1):
        read += len(api.get_invoices(TENANT, page=page, page_size=INVOICES).invoices)
    return read


CANDIDATES: Final[Mapping[str, Callable[[str, int], int]]] = {OFFICIAL: xero_python, XEROSYNC: xerosync}


def work(name: str, url: str, pages: int) -> None:
    """Read the list, and say what it took: seconds of the processor, seconds, megabytes more than at the beginning."""
    before, start, cpu = memory_mb(most=True), time.perf_counter(), time.process_time()
    read = CANDIDATES[name](url, pages)
    if read != pages * INVOICES:
        raise SystemExit(f"{name} read {read:,} invoices")
    taken = time.process_time() - cpu, time.perf_counter() - start, memory_mb(most=True) - before
    sys.stdout.write(" ".join(map(str, taken)) + "\n")


def _told(name: str, url: str, pages: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "tests.benchmarks.pull", "--work", name, "--url", url, "--pages", str(pages)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(told[0]), float(told[1]), float(told[2])


def rows_of(told: Mapping[str, list[tuple[float, float, float]]]) -> list[dict[str, str]]:
    """The table."""
    cpu, wall, memory = (
        {name: Taken(name, [each[which] for each in rounds]) for name, rounds in told.items()} for which in range(3)
    )
    return [
        {
            "Candidate": name,
            "s of processor time": f"{cpu[name].median:.1f}",
            f"times less than {OFFICIAL}": f"{cpu[name].times_faster_than(cpu[OFFICIAL]):.1f}",
            "s in all": f"{wall[name].median:.1f}",
            "times faster": f"{wall[name].times_faster_than(wall[OFFICIAL]):.1f}",
            "MB": f"{memory[name].median:.0f}",
        }
        for name in told
    ]


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    for hidden in ("--work", "--url", "--serve"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(Path(given.serve), given.pages)
    elif given.work:
        work(given.work, given.url, given.pages)
    else:
        return measured(given.pages, given.rounds, as_json=given.json)
    return 0


def measured(pages: int, rounds: int, *, as_json: bool) -> int:
    """Let the candidates take turns, and print what they took."""
    told: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CANDIDATES}
    with TemporaryDirectory() as folder:
        page = Path(folder) / "page.json"
        page.write_bytes(page_of_invoices())
        command = [sys.executable, "-m", "tests.benchmarks.pull", "--serve", str(page), "--pages", str(pages)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            if server.stdout is None:
                raise SystemExit("a server without its pipe")
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            try:
                for _ in range(rounds):
                    for name in CANDIDATES:
                        told[name].append(partial(_told, name, url)(pages))
            finally:
                server.terminate()
    rows = rows_of(told)
    report(f"{pages * INVOICES:,} invoices, {rounds} rounds", list(rows[0]), rows, as_json=as_json)
    ours = rows[-1]
    reached = float(ours[f"times less than {OFFICIAL}"]) >= CPU_GOAL, float(ours["times faster"]) >= WALL_GOAL
    return 0 if all(reached) and float(ours["MB"]) <= MEGABYTES_GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
