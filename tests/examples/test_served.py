"""The example scripts on a simulator served elsewhere, over loopback HTTP and in real time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest
from tests.examples.conftest import (
    PAYABLES,
    RECEIVABLES,
    check_collected,
    check_paid,
    environment,
    opened_books,
    run_script,
    xero_of,
)
from tests.examples.test_kill import collections_file, payables_arguments, some_bills

from xerosync.client._books import QUARANTINE_S

SERVE = "import sys; from xerosync.simulator.serve import main; sys.exit(main())"


@contextmanager
def served(store: Path) -> Generator[str]:
    """A simulator in a process of its own that keeps its books where the scripts would; its URL."""
    arguments = ["--port", "0", "--no-limits", "--state", str(xero_of(store))]
    command = [sys.executable, "-W", "error", "-c", SERVE, *arguments]
    with subprocess.Popen(command, stdout=PIPE, text=True, env=environment()) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_collections_over_http_are_the_same_and_wait_for_nothing(tmp_path: Path) -> None:
    path = collections_file(tmp_path, customers=5, invoices=30)
    store = tmp_path / "books.db"
    arguments: list[str | Path] = [path, "--store", store, "--instalments", "2", "--json"]
    began = time.monotonic()
    with served(store) as url:
        first = run_script(RECEIVABLES, *arguments, "--xero", url)
        second = run_script(RECEIVABLES, *arguments, "--xero", url + "/")

    assert (first.figures()["imported"], first.figures()["posted"]) == (30, 60)
    assert (second.figures()["imported"], second.figures()["posted"], second.figures()["reversed"]) == (0, 0, 0)
    assert (first.err, second.err) == ("", "")
    assert time.monotonic() - began < QUARANTINE_S / 5
    with opened_books(store) as books:
        check_collected(books, path, instalments=2)


def test_bills_over_http_are_the_same_and_a_lost_store_posts_nothing_twice(tmp_path: Path) -> None:
    """Another store on the same books finds the marks of the first in Xero."""
    bills = some_bills(tmp_path, 30)
    store = tmp_path / "books.db"
    with served(store) as url:
        first = run_script(PAYABLES, *payables_arguments(bills.path, store), "--xero", url)
        lost = run_script(PAYABLES, *payables_arguments(bills.path, tmp_path / "other.db"), "--xero", url)

    assert first.amount("total") == lost.amount("total") == sum(bills.totals.values())
    assert [lost.figures()[name] for name in ("vendors", "bills", "credit_notes")] == [0, 0, 0]
    with opened_books(store) as books:
        check_paid(books, bills.totals)


def test_after_a_kill_it_says_how_long_it_waits_for_what_may_still_be_on_its_way(tmp_path: Path) -> None:
    path = collections_file(tmp_path, customers=5, invoices=30)
    store = tmp_path / "books.db"
    arguments: list[str | Path] = [path, "--store", store, "--instalments", "2", "--json"]
    with served(store) as url:
        killed = run_script(RECEIVABLES, *arguments, "--xero", url, driver=KILLED_AT_A_PAYMENT)
        assert killed.code == -signal.SIGKILL
        command = [sys.executable, str(RECEIVABLES), *map(str, arguments), "--xero", url]
        with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=environment()) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            process.kill()

    assert said.startswith("waiting: a write may still be on its way, ")
    assert QUARANTINE_S - 60 < float(said.split()[-2]) <= QUARANTINE_S


KILLED_AT_A_PAYMENT = [
    "-c",
    """
import os, signal, sys
import receivables_from_csv
from xerosync.client import _http

send = _http.BlockingTransport.send

async def killed(self, request):
    answer = await send(self, request)
    if "/Payments" in request.url and request.method == "PUT":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

_http.BlockingTransport.send = killed
sys.exit(receivables_from_csv.main())
""",
]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://example.invalid", "no address"])
def test_where_no_simulator_answers_it_fails_with_the_reason(tmp_path: Path, url: str) -> None:
    path = collections_file(tmp_path, customers=1, invoices=1)

    ended = run_script(RECEIVABLES, path, "--xero", url)

    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.err
