"""
Post a file of bills: vendors, bills and credit notes; credits allocated or refunded; the paper of every tenth document
attached; everything else paid, in one sum a week.

Rows with the same vendor and number are the lines of one document. Run it again on the same --store and it plans
nothing; run it with another file on the same store and the two live side by side.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from as_written import amount_text, exact_sum
from bills_file import BillsFile, Columns, Document, read_bills
from common import progress, say, show
from xerosync import Bill, BillFile, BillLine, BillPayment, Finding, Money, Payables, Plan, Recovery, Report
from xerosync.errors import XerosyncError
from xerosync.models import AccountCode
from xerosync.testing.sandbox import Sandbox, sandbox

BANK = "090"
FIRST_ACCOUNT = 4000
UNSORTED = "Expenses"
ROUNDS_MAX = 5
FRIDAY = 4
PAPER_EVERY = 10


def bill_id(document: Document, file: BillsFile) -> str:
    """The host's id: the file's content, the vendor and the number; its row where it has no number."""
    named = [file.digest, quote(document.vendor_key, safe=" "), quote(document.number, safe=" ")]
    return "/".join([*named, *([] if document.number else [str(document.rows[0].number)])])


def bill(document: Document, file: BillsFile, accounts: Mapping[str, AccountCode], currency: str) -> Bill:
    """*document* as the library takes it."""
    return Bill(
        id=bill_id(document, file),
        vendor=document.vendor,
        number=document.number,
        on=document.on,
        lines=tuple(
            BillLine(
                description=row.category or f"row {row.number}",
                amount=Money(row.amount, currency),
                account=accounts[row.category],
            )
            for row in document.rows
        ),
    )


def paper(posted: Bill) -> BillFile:
    """The paper of the bill *posted*, as a product would have scanned it: always the same one for the same bill."""
    lines = [f"{line.amount.amount:>16,} {line.description}" for line in posted.lines]
    heading = [f"{posted.vendor}, {posted.number or 'no number'}", posted.on.isoformat(), "", *lines]
    text = "\n".join([*heading, f"{posted.total.amount:>16,} {posted.total.currency}", "", posted.id, ""])
    name = hashlib.sha256(posted.id.encode()).hexdigest()[:16]
    return BillFile(bill_id=posted.id, name=f"paper-{name}.txt", content=text.encode())


def enter_accounts(box: Sandbox, file: BillsFile) -> dict[str, AccountCode]:
    """Let the bookkeeper open an expense account for each category not seen yet; the code of every category."""
    known = opened(box)
    labels = {category: label(category) for category in file.categories}
    missing = [each for each in labels.values() if each not in known]
    first = max((int(code) + 1 for code in known.values()), default=FIRST_ACCOUNT)
    if missing:
        accounts = [
            {"code": str(code), "name": f"{each} ({code})", "type": "EXPENSE"}
            for code, each in enumerate(missing, start=first)
        ]
        box.set_up(f"payables {file.digest} from {first}", accounts=accounts)
        known = opened(box)
    return {category: known[each] for category, each in labels.items()}


def opened(box: Sandbox) -> dict[str, AccountCode]:
    """The accounts opened for categories so far, by the category's label."""
    found: dict[str, AccountCode] = {}
    for account in Payables(box.xero).import_accounts():
        name, code = account.name or "", account.code or AccountCode("")
        if name.endswith(f" ({code})") and code.isdecimal():
            found[name.removesuffix(f" ({code})")] = code
    return found


def label(category: str) -> str:
    """
    *category* as it stands in the name of its account, of at most 150 characters; never that of another category.

    The account's code behind it tells apart those that differ only in letter case.
    """
    if not category:
        return UNSORTED
    if len(category) <= 100 and category.isprintable() and category != UNSORTED:
        return category
    readable = "".join(letter for letter in category[:100] if letter.isprintable()).strip()
    return f"{readable or UNSORTED} {hashlib.sha256(category.encode()).hexdigest()[:16]}"


def post(box: Sandbox, file: BillsFile, *, hold_duplicates: bool) -> dict[str, object]:
    """Bring Xero to where the file says it should be; what this run did, and how things stand at its end."""
    currency = box.xero.organisation().base_currency or ""
    accounts = enter_accounts(box, file)
    bills = [bill(document, file, accounts, currency) for document in file.documents]
    books = Payables(box.xero, payment_account=BANK, hold_duplicates=hold_duplicates)
    done: list[Report | Recovery] = []
    plans = one_round(books, bills, done)
    for _ in range(ROUNDS_MAX):
        if any(plans):
            plans = one_round(books, bills, done)
    findings = [finding for plan in plans for finding in plan.findings]
    tell(findings, file)
    posted = books.posted([each.id for each in bills])
    standing = {each.id for each in posted}
    held = [each.total.amount for each in bills if each.id not in standing]
    return {
        "rows": file.rows,
        "vendors": sum(report.done("contact") for report in done),
        "bills": sum(report.done("bill") for report in done),
        "credit_notes": sum(report.done("credit_note") for report in done),
        "payments": sum(report.done("payment", "refund") for report in done),
        "findings": len(findings) + len(file.troubles),
        "calls": box.calls,
        "total": amount_text(exact_sum(each.total.amount for each in posted)),
        "unposted": amount_text(exact_sum([file.unposted, *held])),
    }


def one_round(books: Payables, bills: Sequence[Bill], done: list[Report | Recovery]) -> tuple[Plan, ...]:
    """Finish what was interrupted, then plan and apply each step; *done* takes the reports."""
    done.append(books.recover())
    submitted = books.submit(bills)
    done.append(books.apply(submitted))
    credited = books.settle_credits()
    done.append(books.apply(credited))
    standing = {each.id for each in books.posted([each.id for each in bills])}
    attached = books.attach(paper(each) for each in bills[::PAPER_EVERY] if each.id in standing)
    done.append(books.apply(attached))
    due = [each for each in bills if each.id in standing and each.total.amount > 0]
    paid = books.pay((BillPayment(id=each.id, bill_id=each.id, on=pay_day(each.on)) for each in due), batch=True)
    done.append(books.apply(paid))
    return submitted, credited, attached, paid


def pay_day(on: date) -> date:
    """The Friday on which a bill of the day *on* is paid, together with all others of its week."""
    days = (FRIDAY - on.weekday()) % 7
    return on + timedelta(days) if (date.max - on).days >= days else on


def tell(findings: Iterable[Finding], file: BillsFile) -> None:
    """Say on standard error what needs a person, by the rows of the file it concerns."""
    rows = {bill_id(document, file): [row.number for row in document.rows] for document in file.documents}
    for finding in findings:
        concerned = sorted(row for each in finding.about.split("→") for row in rows.get(each, ()))
        where = f"{'row' if len(concerned) == 1 else 'rows'} {', '.join(map(str, concerned))}"
        say(f"{where if concerned else finding.about}: {finding.code}: {finding.cause}; {finding.fix}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="PATH", help="the file of bills")
    for name in ("vendor", "amount", "date", "number"):
        parser.add_argument(f"--{name}", required=True, metavar="COL", help=f"the column with the {name}")
    parser.add_argument("--account", metavar="COL", help="the column whose values are expense accounts")
    parser.add_argument("--store", type=Path, metavar="FILE", help="keep the store here, and Xero's books in FILE.xero")
    parser.add_argument("--xero", metavar="URL", help="a simulator served elsewhere")
    parser.add_argument("--date-format", metavar="F", help="as for strptime, such as %%d/%%m/%%Y")
    parser.add_argument("--duplicates", choices=("warn", "stop"), default="warn")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    given = parser.parse_args(arguments)
    columns = Columns(given.vendor, given.amount, given.date, given.number, given.account)
    try:
        file = read_bills(given.path, columns, given.date_format)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    say(f"dates are read {file.dates.said}")
    for trouble in file.troubles:
        say(f"row {trouble.row}: {trouble.cause}")
    try:
        with (
            progress(in_real_time=given.xero is not None) as told,
            sandbox(given.store, xero=given.xero, on_event=told) as box,
        ):
            outcome = post(box, file, hold_duplicates=given.duplicates == "stop")
    except XerosyncError as error:
        say(f"{parser.prog}: {error}")
        return 1
    if given.json:
        print(json.dumps(outcome))
    else:
        show("Bills", outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
