"""Ways to Xero over an HTTP client of your own, for a proxy, a company's certificates, or a pool shared by many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from xerosync.client._http import (
    LIBRARIES,
    AsyncClock,
    AsyncTransport,
    BlockingClock,
    BlockingTransport,
    Bounds,
)
from xerosync.errors import Misconfigured
from xerosync.ports import Clock, Transport

__all__ = ["HttpClient", "over"]

_USUAL: Final = Bounds()


class HttpClient(Protocol):
    """A ``Client`` or an ``AsyncClient`` of ``httpx`` or ``httpx2``."""

    @property
    def is_closed(self) -> bool:
        """Whether it can no longer be used."""
        ...

    @property
    def build_request(self) -> Callable[..., object]:
        """Make a request."""
        ...

    @property
    def send(self) -> Callable[..., object]:
        """Send a request."""
        ...


def over(
    client: HttpClient,
    *,
    timeout_s: float = _USUAL.timeout_s,
    connect_timeout_s: float = _USUAL.connect_timeout_s,
    answer_bytes_max: int = _USUAL.answer_bytes_max,
    clock: Clock | None = None,
) -> Transport:
    """
    A transport for ``Xero`` over a ``Client`` of ``httpx`` or ``httpx2``, for ``AsyncXero`` over an ``AsyncClient``.

    How it connects (proxies, certificates, HTTP/2) is the client's business, and it stays yours to close: one may serve
    many organisations. Each call gets these timeouts, whatever the client's own: *timeout_s* without a byte, at most
    120; *connect_timeout_s* to connect, at most 60. An answer of more than *answer_bytes_max*, unpacked, is not read to
    its end. Redirects are never followed. Give the *clock* here too if the client of xerosync gets one.

    Raises `Misconfigured` for anything else than such a client, `InvalidInput` for a bound beyond reason.
    """
    bounds = Bounds(timeout_s, connect_timeout_s, answer_bytes_max)
    made_by = {(each.__module__.partition(".")[0], each.__name__) for each in type(client).__mro__}
    if any((library, "Client") in made_by for library in LIBRARIES):
        return BlockingTransport(clock or BlockingClock(), client, bounds)
    if any((library, "AsyncClient") in made_by for library in LIBRARIES):
        return AsyncTransport(clock or AsyncClock(), client, bounds)
    raise Misconfigured("hand in a Client or an AsyncClient of httpx or httpx2")
