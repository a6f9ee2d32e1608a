"""The made-up leads of a benchmark: as rows of a source, the pipeline that releases them, the bodies they come to.

Every lead's enrichment has arrived; one in twenty is to be rejected, the others processed, all by one PUT a batch.
"""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, MetaData, String, Table, create_engine

from cli.blocks import read_block
from leadgate.intake import look_for_arrivals, register_leads
from leadgate.leadbyte.wire import body_bytes, lead_item
from leadgate.model import Action, LeadRequest
from leadgate.sandbox import PRACTICE_KEY
from leadgate.wiring.identity import create_ledger
from leadgate.wiring.pipeline import open_pipeline

BATCH_SIZE = 50
IN_FLIGHT = 8

FIRST_ID = 2_932_000
_REJECT_EVERY = 20
_PIPELINE = """\
pipeline: benchmark
leadbyte:
  base_url: {base_url}
  api_key: {api_key}
  batch_size: {batch_size}
  concurrency: {in_flight}
  requests_per_second: 0
source:
  url: {source_url}
  leads: {{table: quarantined_leads, id: quarantine_id, quarantined_at: quarantined_at}}
  enrichment: {{table: lead_enrichment, id: quarantine_id, updated_at: updated_at}}
  # What an earlier run has taken in, it has taken in long ago.
  overlap: 1s
ledger:
  url: {ledger_url}
wait:
  require: [postcode, phone_verified]
  deadline: 7d
update: {{postcode: postcode, phone1: mobile}}
policy:
  rules:
    - name: opted-out
      when: enrichment.opted_out
      then: reject
      because: The person opted out.
    - name: verified
      when: enrichment.phone_verified && enrichment.score >= 0.5
      then: process
      because: Phone verified and a score of {{score}}.
    - name: never-enriched
      when: late
      then: reject
      because: No enrichment within the deadline.
  otherwise: review
  keep_facts: [score]
delivery: {{mode: {mode}, in_doubt_at_most: {leads}}}
safety:
  budgets: {{reject: none}}
"""

_metadata = MetaData()
_leads = Table(
    "quarantined_leads",
    _metadata,
    Column("quarantine_id", BigInteger, primary_key=True, autoincrement=False),
    Column("quarantined_at", DateTime(timezone=True), nullable=False),
    Column("campaign", String(40), nullable=False),
)
_enrichment = Table(
    "lead_enrichment",
    _metadata,
    Column("quarantine_id", BigInteger, primary_key=True, autoincrement=False),
    Column("postcode", String(10)),
    Column("phone_verified", Boolean),
    Column("opted_out", Boolean),
    Column("score", Float),
    Column("mobile", String(20)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)


def fill_source(url: str, leads: int) -> None:
    """Create the two tables of a source and write that many leads into them, each with its enrichment."""
    now = datetime.now(UTC)
    quarantined = [
        {"quarantine_id": row["quarantine_id"], "quarantined_at": now - timedelta(hours=6), "campaign": "solar-spring"}
        for row in _enriched(leads)
    ]
    engine = create_engine(url)
    try:
        _metadata.create_all(engine)
        with engine.begin() as connection:
            if not leads:
                return
            connection.execute(_leads.insert(), quarantined)
            connection.execute(_enrichment.insert(), [row | {"updated_at": now} for row in _enriched(leads)])
    finally:
        engine.dispose()


def write_pipeline(  # noqa: PLR0913
    path: Path,
    *,
    base_url: str,
    source_url: str,
    ledger_url: str,
    leads: int,
    in_flight: int = IN_FLIGHT,
    mode: str = "combined",
) -> None:
    """Write the pipeline file that releases the leads of `fill_source`, at no rate, and make its ledger."""
    text = _PIPELINE.format(
        base_url=base_url,
        api_key=PRACTICE_KEY,
        batch_size=BATCH_SIZE,
        in_flight=in_flight,
        source_url=source_url,
        ledger_url=ledger_url,
        leads=leads,
        mode=mode,
    )
    path.write_text(text, encoding="utf-8")
    create_ledger(path, first_time=True)


def take_in(path: Path) -> None:
    """Register every lead of a pipeline's source and find it complete, as an earlier run would have."""
    with open_pipeline(path, read_block) as pipeline:
        parts = pipeline.source, pipeline.ledger, pipeline.config
        register_leads(*parts, now=pipeline.clock())
        look_for_arrivals(*parts, now=pipeline.clock())


def request_bodies(leads: int, mode: str = "combined") -> list[bytes]:
    """The bodies of PUT /leads that the pipeline comes to for the leads of `fill_source`, in full batches.

    In `update_first` each batch goes twice, the first time without its acts.
    """
    requests = [_request(row) for row in _enriched(leads)]
    batches = [requests[start : start + BATCH_SIZE] for start in range(0, leads, BATCH_SIZE)]
    rounds = [False, True] if mode == "update_first" else [True]
    return [
        body_bytes({"leads": [lead_item(one if acts else replace(one, action=None)) for one in batch]})
        for batch in batches
        for acts in rounds
    ]


def _enriched(leads: int) -> list[dict[str, Any]]:
    """The same rows each time, but for `updated_at`."""
    chance = random.Random(7)
    return [
        {
            "quarantine_id": FIRST_ID + number,
            "postcode": f"TN{chance.randint(1, 40)} {chance.randint(1, 9)}QD",
            "phone_verified": True,
            "opted_out": number % _REJECT_EVERY == 0,
            "score": round(chance.uniform(0.5, 1), 2),
            "mobile": f"07{chance.randint(0, 999_999_999):09d}",
        }
        for number in range(leads)
    ]


def _request(row: dict[str, Any]) -> LeadRequest:
    action = Action.REJECT if row["opted_out"] else Action.PROCESS
    return LeadRequest(str(row["quarantine_id"]), {"postcode": row["postcode"], "phone1": row["mobile"]}, action)
