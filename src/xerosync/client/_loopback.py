"""A server on this machine alone that waits for one browser to come back from Xero, and then is gone."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Full, Queue
from threading import Thread
from types import TracebackType
from typing import Final, Self

_SILENCE_S: Final = 10.0
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Xero</title>'
    "<p>{said}</p><p>You can close this window.</p></html>"
)
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    # The address holds the code: the page loads nothing, is kept nowhere, and tells nobody where it came from.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


class Landing:
    """
    Where the browser lands: *path* on 127.0.0.1, at *port* or a free one (0), open while the context lasts.

    Only the first request to *path* is taken for which *judge* has a word; the page it gets says that. One of which it
    says None is somebody else's, and the wait goes on: another page of the browser could send any number of them. Every
    other request is 404, or 410 once one was taken.
    """

    def __init__(self, *, port: int, path: str, judge: Callable[[str], str | None]) -> None:
        self._server = _Server(port, path, judge)
        # The default would wait half a second until it sees that it shall stop.
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """The redirect URI: to Xero, plain http is for ``localhost`` alone (F 1.09)."""
        return f"http://localhost:{self._server.server_address[1]}{self._server.path}"

    def wait(self, seconds: float) -> str | None:
        """The address at which the browser came, or None when none came for so many *seconds*."""
        try:
            return self._server.landed.get(timeout=seconds)
        except Empty:
            return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    # Browsers open connections early and say nothing on them; one of those must not keep the answer waiting.
    daemon_threads = True

    def __init__(self, port: int, path: str, judge: Callable[[str], str | None]) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.path = path
        self.judge = judge
        self.taken: Queue[None] = Queue(1)
        self.landed: Queue[str] = Queue()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away is no news, and a traceback would hold the address with the code."""


class _Conversation(BaseHTTPRequestHandler):
    timeout = _SILENCE_S

    def do_GET(self) -> None:
        """Take the browser that comes back, and no other."""
        if not isinstance(self.server, _Server):
            raise TypeError("this handler answers for a landing only")
        port = self.server.server_address[1]
        # Another name for this machine is how a page elsewhere would reach in (DNS rebinding).
        is_here = self.headers.get("Host") in {f"localhost:{port}", f"127.0.0.1:{port}"}
        if not is_here or self.path.partition("?")[0] != self.server.path:
            self._page(404, "There is nothing here.")
            return
        said = self.server.judge(self.path)
        if said is None:
            self._page(400, "This is not the answer that is waited for. Nothing was kept.")
            return
        try:
            self.server.taken.put_nowait(None)
        except Full:
            self._page(410, "Xero has answered already.")
            return
        try:
            self._page(200, said)
        finally:
            self.server.landed.put(self.path)

    def _page(self, status: int, said: str) -> None:
        body = _PAGE.format(said=escape(said)).encode()
        self.send_response_only(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named by http.server)
        """Nothing is logged: the address holds the code."""
