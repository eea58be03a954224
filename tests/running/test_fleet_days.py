"""The simulation of a fleet's days runs whom, and when, the real worker runs on the simulator."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from attrs import evolve
from tests.benchmarks.fleet_days import Fleet, Organisation, Setting, floor_of, is_met, row_of
from tests.conftest import Product, found_product
from tests.running.conftest import listening, wait, worker_of

from xerosync import Ended, Limits, Receivables, Worker, Xero
from xerosync.simulator import Switches

HOURS = (3.0, 3.1, 3.5, 9.0, 9.2, 9.4, 16.9, 17.0)
MINUTE = 60.0


def work(xero: Xero) -> None:
    """It reads invoices and payments, a call each."""
    Receivables(xero).follow([])


def of_the_simulation(*, webhooks: bool) -> tuple[list[float], int]:
    """When the simulated organisation was worked on, in minutes, and the calls that took."""
    fleet = Fleet(Setting(1, 1, Limits(), webhooks=webhooks))
    times = [hour * 3600 for hour in HOURS]
    fleet.organisations = [Organisation(0, 1, times, times)]
    fleet.live()
    return [each / MINUTE for each in fleet.began], fleet.counted.calls


def of_the_worker(product: Product, worker: Worker) -> tuple[list[float], int]:
    """The same of the real worker, which runs whenever it says that it is due."""
    began, calls = product.clock.now(), 0
    changes = [began + timedelta(hours=hour) for hour in HOURS]
    times: list[float] = []

    def go_to(moment: datetime) -> None:
        product.clock.advance(max(0.0, (moment - product.clock.now()).total_seconds()))

    while True:
        (due,) = worker.due([product.books.tenant_id])
        if changes and changes[0] <= due.at:
            go_to(changes.pop(0))
            product.invoice("Ana", "1.00")
            wait(product, 0)
            continue
        go_to(due.at)
        if (passed := product.clock.now() - began) >= timedelta(days=1):
            return times, calls
        ran = worker.run(product.books.tenant_id)
        if ran.ended is Ended.DONE:
            times.append(passed.total_seconds() / MINUTE)
            calls += ran.calls


@pytest.mark.parametrize("webhooks", [False, True], ids=["polling", "told"])
def test_an_organisation_is_worked_on_when_the_real_worker_would(webhooks: bool) -> None:
    product = found_product(switches=Switches(webhooks_are_late=False))
    rhythm = Setting(1, 1, Limits(), webhooks=webhooks).rhythm
    worker = worker_of(
        product, work, every=rhythm.every, max_silence=rhythm.max_silence, gather=rhythm.gather, sweep=None
    )
    if webhooks:
        listening(product)
        product.invoice("Ana", "1.00")
        wait(product, 60)  # until something is told of, nobody knows that webhooks come

    times, calls = of_the_worker(product, worker)
    simulated, simulated_calls = of_the_simulation(webhooks=webhooks)

    assert times == pytest.approx(simulated, abs=1.0)
    assert calls == simulated_calls
    product.simulator.close()


@pytest.mark.parametrize("webhooks", [False, True], ids=["polling", "told"])
def test_a_small_fleet_keeps_every_promise(webhooks: bool) -> None:
    fleet = Fleet(Setting(80, 3, Limits(a_day=1000), webhooks=webhooks))

    fleet.live()

    assert is_met(fleet, row_of(fleet, "small"))


def test_the_floor_reads_each_change_within_a_quarter_of_an_hour() -> None:
    """A change alone, two that one reading serves, and what is read in silence: two calls each."""
    setting = Setting(1, 1, Limits(), webhooks=True)
    alone = Organisation(0, 1, [3600.0], [])
    together = evolve(alone, changed=[3600.0, 3600.0 + 10 * MINUTE])
    apart = evolve(alone, changed=[3600.0, 3600.0 + 20 * MINUTE])

    calls = [floor_of(setting, [each])[0] for each in (alone, together, apart)]

    assert calls == [10, 10, 12]
