"""A ledger of a test's own, made as a person makes it: once, for the first time."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from leadgate.errors import LedgerError
from leadgate.identity import Identity
from leadgate.ledger import Ledger, open_engine
from leadgate.ledger.pipelines import add_pipeline
from leadgate.ledger.schema import entries, metadata
from leadgate.ledger.schema import pipelines as known


def new_engine(url: str, *, base_dir: Path, pipelines: Sequence[str] = ("acme",)) -> Engine:
    """Open a ledger, and make it if there is none; it knows these pipelines, each with an account of its name."""
    engine = open_engine(url, base_dir=base_dir, create=True)
    for name in pipelines:
        with suppress(LedgerError):  # it is known already
            ledger = Ledger(engine, pipeline=name, owner="person")
            add_pipeline(ledger, Identity(name, "source.db: leads"), first_time=True, now=datetime.now(UTC))
    return engine


def forget_leads(engine: Engine) -> None:
    """Empty a ledger, but for the pipelines it knows."""
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not known:
                connection.execute(table.delete())


def move_pipeline(engine: Engine, named: Identity) -> None:
    """Let a ledger's one pipeline have another account and source, as if it had had them from the first."""
    with engine.begin() as connection:
        connection.execute(known.update().values(named._asdict()))
        connection.execute(entries.update().values(account=named.account))
