"""Authorised calls on one organisation: token, limits, compression and re-reading, under the typed resources."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from attrs import define, field, frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from xerosync._version import __version__
from xerosync.client._consent import Consent
from xerosync.client._pacing import API, Pacer, Turn
from xerosync.client._retry import KEY_AGE_MAX_S, Kind, Move, Step, Tried, is_doubtful, next_move
from xerosync.client._usage import Usage
from xerosync.client._wire import dates
from xerosync.client._wire.answers import Envelope, envelope, refusal
from xerosync.client._wire.codec import Json, dump
from xerosync.client._wire.rows import Wanted
from xerosync.client.oauth import Endpoints
from xerosync.errors import OutcomeUnknown, ReadOnly, Unavailable, UnreadableAnswer, XerosyncError
from xerosync.events import Event, path_template
from xerosync.models import TenantId
from xerosync.ports import AnswerLost, Clock, Request, Response, Transport, TransportFault
from xerosync.secret import Secret

_READ: Final = frozenset({200, 304})
"""What answers a read; 304 is nothing changed, which some say Xero may answer (F 4.20)."""
_NO_TOKEN: Final = Secret("")
_KEYED: Final = frozenset({"PUT", "POST"})


@frozen
class Query:
    """A read of one collection: its path, the key its rows stand under, parameters, since when, and what for."""

    path: str
    collection: str
    params: Mapping[str, str] = field(factory=dict[str, str])
    modified_since: datetime | None = None
    wanted: Wanted = None

    def page(self, number: int, size: int | None) -> Query:
        """This read, of one page of *size* rows, or of as many as Xero gives."""
        sized = {} if size is None else {"pageSize": str(size)}
        return self.asking({**self.params, "page": str(number), **sized})

    def asking(self, params: Mapping[str, str]) -> Query:
        """This read, with *params* instead."""
        # Quicker than to evolve it, and made for each page.
        return Query(self.path, self.collection, params, self.modified_since, self.wanted)


class Again(Exception):
    """A call shall be tried again after *wait_s*."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


@define
class Session:
    """Calls on one organisation under one consent."""

    tenant: TenantId
    consent: Consent
    transport: Transport
    clock: Clock
    endpoints: Endpoints
    pacer: Pacer
    read_only: bool = False

    @property
    def usage(self) -> Usage:
        """What this client has spent."""
        return self.pacer.meter.usage

    async def read(self, query: Query) -> Envelope:
        """The rows of one call. Raises the error the answer stands for, after re-reading what only passed."""
        return self._envelope(await self._read(query), query)

    async def read_all(self, queries: Sequence[Query]) -> list[Envelope]:
        """The rows of each of *queries*, as many in flight as may be. Raises as `read`."""
        pages: list[Envelope] = []
        while len(pages) < len(queries):
            async with self._turns(len(queries) - len(pages)) as turns:
                some = queries[len(pages) : len(pages) + len(turns)]
                requests = [
                    turn.bound(self._request(query, turn.token), self.clock)
                    for query, turn in zip(some, turns, strict=True)
                ]
                began = self.clock.now()
                outcomes = await self.transport.send_all(requests, at_most=self.pacer.limits.at_a_time)
                for turn, request, outcome in zip(turns, requests, outcomes, strict=True):
                    await self.pacer.seen(turn, request, outcome, began, 1)
            for query, outcome in zip(some, outcomes, strict=True):
                if isinstance(outcome, Response) and outcome.status in _READ:
                    pages.append(self._envelope(outcome, query))
                else:
                    pages.append(await self.read(query))
        return pages

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """
        Wait until one call may be sent, for as long as the block lasts; take it before claiming a write.

        Raises `RateLimited` rather than wait for hours, and `BudgetSpent`.
        """
        return self._one_turn()

    async def fetch(self, path: str, *, accept: str, size: int | None = None) -> Response:
        """
        The answer to a read of something that is no collection, such as a file. Raises as `read`.

        Raises `UnreadableAnswer` where it is known how many bytes its *size* is, and as many did not come.
        """
        response = await self._read(Query(path, ""), accept)
        if response.status != 200:
            raise refusal(response)
        if size is not None and len(response.body) != size:
            raise UnreadableAnswer(path, f"{len(response.body)} bytes of {size}")
        return response

    async def write(
        self,
        method: str,
        path: str,
        body: Json | bytes,
        *,
        turn: Turn,
        key: str,
        not_after: datetime | None,
        content_type: str = "application/json",
    ) -> Response:
        """
        Send one write, once, in its *turn*, and return whatever came back.

        Nothing is retried here. Raises `NotSent` or `AnswerLost`.
        """
        self._check_may_write()
        request = self._write_request(
            method, path, body, turn.token, key=key, not_after=not_after, content_type=content_type
        )
        outcome = await self.exchange(request, turn, 1)
        if isinstance(outcome, TransportFault):
            raise outcome
        return outcome

    async def change(
        self, method: str, path: str, body: Json | bytes, *, key: str, content_type: str = "application/json"
    ) -> Response:
        """
        Send one write, and again after what only passes, as `next_move` allows; return the answer, or the refusal.

        A lost answer is asked for again under the same *key* within a minute, by this process alone (F 3.05). Raises
        `AnswerLost` when nobody can say whether it was done, `Unavailable` when it never left.
        """
        self._check_may_write()
        sent = body if isinstance(body, bytes) else dump(body)

        def request(token: Secret, not_after: datetime | None) -> Request:
            return self._write_request(
                method, path, sent, token, key=key, not_after=not_after, content_type=content_type
            )

        return await self._settled(Call(self, Kind.WRITE, request, Tried(keyed=method in _KEYED)))

    async def renew(self, token: Secret) -> None:
        """Replace *token*, which Xero refused. Raises `ReconnectNeeded` when the consent has ended."""
        await self.consent.renew(token)

    def _check_may_write(self) -> None:
        """The last door: whoever came here past `Books.check_may_write` is a mistake, and writes nothing either."""
        if self.read_only:
            raise ReadOnly

    def _envelope(self, response: Response, query: Query) -> Envelope:
        if response.status == 304 and query.modified_since is not None:
            return Envelope((), None)
        if response.status != 200:
            raise refusal(response)
        page = envelope(response, query.collection, query.wanted)
        if page.server_time is not None:
            self.pacer.ahead = self.clock.now() - page.server_time
        number = query.params.get("page")
        if number is not None:
            pages = {} if page.pages is None else {"pages": page.pages}
            path = path_template(query.path)
            self.pacer.tell(Event.PAGE_READ, path=path, page=int(number), **pages, rows=len(page.rows))
        return page

    async def _read(self, query: Query, accept: str = "application/json") -> Response:
        def request(token: Secret, not_after: datetime | None) -> Request:
            return self._request(query, token, accept, not_after)

        return await self._settled(Call(self, Kind.READ, request))

    async def _settled(self, call: Call) -> Response:
        """The outcome of *call* that stands. Only the loop is here: what follows on an outcome is `next_move`'s."""
        async for attempt in AsyncRetrying(
            sleep=self.clock.sleep, wait=_asked_for, retry=retry_if_exception_type(Again), reraise=True
        ):
            with attempt:
                return await call.once()
        raise AssertionError("the loop above returns or raises")

    async def exchange(self, request: Request, turn: Turn, attempt: int) -> Response | TransportFault:
        """What came of *request*, sent once in its *turn*."""
        began = self.clock.now()
        try:
            outcome: Response | TransportFault = await self.transport.send(turn.bound(request, self.clock))
        except TransportFault as fault:
            outcome = fault
        await self.pacer.seen(turn, request, outcome, began, attempt)
        return outcome

    @asynccontextmanager
    async def _one_turn(self) -> AsyncGenerator[Turn]:
        async with self._turns(1) as (turn,):
            yield turn

    @asynccontextmanager
    async def _turns(self, at_most: int) -> AsyncGenerator[list[Turn]]:
        turns = await self.pacer.admit(await self.consent.access_token(), at_most)
        try:
            yield turns
        finally:
            for turn in turns:
                await self.pacer.release(turn)

    def _write_request(
        self,
        method: str,
        path: str,
        body: Json | bytes,
        token: Secret,
        *,
        key: str,
        not_after: datetime | None,
        content_type: str = "application/json",
    ) -> Request:
        headers = self._headers(token) | {"Content-Type": content_type, "Idempotency-Key": key}
        sent = body if isinstance(body, bytes) else dump(body)
        return Request(method, f"{self.endpoints.api}{API}{path}", headers, sent, not_after)

    def _request(
        self, query: Query, token: Secret, accept: str = "application/json", not_after: datetime | None = None
    ) -> Request:
        headers = self._headers(token) | {"Accept": accept}
        if query.modified_since is not None:
            headers["If-Modified-Since"] = dates.header(query.modified_since)
        params = "&".join(f"{name}={_quoted(value)}" for name, value in query.params.items())
        url = f"{self.endpoints.api}{API}{query.path}{'?' if params else ''}{params}"
        return Request("GET", url, headers, not_after=not_after)

    def _headers(self, token: Secret) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token.reveal()}",
            "Xero-Tenant-Id": self.tenant,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"xerosync/{__version__}",
        }


@define
class Call:
    """
    One call under way: what was *tried*, and the *token* it was first sent with, at *first_sent*.

    *request* makes it of a token and of the moment after which it must not leave any more.
    """

    session: Session
    kind: Kind
    request: Callable[[Secret, datetime | None], Request]
    tried: Tried = field(factory=Tried)
    token: Secret = _NO_TOKEN
    first_sent: datetime | None = None

    async def once(self) -> Response:
        """Try once. Raises `Again` when it shall be tried again."""
        try:
            outcome, tried = await self._tried()
        except XerosyncError as stopped:
            if self.tried.doubts and not isinstance(stopped, AnswerLost):
                raise AnswerLost("no answer that can be read came, and it cannot be asked for again") from stopped
            raise
        move = next_move(self.kind, outcome, tried)
        if move.step is Step.TAKE or move.step is Step.GIVE_UP:
            return last_word(outcome, move)
        if move.step is Step.RENEW:
            await self.session.renew(self.token)
        elif move.wait_s:
            reason = "Xero's limit" if move.step is Step.WAIT else "asking Xero again"
            self.session.pacer.tell(Event.WAITING, reason=reason, seconds=move.wait_s)
        self.tried = tried.then(move, in_doubt=self.kind is Kind.WRITE and is_doubtful(outcome))
        raise Again(move.wait_s)

    async def _tried(self) -> tuple[Response | TransportFault, Tried]:
        async with self.session.turn() as turn:
            now = self.session.clock.now()
            if self.tried.doubts and turn.token != self.token:
                # Xero may keep keys by token (F 3.07): under another one, the same key might do it twice.
                raise AnswerLost("no answer that can be read came, and the token has been renewed since")
            if self.first_sent is None or turn.token != self.token:
                self.token, self.first_sent = turn.token, now
            not_after = self.first_sent + timedelta(seconds=KEY_AGE_MAX_S) if self.tried.doubts else None
            outcome = await self.session.exchange(self.request(turn.token, not_after), turn, self.tried.attempt)
        return outcome, self.tried.aged((self.session.clock.now() - self.first_sent).total_seconds())


def last_word(outcome: Response | TransportFault, move: Move) -> Response:
    """*outcome*, on which nothing more follows by *move*: the answer to return, or the error to raise."""
    if move.error is OutcomeUnknown:
        if isinstance(outcome, Response) and outcome.status == 200:
            raise AnswerLost("Xero's answer cannot be read")
        raise AnswerLost(f"Xero answered {outcome.status}" if isinstance(outcome, Response) else str(outcome))
    if move.error is UnreadableAnswer:
        raise UnreadableAnswer("the answer as a whole", str(outcome))
    if isinstance(outcome, TransportFault):
        raise Unavailable(str(outcome))
    return outcome


@lru_cache(maxsize=1024)
def _quoted(value: str) -> str:
    return quote(value, safe="")


def _asked_for(state: RetryCallState) -> float:
    fault = state.outcome.exception() if state.outcome is not None else None
    return fault.wait_s if isinstance(fault, Again) else 0.0
