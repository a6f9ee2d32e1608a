"""Traces and metrics over OpenTelemetry: nothing, and at no cost, unless the standard OTEL_* variables name a receiver.

Prefect makes the spans of runs and stages; those of requests here are their children. No span or metric names a URL,
a lead or anything that belongs to a person.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, StatusCode

logger = logging.getLogger(__name__)

_SIGNALS = ("TRACES", "METRICS")
_tracer = trace.get_tracer("leadgate")
_meter = metrics.get_meter("leadgate")

LATENCIES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Where one bar of request durations ends and the next begins, in seconds."""

_requests = _meter.create_counter("leadgate.requests", unit="{request}", description="Requests to LeadByte.")
_durations = _meter.create_histogram(
    "leadgate.request.duration",
    unit="s",
    description="How long LeadByte took to answer, without the wait for a turn.",
    explicit_bucket_boundaries_advisory=LATENCIES,
)
_decisions = _meter.create_counter("leadgate.decisions", unit="{decision}", description="Decisions of rules.")
_leads = _meter.create_gauge("leadgate.leads", unit="{lead}", description="Leads in the ledger, by state.")


def is_wanted() -> bool:
    """Whether the environment names a receiver for traces or metrics."""
    return os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(map(_is_sent, _SIGNALS))


def _is_sent(signal: str) -> bool:
    exporters = os.environ.get(f"OTEL_{signal}_EXPORTER", "")
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return "otlp" in exporters if exporters else any(map(os.environ.get, endpoints))


def start() -> None:
    """Send what this process traces and counts to the receiver that the environment names.

    A process that is already set up (by `opentelemetry-instrument`, say) is left as it is. What is still held when the
    process ends is sent then.
    """
    if not is_wanted() or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415 - an extra
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        logger.warning("event=telemetry_off install=leadgate[otel]")
        return
    found = Resource.create()
    named = "unknown_service" not in str(found.attributes["service.name"])
    resource = found if named else found.merge(Resource({"service.name": "leadgate"}))
    if _is_sent("TRACES"):
        tracing = TracerProvider(resource=resource)
        tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(tracing)
    if _is_sent("METRICS"):
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        metrics.set_meter_provider(MeterProvider(metric_readers=[reader], resource=resource))


class Request:
    """One request under way; `status` is LeadByte's HTTP status once it has answered."""

    status: int | None = None


@contextmanager
def request(method: str, path: str) -> Iterator[Request]:
    """Trace, count and time one request to LeadByte."""
    sent = Request()
    began_at = time.perf_counter()
    kind = {"http.request.method": method, "url.template": path}
    with _tracer.start_as_current_span(
        f"{method} {path}",
        kind=SpanKind.CLIENT,
        attributes=kind,
        record_exception=False,  # an error's text may quote what was sent
        set_status_on_exception=False,
    ) as span:
        try:
            yield sent
        finally:
            outcome = "none" if sent.status is None else f"{sent.status // 100}xx"
            if sent.status:
                span.set_attribute("http.response.status_code", sent.status)
            if outcome != "2xx":
                span.set_status(StatusCode.ERROR, outcome)
            labels = kind | {"outcome": outcome}
            _requests.add(1, labels)
            _durations.record(time.perf_counter() - began_at, labels)


def name_run(pipeline: str) -> None:
    """Write the pipeline's name onto the span of Prefect's that is the present one, if any."""
    trace.get_current_span().set_attribute("leadgate.pipeline", pipeline)


def count_decisions(pipeline: str, decided: Mapping[tuple[str, str | None], int]) -> None:
    """Count decisions by verdict and rule (None: otherwise)."""
    for (verdict, rule), count in decided.items():
        _decisions.add(count, {"pipeline": pipeline, "verdict": verdict, "rule": rule or "(otherwise)"})


def note_leads(pipeline: str, counts: Mapping[str, int]) -> None:
    """Tell where the leads of a pipeline are."""
    for state, count in counts.items():
        _leads.set(count, {"pipeline": pipeline, "state": state})
