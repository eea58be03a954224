"""What recovery does not do: send what is no longer right, give up on what was mended, hammer a Xero that is away."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import CLEARING, DAY, Product, is_write, nzd
from tests.engine.test_strange_answers import Altered

from xerosync import Receivables, Settlement, SettlementLine, State
from xerosync.errors import RateLimited, Unavailable
from xerosync.ports import AnswerLost, Request, Response
from xerosync.simulator import Fault


def collected(*lines: tuple[str, str, str]) -> Settlement:
    parts = [SettlementLine(id=name, transaction=paid, amount=nzd(amount)) for name, paid, amount in lines]
    return Settlement(id="S1", on=DAY, lines=parts)


def test_what_was_paid_by_hand_before_it_could_be_sent_is_not_sent_later(product: Product) -> None:
    """An apply that a limit stopped leaves intents; the world goes on before recovery comes."""
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/Payments")
    with pytest.raises(RateLimited):
        sales.apply(sales.settle(collected(("L1", invoice.id, "100.00"))))
    product.clock.advance(86_400)
    product.books.add_payment(invoice.id, account=CLEARING, amount=Decimal(100), date=DAY)

    recovery = sales.recover()
    plan = sales.settle(collected(("L1", invoice.id, "100.00")))

    assert (recovery.sent, [finding.code for finding in recovery.findings]) == (0, ["changed since planned"])
    assert (len(plan), [finding.code for finding in plan.findings]) == (0, ["does not fit"])
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]


def test_a_conflict_ends_when_the_bookkeeper_removes_all_but_one(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(("L1", invoice.id, "40.00"))))
    (ours,) = product.live_payments()
    copied = product.books.add_payment(
        invoice.id, account=CLEARING, amount=Decimal(40), date=DAY, reference=ours.reference
    )
    sales.recover()
    product.books.remove_payment(ours.id)

    recovery = sales.recover()
    plan = sales.settle(collected(("L1", invoice.id, "40.00")))

    assert (recovery.found, recovery.findings) == (1, ())
    assert (len(plan), plan.findings) == (0, ())
    assert [payment.id for payment in product.live_payments()] == [copied.id]


def test_a_xero_that_answers_nothing_is_left_alone_after_a_few_calls(product: Product) -> None:
    invoice = product.collectable("1000.00")
    writes: list[Request] = []

    def swallow(request: Request, response: Response) -> Response:
        if is_write(request, "/Payments"):
            writes.append(request)
            raise AnswerLost("swallowed")
        return response

    silent = Receivables(
        product.xero(transport=Altered(product.simulator.transport, swallow)), clearing_account=CLEARING
    )
    lines = [(f"L{each}", invoice.id, "1.00") for each in range(1000)]

    with pytest.raises(Unavailable, match="several calls in a row"):
        silent.apply(silent.settle(collected(*lines)))
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    for _ in range(2):
        sales.recover()
        sales.apply(sales.settle(collected(*lines)))

    assert len(writes) == 5
    assert len(product.standing(invoice.id)) == 1000


def test_a_refusal_that_cannot_be_read_leaves_the_outcome_open(product: Product) -> None:
    """A page of some proxy is no answer of Xero's."""
    first, second = product.collectable("100.00"), product.collectable("50.00")

    def garble(request: Request, response: Response) -> Response:
        if not is_write(request, "/Payments"):
            return response
        return evolve(response, status=400, body=b"<html>Bad Request</html>")

    garbled = Receivables(
        product.xero(transport=Altered(product.simulator.transport, garble)), clearing_account=CLEARING
    )
    lines = [("L1", first.id, "100.00"), ("L2", second.id, "50.00")]

    report = garbled.apply(garbled.settle(collected(*lines)))
    Receivables(product.xero(), clearing_account=CLEARING).recover()

    assert {result.state for result in report.results} == {State.UNKNOWN}
    assert (product.standing(first.id), product.standing(second.id)) == ([(Decimal(100), DAY)], [(Decimal(50), DAY)])
