"""What the conformance kit has shown of each store, told at the end of a run of pytest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, cast

import pytest
from attrs import Factory, define

from xerosync.testing.storage_ability import Ability

_STORE: Final = "xerosync_store"


@define
class _Shown:
    """What became of the tests of one store."""

    abilities: Sequence[str] = ()
    runs: int = 0
    schedules: int = 0
    outcomes: defaultdict[str, int] = Factory(lambda: defaultdict[str, int](int))

    def __str__(self) -> str:
        failed = self.outcomes["failed"]
        verdict = f"DOES NOT CONFORM, {failed} failed" if failed else "conforms"
        claims = "; ".join(["the contract", *self.abilities])
        missing = [ability for ability in Ability if ability not in self.abilities]
        not_claimed = f"; not claimed: {', '.join(missing)}" if missing else ""
        played = f"{self.runs} random runs, {self.schedules} schedules"
        return f"{verdict}: {self.outcomes['passed']} tests, {played} ({claims}{not_claimed})"


def noted(
    name: str,
    abilities: frozenset[Ability],
    runs: int,
    schedules: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Note that a test is one of the store *name*; `record_property` carries it to the process that reports."""
    record_property(_STORE, [name, sorted(map(str, abilities)), runs, schedules])


def lines(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """A line for each store that the kit's tests among *reports* were of."""
    shown: defaultdict[str, _Shown] = defaultdict(_Shown)
    for report in reports:
        for name, value in report.user_properties:
            if name == _STORE and (report.when == "call" or report.failed):
                store, abilities, runs, schedules = cast(tuple[str, list[str], int, int], value)
                shown[store].abilities, shown[store].runs = abilities, runs
                shown[store].schedules = schedules
                shown[store].outcomes[report.outcome] += 1
    yield from (f"{store} {found}" for store, found in sorted(shown.items()))
