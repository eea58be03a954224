"""Ten thousand documents: read by the thousand, posted by fifty, and gone on with after a kill (row 120)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.conftest import CLEARING, DAY, Through, found_product, nzd

from xerosync import Customer, Receivables, Settlement, SettlementLine
from xerosync.ports import Request

MANY = 10_200


class Killed(BaseException):
    """The process dies."""


def test_ten_thousand_payments_are_posted_once_though_the_process_dies_twice() -> None:
    product = found_product()
    ana = product.books.add_contact("Ana Costa")
    with product.simulator.transaction():
        invoices = [
            product.books.add_invoice(ana.id, amount=Decimal(1 + place % 97), date=DAY) for place in range(MANY)
        ]
    product.clock.advance(600)
    settlement = Settlement(
        id="S1",
        on=DAY + timedelta(days=1),
        lines=tuple(SettlementLine(id=each.id, transaction=each.id, amount=nzd(each.total)) for each in invoices),
    )
    calls: list[Request] = []

    def dies_at(last: int) -> Receivables:
        began = len(calls)

        def see(request: Request) -> None:
            if "/api.xro/" in request.url:
                if len(calls) - began >= last:
                    raise Killed
                calls.append(request)

        return Receivables(
            product.xero(transport=Through(product.simulator.transport, before=see)), clearing_account=CLEARING
        )

    for last in (7, 90, 10_000):
        sales = dies_at(last)
        try:
            sales.recover()
            sales.apply(sales.match([Customer(id="c1", custom_identifier="Ana Costa")]))
            sales.apply(sales.import_invoices())
            sales.apply(sales.settle(settlement))
        except Killed:
            continue

    assert sum(each.amount for each in product.live_payments()) == sum(each.total for each in invoices)
    assert len(product.live_payments()) == MANY
    assert {each.status for each in product.books.invoices} == {"PAID"}
    # Invoices are read once, and again when they are paid; payments once; a beginning costs some calls, twice.
    batches, pages, beginnings = -(-MANY // 50), -(-MANY // 1000), 3
    assert len(calls) <= 1.05 * (batches + 3 * pages) + 8 * beginnings
    product.simulator.close()
