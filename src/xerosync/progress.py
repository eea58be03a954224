"""Bars for whoever waits, in a terminal or a notebook: a listener for ``on_event`` like any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Final, Protocol, cast

from attrs import define, field, frozen
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from xerosync.events import Event, OnEvent

_WAITING: Final = "waiting"


@frozen
class Bar:
    """How far one piece of work is: *done* of *of*, None where Xero does not say how much there is."""

    work: str
    says: str
    done: int | None = None
    of: int | None = None

    @property
    def counts(self) -> str:
        """How far it is, in figures."""
        if self.done is None:
            return ""
        return f"{self.done:,}" if self.of is None else f"{self.done:,} of {self.of:,}"


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


class _Display(Protocol):
    """Where bars are drawn."""

    def draw(self, bars: Collection[Bar]) -> None:
        """Show *bars* instead of those that were shown before."""
        ...

    def stop(self) -> None:
        """Leave what is shown."""
        ...


class _Nowhere:
    """Where nobody looks."""

    def draw(self, bars: Collection[Bar]) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Nothing is shown."""


class _Terminal:
    """A terminal, in which the bars stay where they are."""

    def __init__(self, console: Console) -> None:
        self._live: Final = Live(console=console, auto_refresh=False)

    def draw(self, bars: Collection[Bar]) -> None:
        """See `_Display`."""
        grid = Table.grid(padding=(0, 1))
        for bar in bars:
            drawn = ProgressBar(total=bar.of, completed=bar.done or 0, width=40, animation_time=0.0)
            grid.add_row(Text(bar.says), drawn if bar.of else "", bar.counts)
        self._live.start()
        self._live.update(grid, refresh=True)

    def stop(self) -> None:
        """See `_Display`."""
        if self._live.is_started:
            self._live.stop()


class _Handle(Protocol):
    """What IPython draws once and again in one place; it says nothing of its types itself."""

    def display(self, shown: object) -> None: ...
    def update(self, shown: object) -> None: ...


@define
class _Notebook:
    """A cell of a notebook; it needs no widgets, so that they need not be installed."""

    _handle: _Handle | None = None

    def draw(self, bars: Collection[Bar]) -> None:
        """See `_Display`."""
        from IPython.display import HTML, DisplayHandle  # noqa: PLC0415 - it is there, as this is a notebook

        shown = cast(Callable[[str], object], HTML)("".join(map(_html, bars)))
        if self._handle is None:
            self._handle = cast(Callable[[], _Handle], DisplayHandle)()
            self._handle.display(shown)
        else:
            self._handle.update(shown)

    def stop(self) -> None:
        """See `_Display`."""


def _html(bar: Bar) -> str:
    drawn = f'<progress value="{bar.done or 0}" max="{bar.of}"></progress> ' if bar.of else ""
    return f"<div>{drawn}{escape(bar.says)} {bar.counts}</div>"


@define
class _Bars:
    """The bars of one display, begun *after_s* seconds after the first event, so that nothing flickers by."""

    display: _Display
    after_s: float
    _began: float | None = None
    _bars: dict[tuple[object, str], Bar] = field(factory=dict[tuple[object, str], Bar])

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Hear of *event*."""
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        whose = fields.get("organisation")
        waited = self._bars.pop((whose, _WAITING), None)
        bar = bar_for(event, fields)
        if bar is not None:
            self._bars[whose, bar.work] = bar
        if (bar or waited) and now - self._began >= self.after_s:
            self.display.draw(tuple(self._bars.values()))  # another thread may add one meanwhile


@contextmanager
def progress(*, after_s: float = 2.0, console: Console | None = None) -> Generator[OnEvent]:
    """
    A listener that shows how far a client is, as long as the block lasts: hand it in as *on_event*.

    There is a bar for each list that is read and one for what is written, and a line while one of Xero's limits is
    waited for. Nothing is shown of work that takes less than *after_s* seconds, nor where nobody looks: in a file, a
    pipe or a service. *console* is one of rich's, this process's own unless given. With listeners of your own use
    `xerosync.events.every`.
    """
    display = _display(console or Console())
    try:
        yield _Bars(display, after_s)
    finally:
        display.stop()


def _display(console: Console) -> _Display:
    if console.is_jupyter:
        return _Notebook()
    return _Terminal(console) if console.is_terminal else _Nowhere()
