"""Several tasks on one client at once: they take turns where they must."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from attrs import define
from tests.conftest import CLEARING, DAY, Product, nzd

from xerosync import App, AsyncReceivables, AsyncXero, Settlement, SettlementLine
from xerosync.ports import Request, Response, Transport, TransportFault
from xerosync.simulator import VirtualClock


@define
class PatientClock:
    """Waiting lets the other tasks run, and no time passes."""

    inner: VirtualClock

    def now(self) -> datetime:
        return self.inner.now()

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        await asyncio.sleep(0)


@define
class Slow:
    """A way to Xero on which every call lets the other tasks run."""

    inner: Transport
    refreshes: int = 0

    async def send(self, request: Request) -> Response:
        self.refreshes += request.url.endswith("/connect/token")
        for _ in range(5):
            await asyncio.sleep(0)
        return await self.inner.send(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        assert at_most > 0
        return [await self.send(request) for request in requests]

    async def close(self) -> None:
        await self.inner.close()


def client(product: Product, transport: Slow) -> AsyncXero:
    return AsyncXero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=product.store,
        transport=transport,
        clock=PatientClock(product.clock),
        quarantine_s=0.0,
    )


def test_tasks_that_find_the_token_ending_refresh_it_once(product: Product) -> None:
    transport = Slow(product.simulator.transport)

    async def story() -> None:
        xero = client(product, transport)
        await xero.connect(product.tokens)
        product.clock.advance(26 * 60)
        await asyncio.gather(*(xero.organisation() for _ in range(20)))

    asyncio.run(story())

    assert transport.refreshes == 1


def test_one_plan_applied_by_two_tasks_at_once_posts_its_payment_once(product: Product) -> None:
    invoice = product.collectable("100.00")
    settlement = Settlement(
        id="S1", on=DAY, lines=[SettlementLine(id="L1", transaction=invoice.id, amount=nzd("40.00"))]
    )

    async def story() -> list[int]:
        xero = client(product, Slow(product.simulator.transport))
        await xero.connect(product.tokens)
        sales = AsyncReceivables(xero, clearing_account=CLEARING)
        plan = await sales.settle(settlement)
        return [report.done("payment") for report in await asyncio.gather(sales.apply(plan), sales.apply(plan))]

    assert sorted(asyncio.run(story())) == [0, 1]
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]
