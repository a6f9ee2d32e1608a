"""A pipeline whose leads and their data come at random, and what is true of them, which leadgate is never told.

The clock goes on by steps; at each, a run registers, looks, decides what is due, and its acts are taken at once. In
some steps no run comes, in some the source is not healthy.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from leadgate.delivery.prepare import Preparation
from leadgate.intake import compare_all, look_for_arrivals, register_leads
from leadgate.ledger import sending
from leadgate.ledger.source_health import keep_reading
from leadgate.model import Action, Attempt, LeadRequest, Outcome, Result, SourceReading, State
from tests.delivery.world import NOON, release_brake
from tests.intake.pipeline import Pipeline, open_pipeline

T = TypeVar("T")
STEP = timedelta(minutes=10)
COLUMNS = ("postcode", "mobile", "score")
WAIT = {"require": ["postcode", {"any": ["mobile", "score"]}], "deadline": "6h"}
RULES = [
    {"name": "late", "when": "late", "then": "reject", "because": "No data within the deadline."},
    {"name": "any", "when": "true", "then": "process", "because": "It is complete."},
]
_VALUES = {"postcode": "TN25", "mobile": "07700900123", "score": 0.5}
_SETTLED = {Action.PROCESS: State.PROCESSED, Action.REJECT: State.REJECTED}
_NO_BUDGETS = {"safety": {"budgets": {"process": "none", "reject": "none"}}}
_WAVE = 1000


@dataclass(slots=True)
class TrueLead:
    """A lead, and when each of its columns comes: never if it is not there."""

    lead_id: str
    quarantined_at: datetime
    comes_at: dict[str, datetime]


class Simulation:
    """Lets time pass, and keeps what is true."""

    def __init__(self, pipeline: Pipeline, *, leads: int, steps: int, seed: int, quiet: Sequence[range]) -> None:
        self.pipeline, self._steps, self._quiet = pipeline, steps, quiet
        self.config = pipeline.config(wait=WAIT, policy={"rules": RULES}, source={"compare_every": "7d"}, **_NO_BUDGETS)
        self.began_at = NOON
        self.looks_at: list[datetime] = []
        self.standstills: list[tuple[datetime, datetime]] = []
        self._down_since: datetime | None = None
        chance = random.Random(seed)  # noqa: S311 - a test's
        span = steps * STEP
        self.leads = [self._lead(str(number), chance, span) for number in range(leads)]
        self._columns = [(at, lead, name) for lead in self.leads for name, at in lead.comes_at.items()]
        self._columns.sort(key=lambda each: each[0])
        self._unknown = sorted(self.leads, key=lambda lead: lead.quarantined_at)

    def _lead(self, lead_id: str, chance: random.Random, span: timedelta) -> TrueLead:
        quarantined_at = self.began_at + timedelta(seconds=int(chance.uniform(0, span.total_seconds())))
        comes_at = {}
        for name, hours, part in zip(COLUMNS, (1, 3, 8), (0.97, 0.6, 0.7), strict=True):
            if chance.random() < part:
                after = timedelta(seconds=int(chance.expovariate(1 / (3600 * hours))) - 600)
                comes_at[name] = max(quarantined_at, quarantined_at + after)
        return TrueLead(lead_id, quarantined_at, comes_at)

    def run(self) -> None:
        """Let all steps pass."""
        run_sql = self.pipeline.run_sql
        run_sql("CREATE INDEX by_stamp ON enrichment (updated_at, id)", "CREATE INDEX by_id ON enrichment (id)")
        run_sql("CREATE INDEX leads_by_stamp ON leads (quarantined_at, id)", "CREATE INDEX leads_by_id ON leads (id)")
        # Of no lead: a source without any row is not healthy, and deadlines stand still.
        run_sql("INSERT INTO enrichment VALUES (-1, :at, NULL, NULL, NULL)", at=_sql(self.began_at))
        release_brake(self.pipeline.ledger)
        for number in range(1, self._steps + 1):
            now = self.pipeline.clock.now = self.began_at + number * STEP
            self._write(now)
            if any(number in quiet for quiet in self._quiet[::2]):
                continue
            if any(number in quiet for quiet in self._quiet[1::2]):
                keep_reading(self.pipeline.ledger, SourceReading(now, None, healthy=False, problem="It is down."))
                self._down_since = self._down_since or now
                continue
            self._look(now)
            self._decide(now)

    def _write(self, now: datetime) -> None:
        """Let the source have what has come by now."""
        new = self._take(self._unknown, lambda lead: lead.quarantined_at, now)
        arrived = self._take(self._columns, lambda each: each[0], now)
        with self.pipeline.owner.begin() as connection:
            if new:
                rows = [{"id": int(lead.lead_id), "at": _sql(lead.quarantined_at)} for lead in new]
                connection.execute(text("INSERT INTO leads VALUES (:id, :at)"), rows)
                connection.execute(text("INSERT INTO enrichment VALUES (:id, :at, NULL, NULL, NULL)"), rows)
            for name in COLUMNS:
                rows = [
                    {"id": int(lead.lead_id), "at": _sql(at), "value": _VALUES[name]}
                    for at, lead, column in arrived
                    if column == name
                ]
                if rows:
                    # A row's stamp never goes back.
                    newest = "greatest(updated_at, CAST(:at AS TIMESTAMP))"
                    newest = newest if connection.dialect.name == "postgresql" else "max(updated_at, :at)"
                    update = f"UPDATE enrichment SET {name} = :value, updated_at = {newest} WHERE id = :id"  # noqa: S608
                    connection.execute(text(update), rows)

    def _take(self, coming: list[T], when: Callable[[T], datetime], now: datetime) -> list[T]:
        count = next((number for number, each in enumerate(coming) if when(each) > now), len(coming))
        found, coming[:count] = coming[:count], []
        return found

    def _look(self, now: datetime) -> None:
        if self._down_since:
            self.standstills.append((self._down_since, now))
            self._down_since = None
        parts = self.pipeline.source, self.pipeline.ledger, self.config
        register_leads(*parts, now=now)
        look_for_arrivals(*parts, now=now)
        if len(self.looks_at) % 20 == 0:
            compare_all(*parts, now=now, begun_at=now + timedelta(microseconds=1))
        self.looks_at.append(now)

    def _decide(self, now: datetime) -> None:
        pipeline, ledger = self.pipeline, self.pipeline.ledger
        policy = pipeline.policy(policy={"rules": RULES})
        preparation = Preparation(config=self.config, source=pipeline.source, ledger=ledger, policy=policy)
        while wave := preparation.claim_wave(_WAVE):
            outcomes = []
            for decided in wave:
                action = decided.decision.verdict.action
                assert action
                asked = LeadRequest(decided.claim.lead_id, decided.update, action)
                attempt = Attempt(decided.claim, asked, decided.decision, decided.payload_hash, "r")
                outcomes.append(Outcome(attempt, Result.TAKEN, _SETTLED[action], 200))
            attempts = [outcome.attempt for outcome in outcomes]
            lease = self.config.delivery.lease
            sent = sending.intend(ledger, attempts, lease=lease, now=now, in_doubt_at_most=10 * _WAVE)
            assert len(sent.may_go) == len(wave)
            sending.record(ledger, outcomes, now=now)


def _sql(instant: datetime) -> str:
    return instant.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


@contextmanager
def simulated(url: str, base_dir: Path, *, leads: int, steps: int, seed: int) -> Iterator[Simulation]:
    """A pipeline after so many steps; runs that did not come, and a source that was down, in some of them."""
    quiet = [range(steps // 3, steps // 3 + 7), range(steps // 2, steps // 2 + 11)]
    with open_pipeline(url, base_dir) as pipeline:
        simulation = Simulation(pipeline, leads=leads, steps=steps, seed=seed, quiet=quiet)
        simulation.run()
        yield simulation
