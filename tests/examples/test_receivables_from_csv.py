"""The example that collects a file of invoices: the full file, files that are not as they must be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.examples.conftest import (
    RECEIVABLES,
    check_collected,
    check_settled,
    opened_books,
    real_input,
    run_script,
    undisputed,
)

from receivables_from_csv import BANK, CLEARING, FEES, PROVIDER, Wanted, read, settlements
from xerosync import Receivables, SettlementSettings
from xerosync.client._driver import run
from xerosync.testing.sandbox import sandbox

HEADING = "customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate"
ROW = "C1,1,1/2/2013,2/1/2013,55.94,No,1/15/2013"


def write(path: Path, rows: Sequence[str], heading: str = HEADING) -> Path:
    path.write_text("\n".join([heading, *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("instalments", [1, 2])
def test_the_full_file_is_collected_once_and_explained_to_the_cent(tmp_path: Path, instalments: int) -> None:
    """Every undisputed invoice has its payments, every disputed one is open again, a second run does nothing."""
    path = real_input("receivables.csv")
    store = tmp_path / "books.db"
    arguments: list[str | Path] = [path, "--store", store, "--instalments", str(instalments), "--json"]

    first = run_script(RECEIVABLES, *arguments)
    second = run_script(RECEIVABLES, *arguments)

    done = {"imported": 2466, "posted": 2466 * instalments, "reversed": 561 * instalments}
    state = {"matched": 100, "findings": 0, "clearing_balance": f"{undisputed(path):.2f}"}
    assert first.figures() == done | state | {"calls": first.figures()["calls"]}
    assert second.figures() == dict.fromkeys(done, 0) | state | {"calls": second.figures()["calls"]}
    assert (first.err, second.err) == ("", "")
    with opened_books(store) as books:
        check_collected(books, path, instalments)


def test_fees_payouts_and_second_attempts_leave_nothing_in_clearing(tmp_path: Path) -> None:
    path = real_input("receivables.csv")
    store = tmp_path / "books.db"
    arguments: list[str | Path] = [path, "--store", store, "--fees", "--payout", "--retry", "--json"]

    first = run_script(RECEIVABLES, *arguments)
    second = run_script(RECEIVABLES, *arguments)

    done = {"imported": 2466, "posted": 2466 + 561, "reversed": 561}
    state = {"matched": 100, "findings": 0, "clearing_balance": "0.00"}
    assert first.figures() == done | state | {"calls": first.figures()["calls"]}
    assert second.figures() == dict.fromkeys(done, 0) | state | {"calls": second.figures()["calls"]}
    with opened_books(store) as books:
        assert {invoice.status for invoice in books.invoices} == {"PAID"}
        check_settled(books, path)
    assert ticked(store, path, Wanted(fees=True, payout=True, retry=True))


def ticked(store: Path, path: Path, wanted: Wanted) -> bool:
    """Whether every settlement of the file at *path* reads ticks only."""
    settings = SettlementSettings(bank_account=BANK, fee_account=FEES, provider=PROVIDER)
    with sandbox(store) as box:
        sales = Receivables(box.xero, clearing_account=CLEARING, settlements=settings)
        transactions = {each.invoice_number: each.id for each in sales.transactions()}
        given = settlements(read(path), transactions, wanted, box.xero.organisation().base_currency or "")
        report = sales.settlement_report(given)
        assert len(report.settlements) == len(given) > 100
        return report.complete


def test_an_invoice_of_one_cent_is_one_payment_however_many_instalments(tmp_path: Path) -> None:
    path = write(tmp_path / "invoices.csv", [ROW.replace("55.94", "0.01"), "", ROW.replace("C1,1,", "C2,2,")])

    ended = run_script(RECEIVABLES, path, "--store", tmp_path / "books.db", "--instalments", "3", "--json")

    assert (ended.figures()["posted"], ended.amount("clearing_balance")) == (4, undisputed(path))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW, ROW], "row 3: invoice 1 is in row 2 already"),
        ([ROW.replace("55.94", "")], "row 2: InvoiceAmount must be an amount above zero, to the cent"),
        ([ROW.replace("55.94", "-1.00")], "row 2: InvoiceAmount must be"),
        ([ROW.replace("55.94", "1.001")], "row 2: InvoiceAmount must be"),
        ([ROW.replace("1/15/2013", "15/1/2013")], "row 2: dates must be written month/day/year"),
        ([ROW, "", ROW.replace("No", "Maybe")], "row 4: Disputed must be Yes or No"),
        ([ROW.replace("C1", " ")], "row 2: it needs a customerID"),
    ],
)
def test_a_row_that_is_not_as_it_must_be_is_named_and_nothing_is_made(
    tmp_path: Path, rows: Sequence[str], said: str
) -> None:
    path = write(tmp_path / "invoices.csv", rows)

    ended = run_script(RECEIVABLES, path, "--store", tmp_path / "books.db")

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert [each.name for each in tmp_path.iterdir()] == ["invoices.csv"]


def test_wrong_use_is_told_without_a_traceback(tmp_path: Path) -> None:
    path = write(tmp_path / "invoices.csv", [ROW])
    no_column = write(tmp_path / "other.csv", [ROW], HEADING.replace("Disputed", "Paid"))
    wrong: list[list[str | Path]] = [
        [tmp_path / "none.csv"],
        [tmp_path],
        [no_column],
        [path, "--instalments", "0"],
        [path, "--instalments", "two"],
    ]
    for arguments in wrong:
        ended = run_script(RECEIVABLES, *arguments)

        assert ended.code == 2
        assert "Traceback" not in ended.err
    assert "has no column 'Disputed'" in run_script(RECEIVABLES, no_column).err


def test_another_file_with_invoices_that_are_there_already_fails_and_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path / "first.csv", [ROW])
    other = write(tmp_path / "other.csv", [ROW.replace("C1,1,", "C2,9,"), ROW.replace("55.94", "1.00")])
    store = tmp_path / "books.db"
    run_script(RECEIVABLES, first, "--store", store)

    ended = run_script(RECEIVABLES, other, "--store", store)

    assert ended.code == 1
    assert "Traceback" not in ended.err
    with opened_books(store) as books:
        check_collected(books, first)


def test_without_json_it_ends_with_a_table_and_without_a_store_it_leaves_nothing(tmp_path: Path) -> None:
    ended = run_script(RECEIVABLES, write(tmp_path / "invoices.csv", [ROW]))

    assert ended.code == 0
    assert "clearing balance" in ended.out
    assert [each.name for each in tmp_path.iterdir()] == ["invoices.csv"]


def test_a_later_run_may_last_longer_than_the_tokens_of_an_earlier_one(tmp_path: Path) -> None:
    """An access token lives for half an hour, and each run has an app of its own in the simulator."""
    store = tmp_path / "books.db"
    with sandbox(store) as box:
        clock = box.xero.asynchronous.books.clock
        run(clock.sleep(timedelta(minutes=20).total_seconds()))
        earlier = clock.now()
    with sandbox(store) as box:
        clock = box.xero.asynchronous.books.clock
        assert clock.now() >= earlier
        run(clock.sleep(timedelta(minutes=20).total_seconds()))

        assert box.xero.organisation().name == "Demo Company (NZ)"
