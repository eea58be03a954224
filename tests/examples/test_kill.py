"""kill -9 at many moments of either script, then the same command again: the books end as if nothing had happened."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from attrs import frozen
from tests.examples.conftest import (
    PAYABLES,
    RECEIVABLES,
    check_collected,
    check_paid,
    check_papers,
    environment,
    opened_books,
    real_input,
    run_script,
)
from tests.examples.test_payables_from_csv import MANCHESTER, check_totals, manchester_bills

# The driver runs a script after another on a copy of the same arguments, each in a child of its own, and kills the
# first children at the moments given: before or after the n-th request to Xero or commit to the store. Forking saves
# the imports, which take longer than the run.
DRIVER = '''
import os, signal, sys
from contextlib import redirect_stdout

import payables_from_csv
import receivables_from_csv
from xerosync.simulator.simulator import SimulatedTransport
from xerosync.storage.sqlite import SQLiteStore
import xerosync.testing.sandbox

script, step, offset, *arguments = sys.argv[1:]
main = {"receivables": receivables_from_csv, "payables": payables_from_csv}[script].main
moment = 0
fatal = 0

def passing():
    global moment
    moment += 1
    if moment == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

exchange, commit = SimulatedTransport._exchange, SQLiteStore.commit

def exchanged(self, request, *, beside):
    passing()
    answer = exchange(self, request, beside=beside)
    passing()
    return answer

def committed(self, *given, **named):
    passing()
    commit(self, *given, **named)
    passing()

SimulatedTransport._exchange, SQLiteStore.commit = exchanged, committed

def run(store, at):
    """Run once in a child, killed at moment *at* unless that is 0; whether it came to its end."""
    global fatal
    child = os.fork()
    if child == 0:
        fatal = at
        with open(store + ".json", "w") as out, redirect_stdout(out), open(os.devnull, "w") as sys.stderr:
            code = main([*arguments, "--store", store])
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    assert os.waitstatus_to_exitcode(status) == 0, status
    return True

at = int(offset)
place = 0
while True:
    store = f"{place}.db"
    ended = run(store, at)
    if not ended and place % 2:
        run(store, max(1, at * 2 // 3))
    if not ended:
        assert run(store, 0)
    print(store, flush=True)
    if ended:
        break
    at += int(step)
    place += 1
'''


def collections_file(folder: Path, *, customers: int, invoices: int) -> Path:
    """A file of *invoices* of *customers*, every eighth disputed."""
    random = Random(7)
    path = folder / "invoices.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        written = csv.writer(lines)
        written.writerow("customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate".split(","))
        for number in range(invoices):
            on = date(2013, 1, 1) + timedelta(days=random.randrange(20))
            amount = Decimal(random.randrange(101, 90_000)).scaleb(-2)
            settled = on + timedelta(days=random.randrange(10, 14))
            days = [f"{day.month}/{day.day}/{day.year}" for day in (on, on + timedelta(days=30), settled)]
            disputed = "No" if number % 8 else "Yes"
            written.writerow([f"C{number % customers}", number, *days[:2], amount, disputed, days[2]])
    return path


@frozen
class SomeBills:
    """A file of bills, and the totals it should come to by vendor and number."""

    path: Path
    totals: dict[tuple[str, str], Decimal]


def some_bills(folder: Path, count: int) -> SomeBills:
    """A file of *count* bills, a fifth of them credits, some of several lines."""
    random = Random(11)
    path = folder / "bills.csv"
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with path.open("w", encoding="utf-8", newline="") as lines:
        written = csv.writer(lines)
        written.writerow(["Supplier Name", "Net Amount", "Invoice Payment Date", "Transaction Number", "Expenses Type"])
        for number in range(count):
            vendor = f"Vendor {number % (count // 5 + 1)}"
            for line in range(1 + (number % 7 == 0)):
                amount = Decimal(
                    random.randrange(-40_000 if number % 5 == 0 else 101, 0 if number % 5 == 0 else 90_000)
                )
                on = date(2022, 4, 1) + timedelta(days=random.randrange(30))
                written.writerow([vendor, amount.scaleb(-2), on, number, f"Category {(number + line) % 5}"])
                totals[vendor.casefold(), str(number)] += amount.scaleb(-2)
    return SomeBills(path, dict(totals))


def payables_arguments(path: Path, store: Path) -> list[str | Path]:
    return [path, *MANCHESTER, "--store", store]


def killed_everywhere(folder: Path, script: str, *arguments: str | Path, step: int, offset: int = 1) -> list[Path]:
    """The stores of runs that were killed at every *step*-th moment, and then run to their end."""
    command = [sys.executable, "-W", "error", "-c", DRIVER, script, str(step), str(offset), *map(str, arguments)]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=environment()
    )
    assert ended.returncode == 0, ended.stderr
    return [folder / name for name in ended.stdout.split()]


@pytest.mark.parametrize(("instalments", "step"), [(2, 7), (3, 5)])
def test_collections_killed_at_any_moment_end_with_each_payment_once(
    tmp_path: Path, instalments: int, step: int
) -> None:
    """Three do not divide a batch of fifty: an invoice stands half paid then, and Xero would take its part again."""
    path = collections_file(tmp_path, customers=10, invoices=40)

    stores = killed_everywhere(tmp_path, "receivables", path, "--instalments", str(instalments), "--json", step=step)

    assert len(stores) > 20
    for store in stores:
        assert findings_of(store) == 0
        with opened_books(store) as books:
            check_collected(books, path, instalments)


def test_bills_killed_at_any_moment_end_as_one_live_document_each(tmp_path: Path) -> None:
    bills = some_bills(tmp_path, 60)

    stores = killed_everywhere(tmp_path, "payables", bills.path, *MANCHESTER, step=7)

    assert len(stores) > 20
    for store in stores:
        assert findings_of(store) == 0
        with opened_books(store) as books:
            check_paid(books, bills.totals)
            check_papers(books, len(bills.totals))


def findings_of(store: Path) -> int:
    """How many findings the last run on *store* had."""
    found: int = json.loads(store.with_name(f"{store.name}.json").read_text(encoding="utf-8"))["findings"]
    return found


def kill_after(seconds: float, script: Path, *arguments: str | Path) -> bool:
    """Start *script* and kill it *seconds* after it first wrote to its store, wherever it is then; whether it ran."""
    command = [sys.executable, str(script), *map(str, arguments)]
    store = Path(arguments[arguments.index("--store") + 1])
    before = last_written(store)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as process:
        while process.poll() is None and last_written(store) == before:
            time.sleep(0.02)
        time.sleep(seconds)
        process.kill()
        # On a fast machine the last of several runs may have had nothing left to do.
        assert process.wait() in {-signal.SIGKILL, 0}
        return process.returncode != 0


def kill_at(megabytes: int, script: Path, *arguments: str | Path) -> bool:
    """Start *script* and kill it once its store and books are so large, however fast it is; whether it still ran."""
    command = [sys.executable, str(script), *map(str, arguments)]
    store = Path(arguments[arguments.index("--store") + 1])
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as process:
        while process.poll() is None and size_of(store) < megabytes * 1_000_000:
            time.sleep(0.02)
        process.kill()
        assert process.wait() in {-signal.SIGKILL, 0}
        return process.returncode != 0


def size_of(store: Path) -> int:
    """How many bytes the files of *store* take, and those of the books beside it."""
    return sum(each.stat().st_size for each in store.parent.glob(f"{store.name}*") if each.exists())


def last_written(store: Path) -> int:
    """When any of the files of *store* was written last, in nanoseconds; 0 where there is none."""
    return max((each.stat().st_mtime_ns for each in store.parent.glob(f"{store.name}*")), default=0)


def test_the_full_collections_killed_by_the_clock_end_with_each_payment_once(tmp_path: Path) -> None:
    path = real_input("receivables.csv")
    store = tmp_path / "books.db"
    arguments: list[str | Path] = [path, "--store", store, "--instalments", "2", "--json"]
    killed = [kill_after(seconds, RECEIVABLES, *arguments) for seconds in (0.5, 1.8, 2.8, 4.3, 3.3)]

    assert killed[0]
    ended = run_script(RECEIVABLES, *arguments)

    assert ended.figures()["findings"] == 0
    with opened_books(store) as books:
        check_collected(books, path, instalments=2)


def test_two_full_files_of_bills_killed_midway_in_one_store_end_as_one_live_document_each(tmp_path: Path) -> None:
    """The second is begun before the first was taken up again, which finds both half done."""
    files = [real_input(f"payables-manchester-2022-{month}.csv") for month in ("04", "05")]
    store = tmp_path / "books.db"
    commands = [payables_arguments(path, store) for path in files]
    killed = [kill_at(size, PAYABLES, *commands[file]) for file, size in ((0, 40), (1, 70), (0, 100))]

    assert killed[:2] == [True, True]
    first, second = (run_script(PAYABLES, *command) for command in commands)

    bills = [manchester_bills(path) for path in files]
    assert (first.figures()["rows"], second.figures()["rows"]) == (3600, 3564)
    with opened_books(store) as books:
        check_paid(books, *bills)
        check_papers(books, *map(len, bills))
        check_totals(books, *files)


@pytest.mark.parametrize("script", ["receivables", "payables"])
def test_what_a_run_after_a_kill_says_it_did_is_what_it_did(tmp_path: Path, script: str) -> None:
    """Writes that the killed run left open, and this one sent, count; those that the killed one had sent do not."""
    arguments: list[str | Path]
    if script == "receivables":
        path, file = RECEIVABLES, collections_file(tmp_path, customers=5, invoices=40)
        arguments = [file, "--instalments", "2", "--json"]
    else:
        path, file = PAYABLES, some_bills(tmp_path, 40).path
        arguments = [file, *MANCHESTER]
    for fatal in (25, 60, 75, 110, 145):
        store = tmp_path / f"{fatal}.db"
        killed_once = [*arguments, "--store", store]
        run_script(path, *killed_once, driver=["-c", KILLED_ONCE, script, str(fatal)])
        before = written(store)
        again = run_script(path, *killed_once).figures()
        after = written(store)
        told = {name: again[name] for name in after if name in again}
        assert told == {name: after[name] - before[name] for name in told}


KILLED_ONCE = (
    DRIVER.replace("script, step, offset, *arguments", "script, step, *arguments").partition("at = int")[0]
    + """
fatal = int(step)
main(arguments)
"""
)


def written(store: Path) -> dict[str, int]:
    """What stands in the books, by the keys under which a script tells what it did."""
    with opened_books(store) as books:
        return {
            "posted": len(books.payments),
            "reversed": sum(payment.status == "DELETED" for payment in books.payments),
            "payments": len(books.payments),
            "vendors": len(books.contacts),
            "bills": sum(invoice.type == "ACCPAY" for invoice in books.invoices),
            "credit_notes": len(books.credit_notes),
        }
