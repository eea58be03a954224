"""Every kind of write on every kind of bad day: the books end up holding it exactly once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from attrs import define
from tests.conftest import CLEARING, DAY, Product, Through, is_write, nzd
from tests.engine.scenarios import SCENARIOS, Scenario, collected

from xerosync import App, Plan, Receivables, Report, Settlement, SettlementLine, State, Tokens, Xero
from xerosync.engine.kinds import KINDS
from xerosync.errors import LeaseLost, NotAuthorised, RateLimited, Unavailable
from xerosync.ports import NotSent, Request
from xerosync.simulator import Fault, VirtualClock

IN_DOUBT = [
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.TRUNCATED,
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.BAD_GATEWAY,
]
NOT_DONE = [Fault.MINUTE_LIMIT, Fault.CONCURRENT_LIMIT, Fault.EXPIRED_TOKEN]

# The answer to a deletion is a 204, of which nothing can be cut off.
DOUBTS = [
    pytest.param(fault, scenario, id=f"{fault.value}-{scenario.kind}")
    for scenario in SCENARIOS
    for fault in IN_DOUBT
    if (scenario.method, fault) != ("DELETE", Fault.TRUNCATED)
]
EACH_DOUBT = pytest.mark.parametrize(("fault", "scenario"), DOUBTS)
EACH_KIND = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.kind)


class LostOnTheWay(BaseException):
    """The process ends with its write on the way."""


def apply(xero: Xero, plan: Plan) -> Report:
    return Receivables(xero).apply(plan)


def recover(xero: Xero, scenario: Scenario) -> None:
    recovery = Receivables(xero).recover()
    assert recovery.open == 0
    # No store keeps files: where one never arrived, the next plan brings it.
    may_need = {"file needed"} if scenario.kind == "attachment" else set[str]()
    assert {each.code for each in recovery.findings} <= may_need


def finish(product: Product, scenario: Scenario, xero: Xero) -> None:
    """Plan and apply what is still missing, and see that the books are right and nothing more is planned."""
    apply(xero, scenario.plan(product, xero))
    assert scenario.held(product) == scenario.expected
    left = scenario.plan(product, xero)
    assert (len(left), left.findings) == (0, ())


def test_every_kind_in_the_table_has_its_scenario() -> None:
    assert {scenario.kind for scenario in SCENARIOS} == set(KINDS)


@EACH_DOUBT
def test_a_write_in_doubt_is_in_the_books_once_after_recovery(
    product: Product, scenario: Scenario, fault: Fault
) -> None:
    scenario.arrange(product)
    xero = product.xero()
    plan = scenario.plan(product, xero)
    product.simulator.faults.plan(fault, method=scenario.method, path=scenario.path)

    report = apply(xero, plan)
    recover(xero, scenario)
    finish(product, scenario, xero)

    assert report.unfinished[0].state is State.UNKNOWN
    assert report.findings[0].code == "outcome unknown"


@EACH_DOUBT
def test_another_client_of_the_store_ends_what_was_in_doubt_by_applying_alone(
    product: Product, scenario: Scenario, fault: Fault
) -> None:
    """Open intents are closed before anything is sent: applying the same plan again must not double it."""
    scenario.arrange(product)
    first, second = product.xero(), product.xero()
    plan = scenario.plan(product, first)
    product.simulator.faults.plan(fault, method=scenario.method, path=scenario.path)
    apply(first, plan)

    apply(second, plan)

    finish(product, scenario, second)


@EACH_KIND
@pytest.mark.parametrize("fault", NOT_DONE, ids=lambda fault: fault.value)
def test_a_write_that_xero_did_not_take_is_sent_again_at_once(
    product: Product, scenario: Scenario, fault: Fault
) -> None:
    scenario.arrange(product)
    xero = product.xero()
    plan = scenario.plan(product, xero)
    product.simulator.faults.plan(fault, method=scenario.method, path=scenario.path)

    report = apply(xero, plan)

    assert report.unfinished == ()
    assert scenario.held(product) == scenario.expected


@define
class Ahead:
    """A machine's clock that is ahead of all others; while somebody *sleeps* by it, something happens."""

    right: VirtualClock
    by: timedelta = timedelta(days=1)
    sleeps: Callable[[float], object] = float

    def now(self) -> datetime:
        return self.right.now() + self.by

    async def sleep(self, seconds: float) -> None:
        self.sleeps(seconds)
        await self.right.sleep(seconds)


def test_doubt_that_a_clock_a_day_ahead_has_dated_is_waited_out_no_longer_than_any(product: Product) -> None:
    invoice = product.collectable("100.00")
    app = App(product.app.client_id, product.app.client_secret)
    ahead = Xero(
        app, product.books.tenant_id, store=product.store, transport=product.simulator.transport,
        clock=Ahead(product.clock),
    )  # fmt: skip
    ahead.connect(product.tokens)
    sales = Receivables(ahead, clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    assert sales.apply(sales.settle(collected(invoice.id))).unfinished
    right = product.xero(quarantine_s=300)
    began = product.clock.now()

    assert Receivables(right).recover().found == 1

    assert product.clock.now() - began < timedelta(minutes=6)
    assert len(product.live_payments()) == 1


@pytest.mark.parametrize("ahead", [0, 10, 200, 400, 86_400])
def test_a_worker_whose_clock_is_ahead_waits_until_a_write_of_another_must_have_arrived(
    product: Product, ahead: int
) -> None:
    invoice = product.collectable("100.00")
    app = App(product.app.client_id, product.app.client_secret)
    on_its_way: list[Request] = []
    arrives_at: list[datetime] = []

    def arrive_within(seconds: float) -> None:
        if on_its_way and product.clock.now() + timedelta(seconds=seconds) >= arrives_at[0]:
            product.clock.move_to(arrives_at[0])
            product.simulator.handle(on_its_way.pop())

    def taken_over(request: Request) -> None:
        """The write has left; the other worker takes its organisation over before it arrives, and waits no less."""
        if not is_write(request, "/Payments"):
            return
        on_its_way.append(request)
        arrives_at.append(product.clock.now() + timedelta(seconds=290))
        early = Xero(
            app, product.books.tenant_id, store=product.store, transport=product.simulator.transport,
            clock=Ahead(product.clock, timedelta(seconds=ahead), arrive_within),
        )  # fmt: skip
        Receivables(early, clearing_account=CLEARING).recover()
        arrive_within(300)
        raise LostOnTheWay

    slow = product.xero(transport=Through(product.simulator.transport, before=taken_over), quarantine_s=300)
    sales = Receivables(slow, clearing_account=CLEARING)
    with pytest.raises((LostOnTheWay, LeaseLost)):
        sales.apply(sales.settle(collected(invoice.id)))

    assert len(product.live_payments()) == 1


@EACH_KIND
def test_doubt_is_waited_out_before_anybody_looks(product: Product, scenario: Scenario) -> None:
    """A request may still be on its way: looking too early would find nothing, and send it twice."""
    scenario.arrange(product)
    times: list[datetime] = []
    lost: list[datetime] = []

    def watch(request: Request) -> None:
        times.append(product.clock.now())
        if request.method == scenario.method and scenario.path in request.url:
            lost.append(times[-1])

    xero = product.xero(quarantine_s=300.0, transport=Through(product.simulator.transport, before=watch))
    plan = scenario.plan(product, xero)
    product.simulator.faults.plan(Fault.LOST_BEFORE, method=scenario.method, path=scenario.path)
    apply(xero, plan)
    times.clear()

    recover(xero, scenario)

    assert times[0] - lost[0] >= timedelta(seconds=300)
    finish(product, scenario, xero)


def test_the_quarantine_counts_from_the_write_not_from_the_recovery(product: Product) -> None:
    invoice = product.collectable("100.00")
    xero = product.xero(quarantine_s=300.0)
    sales = Receivables(xero, clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id)))
    product.clock.advance(1000)
    before = product.clock.now()

    sales.recover()

    assert product.clock.now() - before < timedelta(seconds=5)


def test_a_day_limit_ends_the_run_and_the_next_day_goes_on(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="PUT", path="/Payments")

    with pytest.raises(RateLimited) as refused:
        sales.apply(plan)
    product.clock.advance(refused.value.retry_after_s + 1)
    recovery = sales.recover()

    assert (refused.value.which, recovery.sent) == ("day", 1)
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]
    assert not sales.settle(collected(invoice.id))


def test_a_connection_taken_away_ends_the_run_and_a_new_consent_goes_on(product: Product) -> None:
    invoice = product.collectable("100.00")
    xero = product.xero()
    sales = Receivables(xero, clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    product.books.disconnect()

    with pytest.raises(NotAuthorised):
        sales.apply(plan)
    assert product.live_payments() == []
    consent = product.simulator.consent(product.app, tenants=[product.books.tenant_id])
    expires_at = product.clock.now() + timedelta(seconds=consent.expires_in)
    xero.connect(Tokens(consent.access_token, consent.refresh_token, expires_at))
    sales.apply(plan)

    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


@pytest.mark.parametrize("failures", [1, 3])
def test_a_write_that_never_left_is_sent_again(product: Product, failures: int) -> None:
    invoice = product.collectable("100.00")
    left = [failures]

    def refuse(request: Request) -> None:
        if is_write(request) and left[0]:
            left[0] -= 1
            raise NotSent("no connection")

    sales = Receivables(
        product.xero(transport=Through(product.simulator.transport, before=refuse)), clearing_account="091"
    )

    sales.apply(sales.settle(collected(invoice.id)))

    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


def test_a_network_that_is_down_ends_the_run_and_recovery_sends_what_was_meant(product: Product) -> None:
    invoice = product.collectable("100.00")

    def refuse(request: Request) -> None:
        if is_write(request):
            raise NotSent("no connection")

    offline = Receivables(
        product.xero(transport=Through(product.simulator.transport, before=refuse)), clearing_account="091"
    )
    plan = offline.settle(collected(invoice.id))
    with pytest.raises(Unavailable, match="no connection"):
        offline.apply(plan)
    assert product.live_payments() == []

    recovery = Receivables(product.xero()).recover()

    assert (recovery.found, recovery.sent) == (0, 1)
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]


def test_a_second_batch_that_is_lost_does_not_touch_the_first(product: Product) -> None:
    invoice = product.collectable("60.00")
    lines = [SettlementLine(id=f"L{place}", transaction=invoice.id, amount=nzd("1.00")) for place in range(60)]
    settlement = Settlement(id="S1", on=DAY, lines=lines)
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments", after=1)

    report = sales.apply(sales.settle(settlement))
    recovery = sales.recover()

    assert [result.state for result in report.results] == [State.CONFIRMED] * 50 + [State.UNKNOWN] * 10
    assert recovery.found == 10
    assert product.standing(invoice.id) == [(Decimal(1), DAY)] * 60
    assert not sales.settle(settlement)
