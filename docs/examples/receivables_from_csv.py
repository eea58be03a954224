"""
Collect a file of invoices: match its customers, import, settle into a clearing account, take back what was disputed.

Columns: customerID, invoiceNumber, InvoiceDate, DueDate, InvoiceAmount, Disputed (Yes/No), SettledDate; dates are
month/day/year. Run it again on the same --store and it plans nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from attrs import frozen

from as_written import amount_of
from common import progress, say, show
from table_file import is_blank, read_table
from xerosync import (
    Customer,
    Fee,
    LineKind,
    Money,
    Plan,
    Receivables,
    Recovery,
    Report,
    Settlement,
    SettlementLine,
    SettlementSettings,
)
from xerosync.errors import XerosyncError
from xerosync.testing.sandbox import Sandbox, sandbox

CLEARING = "1090"
BANK = "1091"
FEES = "4190"
PROVIDER = "Collections provider"
CHARGED_BACK_AFTER = timedelta(days=30)
RETRIED_AFTER = timedelta(days=7)
FEE_RATE, FEE_EACH = Decimal("0.01"), Decimal("0.30")
ROUNDS_MAX = 5
CENT = Decimal("0.01")
LARGEST = Decimal("1e10")
COLUMNS = ("customerID", "invoiceNumber", "InvoiceDate", "DueDate", "InvoiceAmount", "Disputed", "SettledDate")


@frozen
class Collection:
    """One row of the file; its *amount* is in the organisation's currency."""

    customer: str
    number: str
    on: date
    due: date
    amount: Decimal
    disputed: bool
    settled: date


def read(path: Path) -> list[Collection]:
    """The rows of the file at *path*. Raises `ValueError` naming the row that is not as it must be."""
    table = read_table(path.read_bytes(), COLUMNS)
    row_of: dict[str, int] = {}
    rows: list[Collection] = []
    for number, cells in table.rows:
        if is_blank(cells):
            continue
        try:
            row = collection({column: table.cell(cells, column) for column in COLUMNS})
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from None
        if row_of.setdefault(row.number, number) != number:
            raise ValueError(f"row {number}: invoice {row.number} is in row {row_of[row.number]} already")
        rows.append(row)
    return rows


def collection(cell: Mapping[str, str]) -> Collection:
    """One row, by its columns. Raises `ValueError` saying what is wrong with which."""
    customer, number = " ".join(cell["customerID"].split()), cell["invoiceNumber"]
    if not customer or not number:
        raise ValueError("it needs a customerID and an invoiceNumber")
    amount = amount_of(cell["InvoiceAmount"])
    if amount is None or not 0 < amount < LARGEST or amount % CENT:
        raise ValueError("InvoiceAmount must be an amount above zero, to the cent")
    if cell["Disputed"] not in {"Yes", "No"}:
        raise ValueError("Disputed must be Yes or No")
    return Collection(
        customer=customer,
        number=number,
        on=day(cell["InvoiceDate"]),
        due=day(cell["DueDate"]),
        amount=amount.quantize(CENT),
        disputed=cell["Disputed"] == "Yes",
        settled=day(cell["SettledDate"]),
    )


def day(text: str) -> date:
    """The day in *text*, written month/day/year."""
    try:
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        raise ValueError("dates must be written month/day/year, such as 1/31/2013") from None


@frozen
class Wanted:
    """What the command line asks for besides the file."""

    instalments: int = 1
    fees: bool = False
    payout: bool = False
    retry: bool = False


def settlements(
    rows: Sequence[Collection], transaction: Mapping[str, str], wanted: Wanted, currency: str
) -> list[Settlement]:
    """One settlement a day: what was collected then, in instalments, what was charged back, and what it cost."""
    lines: dict[date, list[SettlementLine]] = defaultdict(list)
    fees: dict[date, Decimal] = defaultdict(Decimal)

    def collected(row: Collection, on: date, suffix: str = "") -> None:
        shares = Money(row.amount, currency).instalments(wanted.instalments)
        lines[on] += [
            SettlementLine(id=f"{row.number}{suffix}/{part}", transaction=transaction[row.number], amount=share)
            for part, share in enumerate(shares, start=1)
            if share
        ]
        fees[on] += (row.amount * FEE_RATE + FEE_EACH).quantize(CENT, ROUND_HALF_UP)

    for row in rows:
        if row.number not in transaction:
            continue
        collected(row, row.settled)
        if row.disputed:
            on, amount = row.settled + CHARGED_BACK_AFTER, Money(row.amount, currency)
            back, paid = f"{row.number}/charged-back", transaction[row.number]
            lines[on].append(SettlementLine(id=back, transaction=paid, amount=amount, kind=LineKind.CHARGED_BACK))
            if wanted.retry:
                collected(row, on + RETRIED_AFTER, "/retry")
    return [
        Settlement(
            id=f"{on:%Y-%m-%d}",
            on=on,
            lines=tuple(lines[on]),
            fees=[Fee(amount=Money(fees[on], currency))] if wanted.fees and fees[on] else [],
            paid_out_on=on if wanted.payout else None,
        )
        for on in sorted(lines)
    ]


def collect(box: Sandbox, path: Path, rows: Sequence[Collection], wanted: Wanted) -> dict[str, object]:
    """Bring Xero to where the file says it should be; what this run did, and how things stand at its end."""
    currency = box.xero.organisation().base_currency or ""
    enter(box, path, rows)
    settings = SettlementSettings(bank_account=BANK, fee_account=FEES, provider=PROVIDER)
    sales = Receivables(box.xero, clearing_account=CLEARING, settlements=settings)
    customers = [Customer(id=name, custom_identifier=name) for name in dict.fromkeys(row.customer for row in rows)]
    done: list[Report | Recovery] = []

    def one_round() -> tuple[Plan, Plan, Plan]:
        """Finish what was interrupted, then plan and apply each step."""
        done.append(sales.recover())
        matched = sales.match(customers)
        done.append(sales.apply(matched))
        imported = sales.import_invoices()
        done.append(sales.apply(imported))
        transaction = {each.invoice_number: each.id for each in sales.transactions()}
        settled = sales.settle(settlements(rows, transaction, wanted, currency))
        done.append(sales.apply(settled))
        return matched, imported, settled

    plans = one_round()
    for _ in range(ROUNDS_MAX):
        if any(plans):
            plans = one_round()
    explained = sales.reconcile()
    findings = [finding for plan in plans for finding in plan.findings] + list(explained.findings)
    for finding in findings:
        say(f"{finding.about}: {finding.code}: {finding.cause}; {finding.fix}")
    for item in explained.exceptions:
        say(f"{item.about}: {item.code}: {item.amount}: {item.cause}; {item.fix}")
    return {
        "matched": plans[0].tallies["connected"],
        "imported": sum(report.done("transaction") for report in done),
        "posted": sum(report.done("payment") for report in done),
        "reversed": sum(report.done("removal") for report in done),
        "findings": len(findings) + len(explained.exceptions),
        "calls": box.calls,
        "clearing_balance": f"{explained.balance.amount:.2f}",
    }


def enter(box: Sandbox, path: Path, rows: Sequence[Collection]) -> None:
    """What the bookkeeper had entered: a clearing account, the customers as contacts, and their invoices."""
    box.set_up(
        f"receivables {hashlib.sha256(path.read_bytes()).hexdigest()}",
        accounts=[
            {"code": CLEARING, "name": "Collections Clearing", "type": "BANK"},
            {"code": BANK, "name": "Collections Bank", "type": "BANK"},
            {"code": FEES, "name": "Collection Fees", "type": "EXPENSE"},
        ],
        contacts=[{"name": name} for name in dict.fromkeys(row.customer for row in rows)],
        invoices=[
            {
                "contact": row.customer,
                "number": row.number,
                "date": row.on.isoformat(),
                "due": row.due.isoformat(),
                "amount": row.amount,
            }
            for row in rows
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="PATH", help="the file of invoices")
    parser.add_argument("--store", type=Path, metavar="FILE", help="keep the store here, and Xero's books in FILE.xero")
    parser.add_argument("--xero", metavar="URL", help="a simulator served elsewhere")
    parser.add_argument("--instalments", type=int, default=1, metavar="N", help="part payments an invoice (default 1)")
    parser.add_argument("--fees", action="store_true", help="1 %% and 0.30 a collection")
    parser.add_argument("--payout", action="store_true", help="each settlement's net reaches the bank account")
    parser.add_argument("--retry", action="store_true", help="collect disputed ones again a week later")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    given = parser.parse_args(arguments)
    if given.instalments < 1:
        parser.error("--instalments: give at least 1")
    try:
        rows = read(given.path)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        with (
            progress(in_real_time=given.xero is not None) as told,
            sandbox(given.store, xero=given.xero, on_event=told) as box,
        ):
            wanted = Wanted(given.instalments, fees=given.fees, payout=given.payout, retry=given.retry)
            outcome = collect(box, given.path, rows, wanted)
    except XerosyncError as error:
        say(f"{parser.prog}: {error}")
        return 1
    if given.json:
        print(json.dumps(outcome))
    else:
        show("Collections", outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
