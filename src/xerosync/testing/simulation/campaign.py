"""
Many schedules: played in chunks by several processes, kept in a journal as they come, and told of in a report.

A run that is stopped loses the chunks under way. Started again with the same journal it goes on with those that are not
in it, and the report is about all that were played.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Final, cast

from attrs import asdict, field, frozen

from xerosync.testing.simulation import Run, simulate

FAST: Final = "fast"
WHOLE: Final = "whole"
_HERE: Final = Path(__file__).parent


@frozen
class Chunk:
    """*count* seeds from *first* on; of each hundred, *fast* are played over ports in memory."""

    first: int
    count: int
    fast: int

    def is_fast(self, seed: int) -> bool:
        """Which of the two ways *seed* is played."""
        # Both ways in every chunk, whatever its size.
        return seed * 41 % 100 < self.fast


@frozen(kw_only=True)
class Tally:
    """
    What came of schedules that were played one *way*, at one *commit* of the library.

    *wrong* says of each that went wrong its seed and what was wrong. *core_s* are seconds of one core.
    """

    way: str
    commit: str
    played: int = 0
    wrong: tuple[str, ...] = ()
    steps: int = 0
    virtual_s: float = 0.0
    core_s: float = 0.0
    faults: Mapping[str, int] = field(factory=dict[str, int])
    flows: Mapping[str, int] = field(factory=dict[str, int])

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            way=self.way,
            commit=self.commit,
            played=self.played + other.played,
            wrong=self.wrong + other.wrong,
            steps=self.steps + other.steps,
            virtual_s=self.virtual_s + other.virtual_s,
            core_s=self.core_s + other.core_s,
            faults=dict(sorted((Counter(self.faults) + Counter(other.faults)).items())),
            flows=dict(sorted((Counter(self.flows) + Counter(other.flows)).items())),
        )

    def __str__(self) -> str:
        return (
            f"{self.way}: {self.played:,} schedules, {len(self.wrong)} wrong; {self.steps:,} steps, "
            f"{sum(self.faults.values()):,} faults, {self.virtual_s / 3600:,.0f} virtual hours; "
            f"{self.a_minute:,.0f} schedules a minute of one core"
        )

    @property
    def a_minute(self) -> float:
        """Schedules in a minute of one core."""
        return self.played / max(self.core_s, 1e-9) * 60


def chunks(first: int, seeds: int, *, size: int, fast: int) -> list[Chunk]:
    """The chunks of so many *seeds* from *first* on, each of *size* at most."""
    return [Chunk(at, min(size, first + seeds - at), fast) for at in range(first, first + seeds, size)]


def played(chunk: Chunk, commit: str) -> list[Tally]:
    """Play the schedules of *chunk*, one after the other; what came of them, by way."""
    tallies = {way: Tally(way=way, commit=commit) for way in (FAST, WHOLE)}
    for seed in range(chunk.first, chunk.first + chunk.count):
        way = FAST if chunk.is_fast(seed) else WHOLE
        began = process_time()
        run = simulate(seed, fast=way == FAST)
        tallies[way] += _of(run, way, commit, process_time() - began)
    return [tally for tally in tallies.values() if tally.played]


def _of(run: Run, way: str, commit: str, core_s: float) -> Tally:
    return Tally(
        way=way,
        commit=commit,
        played=1,
        wrong=() if run else (str(run),),
        steps=run.moments,
        virtual_s=run.virtual_s,
        core_s=core_s,
        faults=run.faults,
        flows={run.flow: 1},
    )


def campaign(wanted: Sequence[Chunk], *, workers: int, journal: Path | None) -> Iterator[list[Tally]]:
    """What comes of each of the chunks *wanted* that *journal* does not hold yet, and is kept there as it comes."""
    known = {chunk for chunk, _ in entries(journal)} if journal is not None else set[Chunk]()
    commit = commit_now()
    asked = [(chunk, commit) for chunk in wanted if chunk not in known]
    for chunk, tallies in _in_processes(asked, workers):
        if journal is not None:
            _keep(journal, chunk, tallies)
        yield tallies


def _keep(journal: Path, chunk: Chunk, tallies: Sequence[Tally]) -> None:
    entry = json.dumps({"chunk": asdict(chunk), "tallies": [asdict(each) for each in tallies]})
    # On a line of its own, whatever became of the one before.
    with journal.open("a") as file:
        file.write(f"\n{entry}")


def _in_processes(asked: Sequence[tuple[Chunk, str]], workers: int) -> Iterator[tuple[Chunk, list[Tally]]]:
    if workers == 1:
        yield from map(_worked, asked)
        return
    # A fresh process takes no locks and no open files of this one along.
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_worked, asked)


def _worked(asked: tuple[Chunk, str]) -> tuple[Chunk, list[Tally]]:
    chunk, commit = asked
    return chunk, played(chunk, commit)


def entries(journal: Path) -> Iterator[tuple[Chunk, list[Tally]]]:
    """Each chunk in *journal*, with what came of it. A last line that was cut off is none."""
    if not journal.exists():
        return
    for line in journal.read_text().splitlines():
        with suppress(json.JSONDecodeError):
            entry = cast("dict[str, object]", json.loads(line))
            tallies = cast("list[dict[str, object]]", entry["tallies"])
            yield Chunk(**cast("dict[str, int]", entry["chunk"])), [_read(each) for each in tallies]


def _read(kept: Mapping[str, object]) -> Tally:
    return Tally(**{**kept, "wrong": tuple(cast("list[str]", kept["wrong"]))})  # type: ignore[arg-type]


def summed(tallies: Iterable[Tally]) -> list[Tally]:
    """*tallies* of the same way and commit as one."""
    sums: dict[tuple[str, str], Tally] = {}
    for tally in tallies:
        key = tally.commit, tally.way
        sums[key] = sums[key] + tally if key in sums else tally
    return list(sums.values())


def commit_now() -> str:
    """The commit of this library's sources, with a plus where they were changed since; "unknown" outside of git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    asked = ["git", "-C", str(_HERE), *arguments]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own words


def report(journal: Path, command: str) -> str:
    """What was played, as a page in Markdown: how often, what went wrong, what happened, by which *command*."""
    kept = list(entries(journal))
    sums = summed(tally for _, tallies in kept for tally in tallies)
    wrong = [line for tally in sums for line in tally.wrong]
    total = sum(tally.played for tally in sums)
    first = min((chunk.first for chunk, _ in kept), default=0)
    last = max((chunk.first + chunk.count - 1 for chunk, _ in kept), default=0)
    verdict = f"{len(wrong)} went wrong" if wrong else "none lost, doubled or left anything open"
    lines = [
        "# A run of the simulation",
        "",
        f"**{total:,} whole schedules were played; {verdict}.** Seeds {first:,} to {last:,}, in chunks of which",
        f"{len(kept):,} were finished. This page was written by the run itself:",
        "",
        "```text",
        command,
        "```",
        "",
        "| Way | Commit | Schedules | Wrong | Steps | Faults | Virtual hours | A minute of one core |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {each.way} | `{each.commit}` | {each.played:,} | {len(each.wrong)} | {each.steps:,} | "
            f"{sum(each.faults.values()):,} | {each.virtual_s / 3600:,.0f} | {each.a_minute:,.0f} |"
            for each in sums
        ),
        "",
        "*fast* is the engine over ports in memory, *whole* goes through the real client and the whole simulator.",
        "",
        "## What went wrong",
        "",
        *([f"- {line}" for line in wrong] or ["Nothing."]),
        "",
        *_counted("What was played", "Flow", (tally.flows for tally in sums)),
        *_counted("What happened to them", "Fault", (tally.faults for tally in sums)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _counted(title: str, column: str, counts: Iterable[Mapping[str, int]]) -> list[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    rows = [f"| {name} | {count:,} |" for name, count in sorted(total.items())]
    return [f"## {title}", "", f"| {column} | Times |", "|---|---:|", *rows, ""]
