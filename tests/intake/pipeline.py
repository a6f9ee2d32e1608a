"""A pipeline of a real source and a real ledger, and the hands of its owner in the source."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.engine import RowMapping

from leadgate.config import PipelineConfig
from leadgate.intake import Again, Looked, Registered, compare_all, look_for_arrivals, register_leads
from leadgate.ledger import Ledger
from leadgate.ledger.history import read_history
from leadgate.model import State
from leadgate.policy.compiling import compile_policy
from leadgate.policy.deciding import Policy
from leadgate.source import Source
from leadgate.wiring.pipeline import build_again
from tests.delivery.world import NOON, Clock, config_with
from tests.support.ledgers import new_engine

RULES = [
    {"name": "good", "when": "enrichment.score >= 0.5", "then": "process", "because": "A good score."},
    {"name": "soon", "when": "enrichment.score < 0.0", "then": "hold", "because": "Too early."},
    {"name": "never-enriched", "when": "late", "then": "reject", "because": "No enrichment within the deadline."},
]
TABLES = (
    "CREATE TABLE leads (id BIGINT, quarantined_at TIMESTAMP)",
    "CREATE TABLE enrichment (id BIGINT, updated_at TIMESTAMP, postcode TEXT, mobile TEXT, score DOUBLE PRECISION)",
)


def small_pages(monkeypatch: pytest.MonkeyPatch, leads: int) -> None:
    """Let a page have so few leads, wherever one is read: a name that nobody reads by would prove nothing."""
    readers = [
        module for name, module in sys.modules.items() if name.startswith("leadgate.") and hasattr(module, "PAGE")
    ]
    assert {module.__name__.rpartition(".")[2] for module in readers} >= {"register", "compare", "look", "again"}
    for module in readers:
        monkeypatch.setattr(module, "PAGE", leads)


class Pipeline:
    """The parts of one pipeline; its clock stands still until it is told to go on."""

    def __init__(self, url: str, base_dir: Path) -> None:
        self._url, self._base_dir = url, base_dir
        self.clock = Clock()
        self.owner: Engine = create_engine(url, poolclass=NullPool)
        self.run_sql(*TABLES)
        self.source = Source.open(self.config().source, base_dir=base_dir)
        self.ledger = self._open_ledger("run-1")

    def reopen_source(self, url: str | None = None, **sections: dict[str, Any]) -> None:
        """Open the source anew, with another address or other settings."""
        self.source.close()
        config = self.config(**sections).source
        if url:
            config = config.model_copy(update={"url": SecretStr(url)})
        self.source = Source.open(config, base_dir=self._base_dir)

    def config(self, **sections: dict[str, Any]) -> PipelineConfig:
        """The pipeline file, with changes to its sections."""
        relations = {
            "leads": {"table": "leads", "id": "id", "quarantined_at": "quarantined_at"},
            "enrichment": {"table": "enrichment", "id": "id", "updated_at": "updated_at"},
        }
        usual: dict[str, dict[str, Any]] = {
            "source": {"url": SecretStr(self._url), **relations},
            "policy": {"rules": RULES},
            "update": {"postcode": "postcode", "phone1": "mobile"},
        }
        names = {*usual, *sections}
        return config_with(**{name: usual.get(name, {}) | sections.get(name, {}) for name in names})

    def policy(self, **sections: dict[str, Any]) -> Policy:
        """The rules of that file."""
        return compile_policy(self.config(**sections).policy, self.source.columns)

    def again(self, **sections: dict[str, Any]) -> Again:
        """What lets leads in review or parked be decided anew, by that file."""
        return build_again(self.config(**sections), self.source, self.ledger, self.policy(**sections))

    def _open_ledger(self, owner: str) -> Ledger:
        address = self._url if self._url.startswith("postgresql") else "sqlite:///ledger.db"
        engine = new_engine(address, base_dir=self._base_dir)
        return Ledger(engine, pipeline="acme", owner=owner, clock=self.clock)

    @contextmanager
    def other_run(self) -> Iterator[Ledger]:
        """The same ledger, held by another run."""
        ledger = self._open_ledger("run-2")
        yield ledger
        ledger.close()

    def run_sql(self, *statements: str, **values: object) -> None:
        """Change the source as its owner does."""
        with self.owner.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def quarantine(self, *ids: int, at: datetime | None = None) -> None:
        """Put leads into quarantine, now or at another time."""
        instant = _sql((at or self.clock()).replace(tzinfo=None))
        with self.owner.begin() as connection:
            statement = text("INSERT INTO leads VALUES (:id, :at)")
            connection.execute(statement, [{"id": lead_id, "at": instant} for lead_id in ids])

    def arrive(self, lead_id: int, **columns: object) -> None:
        """Let enrichment arrive for a lead; the usual values make it complete and good."""
        self.run_sql("DELETE FROM enrichment WHERE id = :id", id=lead_id)
        values = {"postcode": "TN25 6QD", "mobile": "07700 900123", "score": 0.9} | columns
        self.run_sql(
            "INSERT INTO enrichment VALUES (:id, :at, :postcode, :mobile, :score)",
            id=lead_id,
            at=_sql(self.clock().replace(tzinfo=None)),
            **values,
        )

    def complete(self, *ids: int) -> None:
        """Put leads into quarantine whose enrichment is there, and look."""
        self.quarantine(*ids)
        for lead_id in ids:
            self.arrive(lead_id)
        self.look()

    def register(self) -> Registered:
        """Register what the source holds now."""
        return register_leads(self.source, self.ledger, self.config(), now=self.clock())

    def look(self, **sections: dict[str, Any]) -> Looked:
        """Register, look and compare once, as a run does that begins after all others, though the clock stands."""
        looked = self.look_forward(**sections)
        now = self.clock()
        begun_at = now + timedelta(microseconds=1)
        parts = self.source, self.ledger, self.config(**sections)
        compared = compare_all(*parts, now=now, begun_at=begun_at, again=self.again(**sections))
        if compared.looked:
            looked.add(compared.looked)
        return looked

    def look_forward(self, **sections: dict[str, Any]) -> Looked:
        """Register and look at what is new alone, as a run that watches does most of the time."""
        self.register()
        parts = self.source, self.ledger, self.config(**sections)
        return look_for_arrivals(*parts, now=self.clock(), again=self.again(**sections))

    def entry(self, lead_id: str) -> RowMapping:
        """One lead's row in the ledger."""
        history = read_history(self.ledger, lead_id)
        assert history is not None
        return history.entry

    def rows(self, table: str = "leadgate_entries") -> list[tuple[Any, ...]]:
        """Every row of a table of the ledger."""
        with self.ledger.engine.connect() as connection:
            return sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}"))), key=repr)  # noqa: S608

    def states(self) -> dict[str, State]:
        """Where every lead is."""
        with self.ledger.engine.connect() as connection:
            found = connection.execute(text("SELECT lead_id, state FROM leadgate_entries"))
            return {lead_id: State(state) for lead_id, state in found}

    def close(self) -> None:
        """Close every connection."""
        self.source.close()
        self.ledger.close()


def _sql(instant: datetime) -> str:
    """A time as SQLite and PostgreSQL both read it."""
    return instant.isoformat(sep=" ", timespec="microseconds")


@contextmanager
def open_pipeline(url: str, base_dir: Path) -> Iterator[Pipeline]:
    """A pipeline on an empty source database, closed afterwards."""
    pipeline = Pipeline(url, base_dir)
    yield pipeline
    pipeline.close()


__all__ = ["NOON", "Pipeline", "open_pipeline"]
