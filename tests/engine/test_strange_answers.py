"""Answers and lists that are not as they should be: elements in another order, odd statuses, rows that come between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from attrs import define, evolve
from tests.conftest import CLEARING, DAY, Product, is_write, nzd

from xerosync import Customer, LineKind, Receivables, Settlement, SettlementLine, State
from xerosync.ports import Request, Response, Transport, TransportFault


@define
class Altered:
    """A way to Xero whose answers are *altered*; of requests sent together, the last is answered first."""

    inner: Transport
    altered: Callable[[Request, Response], Response]

    async def send(self, request: Request) -> Response:
        return self.altered(request, await self.inner.send(request))

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        assert at_most > 0
        answered: list[Response | TransportFault] = [await self.send(request) for request in reversed(requests)]
        return answered[::-1]

    async def close(self) -> None:
        await self.inner.close()


def line(name: str, transaction: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=name, transaction=transaction, amount=nzd("40.00"), kind=kind)


def turned(request: Request, response: Response) -> Response:
    """The payments of an answer in the opposite order."""
    if not is_write(request, "/Payments"):
        return response
    body = msgspec.json.decode(response.body, type=dict[str, object])
    rows = msgspec.convert(body["Payments"], list[object])
    return evolve(response, body=msgspec.json.encode({**body, "Payments": rows[::-1]}))


def test_elements_that_come_back_in_another_order_are_never_mixed_up(product: Product) -> None:
    """Else the charge-back of one would remove the payment of the other."""
    first, second = product.collectable("100.00"), product.collectable("100.00", "Bo Lind")
    strange = Receivables(
        product.xero(transport=Altered(product.simulator.transport, turned)), clearing_account=CLEARING
    )
    sales = Receivables(product.xero(), clearing_account=CLEARING)

    report = strange.apply(
        strange.settle(Settlement(id="S1", on=DAY, lines=[line("a", first.id), line("b", second.id)]))
    )
    sales.recover()
    back = Settlement(id="S2", on=DAY + timedelta(days=1), lines=[line("back", first.id, LineKind.CHARGED_BACK)])
    sales.apply(sales.settle(back))

    assert {result.state for result in report.results} == {State.UNKNOWN}
    assert (product.standing(first.id), product.standing(second.id)) == ([], [(Decimal(40), DAY)])


@pytest.mark.parametrize("status", [202, 204, 302])
def test_a_status_that_is_neither_done_nor_refused_leaves_the_outcome_open(product: Product, status: int) -> None:
    invoice = product.collectable("100.00")

    def odd(request: Request, response: Response) -> Response:
        return Response(status) if is_write(request, "/Payments") else response

    strange = Receivables(product.xero(transport=Altered(product.simulator.transport, odd)), clearing_account=CLEARING)
    plan = strange.settle(Settlement(id="S1", on=DAY, lines=[line("a", invoice.id)]))

    report = strange.apply(plan)
    found = Receivables(product.xero(), clearing_account=CLEARING).recover().found

    assert [result.state for result in report.results] == [State.UNKNOWN]
    assert (found, product.standing(invoice.id)) == (1, [(Decimal(40), DAY)])


@pytest.mark.parametrize("page", [1, 4], ids=["after the first page", "after the last, read before the others"])
def test_no_row_is_lost_when_others_come_in_while_pages_are_read(product: Product, page: int) -> None:
    """New rows move old ones to later pages: beyond the last, or to one that was read already (F 4.14)."""
    contact = product.books.add_contact("Ana Costa")
    entered = [
        {"contact": "Ana Costa", "number": f"N-{n}", "date": "2026-01-05", "due": "2026-01-05", "amount": "1.00"}
        for n in range(4000)
    ]
    product.books.set_up(key="many", invoices=entered)
    come: list[str] = []

    def busy(request: Request, response: Response) -> Response:
        if f"page={page}&" in request.url and "/Invoices" in request.url and not come:
            come.extend(product.books.add_invoice(contact.id, amount=Decimal(1), date=DAY).id for _ in range(25))
        return response

    product.clock.advance(60)
    sales = Receivables(product.xero(transport=Altered(product.simulator.transport, busy)), clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="c", custom_identifier="Ana Costa")]))
    sales.import_invoices()
    product.clock.advance(60)

    assert len(sales.import_invoices()) == 4025
