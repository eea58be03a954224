"""Authorised calls on one organisation: token, limits, compression and re-reading, under the typed resources."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from attrs import define, evolve, field, frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from xerosync._version import __version__
from xerosync.client._consent import Consent
from xerosync.client._limits import Limits, RateGate
from xerosync.client._retry import ATTEMPTS_MAX, wait_before_rereading
from xerosync.client._wire import dates
from xerosync.client._wire.answers import Envelope, envelope, lacks_scope, refusal
from xerosync.client._wire.codec import Json, dump
from xerosync.client.oauth import Endpoints
from xerosync.errors import Unavailable
from xerosync.models import TenantId
from xerosync.ports import Clock, NotSent, Request, Response, Transport, TransportFault

PAGE_SIZE: Final = 1000
API: Final = "/api.xro/2.0/"

OnEvent = Callable[[str, Mapping[str, object]], None]
"""
What a host may listen with: an event's name, and its fields, which hold ids and counts but never names or amounts.
"""


@frozen
class Query:
    """A read of one collection: its path, the key its rows stand under, parameters, and since when."""

    path: str
    collection: str
    params: Mapping[str, str] = field(factory=dict[str, str])
    modified_since: datetime | None = None
    page_size: int = PAGE_SIZE

    def page(self, number: int) -> Query:
        """This read, of one page."""
        params = {**self.params, "page": str(number), "pageSize": str(self.page_size)}
        return evolve(self, params=params)


class _Reread(Exception):
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
    limits: Limits
    calls: int = 0
    _gate: RateGate = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._gate = RateGate(self.clock, self.limits)

    async def read(self, query: Query) -> Envelope:
        """The rows of one call. Raises the error the answer stands for, after re-reading what only passed."""
        return self._envelope(await self._read(query), query)

    async def pages(self, query: Query) -> AsyncIterator[Envelope]:
        """
        Every page of *query*, up to `Limits.at_a_time` in flight once Xero has said how many there are.

        Stops on the page count when it is told, else on the first page that is not full (F 4.03, 4.10).
        """
        first = await self.read(query.page(1))
        yield first
        number, last = 2, first.pages
        page = first
        while number <= last if last is not None else len(page.rows) == query.page_size:
            ahead = range(number, min(number + self.limits.at_a_time, last + 1) if last is not None else number + 1)
            pages = await self._read_all([query.page(each) for each in ahead])
            if any(each.items != page.items for each in pages):
                # A row that came in between moved others to later pages, and a later page may have been read before
                # an earlier one (F 4.14). Read in order, one may come twice, but none is missed.
                pages = [await self.read(query.page(each)) for each in ahead]
            for page in pages:
                yield page
            number, last = ahead.stop, page.pages

    async def ready(self) -> str:
        """Wait until one write may be sent, and return the token to send it with; call it before claiming the write."""
        token = await self.consent.access_token()
        await self._gate.acquire()
        return token

    async def fetch(self, path: str, *, accept: str) -> Response:
        """The answer to a read of something that is no collection, such as a file. Raises as `read`."""
        response = await self._read(Query(path, ""), accept)
        if response.status != 200:
            raise refusal(response)
        return response

    async def write(
        self,
        method: str,
        path: str,
        body: Json | bytes,
        *,
        token: str,
        key: str | None,
        not_after: datetime | None,
        content_type: str = "application/json",
    ) -> Response:
        """
        Send one write, once, with the *token* that `ready` gave, and return whatever came back.

        Nothing is retried here. Raises `NotSent` or `AnswerLost`.
        """
        headers = self._headers(token) | {"Content-Type": content_type}
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"{self.endpoints.api}{API}{path}"
        sent = body if isinstance(body, bytes) else dump(body)
        outcome = await self._exchange(Request(method, url, headers, sent, not_after))
        if isinstance(outcome, TransportFault):
            raise outcome
        return outcome

    async def renew(self, token: str) -> None:
        """Replace *token*, which Xero refused. Raises `ReconnectNeeded` when the consent has ended."""
        await self.consent.renew(token)

    def _envelope(self, response: Response, query: Query) -> Envelope:
        if response.status != 200:
            raise refusal(response)
        return envelope(response, query.collection, at_once=False)

    async def _read_all(self, queries: Sequence[Query]) -> list[Envelope]:
        token = await self.consent.access_token()
        for _ in queries:
            await self._gate.acquire()
        requests = [self._request(query, token) for query in queries]
        outcomes = await self.transport.send_all(requests, at_most=self.limits.at_a_time)
        pages: list[Envelope] = []
        for query, outcome in zip(queries, outcomes, strict=True):
            self._seen(outcome)
            if isinstance(outcome, Response) and outcome.status == 200:
                pages.append(self._envelope(outcome, query))
            else:
                pages.append(await self.read(query))
        return pages

    async def _read(self, query: Query, accept: str = "application/json") -> Response:
        renewed = False
        async for attempt in AsyncRetrying(
            sleep=self.clock.sleep,
            stop=stop_after_attempt(ATTEMPTS_MAX + 1),
            wait=_asked_for,
            retry=retry_if_exception_type(_Reread),
            reraise=True,
        ):
            with attempt:
                token = await self.consent.access_token()
                outcome = await self._send(self._request(query, token, accept))
                if isinstance(outcome, Response) and outcome.status == 401 and not lacks_scope(outcome) and not renewed:
                    renewed = True
                    await self.consent.renew(token)
                    raise _Reread(0.0)
                wait_s = wait_before_rereading(outcome, attempt.retry_state.attempt_number)
                if wait_s is not None:
                    raise _Reread(wait_s)
                if isinstance(outcome, TransportFault):
                    raise Unavailable(str(outcome))
                return outcome
        raise AssertionError("the loop above returns or raises")

    async def _send(self, request: Request) -> Response | TransportFault:
        await self._gate.acquire()
        return await self._exchange(request)

    async def _exchange(self, request: Request) -> Response | TransportFault:
        try:
            outcome: Response | TransportFault = await self.transport.send(request)
        except TransportFault as fault:
            outcome = fault
        self._seen(outcome)
        return outcome

    def _seen(self, outcome: Response | TransportFault) -> None:
        """Count a call, one whose answer was lost too, and learn from what Xero says of its limits."""
        self.calls += not isinstance(outcome, NotSent)
        if isinstance(outcome, Response):
            self._gate.observe(outcome)

    def _request(self, query: Query, token: str, accept: str = "application/json") -> Request:
        headers = self._headers(token) | {"Accept": accept}
        if query.modified_since is not None:
            headers["If-Modified-Since"] = dates.header(query.modified_since)
        params = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.params.items())
        url = f"{self.endpoints.api}{API}{query.path}{'?' if params else ''}{params}"
        return Request("GET", url, headers)

    def _headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Xero-Tenant-Id": self.tenant,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"xerosync/{__version__}",
        }


def _asked_for(state: RetryCallState) -> float:
    fault = state.outcome.exception() if state.outcome is not None else None
    return fault.wait_s if isinstance(fault, _Reread) else 0.0
