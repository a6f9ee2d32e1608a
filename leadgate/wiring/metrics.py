"""Metrics of a pipeline's ledger, served while a run or a flow watches."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from leadgate.config import load_config
from leadgate.metrics import serve_ledger
from leadgate.wiring.ledger import open_ledger, utc_now


@contextmanager
def serve_metrics(path: Path, port: int) -> Iterator[None]:
    """Answer Prometheus from a pipeline's ledger; raise PortTaken where the port cannot be listened on."""
    config = load_config(path)
    with closing(open_ledger(path, config)) as ledger, serve_ledger(ledger.engine, config.pipeline, port, utc_now):
        yield
