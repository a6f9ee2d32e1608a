"""Metrics of a pipeline's ledger, served while a run or a flow watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadgate.clock import utc_now
from leadgate.metrics import serve_ledger
from leadgate.wiring.ledger import ledger_of


@contextmanager
def serve_metrics(path: Path, port: int) -> Iterator[None]:
    """Answer Prometheus from a pipeline's ledger; raise PortTaken where the port cannot be listened on."""
    with ledger_of(path) as (config, ledger), serve_ledger(ledger.engine, config.pipeline, port, utc_now):
        yield
