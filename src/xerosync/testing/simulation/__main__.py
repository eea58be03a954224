"""``python -m xerosync.testing.simulation --seeds 100``: play fresh schedules, and say what came of them."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from time import process_time

from xerosync.testing.simulation import Run, simulate


def main(arguments: list[str] | None = None) -> int:
    """Play, print, and return how many schedules went wrong, at most 1."""
    parser = argparse.ArgumentParser("python -m xerosync.testing.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many schedules to play")
    parser.add_argument("--first", type=int, help="the first seed; a fresh one unless given")
    parser.add_argument("--every", type=int, default=100, help="print a line after so many schedules")
    chosen = parser.parse_args(arguments)
    first: int = secrets.randbelow(10**12) if chosen.first is None else chosen.first
    print(f"seeds {first} to {first + chosen.seeds - 1}", flush=True)
    began = process_time()
    tally = Tally()
    for run in runs(range(first, first + chosen.seeds)):
        tally.add(run)
        if not run:
            print(run, flush=True)
        if tally.played % chosen.every == 0:
            print(tally.line(process_time() - began), flush=True)
    print(tally.line(process_time() - began))
    print("faults: " + ", ".join(f"{count:,} {name}" for name, count in sorted(tally.faults.items())))
    return min(tally.wrong, 1)


def runs(seeds: Iterable[int]) -> Iterator[Run]:
    """What comes of each of *seeds*."""
    return (simulate(seed) for seed in seeds)


class Tally:
    """What came of many schedules."""

    def __init__(self) -> None:
        self.played: int = 0
        self.wrong: int = 0
        self.steps: int = 0
        self.virtual_s: float = 0.0
        self.faults: Counter[str] = Counter()

    def add(self, run: Run) -> None:
        """Count *run*."""
        self.played += 1
        self.wrong += not run
        self.steps += run.moments
        self.virtual_s += run.virtual_s
        self.faults += run.faults

    def line(self, seconds: float) -> str:
        """All of it in a line, after so many *seconds* of one core."""
        pace = self.played / max(seconds, 1e-9) * 60
        return (
            f"{self.played:,} schedules, {self.wrong} wrong; {self.steps:,} steps, {self.faults.total():,} faults, "
            f"{self.virtual_s / 3600:,.0f} virtual hours; {pace:,.0f} schedules a minute of one core"
        )


if __name__ == "__main__":
    sys.exit(main())
