"""Says at the end of a run how many schedules of the simulation were played."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    properties = [pair for report in passed for pair in report.user_properties]
    for name in ("schedules", "crash points"):
        played = sum(int(value) for key, value in properties if key == name)
        if played:
            terminalreporter.write_line(f"simulation: {played:,} {name} played")
