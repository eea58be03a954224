"""
What flows need from the world, as protocols: a way to send, a clock.

Flows are written once as ``async def`` over these ports. Under ``AsyncXero`` a port may suspend; under ``Xero`` the
same flow is stepped with ports that never do, so it runs to its end in the caller's own thread, without an event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from xerosync.errors import XerosyncError


@frozen(repr=False)
class Request:
    """
    One HTTP request: an absolute *url* (query included), headers, and the exact bytes of the body.

    *not_after* is the end of a write's claim, or of the call's place in Xero's minute, by *clock*: a transport looks at
    it as the last thing before the first byte leaves (`check_in_time`), so that a worker woken late can neither post
    behind the back of its successor nor exceed a limit.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = b""
    not_after: datetime | None = None
    clock: Clock | None = field(default=None, eq=False)

    def check_in_time(self, clock: Clock) -> None:
        """
        Raise `NotSent` when it may not leave any more; nothing may come between this and its first byte.

        It goes by *clock* where it has none of its own.
        """
        if self.not_after is not None and (self.clock or clock).now() > self.not_after:
            raise NotSent("its claim, or its place in Xero's minute, ran out before it could be sent")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.partition('?')[0]} of {len(self.body)} bytes>"


@frozen(repr=False)
class Response:
    """
    One HTTP answer. Header names are kept in lower case; read them with `header`.

    *wire_bytes* is the size of the body as it came, compressed if it was; None when the transport cannot say.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = b""
    wire_bytes: int | None = field(default=None, eq=False)

    @property
    def bytes_down(self) -> int:
        """The size of the body as it came over the wire, as far as it is known."""
        return len(self.body) if self.wire_bytes is None else self.wire_bytes

    def header(self, name: str) -> str | None:
        """The value of header *name*, in any letter case; None when it was not sent."""
        return self.headers.get(name.lower())

    def __repr__(self) -> str:
        return f"<Response {self.status} of {len(self.body)} bytes>"


class TransportFault(XerosyncError):
    """The exchange with Xero failed below HTTP. The subclass says whether anything may have arrived."""

    id = "XS605"


class NotSent(TransportFault):
    """Nothing left this machine (no connection, or the claim had expired), so nothing can have happened in Xero."""

    id = "XS606"


class AnswerLost(TransportFault):
    """The request may have reached Xero, but no whole answer came back: its effect is unknown."""

    id = "XS607"


class AnswerRefused(AnswerLost):
    """An answer came and was not taken: it was too large, or packed as nobody asked for. It would come so again."""

    id = "XS608"


@runtime_checkable
class Clock(Protocol):
    """The time, and waiting for it. The simulator brings one whose hours pass in microseconds."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds* of this clock's time."""
        ...


@runtime_checkable
class Transport(Protocol):
    """Carries requests to Xero and answers back; retries, tokens and limits are not its business."""

    async def send(self, request: Request) -> Response:
        """Send *request* once. Raises `NotSent` or `AnswerLost`."""
        ...

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Send *requests*, up to *at_most* at a time, and return what came of each, in order; never raises a fault."""
        ...

    async def close(self) -> None:
        """Give back sockets and threads."""
        ...
