"""Waiting is free: no statement of a run looks at leads it has nothing to do with."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from leadgate.ledger import Ledger
from leadgate.ledger.reads import read_next_due, read_status
from leadgate.ledger.waiting import (
    held_until,
    never_looked_at,
    read_waiting,
    read_waiting_page,
    waiting_since,
)
from leadgate.model import Conclusion, Look, State
from tests.ledger.steps import (
    AFTER_LEASE,
    HOLD,
    LEASE,
    NOW,
    PIPELINE,
    UNKNOWN_AFTER,
    attempt,
    complete,
    intend,
    leads,
    taken,
)

WAITING = 3000
MANY = 30_000
"""So many that PostgreSQL does not go through them all for the fifty it takes a document to hold."""
Step = Callable[[Ledger], object]


@pytest.fixture
def crowded(request: pytest.FixtureRequest, ledger: Ledger, engine: Engine) -> Ledger:
    """A ledger in which many leads wait and a few are due."""
    ids = [f"{number:05}" for number in range(getattr(request, "param", WAITING))]
    ledger.register(leads(*ids), now=NOW)
    ledger.note_looks([complete(lead_id) for lead_id in ids[:30]], now=NOW)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    return ledger


def plans_of(ledger: Ledger, step: Step) -> list[str]:
    """How the database carries out what a step asks: one text for each statement that reads or changes entries."""
    engine = ledger.engine
    explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    plans: list[str] = []

    def note(connection: Any, _cursor: object, statement: str, parameters: Any, _context: object, many: bool) -> None:  # noqa: ANN401
        if "leadgate_entries" in statement and not statement.startswith(("EXPLAIN", "INSERT")):
            first = parameters[0] if many else parameters
            plans.append("\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, first)))

    event.listen(engine, "before_cursor_execute", note)
    try:
        step(ledger)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert plans
    return plans


def send_some(ledger: Ledger) -> None:
    """Claim, send and answer a few leads."""
    claims = ledger.claim(limit=10, lease=LEASE, now=NOW)
    sent = [attempt(held) for held in claims[:5]]
    intend(ledger, *sent)
    ledger.record([taken(each) for each in sent], now=NOW)
    ledger.conclude([Conclusion(held, HOLD, State.REVIEW, note="why") for held in claims[5:9]], now=NOW)
    ledger.reopen(claims[9], Look(claims[9].lead_id, ["score"], None, due=False))


def goes_through_all(plan: str) -> bool:
    """Whether a plan visits every entry of the pipeline: by the table, or by the key without an id."""
    if re.search(r"Seq Scan on leadgate_entries|SCAN leadgate_entries|entries_1 \(pipeline=\?\)", plan):
        return True
    by_key = re.findall(r"leadgate_entries_pk.*\n\s*Index Cond: (.*)", plan)
    return any("lead_id" not in condition for condition in by_key)


STEPS: Sequence[tuple[Step, str]] = [
    (lambda ledger: ledger.claim(limit=10, lease=LEASE, now=NOW), "leadgate_entries_ready"),
    (lambda ledger: read_next_due(ledger.engine, PIPELINE), "leadgate_entries_(ready|unknown)"),
    (lambda ledger: read_waiting_page(ledger.engine, PIPELINE, after="01000", limit=100), "leadgate_entries_waiting"),
    (lambda ledger: list(never_looked_at(ledger.engine, PIPELINE, 100)), "leadgate_entries_(new|waiting)"),
    (lambda ledger: list(held_until(ledger.engine, PIPELINE, NOW, 100)), "leadgate_entries_held"),
    (
        lambda ledger: list(waiting_since(ledger.engine, PIPELINE, NOW - timedelta(days=1), 100)),
        "leadgate_entries_by_age",
    ),
    (lambda ledger: read_waiting(ledger.engine, PIPELINE, ["01000"]), "leadgate_entries_(pk|waiting)|sqlite_auto"),
    (lambda ledger: ledger.rescue(unknown_after=UNKNOWN_AFTER, now=AFTER_LEASE), "leadgate_entries_leased"),
    (lambda ledger: ledger.release(now=NOW), "leadgate_entries_leased"),
]


@pytest.mark.parametrize(
    ("step", "index"),
    STEPS,
    ids=["claim", "next due", "waiting page", "new", "held", "old", "by id", "rescue", "release"],
)
def test_a_partial_index_finds_the_leads(crowded: Ledger, step: Step, index: str) -> None:
    """The index holds only the leads in question, so the work grows with them alone."""
    for plan in plans_of(crowded, step):
        assert re.search(index, plan)


@pytest.mark.parametrize(
    ("crowded", "step"), [(MANY, send_some), *((WAITING, step) for step, _ in STEPS)], indirect=["crowded"]
)
def test_no_statement_of_a_run_goes_through_the_leads_that_wait(crowded: Ledger, step: Step) -> None:
    """Every way into the entries is by their key or by an index of the leads in question."""
    for plan in plans_of(crowded, step):
        assert not goes_through_all(plan), plan


@pytest.mark.parametrize(
    ("state", "step"), [("ready", STEPS[0][0]), ("unknown", STEPS[1][0]), ("waiting", STEPS[2][0])]
)
def test_the_state_stands_in_the_statement(ledger: Ledger, state: str, step: Step) -> None:
    """A plan that PostgreSQL keeps for any parameters could not use an index that holds only one state."""
    asked: list[str] = []

    @event.listens_for(ledger.engine, "before_cursor_execute")
    def note(*given: Any) -> None:  # noqa: ANN401
        asked.append(given[2])

    step(ledger)
    assert f"state = '{state}'" in asked[-1]


def test_the_plan_of_a_status_is_noticed_as_going_through_all(crowded: Ledger) -> None:
    """A count of everything is the one thing that does, and the tests above would see it."""
    plans = plans_of(crowded, lambda ledger: read_status(ledger.engine, PIPELINE))
    assert any(goes_through_all(plan) for plan in plans)
