"""Two workers on one organisation: one writes, the other waits; one that was overtaken writes nothing more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from tests.conftest import CLEARING, DAY, Product, Through, is_write
from tests.engine.scenarios import collected

from xerosync import App, Receivables, SQLiteStore, Xero
from xerosync.errors import LeaseLost, VersionConflict
from xerosync.ports import Request
from xerosync.storage import Owner
from xerosync.storage.owner import this_process


@pytest.fixture
def shared(product: Product, tmp_path: Path) -> Iterator[Product]:
    """The product on a SQLite file, as several processes share it."""
    with closing(SQLiteStore(tmp_path / "books.db")) as store:
        yield evolve(product, store=store)


def lease_name(product: Product) -> str:
    return f"organisation/{product.books.tenant_id}"


def once(action: Callable[[], object]) -> Callable[[Request], None]:
    """Do *action* at the first write that comes by."""
    done: list[bool] = []

    def at_first_write(request: Request) -> None:
        if is_write(request) and not done:
            done.append(True)
            action()

    return at_first_write


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_slept_through_its_lease_finds_its_work_done_and_stops(shared: Product, moment: str) -> None:
    """Its successor ends what it had begun; woken up, it can neither send nor record anything."""
    invoice = shared.collectable("100.00")
    successor = Receivables(shared.xero(quarantine_s=300.0), clearing_account=CLEARING)
    plan = successor.settle(collected(invoice.id))
    overtake = once(lambda: successor.apply(plan))
    inner = shared.simulator.transport
    transport = Through(inner, before=overtake) if moment == "before" else Through(inner, after=overtake)
    sleeper = Receivables(shared.xero(transport=transport), clearing_account=CLEARING)

    with pytest.raises((LeaseLost, VersionConflict)):
        sleeper.apply(plan)

    assert shared.standing(invoice.id) == [(Decimal(40), DAY)]
    assert not successor.settle(collected(invoice.id))


def test_a_worker_whose_lease_was_taken_from_it_records_nothing_more(shared: Product) -> None:
    """Its write may still arrive, as its claim holds; what became of it is for the successor to find out."""
    invoice = shared.collectable("100.00")
    name, successor = lease_name(shared), this_process("successor")

    def take() -> None:
        holder = shared.store.lease_owner(name)
        assert shared.store.lease(name, successor, ttl_s=60, now=shared.clock.now(), force=holder) is not None

    transport = Through(shared.simulator.transport, before=once(take))
    overtaken = Receivables(shared.xero(transport=transport), clearing_account=CLEARING)
    with pytest.raises(LeaseLost):
        overtaken.apply(overtaken.settle(collected(invoice.id)))
    assert [each.state for each in shared.store.query("intent", shared.books.tenant_id)] == ["sent"]

    recovery = Receivables(shared.xero()).recover()

    assert (recovery.found, recovery.sent) == (1, 0)
    assert shared.standing(invoice.id) == [(Decimal(40), DAY)]


def test_a_second_worker_waits_aloud_and_takes_over_when_the_lease_has_run_out(shared: Product) -> None:
    invoice = shared.collectable("100.00")
    heard: list[str] = []

    def listen(event: str, fields: Mapping[str, object]) -> None:
        if event == "xerosync.waiting":
            heard.append(str(fields["reason"]))

    xero = Xero(
        App(shared.app.client_id, shared.app.client_secret),
        shared.books.tenant_id,
        store=shared.store,
        transport=shared.simulator.transport,
        clock=shared.clock,
        on_event=listen,
    )
    sales = Receivables(xero, clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    living = this_process("another worker")
    assert shared.store.lease(lease_name(shared), living, ttl_s=100, now=shared.clock.now()) is not None
    before = shared.clock.now()

    sales.apply(plan)

    assert heard == ["another worker holds this organisation"]
    assert shared.clock.now() - before >= timedelta(seconds=100)
    assert shared.standing(invoice.id) == [(Decimal(40), DAY)]


def test_a_lease_given_back_is_taken_at_once(shared: Product) -> None:
    invoice = shared.collectable("100.00")
    first, second = (Receivables(shared.xero(), clearing_account=CLEARING) for _ in range(2))
    plan = second.settle(collected(invoice.id))
    first.apply(plan)
    before = shared.clock.now()

    second.apply(plan)

    assert shared.clock.now() - before < timedelta(seconds=2)
    assert shared.store.lease_owner(lease_name(shared)) is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc to ask")
def test_a_dead_process_on_this_machine_is_followed_at_once(shared: Product) -> None:
    invoice = shared.collectable("100.00")
    sales = Receivables(shared.xero(), clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))
    assert shared.store.lease(lease_name(shared), dead_process(), ttl_s=10_000, now=shared.clock.now()) is not None
    before = shared.clock.now()

    sales.apply(plan)

    assert shared.clock.now() - before < timedelta(seconds=2)
    assert shared.standing(invoice.id) == [(Decimal(40), DAY)]


def dead_process() -> Owner:
    """A process of this machine that is surely over."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    return evolve(this_process(), process=child.pid)


def test_the_lease_is_given_back_when_the_run_fails(shared: Product) -> None:
    invoice = shared.collectable("100.00")

    def fail() -> None:
        raise RuntimeError("the host's own fault")

    transport = Through(shared.simulator.transport, before=once(fail))
    sales = Receivables(shared.xero(transport=transport), clearing_account=CLEARING)
    plan = sales.settle(collected(invoice.id))

    with pytest.raises(RuntimeError):
        sales.apply(plan)

    assert shared.store.lease_owner(lease_name(shared)) is None


def test_a_worker_that_writes_for_long_keeps_its_lease(shared: Product) -> None:
    """Waiting for Xero's minute limit takes longer than half the lease: it is renewed between the steps."""
    invoice = shared.collectable("100.00")
    plan = Receivables(shared.xero(), clearing_account=CLEARING).settle(collected(invoice.id))
    owners: list[Owner | None] = []

    def dawdle(request: Request) -> None:
        if is_write(request):
            shared.clock.advance(400)
            owners.append(shared.store.lease_owner(lease_name(shared)))

    slow = Receivables(
        shared.xero(transport=Through(shared.simulator.transport, after=dawdle)), clearing_account=CLEARING
    )

    report = slow.apply(plan)

    assert report.unfinished == ()
    assert owners[0] is not None
    assert shared.standing(invoice.id) == [(Decimal(40), DAY)]
