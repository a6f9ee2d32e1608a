"""What a process that runs flows shows of them: log lines in Prefect's run log, telemetry, and events."""

import json
import logging
from collections.abc import Mapping
from uuid import UUID

from prefect.context import FlowRunContext, TaskRunContext
from prefect.events import emit_event
from prefect.logging.handlers import APILogHandler

from leadgate import telemetry
from leadgate.errors import LeadgateError
from leadgate.printable import on_one_line
from leadgate.unexpected import shows_tracebacks


def observe() -> None:
    """Join the core to Prefect's log, and to the receiver that OTEL_* variables name; once a process."""
    core = logging.getLogger("leadgate")
    # PREFECT_LOGGING_EXTRA_LOGGERS may have done it already.
    if not any(isinstance(handler, APILogHandler) for handler in core.handlers):
        handler = APILogHandler()
        handler.addFilter(_is_of_a_run)
        core.addHandler(handler)
    if core.level == logging.NOTSET:
        core.setLevel(logging.getLogger("prefect").level)
    for name in _LOG_WHAT_IS_RAISED:
        logging.getLogger(name).addFilter(without_traceback)
    telemetry.start()


_LOG_WHAT_IS_RAISED = ("prefect.engine", "prefect.flow_runs", "prefect.task_runs")


def without_traceback(record: logging.LogRecord) -> bool:
    """Log an error of ours by its message alone, which says what to do: a traceback above it would bury that."""
    if record.exc_info and isinstance(record.exc_info[1], LeadgateError) and not shows_tracebacks():
        record.exc_info = None
    return True


def _is_of_a_run(_: logging.LogRecord) -> bool:
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def quoted(text: str) -> str:
    """Give a text as one value of a log line: in quotes, on one line."""
    return on_one_line(json.dumps(text, ensure_ascii=False))


def tell(event: str, pipeline: str, payload: Mapping[str, int | str], known_by: UUID | None = None) -> None:
    """Send an event about a pipeline, as the resource `leadgate.pipeline.NAME` that automations match.

    Counts, and for people the names of rules and links; no value of a lead. Of events that are `known_by` one id the
    server hears one.
    """
    resource = {"prefect.resource.id": f"leadgate.pipeline.{pipeline}", "prefect.resource.name": pipeline}
    emit_event(event, resource=resource, payload=dict(payload), id=known_by)
