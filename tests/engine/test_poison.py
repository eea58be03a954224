"""What nobody can explain is tried less and less often, then parked; it holds up nobody, and Xero is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.conftest import CLEARING, DAY, Product, Through, is_write, nzd
from tests.engine.scenarios import charged_back, collected

from xerosync import Ledger, Receivables, Settlement, SettlementLine, State, Xero
from xerosync.engine.intents import PARKED_AFTER, wait_after
from xerosync.errors import Suspended, Unavailable
from xerosync.ports import AnswerLost, NotSent, Request
from xerosync.simulator import Fault

POISON = b"13.00"


def lines(transaction: str, *amounts: str) -> Settlement:
    parts = [SettlementLine(id=f"L{amount}", transaction=transaction, amount=nzd(amount)) for amount in amounts]
    return Settlement(id="S1", on=DAY, lines=parts)


def poisoned(product: Product, sent: list[Request]) -> Xero:
    """A client from whose payments of 13.00 no answer ever comes."""

    def swallow(request: Request) -> None:
        if is_write(request, "/Payments") and POISON in request.body:
            sent.append(request)
            raise AnswerLost("the connection was reset")

    return product.xero(transport=Through(product.simulator.transport, before=swallow))


def parked_by(sales: Receivables, settlement: Settlement) -> Callable[[], bool]:
    """A worker that does all there is to do, and says whether a payment is parked."""

    def work() -> bool:
        try:
            sales.recover()
            sales.apply(plan := sales.settle(settlement))
        except Suspended:
            return False
        return "parked" in {finding.code for finding in plan.findings}

    return work


def until(product: Product, is_over: Callable[[], bool], *, hours: int = 48) -> None:
    """Let a worker look every five minutes, as long as is needed."""
    for _ in range(hours * 12):
        if is_over():
            return
        product.clock.advance(300)
    raise AssertionError("it never came to an end")


def test_the_waits_grow_to_six_hours() -> None:
    waits = [wait_after(attempts) for attempts in range(1, PARKED_AFTER)]

    assert waits[:2] == [timedelta()] * 2
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=6)


def test_a_payment_that_nobody_can_explain_is_parked_after_eight_tries_and_its_neighbours_are_posted(
    product: Product,
) -> None:
    invoice = product.collectable("100.00")
    sent: list[Request] = []
    sales = Receivables(poisoned(product, sent), clearing_account=CLEARING)
    settlement = lines(invoice.id, "13.00", "20.00", "21.00")
    sales.apply(sales.settle(settlement))

    until(product, parked_by(sales, settlement))

    assert [amount for amount, _ in product.standing(invoice.id)] == [Decimal(20), Decimal(21)]
    assert len(sent) == PARKED_AFTER
    assert [finding.code for finding in sales.settle(settlement).findings] == ["parked"]


def test_what_is_parked_is_left_alone_until_a_person_lets_it_go(product: Product) -> None:
    invoice = product.collectable("100.00")
    sent: list[Request] = []
    sales = Receivables(poisoned(product, sent), clearing_account=CLEARING)
    settlement = lines(invoice.id, "13.00")
    sales.apply(sales.settle(settlement))
    ledger = Ledger(product.xero())
    until(product, parked_by(sales, settlement))
    product.clock.advance(timedelta(days=1).total_seconds())
    Receivables(product.xero()).recover()
    assert product.live_payments() == []
    assert len(sent) == PARKED_AFTER

    assert ledger.release(["L12.00"]) == 0
    assert ledger.release(["L13.00"]) == 1
    recovery = ledger.recover()

    assert (recovery.found, recovery.sent) == (0, 1)
    assert product.standing(invoice.id) == [(Decimal(13), DAY)]
    assert ledger.parked() == ()


def test_a_document_that_cannot_be_looked_for_keeps_no_other_from_it(product: Product) -> None:
    """Of two payments in doubt, Xero fails whenever it is asked for the first one's invoice."""
    first, second = product.collectable("100.00"), product.collectable("50.00")
    parts = [
        SettlementLine(id="L1", transaction=first.id, amount=nzd("40.00")),
        SettlementLine(id="L2", transaction=second.id, amount=nzd("50.00")),
    ]
    settlement = Settlement(id="S1", on=DAY, lines=parts)

    def fail(request: Request) -> None:
        if "where=" in request.url and first.id in request.url:
            raise AnswerLost("the connection was reset")

    sales = Receivables(
        product.xero(transport=Through(product.simulator.transport, before=fail)), clearing_account=CLEARING
    )
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(settlement))

    recovery = sales.recover()

    assert (recovery.found, recovery.open) == (1, 1)
    states = {each.state for each in product.store.query("intent", product.books.tenant_id)}
    assert states == {State.CONFIRMED, State.UNKNOWN}
    assert Receivables(product.xero()).recover().found == 1


def test_where_xero_is_away_nothing_counts_against_a_payment(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(lines(invoice.id, "20.00")))

    for _ in range(PARKED_AFTER + 2):
        product.simulator.faults.plan(Fault.UNAVAILABLE, times=10)
        with pytest.raises(Unavailable):
            sales.recover()

    assert sales.recover().found == 1


def test_five_calls_in_a_row_that_come_to_nothing_suspend_the_organisation_and_say_until_when(
    product: Product,
) -> None:
    invoice = product.collectable("100.00")
    down: list[bool] = [True]

    def refuse(request: Request) -> None:
        if is_write(request) and down:
            raise NotSent("no connection")

    transport = Through(product.simulator.transport, before=refuse)
    sales = Receivables(product.xero(transport=transport), clearing_account=CLEARING)
    settlement = lines(invoice.id, "20.00")
    plan = sales.settle(settlement)
    for _ in range(4):
        with pytest.raises(Unavailable, match="no connection"):
            sales.apply(plan)
    with pytest.raises(Suspended) as suspended:
        sales.apply(plan)
    down.clear()

    another = Receivables(product.xero(), clearing_account=CLEARING)
    with pytest.raises(Suspended) as still:
        another.apply(plan)
    assert still.value.retry_at == suspended.value.retry_at
    assert product.live_payments() == []
    product.clock.move_to(suspended.value.retry_at)
    another.apply(plan)

    assert product.standing(invoice.id) == [(Decimal(20), DAY)]


def test_each_time_it_fails_again_the_rest_is_longer_and_a_success_ends_it(product: Product) -> None:
    invoice = product.collectable("100.00")
    down: list[bool] = [True]

    def refuse(request: Request) -> None:
        if is_write(request) and down:
            raise NotSent("no connection")

    transport = Through(product.simulator.transport, before=refuse)
    sales = Receivables(product.xero(transport=transport), clearing_account=CLEARING)
    plan = sales.settle(lines(invoice.id, "20.00", "21.00"))
    rests: list[float] = []
    while len(rests) < 6:
        try:
            sales.apply(plan)
        except Suspended as suspended:
            rests.append((suspended.retry_at - product.clock.now()).total_seconds() / 60)
            product.clock.move_to(suspended.retry_at)
        except Unavailable:
            pass
    assert rests == [5, 10, 20, 40, 60, 60]

    down.clear()
    sales.apply(plan)
    down.append(True)
    later = sales.settle(lines(invoice.id, "20.00", "21.00", "22.00"))
    with pytest.raises(Unavailable, match="no connection"):
        sales.apply(later)


def test_a_payment_that_somebody_removed_before_our_removal_came_counts_as_removed(product: Product) -> None:
    """Xero refuses to remove it twice, and would for ever (F 6.125)."""
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    sales.apply(sales.settle(collected(invoice.id)))
    plan = sales.settle(charged_back(invoice.id))
    product.books.remove_payment(product.live_payments()[0].id)

    report = sales.apply(plan)

    assert [result.state for result in report.results] == [State.CONFIRMED]
    assert report.findings == ()
    assert not sales.settle(charged_back(invoice.id))
