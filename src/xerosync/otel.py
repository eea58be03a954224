"""
Traces and metrics by OpenTelemetry: ``Xero(…, on_event=OpenTelemetry())``. It needs ``pip install 'xerosync[otel]'``.

Only the API of OpenTelemetry is used; what becomes of spans and metrics is up to the SDK that your program sets up.
Nothing else of xerosync imports this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

try:
    from opentelemetry import metrics, trace
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import SpanKind, StatusCode, TracerProvider
except ImportError as _missing:
    raise ImportError("OpenTelemetry is not installed: pip install 'xerosync[otel]'") from _missing

from xerosync.events import Event

_NAME: Final = "xerosync"
_NANOSECONDS: Final = 1_000_000_000
_STANDARD: Final = {
    "method": "http.request.method",
    "path": "url.template",
    "status": "http.response.status_code",
    "attempt": "http.request.resend_count",
    "bytes_up": "http.request.body.size",
    "bytes_down": "http.response.body.size",
}

_FLEET: Final = {
    "open": "{write}",
    "parked": "{write}",
    "findings": "{finding}",
    "lag": "s",
    "overdue": "{organisation}",
    "reconnect": "{organisation}",
    "dying": "{organisation}",
}


class OpenTelemetry:
    """
    A listener that makes a span of each call, under the span your program is in, and events of everything else.

    It measures ``http.client.request.duration`` in seconds, and counts ``xerosync.calls``, ``xerosync.bytes_down`` and
    ``xerosync.waited`` (seconds, by limit). Of a worker's runs it counts ``xerosync.runs`` by why and how they ended,
    and measures ``xerosync.run.duration`` and ``xerosync.run.lag``, how late they began, in seconds. Each look at a
    `Fleet` sets ``xerosync.fleet.open``, ``.parked``, ``.findings``, ``.lag``, ``.overdue``, ``.reconnect`` and
    ``.dying``. Without providers of your own it uses the global ones.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        meter = metrics.get_meter(_NAME, meter_provider=meter_provider)
        self._tracer: Final = trace.get_tracer(_NAME, tracer_provider=tracer_provider)
        self._duration: Final = meter.create_histogram("http.client.request.duration", unit="s")
        self._calls: Final = meter.create_counter("xerosync.calls", unit="{call}")
        self._bytes_down: Final = meter.create_counter("xerosync.bytes_down", unit="By")
        self._waited: Final = meter.create_counter("xerosync.waited", unit="s")
        self._runs: Final = meter.create_counter("xerosync.runs", unit="{run}")
        self._run_duration: Final = meter.create_histogram("xerosync.run.duration", unit="s")
        self._run_lag: Final = meter.create_histogram("xerosync.run.lag", unit="s")

        self._fleet: Final = {name: meter.create_gauge(f"xerosync.fleet.{name}", unit=_FLEET[name]) for name in _FLEET}

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Hear of *event*."""
        told = {name: value for name, value in fields.items() if isinstance(value, str | bool | int | float)}
        if event == Event.CALL_FINISHED:
            self._call(told)
            return
        if event == Event.WAITING:
            limit = {"xerosync.limit": told["limit"]} if "limit" in told else {}
            self._waited.add(float(told.get("seconds", 0.0)), limit)
        if event == Event.RUN_FINISHED:
            self._run(told)
        if event == Event.FLEET_SEEN:
            for name, gauge in self._fleet.items():
                gauge.set(float(told[name]))
        trace.get_current_span().add_event(event, {_own(name): value for name, value in told.items()})

    def _run(self, told: Mapping[str, str | bool | int | float]) -> None:
        self._runs.add(1, {_own(name): told[name] for name in ("why", "ended")})
        ended = {_own("ended"): told["ended"]}
        self._run_duration.record(float(told["seconds"]), ended)
        self._run_lag.record(float(told["lag"]), ended)

    def _call(self, told: Mapping[str, str | bool | int | float]) -> None:
        now = time.time_ns()
        seconds = float(told["seconds"])
        attributes = {_STANDARD.get(name, _own(name)): value for name, value in told.items() if name != "seconds"}
        attributes["http.request.resend_count"] = int(told["attempt"]) - 1
        span = self._tracer.start_span(
            f"{told['method']} {told['path']}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=now - int(seconds * _NANOSECONDS),
        )
        status = told.get("status")
        if not isinstance(status, int) or status >= 400:
            span.set_status(StatusCode.ERROR, str(status or told["outcome"]))
        span.end(now)
        measured = {_STANDARD[name]: told[name] for name in ("method", "path", "status") if name in told}
        self._duration.record(seconds, measured)
        self._calls.add(1, measured)
        self._bytes_down.add(int(told["bytes_down"]), measured)


def _own(name: str) -> str:
    return f"{_NAME}.{name}"
