"""The ledger of a pipeline file: all that the verbs need that only look."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from leadgate.clock import Clock
from leadgate.config import PipelineConfig, load_config
from leadgate.ledger import Ledger, open_engine


def open_ledger(path: Path, config: PipelineConfig, *, clock: Clock | None = None) -> Ledger:
    """Open the ledger under a name of this run's own, which its leases carry."""
    engine = open_engine(config.ledger.url.get_secret_value(), base_dir=path.resolve().parent)
    owner = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"
    account = account_of(config.leadbyte.base_url)
    return Ledger(engine, pipeline=config.pipeline, owner=owner, clock=clock, account=account)


def account_of(base_url: str) -> str:
    """The name by which all who act on one LeadByte account know it."""
    return urlsplit(base_url).netloc


@contextmanager
def ledger_of(path: Path) -> Iterator[tuple[PipelineConfig, Ledger]]:
    """Read a pipeline file and open its ledger, and nothing else of it; the ledger is closed afterwards."""
    config = load_config(path)
    with closing(open_ledger(path, config)) as ledger:
        yield config, ledger
