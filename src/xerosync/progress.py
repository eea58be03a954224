"""Bars for whoever waits, in a terminal or a notebook: a listener for ``on_event`` like any other."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from attrs import define, field, frozen
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from xerosync.events import Event, OnEvent

_WAITING: Final = "waiting"


@frozen
class Bar:
    """How far one piece of work is: *done* of *of*, None where Xero does not say how much there is."""

    work: str
    says: str
    done: int | None = None
    of: int | None = None


def bar_for(event: str, fields: Mapping[str, object]) -> Bar | None:
    """What *event* says of how far a piece of work is; None where it says nothing of that."""
    match event:
        case Event.PAGE_READ:
            path = str(fields["path"])
            return Bar(f"read {path}", f"reading {path}, pages", _number(fields["page"]), _number(fields.get("pages")))
        case Event.POSTED:
            says = f"writing, now: {str(fields['kind']).replace('_', ' ')}"
            return Bar("write", says, _number(fields["done"]), _number(fields["of"]))
        case Event.WAITING:
            seconds = fields.get("seconds")
            until = f", {seconds:.0f} s" if isinstance(seconds, int | float) else ""
            return Bar(_WAITING, f"waiting: {fields['reason']}{until}")
        case _:
            return None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


@define
class _Bars:
    """The bars of one display, begun *after_s* seconds after the first event, so that nothing flickers by."""

    display: Progress
    after_s: float
    _began: float | None = None
    _tasks: dict[tuple[object, str], TaskID] = field(factory=dict[tuple[object, str], TaskID])

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Hear of *event*."""
        now = self.display.get_time()
        self._began = now if self._began is None else self._began
        bar = bar_for(event, fields)
        whose = fields.get("organisation")
        waits = self._tasks.pop((whose, _WAITING), None)
        if waits is not None:
            self.display.remove_task(waits)
        if bar is not None:
            self._show((whose, bar.work), bar)
        if now - self._began >= self.after_s:
            self.display.start()

    def _show(self, key: tuple[object, str], bar: Bar) -> None:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = self.display.add_task(bar.says, total=bar.of)
        self.display.update(task, description=bar.says, total=bar.of, completed=bar.done)


@contextmanager
def progress(*, after_s: float = 2.0, console: Console | None = None) -> Generator[OnEvent]:
    """
    A listener that shows how far a client is, as long as the block lasts: hand it in as *on_event*.

    There is a bar for each list that is read and one for what is written, and a line while one of Xero's limits is
    waited for. Nothing is shown of work that takes less than *after_s* seconds, nor where nobody looks: in a file, a
    pipe or a service. *console* is one of rich's, this process's own unless given. With listeners of your own use
    `xerosync.events.every`.
    """
    on = console or Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    display = Progress(*columns, console=on, disable=not (on.is_terminal or on.is_jupyter))
    try:
        yield _Bars(display, after_s)
    finally:
        display.stop()
