"""The conformance kit catches stores that break the contract: each fault here is one that a real store has had."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import cast

import pytest
from tests.storage import faulty

from xerosync.errors import StoreFailed
from xerosync.storage import AsyncStorage, MemoryStore, SQLiteStore, Storage
from xerosync.testing.storage import StorageTests, check_against_model, played_over
from xerosync.testing.storage_worker import Worker

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    "faulty_store",
    [
        faulty.WithoutVersionCheck,
        faulty.WithoutFenceCheck,
        faulty.RecordByRecord,
        faulty.EpochNeverGrows,
        faulty.LeaseForAll,
        faulty.LeaseThatNeverEnds,
    ],
)
def test_a_store_with_a_fault_does_not_pass(faulty_store: Callable[[], Storage]) -> None:
    with pytest.raises(AssertionError):
        check_against_model(faulty_store, examples=300, shrink=False)


def test_a_store_whose_pages_skip_what_ties_does_not_pass() -> None:
    with pytest.raises(AssertionError):
        StorageTests().test_a_page_may_end_among_records_that_tie(faulty.CursorByOrderAlone(), "changed")


@pytest.mark.parametrize(
    ("faulty_store", "test"),
    [
        (faulty.LooksUpWithoutCase, StorageTests.test_texts_that_look_alike_are_told_apart),
        (faulty.CutsLongTexts, StorageTests.test_a_body_is_kept_whole_however_large),
        (faulty.ShortPages, StorageTests.test_a_page_is_as_long_as_was_asked_for),
        (faulty.TimesUntil2038, StorageTests.test_times_far_from_now_are_kept),
        (faulty.ForgetsOldLeases, StorageTests.test_an_epoch_is_never_used_again),
        (faulty.ProcessNumbersAlone, StorageTests.test_an_owner_alike_on_another_machine_is_another),
    ],
)
def test_a_store_that_follows_a_databases_own_rules_does_not_pass(
    faulty_store: Callable[[], Storage], test: Callable[[StorageTests, Storage], None]
) -> None:
    """Most stores would never show it to the model, which has few and short texts."""
    check_against_model(faulty_store, examples=10)

    with pytest.raises(AssertionError):
        test(StorageTests(), faulty_store())


def test_a_store_whose_statements_take_few_variables_does_not_pass() -> None:
    with pytest.raises(StoreFailed, match="too many"):
        StorageTests().test_thousands_may_be_expected_and_dropped_at_once(faulty.FewVariables())


def test_a_store_that_serves_one_thread_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="same thread"):
        StorageTests().test_of_many_that_claim_at_once_in_one_process_one_wins(
            lambda: faulty.OfOneThread(tmp_path / "books.db")
        )


def test_an_async_store_that_lets_others_in_between_check_and_write_does_not_pass() -> None:
    with pytest.raises(AssertionError):
        StorageTests().test_of_many_that_claim_at_once_in_one_process_one_wins(
            lambda: cast(AsyncStorage, faulty.WritesAfterAWhile())
        )


@pytest.mark.parametrize("faulty_store", [faulty.ChecksBeforehand, faulty.KeepsLater])
def test_one_process_alone_does_not_show_every_fault(tmp_path: Path, faulty_store: type[SQLiteStore]) -> None:
    """So that those below rest on the kit's further processes."""
    numbers = count()
    check_against_model(lambda: faulty_store(tmp_path / f"{next(numbers)}.db"), examples=10)


def test_a_claim_in_two_steps_does_not_pass(tmp_path: Path) -> None:
    opener = partial(faulty.ChecksBeforehand, tmp_path / "books.db")
    with (
        closing(opener()) as here,
        Worker(opener) as first,
        Worker(opener) as second,
        pytest.raises(AssertionError, match="of two claims at once"),
    ):
        StorageTests().test_of_two_processes_that_claim_at_once_one_wins(here, (first, second))


def test_leases_of_which_other_processes_know_nothing_do_not_pass(tmp_path: Path) -> None:
    opener = partial(faulty.LeasesInMemory, tmp_path / "books.db")
    with (
        Worker(opener) as first,
        Worker(opener) as second,
        pytest.raises(AssertionError, match="of two that asked at once, 2 got the lease"),
    ):
        StorageTests().test_of_two_processes_that_ask_for_a_lease_at_once_one_gets_it((first, second))


def test_a_lost_last_write_does_not_pass(tmp_path: Path) -> None:
    opener = partial(faulty.KeepsLater, tmp_path / "books.db")
    with pytest.raises(AssertionError, match="were said to be kept before the kill"):
        StorageTests().test_what_a_killed_process_was_told_is_kept_is_there(opener)


def test_a_commit_of_many_steps_is_seen_when_its_process_is_killed(tmp_path: Path) -> None:
    opener = partial(faulty.RecordByRecordInAFile, tmp_path / "books.db")
    with pytest.raises(AssertionError):
        StorageTests().test_what_a_killed_process_was_told_is_kept_is_there(opener)


@pytest.mark.parametrize("faulty_store", [faulty.WithoutAnyCheck, faulty.LeaseThatNeverEnds, faulty.QueriesACopy])
def test_schedules_over_a_store_with_a_fault_go_wrong(faulty_store: type[MemoryStore]) -> None:
    """As many are played as hosts play, up to the first that goes wrong."""
    with pytest.raises(AssertionError, match="seed"):
        StorageTests().test_no_schedule_over_the_store_loses_or_doubles_anything(faulty_store)


def test_a_schedule_is_the_same_over_every_good_store(tmp_path: Path) -> None:
    numbers = count()

    in_files = [played_over(lambda: SQLiteStore(tmp_path / f"{next(numbers)}.db"), seed) for seed in range(2)]

    assert in_files == [played_over(MemoryStore, seed) for seed in range(2)]
    assert all(in_files)


def test_a_run_of_the_kit_ends_with_a_report_of_what_was_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from functools import partial
        import pytest
        from tests.storage.faulty import WithoutVersionCheck
        from xerosync.storage import MemoryStore
        from xerosync.testing.storage import Ability, StorageTests

        class TestOurs(StorageTests):
            abilities = frozenset({Ability.REOPENED})
            model_examples = 1
            schedules = 1

            @pytest.fixture
            def store_factory(self):
                return MemoryStore

            @pytest.fixture
            def opener(self):
                return lambda store: lambda: store

        class TestTheirs(TestOurs):
            @pytest.fixture
            def store_factory(self):
                return WithoutVersionCheck
        """
    )

    ended = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly")

    ended.stdout.fnmatch_lines(
        [
            "*storage kit of xerosync*",
            "TestOurs conforms: 42 tests, 1 random runs, 1 schedules (the contract; whole when opened *",
            "TestTheirs DOES NOT CONFORM, * failed: *",
        ]
    )
