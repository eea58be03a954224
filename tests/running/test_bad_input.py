"""What hosts, Xero and strangers bring about a worker: each ends in the finding that helps, and the others run on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from attrs import define, evolve, frozen
from tests.conftest import CLEARING, DAY, Product, Through, nzd
from tests.running.conftest import listening, wait, worker_of

from xerosync import (
    App,
    Customer,
    Ended,
    Fleet,
    Receivables,
    Settlement,
    SettlementLine,
    Tokens,
    Why,
    Worker,
    Xero,
)
from xerosync.ports import Request, Response
from xerosync.simulator import Bookkeeper, Fault


def settle_all(xero: Xero) -> None:
    """The work of these tests: whatever is open is settled, each invoice in a settlement of its own."""
    sales = Receivables(xero, clearing_account=CLEARING)
    sales.apply(sales.match([Customer(id="c1", custom_identifier="Ana Costa")]))
    sales.apply(sales.import_invoices())
    for each in sales.transactions():
        line = SettlementLine(id=each.id, transaction=each.id, amount=each.amount)
        sales.apply(sales.settle(Settlement(id=f"S {each.id}", on=DAY, lines=(line,))))


@define(eq=False)
class Two:
    """Two organisations under one consent, and a worker for both."""

    product: Product
    other: Bookkeeper
    worker: Worker

    def run(self) -> dict[str, Ended]:
        """How a run of each ended, by its name here."""
        names = {self.product.books.tenant_id: "first", self.other.tenant_id: "other"}
        return {name: self.worker.run(tenant).ended for tenant, name in names.items()}

    def findings(self) -> set[tuple[str, str]]:
        names = {self.product.books.tenant_id: "first", self.other.tenant_id: "other"}
        status = Fleet(self.product.store, clock=self.product.clock).status()
        return {(names[each.organisation], finding.code) for each in status.organisations for finding in each.findings}


def connect(product: Product, tenants: list[str]) -> None:
    given = product.simulator.consent(product.app, tenants=tenants)
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    for tenant in tenants:
        client = Xero(
            App(product.app.client_id, product.app.client_secret), tenant, store=product.store,
            transport=product.simulator.transport, clock=product.clock,
        )  # fmt: skip
        client.connect(Tokens(given.access_token, given.refresh_token, expires_at))


@pytest.fixture
def two(product: Product) -> Two:
    other = product.simulator.add_organisation("Another")
    product.invoice("Ana Costa", "100.00")
    worker = worker_of(product, settle_all)
    connect(product, [product.books.tenant_id, other.tenant_id])
    worker.enrol()
    return Two(product, other, worker)


def paid(product: Product) -> list[str]:
    return [f"{each.amount:.2f}" for each in product.live_payments()]


def _lose_user(two: Two) -> None:
    two.other.remove_user()


def _end_trial(two: Two) -> None:
    two.other.expire_trial()


def _vanish(two: Two) -> None:
    two.other.disconnect()


@pytest.mark.parametrize("befalls", [_lose_user, _end_trial, _vanish])
def test_a_403_on_one_organisation_of_a_shared_token_leaves_the_other_alone(
    two: Two, befalls: Callable[[Two], None]
) -> None:
    befalls(two)

    assert two.run() == {"first": Ended.DONE, "other": Ended.REFUSED}
    assert paid(two.product) == ["100.00"]
    assert two.findings() == {("other", "run refused")}
    ran = two.worker.run(two.other.tenant_id)
    assert ran.finding is not None
    assert ran.finding.who in {"the user", "the organisation's subscriber"}


def test_an_organisation_that_vanishes_and_reappears_goes_on_where_it_was(two: Two) -> None:
    assert set(two.run().values()) == {Ended.DONE}
    two.product.invoice("Ana Costa", "20.00")
    two.product.books.disconnect()
    two.product.clock.advance(3600)
    assert two.run()["first"] is Ended.REFUSED

    connect(two.product, [two.product.books.tenant_id, two.other.tenant_id])
    two.worker.enrol()
    two.worker.wake(two.product.books.tenant_id)

    assert two.run()["first"] is Ended.DONE
    assert sorted(paid(two.product)) == ["100.00", "20.00"]
    assert two.findings() == set()


def test_another_organisation_of_the_same_name_is_never_taken_for_the_first(two: Two) -> None:
    """A demo company that was reset has the name of the old one, and none of its books (F 1.59)."""
    assert set(two.run().values()) == {Ended.DONE}
    old = two.product.books.tenant_id
    fresh = two.product.simulator.reset_demo_company(old)
    ana = fresh.add_contact("Ana Costa")
    fresh.add_invoice(ana.id, amount=nzd("7.00").amount)
    two.product.clock.advance(3600)

    assert two.run() == {"first": Ended.REFUSED, "other": Ended.DONE}

    connect(two.product, [fresh.tenant_id])
    two.worker.enrol()
    assert two.worker.run(fresh.tenant_id).why is Why.FIRST
    assert [each.amount for each in fresh.payments] == [7]
    assert two.worker.run(old).ended is Ended.REFUSED


@frozen
class Wrong:
    """A clock that goes wrong by so many minutes."""

    product: Product
    minutes: int

    def now(self) -> datetime:
        return self.product.clock.now() + timedelta(minutes=self.minutes)

    async def sleep(self, seconds: float) -> None:
        await self.product.clock.sleep(seconds)


@define(eq=False)
class Sharing(Through):
    """A transport goes by the clock of its client, which the simulator's does not know."""

    async def send(self, request: Request) -> Response:
        return await super().send(evolve(request, not_after=None))


@pytest.mark.parametrize("minutes", [-60, 60])
def test_a_worker_whose_clock_is_an_hour_wrong_says_so_and_holds_nobody_up(product: Product, minutes: int) -> None:
    way = {"store": product.store, "work": settle_all, "quarantine_s": 0.0}
    right = worker_of(product, settle_all)
    wrong = Worker(
        App(product.app.client_id, product.app.client_secret), transport=Sharing(product.simulator.transport),
        clock=Wrong(product, minutes), **way,  # type: ignore[arg-type]  # as a worker takes them
    )  # fmt: skip
    tenant, began = product.books.tenant_id, product.clock.now()
    for worker in [wrong, right] * 3:
        product.invoice("Ana Costa", "1.00")
        worker.wake(tenant, at=began - timedelta(hours=2))
        ran = worker.run(tenant)
        assert ran.ended is Ended.DONE
        assert (ran.finding is not None) == (worker is wrong)
        if ran.finding is not None:
            assert (ran.finding.code, ran.finding.who) == ("clock wrong", "you")
            assert ran.finding.cause.startswith("this machine's clock is 36")
        told = Fleet(product.store, clock=product.clock).status().findings
        assert [each.code for each in told] == ["clock wrong"] * (worker is wrong)

    assert product.clock.now() - began < timedelta(minutes=2), "nobody waited for the other's clock"
    assert paid(product) == ["1.00"] * 6


@pytest.mark.parametrize("minutes", [-60, 60])
def test_a_worker_whose_clock_is_an_hour_wrong_posts_all_once_beside_one_that_is_right(
    product: Product, minutes: int
) -> None:
    right = worker_of(product, settle_all)
    wrong = Worker(
        App(product.app.client_id, product.app.client_secret), store=product.store, work=settle_all,
        transport=Sharing(product.simulator.transport), clock=Wrong(product, minutes), quarantine_s=0.0,
    )  # fmt: skip
    for place, worker in enumerate([wrong, right, wrong, right, right]):
        product.invoice("Ana Costa", f"{place + 1}.00")
        product.clock.advance(3 * 3600)
        worker.wake(product.books.tenant_id, at=product.clock.now() - timedelta(hours=2))
        assert worker.run(product.books.tenant_id).ended in {Ended.DONE, Ended.BUSY}
    product.clock.advance(3 * 3600)
    right.run(product.books.tenant_id)

    assert sorted(paid(product)) == [f"{place + 1}.00" for place in range(5)]


def test_a_body_that_is_replayed_later_moves_nobody(prompt: Product) -> None:
    hook = listening(prompt)
    worker = worker_of(prompt, settle_all)
    worker.run(prompt.books.tenant_id)
    prompt.invoice("Ana Costa", "100.00")
    wait(prompt, 1)
    assert worker.run(prompt.books.tenant_id).why is Why.TOLD
    sent = hook.requests[-1]
    prompt.clock.advance(3600)
    worker.run(prompt.books.tenant_id)  # Xero has told of the invoice that was paid, too
    calls = prompt.simulator.calls

    answer = hook.inbox.receive(sent.body, sent.headers["x-xero-signature"])

    assert answer.status == 200
    assert worker.run(prompt.books.tenant_id).ended is Ended.QUIET
    assert (prompt.simulator.calls, paid(prompt)) == (calls, ["100.00"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"events": 1}', b"\xff" * 100, b"[" * 100_000])
def test_a_malformed_or_forged_body_wakes_nobody_and_the_next_good_one_is_heard(prompt: Product, body: bytes) -> None:
    hook = listening(prompt)
    worker = worker_of(prompt, settle_all)
    worker.run(prompt.books.tenant_id)

    assert hook.inbox.receive(body, "forged").status == 401
    assert worker.due() == ()

    prompt.invoice("Ana Costa", "5.00")
    wait(prompt, 1)
    assert worker.run(prompt.books.tenant_id).why is Why.TOLD
    assert paid(prompt) == ["5.00"]


def test_xero_s_trouble_with_one_organisation_is_over_when_it_ends(two: Two) -> None:
    two.product.simulator.faults.plan(Fault.MAINTENANCE)
    first = two.worker.run(two.product.books.tenant_id)
    two.product.clock.advance(3600)

    assert set(two.run().values()) == {Ended.DONE}
    assert first.ended in {Ended.DONE, Ended.WAITING}
    assert paid(two.product) == ["100.00"]
