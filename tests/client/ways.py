"""The ways to Xero that a host may hand in: clients of httpx and of httpx2, plain and awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar, cast

import httpx
import httpx2
import pytest
from attrs import define, field
from tests.client.line import Answer, Line

from xerosync.client._driver import run
from xerosync.errors import InvalidInput
from xerosync.ports import Request, Transport, TransportFault
from xerosync.transports import HttpClient, over

T = TypeVar("T")
SECRET: Final = "a-token-nobody-may-see"
HEADERS: Final = {"Authorization": f"Bearer {SECRET}"}


@define(eq=False)
class Way:
    """One of the ways to Xero: a library, and whether it is awaited. It closes the clients it was asked for."""

    library: str
    awaited: bool
    opened: list[HttpClient] = field(factory=list[HttpClient])

    def client(self, **options: object) -> HttpClient:
        """A client of the library, as a host would make it."""
        made = {
            ("httpx", False): httpx.Client,
            ("httpx", True): httpx.AsyncClient,
            ("httpx2", False): httpx2.Client,
            ("httpx2", True): httpx2.AsyncClient,
        }[self.library, self.awaited]
        self.opened.append(cast(Callable[..., HttpClient], made)(**options))
        return self.opened[-1]

    async def close(self) -> None:
        while self.opened:
            client = self.opened.pop()
            await cast(httpx.AsyncClient, client).aclose() if self.awaited else cast(httpx.Client, client).close()

    def do(self, scenario: Callable[[], Coroutine[None, None, T]]) -> T:
        """Run *scenario* as a user of this way would, and close behind it."""

        async def closing() -> T:
            try:
                return await scenario()
            finally:
                await self.close()

        return asyncio.run(closing()) if self.awaited else run(closing())

    def send(self, *requests: Request, transport: Transport | None = None) -> list[object]:
        """What came of each of *requests*, sent one by one."""

        async def one_by_one() -> list[object]:
            way = transport or over(self.client())
            outcomes: list[object] = []
            for request in requests:
                try:
                    outcomes.append(await way.send(request))
                except (TransportFault, InvalidInput) as fault:
                    outcomes.append(fault)
            return outcomes

        return self.do(one_by_one)


each_way = pytest.mark.parametrize(
    "way",
    [Way(library, awaited) for library in ("httpx", "httpx2") for awaited in (False, True)],
    ids=lambda way: f"{way.library} {'awaited' if way.awaited else 'plain'}",
)


def constant(answer: bytes | None) -> Answer:
    return lambda _: answer


def put(line: Line, body: bytes = b"{}") -> Request:
    return Request("PUT", f"{line.url}/api.xro/2.0/Payments", HEADERS, body)


def get(line: Line) -> Request:
    return Request("GET", f"{line.url}/api.xro/2.0/Invoices", HEADERS)
