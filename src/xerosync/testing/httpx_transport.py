"""The simulator for any client of httpx or httpx2, in process: your own code meets it without a port or a network."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from importlib import import_module
from typing import Protocol, cast

import httpx

from xerosync.ports import AnswerLost, NotSent, Request, Response
from xerosync.simulator import Simulator
from xerosync.simulator.wire import squeezed

_WORTH_SQUEEZING = 1000


class SimulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Answers every request of an ``httpx.Client`` or ``httpx.AsyncClient`` from *simulator*, whatever host it names; and
    those of ``httpx2`` in that library's own answers and errors.

    A call that a planned fault loses ends as it would on a wire: ``httpx.ConnectError`` where nothing left,
    ``httpx.ReadError`` where the answer was lost, ``httpx.RemoteProtocolError`` where half of it came. With *latency_s*
    of real time in flight, calls made together meet Xero's five at a time; without it, calls are answered one after
    the other.
    """

    def __init__(self, simulator: Simulator, *, latency_s: float = 0.0) -> None:
        self._simulator = simulator
        self._latency_s = latency_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer *request*. Raises ``httpx.TransportError`` where a planned fault strikes."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As `handle_request`; other tasks run while a call with latency is in flight."""
        body = await request.aread()
        if not self._latency_s:
            return self._answer(request, body)
        return await asyncio.to_thread(self._answer, request, body)

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        library = _library(request)
        asked = Request(request.method, str(request.url), dict(request.headers), body)
        try:
            response = self._simulator.handle(asked, latency_s=self._latency_s)
        except NotSent as fault:
            raise library.ConnectError(str(fault), request=request) from None
        except AnswerLost as fault:
            raise library.ReadError(str(fault), request=request) from None
        if len(response.body) < int(response.headers.get("content-length", 0)):
            raise library.RemoteProtocolError(
                "the simulated connection closed in the middle of the answer", request=request
            )
        return _written(library, response, gzip="gzip" in request.headers.get("accept-encoding", ""))


class _Library(Protocol):
    """What is needed of the library that a request is of."""

    Response: type[httpx.Response]
    ByteStream: type[httpx.ByteStream]
    ConnectError: type[httpx.ConnectError]
    ReadError: type[httpx.ReadError]
    RemoteProtocolError: type[httpx.RemoteProtocolError]


def _library(request: httpx.Request) -> _Library:
    return cast(_Library, import_module(type(request).__module__.partition(".")[0]))


def _written(library: _Library, response: Response, *, gzip: bool) -> httpx.Response:
    body = response.body
    headers = {**response.headers, "date": formatdate(usegmt=True)}
    if gzip and len(body) > _WORTH_SQUEEZING:
        body = squeezed(body)
        headers["content-encoding"] = "gzip"
    if response.status not in {204, 304}:
        headers["content-length"] = str(len(body))
    return library.Response(response.status, headers=headers, stream=library.ByteStream(body))
