"""The example scripts as users run them: as commands, and imported from the folder they stand in."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen
from tests.examples.visitor import Visitor

from host_app.demo import demo
from xerosync.simulator import Bookkeeper, Document, Payment, Simulator

PROJECT: Final = Path(__file__).parents[2]
EXAMPLES: Final = PROJECT / "docs" / "examples"
REAL_INPUT: Final = PROJECT.parent / "shared" / "data"
RECEIVABLES: Final = EXAMPLES / "receivables_from_csv.py"
WATCHED: Final = Path(__file__).parent / "watched"
PAYABLES: Final = EXAMPLES / "payables_from_csv.py"


@frozen
class Ended:
    """How a run of a script ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    def figures(self) -> dict[str, str | int]:
        """The JSON object on the last line of standard output. Fails the test unless the run went well."""
        assert self.code == 0, self.err
        read: dict[str, str | int] = json.loads(self.out.splitlines()[-1])
        return read

    def amount(self, name: str) -> Decimal:
        return Decimal(str(self.figures()[name]))


def run_script(script: Path, *arguments: str | Path, driver: Sequence[str] = ()) -> Ended:
    """Run *script* to its end in a process of its own, warnings being errors; a *driver* is Python run in its place."""
    command = [sys.executable, "-W", "error", *(driver or [str(script)]), *map(str, arguments)]
    # What a script's own simulator answers is compared with Xero's specification; a driver is not to be slowed down.
    env = environment() if driver else environment(WATCHED)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=env)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def environment(*further: Path) -> dict[str, str]:
    """This process's environment, with the package, the examples and *further* folders importable."""
    folders = (PROJECT / "src", EXAMPLES, *further)
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}


def real_input(name: str) -> Path:
    """The real file *name*. Skips the test where it is absent."""
    path = REAL_INPUT / name
    if not path.is_file():
        pytest.skip(f"the real input {name} is not beside the project")
    return path


def xero_of(store: Path) -> Path:
    """Where the books stand beside *store*."""
    return store.with_name(f"{store.name}.xero")


@contextmanager
def opened_books(store: Path) -> Generator[Bookkeeper]:
    """The books of the one organisation in the simulator beside *store*, read by its bookkeeper."""
    with Simulator(xero_of(store)) as simulator:
        (organisation,) = simulator.organisations
        yield simulator.bookkeeper(organisation.id)


def check_collected(books: Bookkeeper, path: Path, instalments: int = 1) -> None:
    """Every invoice of the file at *path* has *instalments* payments: live, or all removed where it was disputed."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    invoices = {invoice.number: invoice for invoice in books.invoices}
    payments: dict[str, list[Payment]] = defaultdict(list)
    for payment in books.payments:
        payments[payment.document_id].append(payment)
    assert len(books.invoices) == len(invoices) == len(rows)
    assert len(books.payments) == instalments * len(rows)
    for row in rows:
        invoice = invoices[row["invoiceNumber"]]
        amount = Decimal(row["InvoiceAmount"])
        disputed = row["Disputed"] == "Yes"
        states = [payment.status for payment in payments[invoice.id]]
        assert states == ["DELETED" if disputed else "AUTHORISED"] * instalments
        assert sum(payment.amount for payment in payments[invoice.id]) == amount
        assert (invoice.status, invoice.amount_due) == (("AUTHORISED", amount) if disputed else ("PAID", 0))
    (clearing,) = {account.id for account in books.accounts if account.name == "Collections Clearing"}
    assert {payment.account_id for payment in books.payments} == {clearing}
    assert [account.type for account in books.accounts if account.id == clearing] == ["BANK"]
    assert books.balance(clearing) == undisputed(path)


def check_settled(books: Bookkeeper, path: Path) -> None:
    """Each day of the file at *path* was paid out by one transfer of what was left of it after its fees."""
    net: dict[date, Decimal] = defaultdict(Decimal)
    fees: dict[date, Decimal] = defaultdict(Decimal)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            amount, on = Decimal(row["InvoiceAmount"]), datetime.strptime(row["SettledDate"], "%m/%d/%Y").date()  # noqa: DTZ007
            collected = [on]
            if row["Disputed"] == "Yes":
                net[on + timedelta(days=30)] -= amount
                collected.append(on + timedelta(days=37))
            for day in collected:
                net[day] += amount
                fees[day] += (amount / 100 + Decimal("0.30")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    codes = {account.id: account.code for account in books.accounts}
    moved = {
        each.date: each.amount if codes[each.to_account_id] == "1091" else -each.amount for each in books.bank_transfers
    }
    spent = {each.date: each.total for each in books.bank_transactions if each.type == "SPEND"}
    assert spent == fees
    assert moved == {day: left for day in net if (left := net[day] - fees[day])}
    assert any(amount < 0 for amount in moved.values())


def undisputed(path: Path) -> Decimal:
    """What the file at *path* says was collected and not charged back."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return sum(
            (Decimal(row["InvoiceAmount"]) for row in csv.DictReader(lines) if row["Disputed"] == "No"), Decimal(0)
        )


def live_documents(books: Bookkeeper) -> list[Document]:
    """The bills and suppliers' credit notes that stand."""
    return [each for each in (*books.invoices, *books.credit_notes) if not each.is_sale and each.is_posted]


def check_papers(books: Bookkeeper, *documents: int) -> None:
    """Of files of so many *documents*, the paper of every tenth is attached, once, and to the document it tells of."""
    names = {contact.id: contact.name for contact in books.contacts}
    told: list[str] = []
    for document in live_documents(books):
        for file in books.attachments_of(document.id):
            heading = books.attachment_content(file.id).decode().split("\n", 1)[0]
            named = f"{names[document.contact_id]}, {document.number or 'no number'}"
            assert heading.casefold() == named.casefold()
            told.append(document.id)
    assert len(set(told)) == len(told) == sum(-(-count // 10) for count in documents)


def check_paid(books: Bookkeeper, *files: Mapping[tuple[str, str], Decimal]) -> None:
    """The bills of *files*, totals by vendor and number, stand once each, settled in full; no payment came twice."""
    names = {contact.id: contact.name.casefold() for contact in books.contacts}
    standing = live_documents(books)
    amounts = [
        (names[each.contact_id], each.number, -each.total if each.is_credit_note else each.total) for each in standing
    ]
    assert sorted(amounts) == sorted((*named, total) for bills in files for named, total in bills.items())
    assert len(books.invoices) + len(books.credit_notes) == len(standing)
    assert len({contact.name.casefold() for contact in books.contacts}) == len(books.contacts)
    for document in standing:
        assert document.amount_due == 0
        assert len(books.payments_of(document.id)) == (document.paid > 0)
    assert {payment.status for payment in books.payments} <= {"AUTHORISED"}
    assert books.balance(books.account("090").id) == -sum(sum(bills.values()) for bills in files)


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    with demo(tmp_path, address="http://localhost") as product:
        yield Visitor(product)


@pytest.fixture(scope="module")
def settled_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A user who has set all up, and of whom nothing that changes anything is asked."""
    with demo(tmp_path_factory.mktemp("settled in"), address="http://localhost") as product:
        visitor = Visitor(product)
        visitor.set_up()
        yield visitor
