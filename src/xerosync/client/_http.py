"""The one file that names the HTTP library: blocking and asynchronous transports and clocks for the real Xero."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final

import httpx

from xerosync.ports import AnswerLost, Clock, NotSent, Request, Response, TransportFault

# Xero documents no bound; a page of 1,000 invoices took seconds in the field, a lost connection never answers.
TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


class BlockingClock:
    """This machine's clock; waiting blocks the thread."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Block the calling thread for *seconds*."""
        time.sleep(max(seconds, 0.0))


class AsyncClock:
    """This machine's clock; waiting lets other tasks run."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for *seconds*."""
        await asyncio.sleep(max(seconds, 0.0))


class BlockingTransport:
    """Sends over one pool of connections, from the calling thread, and from a few more for `send_all`."""

    def __init__(self, clock: Clock, client: httpx.Client | None = None) -> None:
        self._clock = clock
        self._client = client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        self._threads: ThreadPoolExecutor | None = None

    async def send(self, request: Request) -> Response:
        """Send *request* once and read the whole answer. Raises `NotSent` or `AnswerLost`."""
        return self._exchange(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Send *requests*, up to *at_most* at a time; what came of each, in order."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(at_most, "xerosync-read")
        return list(self._threads.map(partial(_or_fault, self._exchange), requests))

    async def close(self) -> None:
        """Close the connections and end the threads."""
        if self._threads is not None:
            self._threads.shutdown()
        self._client.close()

    def _exchange(self, request: Request) -> Response:
        built = self._client.build_request(
            request.method, request.url, headers=dict(request.headers), content=request.body or None
        )
        check_claim(request, self._clock)
        try:
            return _response(self._client.send(built))
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as fault:
            raise _fault(fault) from None


class AsyncTransport:
    """Sends over one pool of connections, as tasks of the running event loop."""

    def __init__(self, clock: Clock, client: httpx.AsyncClient | None = None) -> None:
        self._clock = clock
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    async def send(self, request: Request) -> Response:
        """Send *request* once and read the whole answer. Raises `NotSent` or `AnswerLost`."""
        built = self._client.build_request(
            request.method, request.url, headers=dict(request.headers), content=request.body or None
        )
        check_claim(request, self._clock)
        try:
            return _response(await self._client.send(built))
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as fault:
            raise _fault(fault) from None

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Send *requests*, up to *at_most* at a time; what came of each, in order."""
        turns = asyncio.Semaphore(at_most)

        async def one(request: Request) -> Response | TransportFault:
            async with turns:
                try:
                    return await self.send(request)
                except TransportFault as fault:
                    return fault

        return list(await asyncio.gather(*map(one, requests)))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def check_claim(request: Request, clock: Clock) -> None:
    """Raise `NotSent` when the claim behind *request* has run out; nothing may come between this and the write."""
    if request.not_after is not None and clock.now() > request.not_after:
        raise NotSent("the claim on this write ran out before it could be sent")


def _or_fault(exchange: Callable[[Request], Response], request: Request) -> Response | TransportFault:
    try:
        return exchange(request)
    except TransportFault as fault:
        return fault


def _response(answer: httpx.Response) -> Response:
    return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)


def _fault(fault: Exception) -> TransportFault:
    # The library's own text may quote the URL, and a filter in it may hold a name: the class says enough.
    kind = NotSent if isinstance(fault, _NEVER_SENT) else AnswerLost
    return kind(f"{type(fault).__name__} on the way to Xero")
