"""docs/simulator.md goes through what a faithful Xero must do rank by rank, and a test shows every rank."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.docs.test_tables import tables

TESTS = Path(__file__).resolve().parents[1]
RANKS = range(1, 61)


def ranks_shown() -> Iterator[int]:
    """The ranks that tests carry as their mark."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rank":
                for number in node.args:
                    assert isinstance(number, ast.Constant), file
                    assert isinstance(number.value, int), file
                    yield number.value


def test_every_rank_is_on_the_page_once_and_in_order() -> None:
    rows = tables("simulator.md")["Rank"]

    assert [row[0] for row in rows] == [str(number) for number in RANKS]
    assert all(does for _, does, _ in rows)


def test_every_rank_is_shown_by_a_test() -> None:
    assert set(ranks_shown()) == set(RANKS)
