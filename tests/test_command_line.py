"""The command line as interfaces outside rely on it: keys, exit codes, and books that a second run leaves alone."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from xerosync._cli import demo
from xerosync._cli.commands import main
from xerosync.simulator import Simulator

RECEIVABLES = ["matched", "imported", "posted", "reversed", "findings", "calls", "clearing_balance"]
PAYABLES = ["rows", "vendors", "bills", "credit_notes", "payments", "findings", "calls", "total", "unposted"]


def played(store: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, dict[str, object]], int]:
    """What a run on *store* tells of each story, and how much it planned."""
    assert main(["demo", "--store", str(store), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(outcome) == ["receivables", "payables", "planned"]
    planned: int = outcome.pop("planned")
    return outcome, planned


def written(store: Path) -> tuple[list[tuple[str, str]], list[tuple[str, Decimal, str]], Decimal]:
    """The documents and payments in the demo's books, and what stands on its clearing account."""
    with Simulator(f"{store}.xero") as simulator:
        books = simulator.bookkeeper(simulator.organisations[0].id)
        documents = sorted((each.id, each.status) for each in (*books.invoices, *books.credit_notes))
        payments = sorted((each.id, each.amount, each.status) for each in books.payments)
        return documents, payments, books.balance(books.account("1090").id)


def test_the_demo_tells_both_stories_in_the_keys_that_scripts_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, _ = played(tmp_path / "demo.db", capsys)

    assert (list(told["receivables"]), list(told["payables"])) == (RECEIVABLES, PAYABLES)
    assert {type(value) for story in told.values() for value in story.values()} == {int, str}
    _, payments, balance = written(tmp_path / "demo.db")
    assert told["receivables"]["clearing_balance"] == str(balance)
    assert [status for *_, status in payments].count("DELETED") == told["receivables"]["reversed"] == 1


def test_a_second_run_of_the_demo_plans_nothing_and_leaves_the_books_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "demo.db"
    _, first = played(store, capsys)
    before = written(store)

    _, second = played(store, capsys)

    assert (first, second) == (47, 0)
    assert written(store) == before


def test_the_demo_ends_with_the_clearing_account_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0

    assert capsys.readouterr().out.splitlines()[-1].startswith("clearing 1343.16 NZD = 1343.16 NZD in flight")


@pytest.mark.parametrize("words", [[], ["nothing"], ["demo", "--nothing"], ["demo", "--store"]])
def test_wrong_use_says_so_and_exits_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "usage: xerosync" in capsys.readouterr().err


def test_what_fails_is_one_line_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--store", str(tmp_path / "nowhere" / "demo.db")]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "check that its folder exists" in line


def test_an_interrupted_demo_is_one_line_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupt)

    assert main(["demo"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
