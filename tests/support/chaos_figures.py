"""What a chaos run came to: the figures it prints, and every promise it found broken."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.engine import RowMapping

from leadgate.ledger.engine import open_engine, reading
from leadgate.ledger.schema import attempts, entries
from leadgate.model import Action, State
from leadgate.sandbox import Act
from tests.support.audit import audit_ledger, audit_sandbox
from tests.support.chaos import Chaos, Events, Plan
from tests.support.crowd import Person

_CUT_OFF = "the run ended before the answer"
_NOT_TOLD = {State.PROCESSED, State.REJECTED}
"""Where a lead was to go that may be with a person instead, since its answer was lost and nothing could be probed."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one chaos run; `broken` names every promise that was not kept, and is empty where all were."""

    plan: Plan
    events: Events
    answers: Mapping[str, int]
    outcomes: Counter[str]
    cut_off: int
    inferred: int
    acts: Counter[str]
    doubles: list[str]
    states: Counter[str]
    late: int
    attempts_used: int
    broken: list[str]

    def as_text(self) -> str:
        """Write them for a person."""
        plan, events = self.plan, self.events
        killed = "commands" if plan.command else "workers"
        rows = {
            "run": f"{plan.database}, {plan.workers} {killed}, seed {plan.seed}: {events.chaos_seconds:.0f} s of "
            f"chaos, then {events.clean_seconds:.0f} s to a clean end",
            "kills (SIGKILL)": f"{events.kills.total()} of {events.started}: {_listed(events.kills)}",
            "database restarts": events.restarts,
            "pauses": events.pauses,
            "ended by themselves": f"{len(events.crashes)}, and {events.gave_up} that said why",
            "requests by answer": _listed(self.answers),
            "attempts by outcome": _listed(self.outcomes),
            "cut off by a kill": f"{self.cut_off} attempts",
            "settled by a probe": self.inferred,
            "acts": f"{self.acts.total()}: {_listed(self.acts)}",
            "doubles": len(self.doubles),
            "leads by state": f"{self.states.total()}: {_listed(self.states)}",
            "past their time": self.late,
            "attempts used": self.attempts_used,
            "broken promises": len(self.broken),
        }
        return "\n".join(f"{name:<24}{value}" for name, value in rows.items())


def gather(chaos: Chaos) -> Figures:
    """Read the figures off the ledger and the practice LeadByte, when no run is under way."""
    pipeline, leadbyte = chaos.pipeline, chaos.leadbyte
    acts = leadbyte.acts()
    now = datetime.now(UTC)
    engine = open_engine(pipeline.ledger_url, base_dir=pipeline.file.parent)
    try:
        with reading(engine) as connection:
            found = list(connection.execute(select(entries)).mappings())
            sent = list(connection.execute(select(attempts)).mappings())
        late = [row for row in found if _is_past_its_time(row, now)]
        doubles = sorted(lead_id for lead_id, of_lead in acts.items() if len(of_lead) > 1)
        return Figures(
            plan=chaos.plan,
            events=chaos.events,
            answers=leadbyte.state()["answers"],
            outcomes=Counter(f"{row['kind']} {row['outcome']}" for row in sent),
            cut_off=sum(row["message"] == _CUT_OFF for row in sent),
            inferred=sum(row["inferred"] for row in found),
            acts=Counter(act["action"] for of_lead in acts.values() for act in of_lead),
            doubles=doubles,
            states=Counter(row["state"] for row in found),
            late=len(late),
            attempts_used=sum(row["refusals"] for row in found),
            broken=[
                *(f"{lead_id}: acted on twice" for lead_id in doubles),
                *(f"{row['lead_id']}: {row['state']}, and nobody has looked at it in time" for row in late),
                *_misplaced(chaos.people, {row["lead_id"]: row for row in found}),
                *_audited(engine, acts, now),
                *chaos.events.crashes,
            ],
        )
    finally:
        engine.dispose()


def _is_past_its_time(row: RowMapping, now: datetime) -> bool:
    """Whether a lead's lease is over, or the time of its probe has come, and it still stands there."""
    if row["state"] == State.SENDING:
        return bool(row["lease_until"] < now)
    return bool(row["state"] == State.UNKNOWN and row["due_at"] < now)


def _misplaced(people: list[Person], found: Mapping[str, RowMapping]) -> Iterator[str]:
    """Name the leads that are not where the rules say, and those that were forgotten."""
    for person in people:
        row = found.get(str(person.lead_id))
        if row is None:
            yield f"{person.lead_id}: not in the ledger"
        elif row["state"] != person.state and not (row["state"] == State.REVIEW and person.state in _NOT_TOLD):
            yield f"{person.lead_id}: {row['state']}, but the rules say {person.state}"


def _audited(engine: Engine, acts: Mapping[str, list[dict[str, Any]]], now: datetime) -> Iterator[str]:
    seen = {
        lead_id: [
            Act(datetime.fromisoformat(act["at"]), Action(act["action"]), act["accepted"], act["request"])
            for act in of_lead
        ]
        for lead_id, of_lead in acts.items()
    }
    try:
        audit_ledger(engine, now, finished=True)
        audit_sandbox(SimpleNamespace(acts=seen), engine)
    except AssertionError as error:
        yield from str(error).splitlines()


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
