"""Letting the calls of one client through: under the gate's limits, within the budgets of its runs, and counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import define, evolve, field

from xerosync.client._limits import Limits
from xerosync.client._retry import LONGEST_WAIT_S
from xerosync.client._usage import CALL, Meter, Run, runs_of
from xerosync.client._wire.answers import counters
from xerosync.client.gate import Account, Permit, RateGate, Wait
from xerosync.errors import BudgetSpent, RateLimited
from xerosync.events import Event, is_id, path_template
from xerosync.ports import Clock, NotSent, Request, Response, TransportFault
from xerosync.secret import Secret

API: Final = "/api.xro/2.0/"


class Tell(Protocol):
    """How a flow tells the host's listener of an event."""

    def __call__(self, event: str, **fields: object) -> None:
        """Tell of *event*."""
        ...


@define(repr=False)
class Turn:
    """The right to send one call, and the access *token* to send it with; it *is_over* once it was taken back."""

    token: Secret
    permit: Permit
    runs: tuple[Run, ...]
    is_over: bool = False

    def bound(self, request: Request, clock: Clock) -> Request:
        """*request*, to leave, by *clock*, neither after its claim has ended nor after its place was given away."""
        claimed, counted = request.not_after, self.permit.not_after
        return evolve(request, not_after=counted if claimed is None else min(claimed, counted), clock=clock)


@define(eq=False)
class Pacer:
    """Gives out turns for one client, and counts what comes of them; its clock is *ahead* of Xero's by so much."""

    account: Account
    limits: Limits
    gate: RateGate
    clock: Clock
    tell: Tell
    background: bool
    meter: Meter = field(factory=Meter)
    ahead: timedelta | None = None

    async def admit(self, token: Secret, at_most: int = 1) -> list[Turn]:
        """
        Turns for up to *at_most* calls that may be sent now, one at least, waiting for it if need be.

        Raises `RateLimited` rather than wait for hours, and `BudgetSpent`.
        """
        turns = [Turn(token, *await self._first())]
        while len(turns) < at_most:
            try:
                runs = self._begin()
            except BudgetSpent:
                break
            answer = await self._ask(runs)
            if not isinstance(answer, Permit):
                _drop(runs)
                break
            turns.append(Turn(token, answer, runs))
        return turns

    async def seen(
        self, turn: Turn, request: Request, outcome: Response | TransportFault, began: datetime, attempt: int
    ) -> None:
        """Count a call, one whose answer was lost too, tell of it, and learn what Xero says of its limits."""
        now = self.clock.now()
        response = outcome if isinstance(outcome, Response) else None
        said = None if response is None else counters(response)
        down = 0 if response is None else response.bytes_down
        if said is not None:
            await self.gate.observe(turn.permit, said, self.limits, now)
        await self.release(turn)
        if isinstance(outcome, NotSent):
            _drop(turn.runs)
        else:
            for meter in (self.meter, *(run.meter for run in turn.runs)):
                meter.count(len(request.body), down, said)
        call: dict[str, str | int] = {
            "method": request.method,
            "path": path_template(request.url.partition(API)[2]),
            **({} if response is None else {"status": response.status, **_correlation(response)}),
            "outcome": _word(outcome),
            "attempt": attempt,
            "bytes_up": len(request.body),
            "bytes_down": down,
        }
        for run in turn.runs:
            run.heard(CALL, call)
        self.tell(Event.CALL_FINISHED, **call, seconds=(now - began).total_seconds())

    async def release(self, turn: Turn) -> None:
        """Take *turn* back: its call has ended, or was never sent. Doing so twice does no harm."""
        if not turn.is_over:
            turn.is_over = True
            await self.gate.release(turn.permit, self.clock.now())

    async def _first(self) -> tuple[Permit, tuple[Run, ...]]:
        runs = self._begin()
        told: set[str] = set()
        try:
            while not isinstance(answer := await self._ask(runs), Permit):
                if answer.which == "day" or answer.seconds > LONGEST_WAIT_S:
                    raise RateLimited(answer.which, answer.seconds)
                if answer.which not in told:
                    told.add(answer.which)
                    reason = f"Xero's {answer.which} limit"
                    self.tell(Event.WAITING, reason=reason, limit=answer.which, seconds=answer.seconds)
                await self.clock.sleep(answer.seconds)
        except BaseException:
            _drop(runs)
            raise
        return answer, runs

    async def _ask(self, runs: tuple[Run, ...]) -> Permit | Wait:
        chosen = [run.background for run in runs if run.background is not None]
        background = chosen[-1] if chosen else self.background
        return await self.gate.acquire(self.account, self.limits, self.clock.now(), background=background)

    def _begin(self) -> tuple[Run, ...]:
        begun: list[Run] = []
        for run in runs_of(self):
            try:
                run.begin()
            except BudgetSpent:
                _drop(begun)
                raise
            begun.append(run)
        return tuple(begun)


def _correlation(response: Response) -> dict[str, str | int]:
    """What Xero's support asks for; left out where it is no id."""
    given = response.header("Xero-Correlation-Id") or ""
    return {"correlation": given} if is_id(given) else {}


def _drop(runs: Iterable[Run]) -> None:
    for run in runs:
        run.meter.drop()


def _word(outcome: Response | TransportFault) -> str:
    if isinstance(outcome, Response):
        return "answered"
    return "not sent" if isinstance(outcome, NotSent) else "answer lost"
