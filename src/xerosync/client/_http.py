"""
The one file that names the HTTP library: blocking and asynchronous transports and clocks for the real Xero.

It is ``httpx``, unless the host hands in a client of ``httpx2``, which has the same face; so nothing here is imported
from either before a client is made, and their errors are told by name.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from attrs import field, frozen

from xerosync.client import _discreet
from xerosync.client._wire.addresses import check_private
from xerosync.client._wire.body import Body
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.ports import AnswerLost, Clock, NotSent, Request, Response, TransportFault

if TYPE_CHECKING:
    import httpx

LIBRARIES: Final = ("httpx", "httpx2")
_discreet.watch(LIBRARIES)

_NEVER_SENT: Final = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
)
_CLOSED: Final = "this client was closed: make another one"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@frozen
class Bounds:
    """
    What a call may take, in seconds and in bytes of its answer once unpacked. Raises `InvalidInput` beyond reason.

    Xero documents no bound; a page of 1,000 invoices took seconds in the field, and a lost connection never answers.
    """

    timeout_s: float = field(default=60.0)
    connect_timeout_s: float = field(default=10.0)
    answer_bytes_max: int = field(default=128 * 1024 * 1024)

    def __attrs_post_init__(self) -> None:
        # A doubtful write is looked for after five minutes, and must not still be on its way then.
        for name, value, most in (
            ("timeout_s", self.timeout_s, 120),
            ("connect_timeout_s", self.connect_timeout_s, 60),
        ):
            if not 0 < value <= most:
                raise InvalidInput(name, f"give more than 0 and at most {most} seconds")
        if self.answer_bytes_max < 1:
            raise InvalidInput("answer_bytes_max", "give a number of bytes")

    @property
    def timeouts(self) -> tuple[float, float, float, float]:
        """To connect, to wait for bytes, to write some, to wait for a free connection; as the HTTP library takes it."""
        return self.connect_timeout_s, self.timeout_s, self.timeout_s, self.timeout_s


_BOUNDS: Final = Bounds()


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
    """
    Sends over one pool of connections, from the calling thread, and from a few more for `send_all`; any may call.

    A *client* that was handed in stays the caller's to close.
    """

    def __init__(self, clock: Clock, client: object | None = None, bounds: Bounds = _BOUNDS) -> None:
        self._clock = clock
        self._bounds = bounds
        self._is_ours = client is None
        if client is None:
            import httpx  # noqa: PLC0415 - slow to import, and not needed beside the client of another library

            client = httpx.Client()
        self._client = cast("httpx.Client", client)

    async def send(self, request: Request) -> Response:
        """Send *request* once and read the whole answer. Raises `NotSent` or `AnswerLost`."""
        return self._exchange(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Send *requests*, up to *at_most* at a time; what came of each, in order."""
        with ThreadPoolExecutor(at_most, "xerosync-read") as threads:
            return list(threads.map(partial(_or_fault, self._exchange), requests))

    async def close(self) -> None:
        """Close the connections, unless they are another's."""
        if self._is_ours:
            self._client.close()

    def _exchange(self, request: Request) -> Response:
        built = _built(self._client, request, self._bounds)
        request.check_in_time(self._clock)
        try:
            with _discreet.our_call():
                answer = self._client.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                return _response(answer, self._read(answer))
            finally:
                answer.close()
        except Exception as fault:  # noqa: BLE001 - whatever went wrong, the request may have arrived
            raise _fault(fault) from None

    def _read(self, answer: httpx.Response) -> bytes:
        if answer.is_stream_consumed:
            return _within(self._bounds, answer.content)
        body = Body(answer.headers.get("Content-Encoding", ""), self._bounds.answer_bytes_max)
        for piece in answer.iter_raw():
            body.add(piece)
        return body.whole()


class AsyncTransport:
    """
    Sends over one pool of connections an event loop, as tasks of the running one; the pool ends with its loop.

    A *client* that was handed in stays the caller's to close, and serves one loop.
    """

    def __init__(self, clock: Clock, client: object | None = None, bounds: Bounds = _BOUNDS) -> None:
        self._clock = clock
        self._bounds = bounds
        self._given = cast("httpx.AsyncClient | None", client)
        self._home: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._pools: dict[asyncio.AbstractEventLoop, tuple[httpx.AsyncClient, AsyncGenerator[None]]] = {}

    async def send(self, request: Request) -> Response:
        """Send *request* once and read the whole answer. Raises `NotSent` or `AnswerLost`."""
        client = await self._client()
        built = _built(client, request, self._bounds)
        request.check_in_time(self._clock)
        try:
            with _discreet.our_call():
                answer = await client.send(built, stream=True, auth=None, follow_redirects=False)
            try:
                return _response(answer, await self._read(answer))
            finally:
                await answer.aclose()
        except Exception as fault:  # noqa: BLE001 - whatever went wrong, the request may have arrived
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
        """Close the connections of this event loop, unless they are another's; those of others end with their loops."""
        self._closed = True
        _, until_closed = self._pools.get(asyncio.get_running_loop(), (None, None))
        if until_closed is not None:
            await until_closed.aclose()

    async def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._given is not None:
            self._home = self._home or loop
            if self._home is not loop:
                raise Misconfigured("an AsyncClient serves one event loop: hand in another one for this loop")
            return self._given
        if self._closed:
            raise Misconfigured(_CLOSED)
        if loop not in self._pools:
            import httpx  # noqa: PLC0415 - as above

            client = httpx.AsyncClient()
            until_closed = self._until_closed(loop, client)
            self._pools[loop] = client, until_closed
            await anext(until_closed)
        return self._pools[loop][0]

    async def _until_closed(self, loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> AsyncGenerator[None]:
        # An event loop that ends closes the asynchronous generators begun in it: the one moment to close connections
        # that no other loop can.
        try:
            yield
        finally:
            del self._pools[loop]
            await client.aclose()

    async def _read(self, answer: httpx.Response) -> bytes:
        if answer.is_stream_consumed:
            return _within(self._bounds, answer.content)
        body = Body(answer.headers.get("Content-Encoding", ""), self._bounds.answer_bytes_max)
        async for piece in answer.aiter_raw():
            body.add(piece)
        return body.whole()


def _check_sendable(request: Request) -> None:
    """Raise `InvalidInput` when *request* would go where others read along, or a header of it would become several."""
    check_private(request.url)
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidInput("headers", "name each with letters, digits and hyphens")
        if not value.isascii() or not value.isprintable():
            raise InvalidInput(f"headers.{name}", "leave out line breaks and all that is not printable ASCII")


def _built(client: httpx.Client | httpx.AsyncClient, request: Request, bounds: Bounds) -> httpx.Request:
    if client.is_closed:
        raise Misconfigured(_CLOSED)
    _check_sendable(request)
    try:
        built = client.build_request(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body or None,
            timeout=bounds.timeouts,
        )
    except Exception as fault:  # noqa: BLE001 - what cannot even be made up is never sent
        raise NotSent(_named(fault)) from None
    built.headers["Accept-Encoding"] = "gzip"
    return built


def _or_fault(exchange: Callable[[Request], Response], request: Request) -> Response | TransportFault:
    try:
        return exchange(request)
    except TransportFault as fault:
        return fault


def _response(answer: httpx.Response, body: bytes) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    # An answer that did not come in a stream has counted nothing.
    return Response(answer.status_code, headers, body, answer.num_bytes_downloaded or None)


def _within(bounds: Bounds, content: bytes) -> bytes:
    """*content*, which another has read and unpacked already."""
    body = Body("", bounds.answer_bytes_max)
    body.add(content)
    return body.whole()


def _fault(fault: Exception) -> TransportFault:
    if isinstance(fault, TransportFault):
        return fault
    names = {each.__name__ for each in type(fault).__mro__}
    return (NotSent if names & _NEVER_SENT else AnswerLost)(_named(fault))


def _named(fault: Exception) -> str:
    # The library's own text may quote the URL, and a filter in it may hold a name: the class says enough.
    return f"{type(fault).__name__} on the way to Xero"
