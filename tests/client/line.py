"""A server on a loopback port that answers with exactly the bytes it is told to, and remembers what it met."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread

Answer = Callable[[bytes], bytes | None]
"""What to send for the bytes of one request; None hangs up without a word."""


class Line:
    """What a server met: how many *connections*, the *requests* on them, and how many were *at_once* under way."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []
        self.under_way = 0
        self.at_once = 0
        self.lock = Lock()
        self.url = ""

    def met(self, request: bytes) -> bytes | None:
        with self.lock:
            self.requests.append(request)
            self.under_way += 1
            self.at_once = max(self.at_once, self.under_way)
        try:
            return self.answer(request)
        finally:
            with self.lock:
                self.under_way -= 1


class _Conversation(StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        line = server.line
        with line.lock:
            line.connections += 1
        with suppress(OSError):
            while request := self._request():
                answer = line.met(request)
                if answer is None:
                    return
                self.connection.sendall(answer)
                if b"connection: close" in answer.lower():
                    return

    def _request(self) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            read = self.rfile.readline()
            if not read:
                return b""
            head += read
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        return head + self.rfile.read(int(length[1]) if length else 0)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, line: Line, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.line = line
        self.tls = tls

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def listening(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Generator[Line]:
    line = Line(answer)
    with _Server(line, tls) as server:
        line.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield line
        server.shutdown()
        thread.join()


def answered(body: bytes = b"{}", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An answer of HTTP/1.1, whose *length* may lie."""
    said = "".join(f"{header}\r\n" for header in headers)
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{said}\r\n".encode() + body
