"""What was spent: calls and bytes of a client and of each run, and the budget at which a run stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from threading import Lock
from types import TracebackType
from typing import Final, Self

from attrs import define, field, frozen

from xerosync.client._wire.answers import Counters
from xerosync.errors import BudgetSpent, InvalidInput

CALL: Final = "call"
"""What a run hears of: a call to Xero's API has ended."""

RENEWAL: Final = "renewal"
"""What a run hears of: an access token was renewed, or could not be."""

Hear = Callable[[str, Mapping[str, str | int]], None]
"""Hears of what a run does: whether it was a `CALL` or a `RENEWAL`, and what is known of it."""


@frozen(kw_only=True)
class Usage:
    """
    What was spent at Xero's API: *calls* that left this machine, and the bytes of bodies as they went over the wire,
    compressed if they were. Calls for tokens and connections do not count.

    What is left of Xero's limits is as Xero last said to this client, None before it said anything: *minute_left* and
    *day_left* of this organisation, *app_minute_left* of the app.
    """

    calls: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    minute_left: int | None = None
    day_left: int | None = None
    app_minute_left: int | None = None


@define(eq=False)
class Meter:
    """Counts, whichever thread calls. *begun* are the calls that were let through, finished or not."""

    usage: Usage = Usage()
    begun: int = 0
    _turn: Lock = field(factory=Lock, repr=False)

    def begin(self, calls_max: int | None = None, bytes_down_max: int | None = None) -> None:
        """Let one more call through. Raises `BudgetSpent` when that would be more than allowed."""
        with self._turn:
            if calls_max is not None and self.begun >= calls_max:
                raise BudgetSpent("calls", self.begun, calls_max)
            if bytes_down_max is not None and self.usage.bytes_down >= bytes_down_max:
                raise BudgetSpent("bytes_down", self.usage.bytes_down, bytes_down_max)
            self.begun += 1

    def drop(self) -> None:
        """Take back one that was let through and never left."""
        with self._turn:
            self.begun -= 1

    def count(self, bytes_up: int, bytes_down: int, counters: Counters | None) -> None:
        """Count a call that left, and keep what its answer said of the limits."""
        with self._turn:
            usage = self.usage
            said = counters or Counters()
            self.usage = Usage(
                calls=usage.calls + 1,
                bytes_up=usage.bytes_up + bytes_up,
                bytes_down=usage.bytes_down + bytes_down,
                minute_left=usage.minute_left if said.minute_left is None else said.minute_left,
                day_left=usage.day_left if said.day_left is None else said.day_left,
                app_minute_left=usage.app_minute_left if said.app_minute_left is None else said.app_minute_left,
            )


@define(eq=False)
class Run:
    """
    One run of a host's, with a meter and, if you like, a budget of its own: ``with xero.run(calls=200) as run:``.

    All that the client does inside the block belongs to it, in tasks that start there too; a thread that you start does
    not, unless you hand it the context. Runs may be nested: what an inner one spends, the outer one spends as well.
    """

    _of: object = field(repr=False)
    calls_max: int | None = None
    bytes_down_max: int | None = None
    background: bool | None = None
    meter: Meter = field(factory=Meter, repr=False, init=False)
    _hear: Hear | None = field(default=None, repr=False, kw_only=True, alias="hear")
    _before: Token[tuple[Run, ...]] | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        for name, most in (("calls", self.calls_max), ("bytes_down", self.bytes_down_max)):
            given: object = most
            if given is not None and (type(given) is not int or given < 1):
                raise InvalidInput(name, "give a whole number from 1, or nothing for no bound")

    @property
    def usage(self) -> Usage:
        """What was spent so far in this run."""
        return self.meter.usage

    def begin(self) -> None:
        """Let one more call through. Raises `BudgetSpent`."""
        self.meter.begin(self.calls_max, self.bytes_down_max)

    def heard(self, what: str, facts: Mapping[str, str | int]) -> None:
        """Tell whoever listens to this run of *what* has ended, a `CALL` or a `RENEWAL`."""
        if self._hear is not None:
            self._hear(what, facts)

    def is_of(self, client: object) -> bool:
        """Whether it is a run of *client*."""
        return self._of is client

    def __enter__(self) -> Self:
        self._before = _RUNS.set((*_RUNS.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            _RUNS.reset(self._before)
            self._before = None


def runs_of(client: object) -> tuple[Run, ...]:
    """The runs of *client* that what goes on now belongs to, the innermost last."""
    return tuple(run for run in _RUNS.get() if run.is_of(client))


_RUNS: Final[ContextVar[tuple[Run, ...]]] = ContextVar("xerosync_runs", default=())
