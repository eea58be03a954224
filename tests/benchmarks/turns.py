"""Candidates that take turns, so that whatever else the machine does meets all of them; and their figures."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

MEASURED_IN: Final = "ms of processor time"


@frozen
class Taken:
    """What one candidate took in each round, in milliseconds."""

    name: str
    rounds: Sequence[float]

    @property
    def median(self) -> float:
        """Half of the rounds took less."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """What a tenth of the rounds stayed below, and what nine tenths did."""
        tenths = statistics.quantiles(self.rounds, n=10, method="inclusive")
        return tenths[0], tenths[-1]

    def times_faster_than(self, other: Taken) -> float:
        """How often this fits into *other*: the median of the rounds, each compared with its neighbour."""
        return statistics.median(theirs / mine for mine, theirs in zip(self.rounds, other.rounds, strict=True))


def take_turns(candidates: Mapping[str, Callable[[], float]], *, rounds: int) -> list[Taken]:
    """What each of *candidates*, which say what they took, took in each of *rounds* after one to warm up."""
    for measure in candidates.values():
        measure()
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        order = list(candidates)
        for name in order[number % len(order) :] + order[: number % len(order)]:
            taken[name].append(candidates[name]())
    return [Taken(name, rounds_of_it) for name, rounds_of_it in taken.items()]


def speeds(taken: Sequence[Taken], official: Taken) -> list[dict[str, str]]:
    """A row for each of *taken*, held against the *official* one."""
    return [
        {
            "Candidate": each.name,
            MEASURED_IN: f"{each.median:.1f}",
            "nine tenths between": "{:.1f} and {:.1f}".format(*each.spread),
            f"times as fast as {official.name}": f"{each.times_faster_than(official):.1f}",
        }
        for each in taken
    ]


def memory_mb(*, most: bool = False) -> float:
    """The memory that this process holds now, or the *most* that it ever held, in MB of a million bytes."""
    # The operating system's own count of the most is not asked: a new process takes over that of its parent.
    name = "VmHWM:" if most else "VmRSS:"
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("this machine does not tell how much memory a process holds")


def report(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print *rows*, which have *columns*, as a Markdown table below *title*, or as JSON."""
    if as_json:
        sys.stdout.write(json.dumps({"title": title, "rows": list(rows)}) + "\n")
        return
    written = [" | ".join(columns), " | ".join(["---", *["---:"] * (len(columns) - 1)])]
    written += [" | ".join(str(row[column]) for column in columns) for row in rows]
    sys.stdout.write(f"{title}\n\n" + "".join(f"| {line} |\n" for line in written) + "\n")
