"""The example that posts files of bills: full files, odd files, and what it tells."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import astuple, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.examples.conftest import (
    PAYABLES,
    Ended,
    check_paid,
    check_papers,
    live_documents,
    opened_books,
    real_input,
    run_script,
)

import payables_from_csv
from as_written import amount_of, exact_sum
from xerosync.simulator import Bookkeeper

HEADING = ("Vendor", "Amount", "Date", "Number", "Category")
OPTIONS = [word for name in HEADING[:4] for word in (f"--{name.lower()}", name)]
WITH_ACCOUNT = [*OPTIONS, "--account", "Category"]
MANCHESTER = [
    "--vendor", "Supplier Name", "--amount", "Net Amount", "--date", "Invoice Payment Date",
    "--number", "Transaction Number", "--account", "Expenses Type", "--json",
]  # fmt: skip
NOTHING_DONE = {"vendors": 0, "bills": 0, "credit_notes": 0, "payments": 0}


def manchester_bills(path: Path) -> dict[tuple[str, str], Decimal]:
    """The totals of the file at *path* by vendor, letter case and blanks aside, and number."""
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            vendor = " ".join(row["Supplier Name"].split()).casefold()
            totals[vendor, row["Transaction Number"].strip()] += Decimal(row["Net Amount"])
    return dict(totals)


def write_rows(path: Path, rows: Sequence[Sequence[str]], heading: Sequence[str] = HEADING) -> Path:
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([heading, *rows])
    return path


def run_here(path: Path, *arguments: str | Path) -> Ended:
    """Run the script in this process, which takes less time."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = payables_from_csv.main([str(path), *map(str, arguments), "--json"])
    return Ended(code, out.getvalue(), err.getvalue())


def post_rows(folder: Path, rows: Sequence[Sequence[str]], *arguments: str) -> Ended:
    path = write_rows(folder / "bills.csv", rows)
    return run_here(path, *(arguments or WITH_ACCOUNT), "--store", folder / "books.db")


def counts(ended: Ended) -> Mapping[str, str | int]:
    return {name: ended.figures()[name] for name in NOTHING_DONE}


def totals_by(column: str, *paths: Path) -> dict[str, Decimal]:
    """What the files at *paths* come to for each value of *column*; of vendors, letter case and blanks aside."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for path in paths:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                name = row[column].strip()
                totals[" ".join(name.split()).casefold() if column == "Supplier Name" else name] += Decimal(
                    row["Net Amount"]
                )
    return totals


@frozen
class Work:
    """What was written to the books: so much of it takes a call of its own, and Xero takes the rest fifty at a time."""

    batchable: int
    singly: int
    papers: int

    @classmethod
    def of(cls, books: Bookkeeper) -> Work:
        """All that stands in *books*; the payments of one sum are one write, as are the allocations of one credit."""
        notes = {note.id for note in books.credit_notes}
        single = [payment for payment in books.payments if not payment.batch_id]
        refunds = sum(payment.document_id in notes for payment in single)
        papers = len(books.contacts) + len(books.invoices) + len(notes)
        return cls(
            batchable=papers + len(books.batch_payments) + len(single) - refunds,
            singly=len({each.credit_id for each in books.allocations}) + refunds + _files(books),
            papers=papers + len(books.payments),
        )

    def after(self, before: Work) -> Work:
        """What was done since."""
        return Work(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))

    @property
    def fewest_calls(self) -> int:
        """Writes by fifty or one by one, reads in pages of a thousand, and five for the set-up."""
        return -(-self.batchable // 50) + self.singly + -(-self.papers // 1000) + 5


def _files(books: Bookkeeper) -> int:
    return sum(len(books.attachments_of(document.id)) for document in live_documents(books))


def work_of(store: Path) -> Work:
    with opened_books(store) as books:
        return Work.of(books)


def check_paid_weekly(books: Bookkeeper) -> None:
    """Bills are paid on Fridays, one sum a week and file, but for a few that were alone in theirs."""
    weeks = {batch.date.isocalendar()[:2] for batch in books.batch_payments}
    assert {batch.date.weekday() for batch in books.batch_payments} == {payables_from_csv.FRIDAY}
    assert len(books.batch_payments) <= 2 * len(weeks)
    assert sum(not payment.batch_id for payment in books.payments) < 60


def check_totals(books: Bookkeeper, *paths: Path) -> None:
    """What the files at *paths* come to for each vendor and each account is what the books say, to the cent."""
    called = {contact.id: " ".join(contact.name.split()).casefold() for contact in books.contacts}
    accounts = {account.id: account.name.rpartition(" (")[0] for account in books.accounts}
    by_vendor: dict[str, Decimal] = defaultdict(Decimal)
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    for document in live_documents(books):
        sign = -1 if document.is_credit_note else 1
        by_vendor[called[document.contact_id]] += sign * document.total
        for line in document.lines:
            by_account[accounts[line.account_id]] += sign * (line.amount or Decimal(0))
    assert by_vendor == totals_by("Supplier Name", *paths)
    assert by_account == totals_by("Expenses Type", *paths)


def test_two_months_of_a_council_are_posted_once_each_and_to_the_cent(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Both real files in one store, twice; the books hold each bill once, settled in full."""
    april, may = (real_input(f"payables-manchester-2022-{month}.csv") for month in ("04", "05"))
    store = tmp_path / "books.db"
    april_bills, may_bills = manchester_bills(april), manchester_bills(may.with_name(may.name))
    shared = set(april_bills) & set(may_bills)

    first = run_script(PAYABLES, april, *MANCHESTER, "--store", store)
    done = work_of(store)
    second = run_script(PAYABLES, may, *MANCHESTER, "--store", store)

    stood = work_of(store)
    floors = (done.fewest_calls, stood.after(done).fewest_calls)
    calls = (int(first.figures()["calls"]), int(second.figures()["calls"]))
    record_property("calls, where the floor is", f"{calls}, {floors}")
    assert all(spent <= 1.2 * floor for spent, floor in zip(calls, floors, strict=True))

    for ended, bills in ((first, april_bills), (second, may_bills)):
        assert ended.amount("total") + ended.amount("unposted") == exact_sum(bills.values())
        assert ended.amount("unposted") == 0
        credited = sum(total < 0 for total in bills.values())
        assert ended.figures()["bills"] == len(bills) - credited
        assert ended.figures()["credit_notes"] == credited
        assert ended.err.startswith("dates are read year first\n")
    assert (first.figures()["rows"], second.figures()["rows"]) == (3600, 3564)
    assert first.figures()["findings"] == 0
    assert second.figures()["findings"] == second.err.count("possible duplicate") == len(shared)
    vendors = {vendor for vendor, _ in (*april_bills, *may_bills)}
    assert int(first.figures()["vendors"]) + int(second.figures()["vendors"]) == len(vendors)
    for path, before in ((april, first), (may, second)):
        again = run_script(PAYABLES, path, *MANCHESTER, "--store", store)
        assert counts(again) == NOTHING_DONE
        assert again.amount("total") == before.amount("total")
        assert again.figures()["findings"] == before.figures()["findings"]
    assert work_of(store) == stood
    with opened_books(store) as books:
        assert len(live_documents(books)) == len(april_bills) + len(may_bills)
        names = [contact.name.casefold() for contact in books.contacts]
        assert len(set(names)) == len(names) == len(vendors)
        assert all(document.amount_due == 0 for document in live_documents(books))
        check_paid_weekly(books)
        check_papers(books, len(april_bills), len(may_bills))
        check_totals(books, april, may)


def test_letter_case_and_blanks_make_no_other_vendor_and_credits_go_to_the_oldest_bill(tmp_path: Path) -> None:
    rows = [
        ("Acme  Ltd", "100.00", "2022-05-03", "1", "Gas"),
        ("ACME LTD", "60.00", "2022-05-01", "2", "gas"),
        ("Acme Ltd", "(90.00)", "2022-05-04", "3", ""),
        ("Beta", "£10.00-", "2022-05-04", "4", "Gas"),
        ("Beta", "0.00", "2022-05-04", "5", "Gas"),
    ]

    ended = post_rows(tmp_path, rows)

    assert counts(ended) == {"vendors": 2, "bills": 3, "credit_notes": 2, "payments": 2}
    assert (ended.amount("total"), ended.amount("unposted")) == (Decimal(60), Decimal(0))
    with opened_books(tmp_path / "books.db") as books:
        numbers = {document.id: document.number for document in live_documents(books)}
        allocated = {(numbers[each.credit_id], numbers[each.invoice_id], each.amount) for each in books.allocations}
        assert allocated == {("3", "2", Decimal(60)), ("3", "1", Decimal(30))}
        assert {(numbers[each.document_id], each.amount) for each in books.payments} == {
            ("1", Decimal(70)),
            ("4", Decimal(10)),
        }
        expenses = {
            each.code: each.name for each in books.accounts if each.code.startswith("4") and len(each.code) == 4
        }
        assert expenses == {"4000": "Gas (4000)", "4001": "gas (4001)", "4002": "Expenses (4002)"}


def test_the_same_bill_in_another_file_is_posted_with_a_finding_or_held_back(tmp_path: Path) -> None:
    first = write_rows(tmp_path / "first.csv", [("Acme", "10.00", "2022-05-01", "1", "x")])
    second = write_rows(
        tmp_path / "second.csv", [("ACME", "10.00", "2022-05-01", "1", "x"), ("Acme", "5.00", "2022-05-01", "2", "x")]
    )
    for choice, totals in (("warn", ("15.00", "0.00")), ("stop", ("5.00", "10.00"))):
        store = tmp_path / f"{choice}.db"
        run_here(first, *WITH_ACCOUNT, "--store", store)
        for _ in range(2):
            ended = run_here(second, *WITH_ACCOUNT, "--store", store, "--duplicates", choice)

            assert (ended.figures()["total"], ended.figures()["unposted"]) == totals
            assert ended.figures()["findings"] == 1
            assert "row 2: possible duplicate" in ended.err
        assert counts(run_here(second, *WITH_ACCOUNT, "--store", store, "--duplicates", choice)) == NOTHING_DONE


def test_every_row_that_is_not_posted_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    rows = [
        ("V" * 256, "1.00", "2022-05-01", "1", "x"),
        ("A <b>", "2.00", "2022-05-01", "2", "x"),
        ("", "4.00", "2022-05-01", "3", "x"),
        (),
        ("A", "", "2022-05-01", "4", "x"),
        ("A", "eight", "2022-05-01", "5", "x"),
        ("A", "16.00", "2022-13-13", "6", "x"),
        ("A", "32.005", "2022-05-01", "7", "x"),
        ("A", "64.00", "2022-05-01", "n" * 256, "x"),
        ("A", "9999999999.00", "2022-05-01", "8", "x"),
        ("A", "9999999999.00", "2022-05-01", "8", "x"),
        ("A", "128.00", "2022-05-01", "", "x"),
        ("A", "256.00", "2022-05-01", "\x00 \x01", "x"),
        ("A", "512.00", "2022-05-01", "9", "x\x02" * 300),
    ]

    ended = post_rows(tmp_path, rows)

    named = {int(number) for line in ended.err.splitlines() for number in _row_numbers(line)}
    unposted = Decimal(19999999998) + 1 + 2 + 4 + 16 + Decimal("32.005") + 64 + 256
    assert named >= {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
    assert ended.amount("unposted") in {unposted, unposted + 512}
    assert ended.amount("total") + ended.amount("unposted") == unposted + 128 + 512


def _row_numbers(line: str) -> list[str]:
    if not line.startswith(("row ", "rows ")):
        return []
    return line.split(":", 1)[0].split(" ", 1)[1].split(", ")


def test_numbers_and_vendors_that_look_alike_when_joined_are_different_bills(tmp_path: Path) -> None:
    rows = [
        ("a/b", "1.00", "2022-05-01", "c", "x"),
        ("a", "2.00", "2022-05-01", "b/c", "x"),
        ("a", "4.00", "2022-05-01", "", "x"),
        ("a", "8.00", "2022-05-01", "row 4", "x"),
        ("a", "16.00", "2022-05-01", "4", "x"),
        ("a/", "32.00", "2022-05-01", "4", "x"),
    ]

    assert post_rows(tmp_path, rows).amount("total") == 63


def test_categories_that_are_blank_long_or_named_like_the_default_have_accounts_of_their_own(tmp_path: Path) -> None:
    categories = [
        "",
        "Expenses",
        "expenses",
        "x" * 151,
        "x" * 152,
        "x" * 100,
        "Gas (4000)",
        "two\nlines",
        "ends (4001)",
    ]
    first = [(f"V{place}", "1.00", "2022-05-01", "1", each) for place, each in enumerate(categories)]
    more = [*first, ("W", "1.00", "2022-05-02", "1", "New"), ("W", "1.00", "2022-05-02", "2", "GAS")]

    assert post_rows(tmp_path, first).amount("total") == len(first)
    assert post_rows(tmp_path, more).amount("total") == len(more)

    with opened_books(tmp_path / "books.db") as books:
        used = {line.account_id for document in live_documents(books) for line in document.lines}
        assert len(used) == len({each for *_, each in more})


def test_the_same_file_may_be_given_an_account_column_later(tmp_path: Path) -> None:
    rows = [("Acme", "10.00", "2022-05-01", "1", "Gas")]

    post_rows(tmp_path, rows, *OPTIONS)
    again = post_rows(tmp_path, rows, *WITH_ACCOUNT)

    assert counts(again) == NOTHING_DONE
    assert again.amount("total") == 10


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no columns at all"),
        ("Vendor,Amount,Date\n", "the file has no column 'Number'; it has: 'Vendor', 'Amount', 'Date'"),
        ('Vendor,Amount,Date,Number\n"A,1,2022-05-01,1\n', "row 2: a quotation mark is opened and never closed"),
    ],
)
def test_a_file_of_the_wrong_shape_is_wrong_use_and_nothing_is_made(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(content, encoding="utf-8")

    ended = run_script(PAYABLES, path, *OPTIONS, "--store", tmp_path / "books.db", "--json")

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert [each.name for each in tmp_path.iterdir()] == ["bills.csv"]


def test_wrong_use_and_failure_are_told_apart_without_a_traceback(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "bills.csv", [])
    no_date = run_script(PAYABLES, path, *OPTIONS, "--date-format", "%d/%m")
    no_file = run_script(PAYABLES, tmp_path / "none.csv", *OPTIONS)
    no_xero = run_script(PAYABLES, path, *OPTIONS, "--xero", "http://127.0.0.1:9")
    no_folder = run_script(PAYABLES, path, *OPTIONS, "--store", tmp_path / "none" / "books.db")
    no_store = run_script(PAYABLES, path, *OPTIONS, "--store", path)

    assert [ended.code for ended in (no_date, no_file, no_xero, no_folder, no_store)] == [2, 2, 1, 1, 1]
    for ended in (no_date, no_file, no_xero, no_folder, no_store):
        assert "Traceback" not in ended.err


def test_without_json_it_ends_with_a_table_and_an_empty_file_is_no_trouble(tmp_path: Path) -> None:
    ended = run_script(PAYABLES, write_rows(tmp_path / "bills.csv", []), *OPTIONS)

    assert ended.code == 0
    assert "credit notes" in ended.out
    assert "0.00" in ended.out


AMOUNTS = st.decimals("-99999.99", "99999.99", places=2).map(lambda amount: f"{amount:,}") | st.sampled_from(
    ["", "n/a", "(12.50)", "£5", "7-", "0", "1.005", "1e99", "99999999999", "5 CR"]
)
VENDORS = st.sampled_from(
    ["Acme", "ACME ", "Beta\u00a0 Ltd", "beta ltd", "", " ", "<x>", "V" * 300, "Straße", "STRASSE"]
)
TEXTS = st.text(max_size=8)
CELLS = st.tuples(
    VENDORS | TEXTS,
    AMOUNTS,
    st.sampled_from(["01/02/2022", "13/02/2022", "2022-02-01", "1 May 2022", "", "soon", "1/1/0001", "31/12/9999"]),
    st.sampled_from(["1", "2", "", "1 "]) | TEXTS,
    st.sampled_from(["Gas", "gas", "", "x" * 200, "Expenses"]) | TEXTS,
)
ROWS = st.lists(
    CELLS | CELLS.map(lambda row: (*row, "over")) | CELLS.map(lambda row: row[:3]) | st.just(()), max_size=12
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_whatever_the_file_holds_it_is_posted_or_named_and_sums_to_the_cent(rows: list[tuple[str, ...]]) -> None:
    """Posted and unposted make the file's sum, every row is in a document or named, a second run does nothing."""
    with TemporaryDirectory() as folder:
        path = write_rows(Path(folder) / "bills.csv", rows)
        store = Path(folder) / "books.db"

        ended = run_here(path, *WITH_ACCOUNT, "--store", store)
        again = run_here(path, *WITH_ACCOUNT, "--store", store)

        readable = [amount_of(row[1]) for row in rows if len(row) > 1]
        assert ended.amount("total") + ended.amount("unposted") == exact_sum(
            each for each in readable if each is not None
        )
        assert ended.figures()["rows"] == len(rows)
        assert counts(again) == NOTHING_DONE
        assert json.dumps(again.figures() | {"calls": 0}) == json.dumps(ended.figures() | NOTHING_DONE | {"calls": 0})
        named = {int(number) for line in ended.err.splitlines() for number in _row_numbers(line)}
        with opened_books(store) as books:
            posted = sum(len(document.lines) for document in live_documents(books))
            assert posted + len(named) >= len(rows)
            assert all(document.amount_due == 0 for document in live_documents(books))
            assert len({(each.contact_id, each.number, each.id) for each in live_documents(books)}) == len(
                live_documents(books)
            )


def test_the_paper_of_every_tenth_document_is_attached_once_whatever_its_number(tmp_path: Path) -> None:
    rows = [(f"V{place}", "1.00", "2022-05-01", number, "x") for place, number in enumerate(["", "../a?", "x" * 255])]
    rows += [("V", f"{place - 15}", "2022-05-01", f"N{place}", "x") for place in range(28)]

    post_rows(tmp_path, rows)
    again = post_rows(tmp_path, rows)

    assert "cannot be attached" not in again.err
    with opened_books(tmp_path / "books.db") as books:
        check_papers(books, len(rows))


def test_generated_bills_stand_once_each(tmp_path: Path) -> None:
    """The check that the kill tests rest on, on a run that nobody kills."""
    rows = [("Acme", "10.00", "2022-05-01", "1", "x"), ("Acme", "-4.00", "2022-05-01", "2", "x")]

    post_rows(tmp_path, rows)

    with opened_books(tmp_path / "books.db") as books:
        check_paid(books, {("acme", "1"): Decimal(10), ("acme", "2"): Decimal(-4)})


def test_two_runs_at_once_on_one_store_take_turns(tmp_path: Path) -> None:
    """The second waits for the first one's books, then finds all done, and spoils nothing."""
    file = write_rows(
        tmp_path / "bills.csv", [["Paper", f"{n}.00", "2026-01-05", str(n), "Rent"] for n in range(1, 40)]
    )
    store = tmp_path / "books.db"

    def run_again(_: int) -> Ended:
        return run_script(PAYABLES, file, *WITH_ACCOUNT, "--store", store, "--json")

    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(run_again, range(2)))

    assert [each.code for each in ended] == [0, 0], ended
    assert sorted(int(each.figures()["bills"]) for each in ended) == [0, 39]
    with opened_books(store) as books:
        assert len(live_documents(books)) == 39
