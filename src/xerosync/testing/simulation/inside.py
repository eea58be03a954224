"""
The engine over in-memory ports: its calls reach the books at once, without tokens, turns, limits or HTTP in between.

What the engine does is the same, and so are the books and what goes wrong at the port. What is left out, the client
that carries the calls, is played by the slower schedules, which go through all of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from attrs import define

from xerosync.client._pacing import Turn
from xerosync.client._retry import Kind, Step, Tried, next_move
from xerosync.client._session import Again, Call, Query, Session, last_word
from xerosync.client._wire.answers import Envelope
from xerosync.client.gate import Account, Permit
from xerosync.ports import Request, Response, TransportFault
from xerosync.secret import Secret
from xerosync.simulator.clock import START

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_TURN: Final = Turn(Secret(""), Permit(Account("", "", ""), 0, START), ())
_AT_ONCE: Final = nullcontext(_TURN)


@define(eq=False)
class InsideTransport:
    """The way to the books of *world* for who does something before or after all, when nothing goes wrong."""

    world: World

    async def send(self, request: Request) -> Response:
        """What the books answer."""
        return self.world.inside(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """What the books answer to each."""
        del at_most
        return [self.world.inside(each) for each in requests]

    async def close(self) -> None:
        """Nothing is held."""


@define(eq=False)
class InsideSession(Session):
    """Calls that need neither a consent nor a turn, and are counted by nobody but this."""

    sent: int = 0

    @property
    def calls(self) -> int:
        """Calls that were sent."""
        return self.sent

    async def read_all(self, queries: Sequence[Query]) -> list[Envelope]:
        """The rows of each of *queries*, one after the other."""
        return [await self.read(query) for query in queries]

    async def renew(self, token: Secret) -> None:
        """There is no token."""

    async def exchange(self, request: Request, turn: Turn, attempt: int) -> Response | TransportFault:
        """What came of *request*."""
        del turn, attempt
        self.sent += 1
        try:
            return await self.transport.send(request)
        except TransportFault as fault:
            return fault

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """No waiting."""
        return _AT_ONCE

    @asynccontextmanager
    async def _turns(self, at_most: int) -> AsyncGenerator[list[Turn]]:
        yield [_TURN] * at_most

    async def _read(self, query: Query, accept: str = "application/json") -> Response:
        tried = Tried()
        while True:
            outcome = await self.exchange(self._request(query, _TURN.token, accept), _TURN, tried.attempt)
            move = next_move(Kind.READ, outcome, tried)
            if move.step is Step.TAKE or move.step is Step.GIVE_UP:
                return last_word(outcome, move)
            tried = tried.then(move, in_doubt=False)
            await self.clock.sleep(move.wait_s)

    async def _settled(self, call: Call) -> Response:
        while True:
            try:
                return await call.once()
            except Again as again:
                await self.clock.sleep(again.wait_s)
