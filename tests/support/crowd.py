"""Some hundred made-up leads in every situation there is, and what must become of each, computed without leadgate."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from leadgate.sandbox import Sandbox
from tests.support.pipelines import Practice

REQUIRED = ("postcode", "phone_verified", "score")
_STATES = {"process": "processed", "reject": "rejected", "hold": "waiting", "review": "review", "wait": "waiting"}


@dataclass(frozen=True, slots=True)
class Person:
    """One lead: since when it is in quarantine, and what has arrived for it, if anything."""

    lead_id: int
    hours_ago: float
    enrichment: dict[str, Any] | None

    @property
    def verdict(self) -> str:
        """What the rules in tests/support/pipelines.py say, in plain Python."""
        seen = self.enrichment or {}
        complete = all(seen.get(name) is not None for name in REQUIRED)
        score = seen.get("score") or 0
        if not complete and self.hours_ago < 24:
            return "wait"
        if seen.get("opted_out"):
            return "reject"
        if seen.get("phone_verified") and score >= 0.6:
            return "process"
        if score >= 0.4:
            return "hold"
        return "review" if complete else "reject"

    @property
    def state(self) -> str:
        """Where the lead's entry must be after one run."""
        return _STATES[self.verdict]

    def requests(self, mode: str) -> list[tuple[str, dict[str, Any]]]:
        """What LeadByte must be asked for this lead, literally as its documentation shows it."""
        if self.verdict == "wait":
            return []
        seen = self.enrichment or {}
        update = {"postcode": seen.get("postcode"), "phone1": seen.get("mobile")}
        update = {field: value for field, value in update.items() if value is not None}
        put: dict[str, Any] = {"quarantineId": str(self.lead_id), "update": update}
        post = {"quarantineId": self.lead_id, "action": self.verdict}
        if self.verdict in {"hold", "review"}:
            return [("PUT", put)] if update else []
        if not update:
            return [("POST", post)]
        if mode == "combined":
            return [("PUT", put | {"action": self.verdict})]
        return [("PUT", put), ("POST", post)]


def make_crowd(count: int, seed: int = 7) -> list[Person]:
    """Make leads up: some early, some late; some with all data, some with parts of it, some with none."""
    chance = random.Random(seed)  # noqa: S311 - made-up people need no secrets

    def enrichment(lead_id: int) -> dict[str, Any]:
        made = {
            "postcode": f"TN{lead_id} 6QD",
            "phone_verified": chance.random() < 0.8,
            "opted_out": chance.random() < 0.1,
            "score": round(chance.random(), 2),
            "mobile": f"07{lead_id:09d}",
        }
        return {name: None if chance.random() < 0.12 else value for name, value in made.items()}

    ids = range(2_932_000, 2_932_000 + count)
    return [
        Person(n, 1 if chance.random() < 0.7 else 25, enrichment(n) if chance.random() < 0.85 else None) for n in ids
    ]


def settle_in(pipeline: Practice, crowd: Sequence[Person]) -> None:
    """Write the leads and what has arrived for them into a pipeline's source."""
    now = datetime.now(UTC)
    pipeline.add_leads(
        {"quarantine_id": person.lead_id, "quarantined_at": now - timedelta(hours=person.hours_ago)} for person in crowd
    )
    pipeline.add_enrichment(
        {"quarantine_id": person.lead_id, "updated_at": now} | person.enrichment
        for person in crowd
        if person.enrichment is not None
    )


def requests_by_lead(leadbyte: Sandbox) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """What LeadByte was asked, lead by lead, in order: the method, and the lead's own part of the body."""
    found: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for exchange in sorted(leadbyte.requests, key=lambda exchange: exchange.number):
        if exchange.method == "PUT":
            assert list(exchange.body) == ["leads"]
            parts = exchange.body["leads"]
        else:
            parts = [exchange.body]
        for part in parts:
            found.setdefault(int(part["quarantineId"]), []).append((exchange.method, part))
    return found
