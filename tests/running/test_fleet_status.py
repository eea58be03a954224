"""How it stands with all organisations: as a value, as text, rows and JSON, and as metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from tests.conftest import CLEARING, Product, nzd
from tests.running.conftest import worker_of

from xerosync import App, Fleet, OrganisationStatus, Receivables, Settlement, SettlementLine, Tokens, Worker, Xero
from xerosync.client.gate import MemoryGate
from xerosync.errors import BudgetSpent, InvalidInput
from xerosync.otel import OpenTelemetry
from xerosync.simulator import Fault


def work(xero: Xero) -> None:
    Receivables(xero, clearing_account=CLEARING).import_invoices()


@pytest.fixture
def fleet(product: Product) -> Fleet:
    return Fleet(product.store, clock=product.clock)


def only(fleet: Fleet) -> OrganisationStatus:
    (found,) = fleet.status().organisations
    return found


def codes(status: OrganisationStatus) -> list[str]:
    return [each.code for each in status.findings]


def connect_another(product: Product) -> str:
    other = product.simulator.add_organisation("Another")
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id, other.tenant_id])
    xero = Xero(
        App(product.app.client_id, product.app.client_secret), other.tenant_id, store=product.store,
        transport=product.simulator.transport, clock=product.clock,
    )  # fmt: skip
    expires_at = product.clock.now() + timedelta(seconds=given.expires_in)
    xero.connect(Tokens(given.access_token, given.refresh_token, expires_at))
    return other.tenant_id


def test_what_a_worker_did_and_when_it_comes_again(product: Product, fleet: Fleet) -> None:
    worker = worker_of(product, work)
    first = worker.run(product.books.tenant_id)
    product.clock.advance(3600 * 2)
    second = worker.run(product.books.tenant_id)
    asked = product.simulator.calls

    status = only(fleet)

    assert (status.runs, status.ended, status.due) == (2, "done", second.due)
    assert status.calls == first.calls + second.calls > 0
    assert status.bytes_down == first.bytes_down + second.bytes_down > 0
    assert status.day_left in range(4_990, 5_000)
    assert (status.lag_s, status.findings) == (0.0, ())
    assert product.simulator.calls == asked


def test_what_is_left_of_the_day_is_known_wherever_the_gate_s_count_lies(product: Product, fleet: Fleet) -> None:
    """As in Redis, which the status does not ask."""
    tenant = product.books.tenant_id
    ran = worker_of(product, lambda xero: list(xero.contacts.list()), gate=MemoryGate()).run(tenant)

    (status,) = fleet.status().organisations
    assert ran.day_left is not None
    assert status.day_left == ran.day_left
    product.clock.advance(25 * 3600)
    (status,) = fleet.status().organisations
    assert status.day_left is None, "that was another day"


def test_one_that_no_worker_comes_to_is_overdue(product: Product, fleet: Fleet) -> None:
    worker = worker_of(product, work)
    due = worker.run(product.books.tenant_id).due
    assert due is not None
    product.clock.advance((due - product.clock.now()).total_seconds() + 3661)

    status = only(fleet)

    assert 3600 < status.lag_s < 3700
    assert codes(status) == ["overdue"]
    worker.run(product.books.tenant_id)
    assert codes(only(fleet)) == []


def _dies(product: Product, worker: Worker) -> None:
    worker.run(product.books.tenant_id)
    product.clock.advance(47 * 24 * 3600)
    worker.wake(product.books.tenant_id, at=product.clock.now() + timedelta(days=1))


def _forbidden(product: Product, worker: Worker) -> None:
    product.simulator.faults.plan(Fault.FORBIDDEN)
    worker.run(product.books.tenant_id)


def _fails(product: Product, worker: Worker) -> None:
    for _ in range(3):
        worker.run(product.books.tenant_id)
        product.clock.advance(3600)


def _ends(product: Product, worker: Worker) -> None:
    worker.run(product.books.tenant_id)
    product.xero().disconnect()


@pytest.mark.parametrize(
    ("befalls", "found"),
    [
        (_forbidden, ["run refused"]),
        (_ends, ["reconnect needed"]),
        (_dies, ["consent dies", "overdue"]),
        (_fails, ["runs fail"]),
    ],
)
def test_each_trouble_is_a_finding(
    product: Product, fleet: Fleet, befalls: Callable[[Product, Worker], None], found: list[str]
) -> None:
    def breaks(_: Xero) -> None:
        raise ZeroDivisionError

    befalls(product, worker_of(product, breaks if befalls is _fails else work))

    assert codes(only(fleet)) == found


def test_a_consent_that_is_kept_alive_does_not_die(product: Product, fleet: Fleet) -> None:
    worker_of(product, work)
    product.clock.advance(45 * 24 * 3600)
    before = only(fleet).connection.dies_at
    product.xero()  # uses it

    after = only(fleet).connection.dies_at

    assert before is not None
    assert after is not None
    assert after - before > timedelta(days=40)


def test_a_write_that_was_broken_off_is_open_in_its_organisation_alone(product: Product, fleet: Fleet) -> None:
    invoice = product.collectable("100.00")
    other = connect_another(product)
    today = product.clock.now().date()
    line = SettlementLine(id="L", transaction=invoice.id, amount=nzd("100.00"))
    xero = product.xero()
    sales = Receivables(xero, clearing_account=CLEARING)
    plan = sales.settle(Settlement(id="S", on=today, lines=(line,)))
    with pytest.raises(BudgetSpent), xero.run(calls=1):
        sales.apply(plan)

    status = fleet.status()

    assert {each.organisation: each.open for each in status.organisations} == {product.books.tenant_id: 1, other: 0}
    assert [each.code for each in status.findings] == ["still open"]
    assert str(status).splitlines()[-1] == "in all: 2 organisations, 1 open, 1 findings, 0 overdue"
    (alone,) = fleet.status([other]).organisations
    assert (alone.organisation, alone.findings) == (other, ())


def test_it_is_told_as_text_rows_and_json(product: Product, fleet: Fleet) -> None:
    worker_of(product, work).run(product.books.tenant_id)

    status = fleet.status()

    assert "worker: 1 run, " in str(status)
    assert json.loads(status.json()) == {"organisations": status.rows(), "findings": 0}
    (row,) = status.rows()
    assert (row["organisation"], row["ended"], row["runs"]) == (product.books.tenant_id, "done", 1)
    assert str(row["name"]) not in repr(status) + repr(status.organisations)


def test_its_counts_are_metrics(product: Product) -> None:
    heard: list[tuple[str, Mapping[str, object]]] = []
    worker_of(product, work).run(product.books.tenant_id)
    product.clock.advance(5 * 3600)
    status = Fleet(product.store, clock=product.clock, on_event=lambda *told: heard.append(told)).status()
    assert heard == [("xerosync.fleet_seen", status.counts())]

    reader = InMemoryMetricReader()
    measured = OpenTelemetry(meter_provider=MeterProvider(metric_readers=[reader]))
    Fleet(product.store, clock=product.clock, on_event=measured).status()

    told = reader.get_metrics_data()
    assert told is not None
    values = {
        metric.name: point.value
        for each in told.resource_metrics for scope in each.scope_metrics for metric in scope.metrics
        for point in metric.data.data_points if isinstance(point, NumberDataPoint)
    }  # fmt: skip
    assert values == {f"xerosync.fleet.{name}": status.counts()[name] for name in (
        "open", "parked", "findings", "lag", "overdue", "reconnect", "dying",
    )}  # fmt: skip
    assert values["xerosync.fleet.overdue"] == 1


def test_one_that_the_store_does_not_know_is_refused(product: Product, fleet: Fleet) -> None:
    worker_of(product, work)

    with pytest.raises(InvalidInput, match="organisation"):
        fleet.status(["another"])
