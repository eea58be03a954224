"""OpenTelemetry: spans and metrics where it is installed, and nothing missed where it is not."""

from __future__ import annotations

import subprocess
import sys

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from tests.conftest import Product

from xerosync import App, Worker, Xero
from xerosync.otel import OpenTelemetry
from xerosync.simulator import Fault


def test_each_call_is_a_span_under_the_host_s_own_and_is_measured(product: Product) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    xero = Xero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=product.store,
        transport=product.simulator.transport,
        clock=product.clock,
        on_event=OpenTelemetry(tracer_provider=tracers, meter_provider=meters),
    )
    xero.connect(product.tokens)
    spans.clear()
    product.simulator.faults.plan(Fault.UNAVAILABLE, method="GET", path="/Contacts")

    with tracers.get_tracer("host").start_as_current_span("nightly sync"):
        list(xero.contacts.list())

    failed, done, host = spans.get_finished_spans()
    assert [each.name for each in (failed, done)] == ["GET Contacts"] * 2
    assert failed.parent is not None
    assert host.context is not None
    assert failed.parent.span_id == host.context.span_id
    assert (failed.kind, failed.status.status_code) == (SpanKind.CLIENT, StatusCode.ERROR)
    assert done.attributes is not None
    assert done.attributes["http.response.status_code"] == 200
    assert done.attributes["http.request.resend_count"] == 1
    assert done.attributes["xerosync.organisation"] == product.books.tenant_id
    assert done.status.status_code is StatusCode.UNSET
    assert (done.start_time or 0) <= (done.end_time or 0)
    assert [each.name for each in host.events] == ["xerosync.waiting", "xerosync.page_read"]
    told = reader.get_metrics_data()
    assert told is not None
    names = {metric.name for each in told.resource_metrics for scope in each.scope_metrics for metric in scope.metrics}
    assert names == {"http.client.request.duration", "xerosync.calls", "xerosync.bytes_down", "xerosync.waited"}


def test_a_worker_s_runs_are_counted_with_how_late_they_were(product: Product) -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[reader])
    product.xero()
    worker = Worker(
        App(product.app.client_id, product.app.client_secret),
        store=product.store,
        work=lambda xero: xero.organisation(),
        transport=product.simulator.transport,
        clock=product.clock,
        on_event=OpenTelemetry(meter_provider=meters),
    )
    worker.enrol()
    product.clock.advance(90)

    worker.run(product.books.tenant_id)

    told = reader.get_metrics_data()
    assert told is not None
    metrics = {each.name: each.data for some in told.resource_metrics for s in some.scope_metrics for each in s.metrics}
    (runs,), (lag,) = metrics["xerosync.runs"].data_points, metrics["xerosync.run.lag"].data_points
    assert isinstance(runs, NumberDataPoint)
    assert isinstance(lag, HistogramDataPoint)
    assert (runs.value, dict(runs.attributes or {})) == (1, {"xerosync.why": "first", "xerosync.ended": "done"})
    assert 90 <= lag.sum < 95


def test_all_else_works_without_opentelemetry() -> None:
    """Every module but its own is imported where it cannot be found."""
    program = """
import importlib, pkgutil, sys
sys.modules["opentelemetry"] = None
import xerosync
for module in pkgutil.walk_packages(xerosync.__path__, "xerosync."):
    if module.name not in {"xerosync.otel", "xerosync.__main__"}:
        importlib.import_module(module.name)
from xerosync.testing.sandbox import sandbox
with sandbox() as box:
    print(box.xero.organisation().name)
try:
    import xerosync.otel
except ImportError as missing:
    print(missing)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    assert "Demo Company (NZ)" in done.stdout
    assert "xerosync[otel]" in done.stdout
