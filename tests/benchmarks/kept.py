"""
The memory that many invoices take when all are kept: ``python -m tests.benchmarks.kept [--pages N] [--json]``.

Each candidate has a process of its own, reads the page of `tests.benchmarks.decode` so many times, and keeps what it
made of it; streaming keeps nothing but the page under way. What the process had before the first page does not count.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.benchmarks.decode import CANDIDATES as READERS
from tests.benchmarks.decode import HEADERS, INVOICES, OFFICIAL, XEROSYNC, page_of_invoices
from tests.benchmarks.turns import memory_mb, report

STREAMING: Final = "xerosync, streaming"
GOALS: Final[Mapping[str, float]] = {XEROSYNC: 650, HEADERS: 90, STREAMING: 150}
"""Megabytes for 100,000 invoices."""
_KEPT: Final = (OFFICIAL, XEROSYNC, HEADERS)


def work(name: str, page: Path, pages: int) -> None:
    """Read *page* so many times, keep all unless streaming, and say by how many megabytes this process has grown."""
    read: Callable[[], object] = READERS[XEROSYNC if name == STREAMING else name](page.read_bytes())
    read()
    before = memory_mb(most=True)
    kept: list[object] = []
    for _ in range(pages):
        invoices = read()
        if name != STREAMING:
            kept.append(invoices)
    sys.stdout.write(f"{memory_mb(most=True) - before}\n")


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.page, given.pages)
        return 0
    taken: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        page = Path(folder) / "page.json"
        page.write_bytes(page_of_invoices())
        for name in (*_KEPT, STREAMING):
            command = [sys.executable, "-m", "tests.benchmarks.kept", "--work", name, "--page", str(page)]
            told = subprocess.run([*command, "--pages", str(given.pages)], check=True, capture_output=True, text=True)
            taken[name] = float(told.stdout)
    rows = [
        {"Candidate": name, "MB": f"{megabytes:,.0f}", f"of {OFFICIAL}'s": f"{100 * megabytes / taken[OFFICIAL]:.0f} %"}
        for name, megabytes in taken.items()
    ]
    report(f"{given.pages * INVOICES:,} invoices", list(rows[0]), rows, as_json=given.json)
    scale = given.pages * INVOICES / 100_000
    return 0 if all(taken[name] <= goal * scale for name, goal in GOALS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
