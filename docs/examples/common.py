"""What both example scripts show while they run, and at their end."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from xerosync.client import OnEvent


@contextmanager
def progress(*, in_real_time: bool) -> Generator[OnEvent]:
    """
    A listener that tells on standard error, where a person looks, what goes on and what is waited for.

    The embedded simulator's hours pass at once: only waits *in_real_time* are worth a line.
    """
    console = Console(stderr=True)
    posted: dict[str, int] = {}
    with console.status("connecting …") as status:

        def told(event: str, fields: Mapping[str, object]) -> None:
            if event == "xerosync.waiting":
                seconds = fields.get("seconds")
                waiting = f"waiting: {fields['reason']}" + (f", {seconds:.0f} s" if isinstance(seconds, float) else "")
                status.update(waiting)
                if in_real_time and not console.is_terminal:
                    say(waiting)
            elif event == "xerosync.posted":
                kind = str(fields["kind"])
                posted[kind] = posted.get(kind, 0) + int(str(fields["elements"]))
                status.update(" · ".join(f"{count:,} × {name}" for name, count in posted.items()))
            elif event == "xerosync.mirrored":
                status.update(f"read {fields['documents']} changed of {fields['shelf']}")

        yield told


def say(text: str) -> None:
    """Tell a person *text*, at once, beside the outcome on standard output."""
    print(text, file=sys.stderr, flush=True)


def show(title: str, outcome: Mapping[str, object]) -> None:
    """*outcome* as a small table on standard output."""
    table = Table(title=title, show_header=False)
    for name, value in outcome.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    Console().print(table)
