"""The simulator on a loopback port, for clients that will not be handed a transport."""

from __future__ import annotations

import re
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Final, Protocol, Self

from xerosync.ports import AnswerLost, Request, Response
from xerosync.simulator.faults import AnswerReset
from xerosync.simulator.wire import squeezed

_WORTH_SQUEEZING: Final = 1000
_CHORE_S: Final = 0.2


# What Xero refuses by itself (10 MB) still reaches it; what is far beyond is not even read.
_LARGEST: Final = 16 * 1024 * 1024
_LONGEST_LINE: Final = 65_536
# As Xero writes them; the others have a capital at the start of each word.
_SPELT: Final = {
    name.lower(): name
    for name in ("X-AppMinLimit-Remaining", "X-DayLimit-Remaining", "X-MinLimit-Remaining", "WWW-Authenticate")
}
_WHOLE: Final = re.compile("[0-9]{1,18}")
_HEX: Final = re.compile(b"[0-9a-fA-F]{1,15}")


class _Unreadable(Exception):
    """The body of a request cannot be had; *status* says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Answers(Protocol):
    """Whatever answers requests."""

    def handle(self, request: Request, *, latency_s: float) -> Response:
        """Answer *request* after *latency_s* in flight."""
        ...


class Loopback:
    """
    A server on 127.0.0.1 while the context lasts; *port* 0 takes a free one.

    Every accounting call spends *latency_s* in flight, so that calls made together meet Xero's five at a time. *chore*
    is done beside the calls, several times a second.
    """

    def __init__(
        self, simulator: Answers, port: int = 0, *, latency_s: float = 0.0, chore: Callable[[], object] | None = None
    ) -> None:
        self._server = _Server(("127.0.0.1", port), simulator, latency_s)
        self._chore = chore
        self._over = Event()
        self._beside = Thread(target=self._do_chores, daemon=True)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        if self._chore is not None:
            self._beside.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._chore is not None:
            self._beside.join()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _do_chores(self) -> None:
        while not self._over.wait(_CHORE_S):
            if self._chore is not None:
                self._chore()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], simulator: Answers, latency_s: float) -> None:
        super().__init__(address, _Conversation)
        self.simulator = simulator
        self.latency_s = latency_s

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (as socketserver calls it)
        """Say what went wrong here; a client that goes away in the middle is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together: sent apart, each answer waits some 40 ms for the other side's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def _served(self) -> _Server:
        if not isinstance(self.server, _Server):
            raise TypeError("this handler answers for a loopback server only")
        return self.server

    def _answer(self) -> None:
        try:
            body = self._body()
        except _Unreadable as fault:
            self.close_connection = True
            self._send(Response(fault.status, {"content-type": "text/html; charset=utf-8", "connection": "close"}))
            return
        # A request may name its host in its first line, as those that pass a proxy do.
        url = self.path if "://" in self.path.partition("?")[0] else f"http://127.0.0.1{self.path}"
        request = Request(self.command, url, dict(self.headers.items()), body)
        try:
            response = self._served.simulator.handle(request, latency_s=self._served.latency_s)
        except AnswerReset:
            # Closed without lingering, the other side meets a reset rather than an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        except AnswerLost:
            self.close_connection = True
            return
        self._send(response)

    def _body(self) -> bytes:
        """The bytes of the body, however they were sent. Raises `_Unreadable`, and leaves what follows unread."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length") or "0"
        if not _WHOLE.fullmatch(length):
            raise _Unreadable(400)
        if int(length) > _LARGEST:
            raise _Unreadable(413)
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        room = _LARGEST
        while True:
            size = self.rfile.readline(100).partition(b";")[0].strip()
            if not _HEX.fullmatch(size):
                raise _Unreadable(400)
            length = int(size, 16)
            if length > room:
                raise _Unreadable(413)
            if length == 0:
                break
            room -= length
            chunks.append(self._exactly(length))
            if self.rfile.readline(3) not in {b"\r\n", b"\n"}:
                raise _Unreadable(400)
        while self.rfile.readline(_LONGEST_LINE) not in {b"\r\n", b"\n", b""}:
            pass
        return b"".join(chunks)

    def _exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client went away in the middle of its request")
        return body

    def _send(self, response: Response) -> None:
        body = response.body
        headers = dict(response.headers)
        cut_short = "content-length" in headers
        if cut_short:
            self.close_connection = True
        elif "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > _WORTH_SQUEEZING:
            body = squeezed(body)
            headers["content-encoding"] = "gzip"
        self.send_response_only(response.status)
        for name, value in headers.items():
            self.send_header(_SPELT.get(name, name.title()), _one_line(value))
        self.send_header("Date", formatdate(usegmt=True))
        if response.status not in {204, 304} and not cut_short:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in {204, 304}:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _answer  # noqa: N815 (named by http.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named by http.server)
        """Nothing is logged: paths hold names and numbers."""


def _one_line(value: str) -> str:
    """*value* as one line that a header can carry: what a caller sent must not become a header of its own."""
    return value.replace("\r", "").replace("\n", "").encode("latin-1", "replace").decode("latin-1")
