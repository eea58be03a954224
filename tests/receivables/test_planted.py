"""The planted-fault proof: the report finds exactly what was planted, all of it, and its sums hold to the cent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.receivables.planted import KINDS, OF_OTHERS, left_after_fixing, main, plant, wrong_with
from tests.receivables.settled_books import Planted

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "why-not-zero.md"


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.sampled_from(sorted(KINDS)), max_size=7),
    through_a_bank=st.booleans(),
)
def test_the_report_finds_what_was_planted_and_nothing_else(seed: int, kinds: list[str], through_a_bank: bool) -> None:
    books = plant(seed, kinds, through_a_bank=through_a_bank)

    assert wrong_with(books) == []
    assert left_after_fixing(books) == []
    books.product.simulator.close()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_each_kind_is_found_by_itself_and_put_right(name: str) -> None:
    books = plant(1, [name], through_a_bank=name not in OF_OTHERS)
    assert books.planted

    assert wrong_with(books) == []
    assert left_after_fixing(books) == []
    books.product.simulator.close()


def test_books_in_which_nothing_was_planted_are_clean() -> None:
    books = plant(1, [], through_a_bank=True)

    assert books.planted == []
    assert wrong_with(books) == []
    assert books.reconciled().clean


def test_the_proof_would_see_a_discrepancy_that_is_missed_and_one_that_is_invented() -> None:
    books = plant(1, ["a line is not posted yet"], through_a_bank=True)
    (planted,) = books.planted

    books.planted = [evolve(planted, amount=planted.amount + 1), Planted("never", "planted", planted.amount)]

    assert [each.split(":")[0] for each in wrong_with(books)] == ["not planted", "not found", "not found"]


def test_the_command_plants_and_compares(capsys: pytest.CaptureFixture[str]) -> None:
    """For thousands of seeds: python -m tests.receivables.planted --seeds 3000."""
    assert main(["--seeds", "2", "--first", "7"]) == 0

    assert re.match(r"2 books from 7, \d+ discrepancies planted, 0 wrong", capsys.readouterr().out)


def test_every_kind_is_explained_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert len(KINDS) >= 20
    assert [name for name in KINDS if f"| {name} |" not in page] == []
