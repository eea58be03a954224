"""The checker of docs/features.md sees a row whose feature, test or page is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from feature_table import faults, wished

PROJECT: Final = Path(__file__).parents[2]
WISHES: Final = PROJECT.parent / "shared" / "features.md"

HEAD: Final = "| Feature | Tests | Page |\n|---|---|---|\n"
GOOD: Final = "| 68 | `tests/test_books.py::test_paid` | [Start](start.md#money) |\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with three tests and a page."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_books.py").write_text(
        "def test_paid(): ...\nclass TestBooks:\n    async def test_open(self): ...\ntest_machine = Books.TestCase\n"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "start.md").write_text("# Start\n")
    return tmp_path


def test_a_row_whose_tests_and_page_exist_is_right(project: Path) -> None:
    several = "`tests/test_books.py::TestBooks::test_open`, `tests/test_books.py::test_machine`"

    assert faults(HEAD + GOOD + f"| R7 | {several} | [Start](start.md) |\n", project=project, ids={"68", "R7"}) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("| 68 | `tests/test_books.py::test_lost` | [S](start.md) |", "68: tests/test_books.py has no test_lost"),
        ("| 68 | `tests/test_books.py::TestBooks` | [S](start.md) |", "68: tests/test_books.py has no TestBooks"),
        ("| 68 | `tests/test_books.py::test_open` | [S](start.md) |", "68: tests/test_books.py has no test_open"),
        ("| 68 | `tests/test_gone.py::test_paid` | [S](start.md) |", "68: tests/test_gone.py does not exist"),
        ("| 68 | `tests/test_books.py::test_paid` | [S](gone.md) |", "68: docs/gone.md does not exist"),
        ("| 68 | `tests/test_books.py::test_paid` | Start |", "68: links to no page"),
        ("| 121 | `tests/test_books.py::test_paid` | [S](start.md) |", "121: there is no such feature"),
        ("| paid | `tests/test_books.py::test_paid` | [S](start.md) |", "paid: there is no such feature"),
        ("| 68 | by hand | [S](start.md) |", "68: names no test"),
        ("| 68 | `tests/test_books.py::test_paid` |", "68: a row has three cells, its id, its tests and its page"),
        (GOOD + GOOD, "68: a second row"),
    ],
)
def test_a_row_that_promises_what_is_not_there_is_a_fault(project: Path, row: str, fault: str) -> None:
    assert fault in faults(f"{HEAD}{row}\n", project=project, ids={"68"})


def test_a_feature_without_a_row_is_a_fault(project: Path) -> None:
    spanned = GOOD.replace("| 68 |", "| G7–G9 |")

    assert faults(HEAD + GOOD, project=project, ids={"68", "69"}) == ["69: has no row"]
    assert faults(HEAD + spanned, project=project, ids={"G7–G9", "G7", "G8", "G9"}) == []


def test_every_feature_of_the_list_can_be_named() -> None:
    if not WISHES.is_file():
        pytest.skip("the list of what xerosync must do is not beside this clone")

    ids = wished(WISHES.read_text(encoding="utf-8"))

    assert {"R1", "R40", "G7", "G8", "G9", "G7–G9", "1", "68", "120"} <= ids


def test_the_table_of_the_docs_is_right() -> None:
    page = (PROJECT / "docs" / "features.md").read_text(encoding="utf-8")
    ids = wished(WISHES.read_text(encoding="utf-8")) if WISHES.is_file() else None

    assert faults(page, project=PROJECT, ids=ids) == []
