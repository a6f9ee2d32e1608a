"""What a process that runs flows shows of them: the core's log lines in Prefect's run log, and its telemetry."""

import json
import logging

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.handlers import APILogHandler

from leadgate import telemetry


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
    telemetry.start()


def _is_of_a_run(_: logging.LogRecord) -> bool:
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def quoted(text: str) -> str:
    """Give a text as one value of a log line: in quotes, on one line."""
    return json.dumps(text, ensure_ascii=False)
