"""Traces over OpenTelemetry: nothing, and at no cost, unless the standard OTEL_* variables name a receiver.

Prefect makes the spans of runs and stages; those of requests here are their children. No span names a URL, a lead or
anything that belongs to a person.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

logger = logging.getLogger(__name__)

_tracer = trace.get_tracer("leadgate")


def _is_wanted() -> bool:
    """Whether the environment names a receiver for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporters = os.environ.get("OTEL_TRACES_EXPORTER", "")
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return "otlp" in exporters if exporters else any(map(os.environ.get, endpoints))


def start() -> None:
    """Send what this process traces to the receiver that the environment names.

    A process that is already set up (by `opentelemetry-instrument`, say) is left as it is. What is still held when the
    process ends is sent then.
    """
    if not _is_wanted() or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        logger.warning("event=telemetry_off install=leadgate[otel]")
        return
    found = Resource.create()
    named = "unknown_service" not in str(found.attributes["service.name"])
    tracing = TracerProvider(resource=found if named else found.merge(Resource({"service.name": "leadgate"})))
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracing)


class Request:
    """One request under way; `status` is LeadByte's HTTP status once it has answered."""

    status: int | None = None


@contextmanager
def request(method: str, path: str) -> Iterator[Request]:
    """Trace one request to LeadByte."""
    sent = Request()
    with _tracer.start_as_current_span(
        f"{method} {path}",
        kind=SpanKind.CLIENT,
        attributes={"http.request.method": method, "url.template": path},
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


def name_run(pipeline: str) -> None:
    """Write the pipeline's name onto the span of Prefect's that is the present one, if any."""
    trace.get_current_span().set_attribute("leadgate.pipeline", pipeline)
