"""A pipeline to try things on: a folder with its file, a source of two tables, a practice LeadByte's address."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Engine, Float, MetaData, Table, Text, create_engine, select
from sqlalchemy.types import BigInteger, TypeEngine

from leadgate.config import load_config
from leadgate.errors import ConfigError
from leadgate.identity import identity_of
from leadgate.ledger.engine import open_engine
from leadgate.ledger.schema import attempts, entries
from leadgate.sandbox import Sandbox
from leadgate.wiring.identity import create_ledger
from leadgate.wiring.ledger import ledger_of
from tests.delivery.world import release_brake
from tests.support.audit import audit_ledger, audit_sandbox
from tests.support.ledgers import move_pipeline

PIPELINE = """\
pipeline: acme
leadbyte:
  base_url: {leadbyte}
  api_key: {key}
  requests_per_second: 0
source:
  url: {source}
  leads: {{table: quarantined_leads, id: quarantine_id, quarantined_at: quarantined_at}}
  enrichment: {{table: lead_enrichment, id: quarantine_id, updated_at: updated_at}}
ledger:
  url: {ledger}
wait:
  require: [postcode, phone_verified, score]
  deadline: 24h
update:
  postcode: postcode
  phone1: mobile
policy:
  rules:
    - name: opted-out
      when: enrichment.opted_out
      then: reject
      because: The person opted out.
    - name: verified
      when: enrichment.phone_verified && enrichment.score >= 0.6
      then: process
      because: Phone verified and a score of {{score}}.
    - name: not-sure-yet
      when: enrichment.score >= 0.4
      then: hold
      because: The score may still rise.
    - name: never-enriched
      when: late
      then: reject
      because: No enrichment within the deadline.
  otherwise: review
  keep_facts: [score]
"""


class Practice:
    """One pipeline in a folder of its own. Rows are added to the source at any time; the file is edited as text."""

    def __init__(
        self,
        folder: Path,
        leadbyte: str,
        *,
        key: str = "practice-key",
        database_url: str | None = None,
        ledger_url: str = "sqlite:///leadgate.db",
        id_type: TypeEngine[Any] | None = None,
    ) -> None:
        self.file = folder / "leadgate.yaml"
        source = database_url or "sqlite:///source.db"
        self.ledger_url = ledger_url
        self.file.write_text(PIPELINE.format(leadbyte=leadbyte, key=key, source=source, ledger=ledger_url), "utf-8")
        create_ledger(self.file, first_time=True)
        self.source: Engine = create_engine(database_url or f"sqlite:///{folder / 'source.db'}")
        metadata = MetaData()
        id_type = id_type or BigInteger()
        # No keys: what a database lets through, leadgate must bear.
        self.leads = Table(
            "quarantined_leads",
            metadata,
            Column("quarantine_id", id_type),
            Column("quarantined_at", DateTime(timezone=True)),
            Column("campaign", Text),
        )
        self.enrichment = Table(
            "lead_enrichment",
            metadata,
            Column("quarantine_id", id_type),
            Column("postcode", Text),
            Column("phone_verified", Boolean),
            Column("opted_out", Boolean),
            Column("score", Float),
            Column("mobile", Text),
            Column("updated_at", DateTime(timezone=True)),
        )
        metadata.create_all(self.source)

    def close(self) -> None:
        """Give the source's connections back."""
        self.source.dispose()

    def trust_leadbyte(self) -> None:
        """Let acts go together from the first, as they do once LeadByte has answered one."""
        with ledger_of(self.file) as (_, ledger):
            release_brake(ledger)

    def states(self) -> dict[str, str]:
        """Where every lead of the ledger is."""
        with self._ledger() as engine, engine.connect() as connection:
            rows = connection.execute(select(entries.c.lead_id, entries.c.state))
            return {row.lead_id: row.state for row in rows}

    def has_sent(self, pid: int) -> bool:
        """Whether the run of a process has committed the intent of a request."""
        owner = attempts.c.owner.like(f"%-{pid}-%")
        with self._ledger() as engine, engine.connect() as connection:
            return connection.scalar(select(attempts.c.lead_id).where(owner).limit(1)) is not None

    def audit(self, leadbyte: Sandbox) -> None:
        """Check, when no run is under way, that the ledger is sound and says what LeadByte saw."""
        with self._ledger() as engine:
            audit_ledger(engine, datetime.now(UTC), finished=True)
            audit_sandbox(leadbyte.quarantine, engine)

    @contextmanager
    def _ledger(self) -> Iterator[Engine]:
        engine = open_engine(self.ledger_url, base_dir=self.file.parent)
        try:
            yield engine
        finally:
            engine.dispose()

    def edit(self, old: str, new: str) -> None:
        """Change the file: `old` stands in it once, and becomes `new`; to the ledger a new address is the old place."""
        text = self.file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
        self.file.write_text(text.replace(old, new), "utf-8")
        if "://" in new:
            with suppress(ConfigError), self._ledger() as engine:
                move_pipeline(engine, identity_of(load_config(self.file, needs_secrets=False)))

    def quarantine(self, *lead_ids: object, hours_ago: float = 1) -> None:
        """Let leads be put into quarantine."""
        at = datetime.now(UTC) - timedelta(hours=hours_ago)
        self.add_leads({"quarantine_id": lead_id, "quarantined_at": at} for lead_id in lead_ids)

    def enrich(self, *lead_ids: object, **columns: object) -> None:
        """Let enrichment arrive: a newer row for each of the leads."""
        at = datetime.now(UTC)
        self.add_enrichment({"quarantine_id": lead_id, "updated_at": at} | columns for lead_id in lead_ids)

    def add_leads(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to the source's leads."""
        blank = dict.fromkeys(self.leads.columns.keys())
        with self.source.begin() as connection:
            connection.execute(self.leads.insert(), [{**blank, **row} for row in rows])

    def add_enrichment(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to the source's enrichment."""
        blank = dict.fromkeys(self.enrichment.columns.keys())
        with self.source.begin() as connection:
            connection.execute(self.enrichment.insert(), [{**blank, **row} for row in rows])
