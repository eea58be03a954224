"""``python -m xerosync.testing.simulation --seeds 100``: play fresh schedules, and say what came of them."""

from __future__ import annotations

import argparse
import secrets
import shlex
import sys
from pathlib import Path
from time import monotonic

from xerosync.testing.simulation.campaign import Tally, campaign, chunks, report, summed

_COMMAND = "python -m xerosync.testing.simulation"


def main(arguments: list[str] | None = None) -> int:
    """Play, print, and return how many schedules went wrong, at most 1."""
    given = sys.argv[1:] if arguments is None else arguments
    chosen = _parser().parse_args(given)
    first: int = secrets.randbelow(10**12) if chosen.first is None else chosen.first
    print(f"seeds {first} to {first + chosen.seeds - 1}", flush=True)
    began, said = monotonic(), 0
    tallies: list[Tally] = []
    wanted = chunks(first, chosen.seeds, size=chosen.chunk, fast=chosen.fast)
    try:
        for come in campaign(wanted, workers=chosen.workers, journal=chosen.journal):
            tallies = summed([*tallies, *come])
            for wrong in (line for tally in come for line in tally.wrong):
                print(wrong, flush=True)
            done = sum(tally.played for tally in tallies)
            if done // chosen.every > said:
                said = done // chosen.every
                _tell(tallies, monotonic() - began)
                _write(chosen, given)
    except KeyboardInterrupt:
        print("stopped; this is what was played until then")
    _tell(tallies, monotonic() - began)
    _write(chosen, given)
    for name, count in sorted(sum((tally for tally in tallies), Tally(way="", commit="")).faults.items()):
        print(f"{count:>12,} {name}")
    return int(any(tally.wrong for tally in tallies))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(_COMMAND, description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many schedules to play")
    parser.add_argument("--first", type=int, help="the first seed; a fresh one unless given")
    parser.add_argument(
        "--fast", type=int, nargs="?", const=100, default=0, metavar="PERCENT",
        help="play all, or so many of a hundred, with the engine over ports in memory, without client and HTTP",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, default=1, help="how many processes play")
    parser.add_argument("--every", type=int, default=100, help="print a line after so many schedules")
    parser.add_argument("--chunk", type=int, default=20, help="how many schedules a process plays at a time")
    parser.add_argument("--journal", type=Path, help="keep what came of each chunk here, and do not play it again")
    parser.add_argument("--report", type=Path, help="write a page in Markdown of all that is in the journal")
    return parser


def _tell(tallies: list[Tally], seconds: float) -> None:
    for tally in tallies:
        print(f"{tally} ({seconds:,.0f} s)", flush=True)


def _write(chosen: argparse.Namespace, given: list[str]) -> None:
    if chosen.report is not None and chosen.journal is not None:
        chosen.report.write_text(report(chosen.journal, shlex.join([*_COMMAND.split(), *given])))


if __name__ == "__main__":
    sys.exit(main())
