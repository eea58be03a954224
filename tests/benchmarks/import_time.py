"""
What the package costs to import, and the first client to make: ``python -m tests.benchmarks.import_time [--json]``.

Each program runs in a Python of its own, again and again in turns; what Python itself takes to start is taken off.
Modules are those that Python had not imported by itself.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from functools import partial
from typing import Final

from tests.benchmarks.turns import MEASURED_IN, report, take_turns

GOAL_MS: Final = 120
NOTHING: Final = "pass"
IMPORT: Final = "import xerosync"
_XERO: Final = (
    "import xerosync; xerosync.Xero(xerosync.App('id', 'secret'), '45e4708e-d862-4111-ab3a-dd8cd03913e1', "
    "store=xerosync.MemoryStore(){})"
)
PROGRAMS: Final = {
    "Python itself": NOTHING,
    IMPORT: IMPORT,
    "from xerosync import Xero": "from xerosync import Xero",
    "a first Xero(…), on a transport of its own": _XERO.format(
        ", transport=__import__('xerosync.simulator').simulator.Simulator().transport, "
        "clock=__import__('xerosync.simulator').simulator.VirtualClock()"
    ),
    "a first Xero(…), over HTTP": _XERO.format(""),
    "import xerosync.models": "import xerosync.models",
    "import httpx": "import httpx",
    "import xero_python.accounting": "import xero_python.accounting",
    "import xero (pyxero)": "import xero",
}


def measure(program: str) -> float:
    """Processor time of a Python that runs *program*, in milliseconds."""
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", program])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program} ended with {process.returncode}")
    return 1000 * (used.ru_utime + used.ru_stime)


def modules(program: str) -> int:
    """How many modules are there after *program*."""
    counting = f"{program}\nimport sys; print(len(sys.modules))"
    command = [sys.executable, "-W", "ignore", "-c", counting]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    """Print the figures as a Markdown table, or as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    taken = take_turns({name: partial(measure, text) for name, text in PROGRAMS.items()}, rounds=given.rounds)
    python, *others = taken
    net = {
        each.name: statistics.median(mine - own for mine, own in zip(each.rounds, python.rounds, strict=True))
        for each in others
    }
    rows = [
        {
            "Program": each.name,
            f"{MEASURED_IN}, net": f"{net[each.name]:.0f}",
            "nine tenths between": "{:.0f} and {:.0f}".format(*(edge - python.median for edge in each.spread)),
            "modules": modules(PROGRAMS[each.name]) - modules(NOTHING),
        }
        for each in others
    ]
    title = f"Imports, net of the {python.median:.0f} ms that Python takes to start, {given.rounds} rounds"
    report(title, list(rows[0]), rows, as_json=given.json)
    return 0 if net[IMPORT] <= GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
