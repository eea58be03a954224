"""People who work in Xero while a list is read, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random

from attrs import define, evolve, field

from xerosync.ports import Request, Response, Transport, TransportFault


@define(eq=False)
class Busy:
    """A way to Xero on which somebody does something after each list that is read; pages come in any order."""

    inner: Transport
    people: Callable[[], None]
    order: Random
    reads: list[Request] = field(factory=list[Request])

    async def send(self, request: Request) -> Response:
        response = await self.inner.send(request)
        if "page=" in request.url:
            self.reads.append(request)
            self.people()
        return response

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        assert len(requests) <= at_most
        turns = list(range(len(requests)))
        self.order.shuffle(turns)
        # They leave together, in time, and arrive one after the other, with as much between as people like.
        left = [evolve(each, not_after=None) for each in requests]
        outcomes: dict[int, Response | TransportFault] = {turn: await self.send(left[turn]) for turn in turns}
        return [outcomes[place] for place in range(len(requests))]

    async def close(self) -> None:
        await self.inner.close()


@define(eq=False)
class Old:
    """A way to the Xero of 2020: a hundred rows a page whatever is asked for, and no word about pages (F 4.03)."""

    inner: Transport

    async def send(self, request: Request) -> Response:
        url = request.url.replace("pageSize=1000", "pageSize=100")
        response = await self.inner.send(Request(request.method, url, request.headers, request.body))
        if "page=" not in url:
            return response
        body = json.loads(response.body)
        body.pop("pagination", None)
        return Response(response.status, response.headers, json.dumps(body).encode())

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        assert len(requests) <= at_most
        return [await self.send(request) for request in requests]

    async def close(self) -> None:
        await self.inner.close()
