"""A worker: who is due and why, what a run costs, and how each trouble ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import create_engine
from tests.conftest import CLEARING, Product, found_product, nzd
from tests.running.conftest import listening, wait, worker_of
from tests.running.test_store_gate import client_of

from xerosync import (
    App,
    Customer,
    Ended,
    MemoryStore,
    Receivables,
    Settlement,
    SettlementLine,
    Tokens,
    Why,
    Xero,
)
from xerosync.client.store_gate import StoreGate
from xerosync.errors import InvalidInput, LeaseLost
from xerosync.simulator import Fault
from xerosync.storage import Fence, Owner, Record, RecordKey, SQLAlchemyStore


class Host:
    """A product's work: pair, import, settle what was collected; it counts how often it was called."""

    def __init__(self) -> None:
        self.customers = [Customer(id="c1", custom_identifier="Ana Costa")]
        self.settlements: list[Settlement] = []
        self.runs = 0

    def __call__(self, xero: Xero) -> None:
        self.runs += 1
        sales = Receivables(xero, clearing_account=CLEARING)
        sales.apply(sales.match(self.customers))
        sales.apply(sales.import_invoices())
        for settlement in self.settlements:
            sales.apply(sales.settle(settlement))


def settlement(transaction: str, amount: str, on: date) -> Settlement:
    line = SettlementLine(id=f"{transaction}/1", transaction=transaction, amount=nzd(amount))
    return Settlement(id=f"S{on}", on=on, lines=(line,))


@pytest.fixture
def host() -> Host:
    return Host()


def test_a_new_connection_is_due_at_once_and_then_after_a_while(product: Product, host: Host) -> None:
    product.invoice("Ana Costa", "100.00")
    worker = worker_of(product, host)
    tenant = product.books.tenant_id

    assert [each.organisation for each in worker.due()] == [tenant]
    ran = worker.run(tenant)

    assert (ran.ended, ran.why, host.runs) == (Ended.DONE, Why.FIRST, 1)
    assert ran.calls > 0
    assert worker.due() == ()
    (due,) = worker.due([tenant])
    assert due.at == ran.due
    assert due.at - product.clock.now() <= timedelta(minutes=15)


def test_a_run_before_its_time_asks_nothing_of_xero(product: Product, host: Host) -> None:
    worker = worker_of(product, host)
    worker.run(product.books.tenant_id)

    ran = worker.run(product.books.tenant_id)

    assert (ran.ended, ran.calls, host.runs) == (Ended.QUIET, 0, 1)


class Counting(MemoryStore):
    """A store that counts its commits and leases."""

    commits = 0
    leases = 0

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self.commits += 1
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        self.leases += 1
        return super().lease(name, owner, ttl_s=ttl_s, now=now, force=force)


def test_a_run_that_finds_nothing_to_do_keeps_one_record_at_most(host: Host) -> None:
    store = Counting()
    product = evolve(found_product(), store=store)
    worker = worker_of(product, host)
    worker.run(product.books.tenant_id)
    listening(product)
    product.clock.advance(3600)
    spent = []

    for _ in range(2):
        before = store.commits, store.leases
        assert worker.run(product.books.tenant_id).ended is Ended.QUIET
        spent.append((store.commits - before[0], store.leases - before[1]))

    assert spent == [(1, 0), (0, 0)], "when it is due next, and then nothing"


def test_a_call_costs_the_shared_gate_two_commits() -> None:
    store = Counting()
    product = evolve(found_product(), store=store)
    client = client_of(product, StoreGate(store))
    client.organisation()
    before = store.commits

    client.organisation()

    assert store.commits - before == 2


def test_an_idle_organisation_is_worked_on_less_and_less_often(product: Product, host: Host) -> None:
    worker = worker_of(product, host)
    pauses = []
    for _ in range(8):
        ran = worker.run(product.books.tenant_id)
        assert ran.due is not None
        pauses.append(ran.due - product.clock.now())
        product.clock.advance(pauses[-1].total_seconds())

    assert pauses[1:] == sorted(pauses[1:])
    assert round(pauses[-1] / timedelta(hours=6), 3) == 1
    product.invoice("Ana Costa", "5.00")
    ran = worker.run(product.books.tenant_id)
    assert ran.due is not None
    assert ran.due - product.clock.now() <= timedelta(minutes=15)


def test_a_host_with_news_is_served_at_once(product: Product, host: Host) -> None:
    invoice = product.invoice("Ana Costa", "100.00")
    worker = worker_of(product, host)
    worker.run(product.books.tenant_id)

    host.settlements.append(settlement(invoice.id, "100.00", product.clock.now().date()))
    worker.wake(product.books.tenant_id)
    (due,) = worker.due()
    ran = worker.run(due.organisation)

    assert (ran.why, ran.posted) == (Why.ASKED, 1)
    assert product.books.invoice(invoice.id).status == "PAID"
    assert worker.run(due.organisation).ended is Ended.QUIET


def test_with_webhooks_quiet_hours_cost_nothing(prompt: Product, host: Host) -> None:
    listening(prompt)
    worker = worker_of(prompt, host)
    worker.run(prompt.books.tenant_id)
    calls = prompt.simulator.calls

    for _ in range(20):
        wait(prompt, 15)
        for due in worker.due():
            assert worker.run(due.organisation).ended is Ended.QUIET

    assert (prompt.simulator.calls, host.runs) == (calls, 1)
    wait(prompt, 70)
    assert worker.run(prompt.books.tenant_id).why is Why.TIME


def test_a_webhook_wakes_and_one_s_own_write_does_not(prompt: Product, host: Host) -> None:
    listening(prompt)
    worker = worker_of(prompt, host)
    worker.run(prompt.books.tenant_id)

    host.customers.append(Customer(id="c2", custom_identifier="Bo Ek"))
    worker.wake(prompt.books.tenant_id)
    worker.run(prompt.books.tenant_id)
    invoice = prompt.invoice("Ana Costa", "100.00")
    wait(prompt, 1)

    (due,) = worker.due()
    assert worker.run(due.organisation).why is Why.TOLD
    assert invoice.id in {each.invoice_id for each in Receivables(prompt.xero()).transactions()}


def test_what_people_take_back_in_xero_is_told(prompt: Product, host: Host) -> None:
    invoice = prompt.invoice("Ana Costa", "100.00")
    listening(prompt)
    worker = worker_of(prompt, host)
    worker.run(prompt.books.tenant_id)
    host.settlements.append(settlement(invoice.id, "100.00", prompt.clock.now().date()))
    worker.wake(prompt.books.tenant_id)
    assert worker.run(prompt.books.tenant_id).payments_removed == ()
    (paid,) = prompt.live_payments()

    prompt.books.remove_payment(paid.id)
    wait(prompt, 1)
    ran = worker.run(prompt.books.tenant_id)

    assert (ran.why, ran.payments_removed) == (Why.TOLD, (paid.id,))


def test_a_lost_delivery_is_noticed_by_its_number_and_caught_up_with(prompt: Product, host: Host) -> None:
    listening(prompt)
    worker = worker_of(prompt, host)
    prompt.books.add_contact("Somebody")
    wait(prompt, 1)
    worker.run(prompt.books.tenant_id)
    prompt.simulator.faults.plan(Fault.WEBHOOK_LOST)
    prompt.invoice("Ana Costa", "100.00")
    wait(prompt, 1)
    prompt.books.add_contact("Somebody else")
    wait(prompt, 1)
    assert worker.run(prompt.books.tenant_id).why is Why.TOLD  # it reads all, so that the gap is closed too
    wait(prompt, 30)

    assert worker.run(prompt.books.tenant_id).why is Why.QUIET
    assert len(Receivables(prompt.xero()).transactions()) == 1


def test_a_gap_that_no_delivery_fills_is_caught_up_with_by_reading(prompt: Product, host: Host) -> None:
    hook = listening(prompt)
    worker = worker_of(prompt, host)
    prompt.books.add_contact("Somebody")
    wait(prompt, 1)
    worker.run(prompt.books.tenant_id)
    other = prompt.simulator.add_organisation("Another")
    prompt.simulator.consent(prompt.app, tenants=[other.tenant_id])
    prompt.simulator.faults.plan(Fault.WEBHOOK_LOST)
    prompt.invoice("Ana Costa", "100.00")
    wait(prompt, 1)
    other.add_contact("Of the other")
    wait(prompt, 1)
    assert hook.answers[-1].events[0].organisation == other.tenant_id

    assert worker.run(prompt.books.tenant_id).why is Why.QUIET, "it may only be late"
    wait(prompt, 20)
    assert worker.run(prompt.books.tenant_id).why is Why.GAP
    assert len(Receivables(prompt.xero()).transactions()) == 1
    wait(prompt, 20)
    assert worker.run(prompt.books.tenant_id).why is Why.QUIET


def test_a_budget_ends_a_run_between_two_calls_and_the_next_goes_on(product: Product, host: Host) -> None:
    invoices = [product.invoice("Ana Costa", "1.00") for _ in range(130)]
    worker_of(product, host).run(product.books.tenant_id)
    today = product.clock.now().date()
    lines = tuple(SettlementLine(id=each.id, transaction=each.id, amount=nzd("1.00")) for each in invoices)
    host.settlements.append(Settlement(id="S1", on=today, lines=lines))
    worker = worker_of(product, host, calls=7)
    worker.wake(product.books.tenant_id)
    ended: list[Ended] = []
    paid: list[int] = []
    while not ended or ended[-1] is Ended.STOPPED:
        ran = worker.run(product.books.tenant_id)
        assert ran.calls <= 7
        ended.append(ran.ended)
        paid.append(len(product.live_payments()))
        assert len(ended) < 9

    assert len(ended) > 1
    assert ended[-1] is Ended.DONE
    assert paid == sorted(paid)
    assert paid[-1] == len(invoices)


def test_a_run_ends_before_its_next_call_when_it_is_asked_to(product: Product, host: Host) -> None:
    product.invoice("Ana Costa", "1.00")
    worker = worker_of(product, host)
    before = product.simulator.calls

    ran = worker.run(product.books.tenant_id, should_stop=lambda: product.simulator.calls >= before + 1)

    assert (ran.ended, ran.calls) == (Ended.STOPPED, 1)
    assert [each.organisation for each in worker.due()] == [product.books.tenant_id]
    assert worker.run(product.books.tenant_id).ended is Ended.DONE


def test_two_workers_are_never_in_one_organisation(product: Product) -> None:
    within: list[Ended] = []

    def work(xero: Xero) -> None:
        within.append(other.run(xero.books.tenant).ended)

    worker = worker_of(product, work)
    other = worker_of(product, work)

    assert worker.run(product.books.tenant_id).ended is Ended.DONE
    assert within == [Ended.BUSY]


def test_a_day_limit_sends_the_organisation_home_with_its_time(product: Product, host: Host) -> None:
    worker = worker_of(product, host)
    product.simulator.faults.plan(Fault.DAY_LIMIT)
    before = product.clock.now()

    ran = worker.run(product.books.tenant_id)

    assert ran.ended is Ended.WAITING
    assert ran.finding is not None
    assert ran.finding.retry
    assert product.clock.now() - before < timedelta(minutes=1), "nobody slept"
    assert ran.due is not None
    assert ran.due - product.clock.now() > timedelta(hours=1)


def test_a_consent_that_has_ended_is_left_alone_until_there_is_another(product: Product, host: Host) -> None:
    worker = worker_of(product, host)
    worker.run(product.books.tenant_id)
    product.xero().disconnect()
    product.clock.advance(7 * 3600)

    ran = worker.run(product.books.tenant_id)

    assert (ran.ended, ran.due) == (Ended.REFUSED, None)
    assert ran.finding is not None
    assert ran.finding.who == "the user"
    assert worker.due() == ()
    assert worker.enrol() == 0
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id])
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    product.xero().connect(Tokens(given.access_token, given.refresh_token, expires_at))
    assert worker.enrol() == 1
    (due,) = worker.due()
    assert worker.run(due.organisation).ended is Ended.DONE


def test_one_organisation_s_trouble_is_not_another_s(product: Product, host: Host) -> None:
    """A 403 for one of two organisations under one consent, and a fault of the host's own."""
    other = product.simulator.add_organisation("Another")
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id, other.tenant_id])
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    tokens = Tokens(given.access_token, given.refresh_token, expires_at)

    def work(xero: Xero) -> None:
        if xero.books.tenant == other.tenant_id:
            raise ZeroDivisionError("a fault of the host's own")
        host(xero)

    heard: list[Mapping[str, object]] = []
    worker = worker_of(product, work, on_event=lambda name, fields: heard.append({"event": name, **fields}))
    connected = Xero(
        App(product.app.client_id, product.app.client_secret), other.tenant_id, store=product.store,
        transport=product.simulator.transport, clock=product.clock,
    )  # fmt: skip
    connected.connect(tokens)
    worker.enrol()

    stop = iter([False] * 7 + [True] * 100)
    worker.run_forever(should_stop=lambda: next(stop))

    finished = [each for each in heard if each["event"] == "xerosync.run_finished"]
    ended = {each["organisation"]: each["ended"] for each in finished}
    assert {each.get("error") for each in finished} <= {None, "ZeroDivisionError"}, "its class, and nothing of its text"
    assert ended[other.tenant_id] == "failed"
    (failed,) = worker.due([other.tenant_id])
    assert failed.at > product.clock.now()


def test_a_worker_that_waits_stops_within_a_second(product: Product, host: Host) -> None:
    worker = worker_of(product, host)
    asked = iter([False] * 12 + [True] * 10)
    began = product.clock.now()

    worker.run_forever(should_stop=lambda: next(asked))

    assert product.clock.now() - began < timedelta(seconds=30)
    assert host.runs == 1


@pytest.mark.parametrize("kept", [True, False])
def test_a_wake_up_within_the_host_s_own_transaction_is_there_if_that_is_kept(tmp_path: Path, kept: bool) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'product.db'}")
    store = SQLAlchemyStore(engine)
    product = evolve(found_product(), store=store)
    worker = worker_of(product, lambda xero: xero.organisation())
    worker.run(product.books.tenant_id)

    with engine.connect() as connection:
        transaction = connection.begin()
        worker.wake(product.books.tenant_id, store=store.within(connection))
        transaction.commit() if kept else transaction.rollback()

    assert [each.organisation for each in worker.due()] == [product.books.tenant_id] * kept
    engine.dispose()
    product.simulator.close()


@pytest.mark.parametrize("every", [timedelta(), timedelta(hours=7), timedelta(minutes=-1)])
def test_a_rhythm_that_cannot_be_kept_is_refused(product: Product, host: Host, every: timedelta) -> None:
    with pytest.raises(InvalidInput, match="every"):
        worker_of(product, host, every=every)


def _refuse(product: Product) -> None:
    product.books.disconnect()


def _use_up_the_day(product: Product) -> None:
    product.simulator.faults.plan(Fault.DAY_LIMIT)


@pytest.mark.parametrize("befalls", [_refuse, _use_up_the_day])
def test_one_that_was_woken_in_vain_is_tried_again_when_it_is_due_and_not_at_once(
    product: Product, host: Host, befalls: Callable[[Product], None]
) -> None:
    worker = worker_of(product, host)
    tenant = product.books.tenant_id
    worker.run(tenant)
    worker.wake(tenant)
    befalls(product)
    ran = worker.run(tenant)

    assert ran.ended in {Ended.REFUSED, Ended.WAITING}
    assert worker.due() == ()
    assert ran.due is not None
    product.clock.move_to(ran.due)
    assert [each.organisation for each in worker.due()] == [tenant]


def test_one_whose_work_fails_whenever_it_is_told_of_is_left_alone_for_a_while(prompt: Product) -> None:
    def work(xero: Xero) -> None:
        raise ZeroDivisionError(xero.books.tenant)

    listening(prompt)
    worker = worker_of(prompt, work)
    worker.run(prompt.books.tenant_id)
    prompt.invoice("Ana Costa", "5.00")
    wait(prompt, 1)
    (due,) = worker.due()

    assert worker.run(due.organisation).ended is Ended.FAILED
    assert worker.due() == ()


def test_who_slept_through_the_lease_leaves_the_organisation_to_its_successor(product: Product, host: Host) -> None:
    """A machine that was suspended in the middle of a run, for longer than a lease lasts."""
    product.invoice("Ana Costa", "5.00")

    def asleep(xero: Xero) -> None:
        product.clock.advance(700)
        ended.append(successor.run(xero.books.tenant).ended)
        host(xero)

    ended: list[Ended] = []
    successor = worker_of(product, host)
    ran = worker_of(product, asleep).run(product.books.tenant_id)

    assert ended == [Ended.DONE]
    assert (ran.ended, type(ran.error)) == (Ended.BUSY, LeaseLost)
    (due,) = successor.due([product.books.tenant_id])
    assert due.at > product.clock.now(), "the successor has kept how it stands"


def test_who_finds_the_lease_lost_at_the_end_keeps_nothing(product: Product, host: Host) -> None:
    def asleep(xero: Xero) -> None:
        host(xero)
        product.clock.advance(700)
        successor.run(xero.books.tenant)

    successor = worker_of(product, host)
    ran = worker_of(product, asleep).run(product.books.tenant_id)

    assert ran.ended is Ended.BUSY
    assert successor.run(product.books.tenant_id).ended is Ended.QUIET


def test_a_run_that_waits_for_the_minute_ends_within_a_second_when_it_is_asked_to() -> None:
    product = found_product(limits=True)
    began = product.clock.now()

    def work(xero: Xero) -> None:
        for _ in range(100):
            xero.organisation()

    ran = worker_of(product, work).run(
        product.books.tenant_id, should_stop=lambda: product.clock.now() - began > timedelta(seconds=15)
    )

    assert ran.ended is Ended.STOPPED
    assert product.clock.now() - began < timedelta(seconds=17)
    product.simulator.close()


def test_a_run_that_is_asked_to_stop_while_it_waits_to_send_again_posts_once(product: Product, host: Host) -> None:
    invoice = product.invoice("Ana Costa", "5.00")
    worker = worker_of(product, host)
    worker.run(product.books.tenant_id)
    host.settlements.append(settlement(invoice.id, "5.00", product.clock.now().date()))
    worker.wake(product.books.tenant_id)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT")

    ran = worker.run(product.books.tenant_id, should_stop=lambda: bool(product.live_payments()))

    assert (ran.ended, len(product.live_payments())) == (Ended.DONE, 1), "nothing was left to do but to look it up"
    ran = worker.run(product.books.tenant_id)
    assert (ran.why, ran.ended) == (Why.OPEN, Ended.DONE)
    assert len(product.live_payments()) == 1
