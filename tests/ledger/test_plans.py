"""Waiting is free: no statement of a run looks at leads it has nothing to do with."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, func, insert, select, text

from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.ledger.absent import open_ids
from leadgate.ledger.again import all_parked, count_older
from leadgate.ledger.brakes import read_brake
from leadgate.ledger.budgets import read_backlog
from leadgate.ledger.doubts import read_doubts
from leadgate.ledger.failed import count_failed
from leadgate.ledger.reviews import count_overdue, count_reviews, read_for_people, read_reviews
from leadgate.ledger.schema import attempts, entries
from leadgate.ledger.status import read_due, read_status
from leadgate.ledger.unknown import claim_unknown, find_controls
from leadgate.ledger.waiting import all_waiting, held_until, never_looked_at, read_waiting, waiting_since
from leadgate.model import Action, Conclusion, Look, Result, State
from tests.ledger.steps import (
    HOLD,
    LEASE,
    NOW,
    attempt,
    attempt_row,
    complete,
    intend,
    leads,
    outcome,
    rescue,
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
    waiting.register(ledger, leads(*ids), now=NOW)
    waiting.note_looks(ledger, [complete(lead_id) for lead_id in ids[:30]], now=NOW)
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
    wave = claims.claim(ledger, limit=10, lease=LEASE, now=NOW)
    sent = [attempt(held) for held in wave[:5]]
    intend(ledger, *sent)
    sending.record(ledger, [taken(each) for each in sent], now=NOW)
    sending.conclude(ledger, [Conclusion(held, HOLD, State.REVIEW, note="why") for held in wave[5:9]], now=NOW)
    claims.reopen(ledger, wave[9], Look(wave[9].lead_id, ["score"], None, due=False))


def goes_through_all(plan: str) -> bool:
    """Whether a plan visits every entry of the pipeline: by the table, or by the key without an id."""
    of_all = r"SCAN leadgate_entries(?! USING INDEX leadgate_entries_in_doubt)"  # few of them ever are
    if re.search(rf"Seq Scan on leadgate_entries|{of_all}|entries_1 \(pipeline=\?\)", plan):
        return True
    by_key = re.findall(r"leadgate_entries_pk.*\n\s*Index Cond: (.*)", plan)
    return any("lead_id" not in condition for condition in by_key)


STEPS: Sequence[tuple[Step, str]] = [
    (lambda ledger: claims.claim(ledger, limit=10, lease=LEASE, now=NOW), "leadgate_entries_ready"),
    (lambda ledger: read_due(ledger, now=NOW), "leadgate_entries_(ready|unknown)"),
    (lambda ledger: list(all_waiting(ledger, 1000, after="01000")), "leadgate_entries_waiting"),
    (lambda ledger: list(never_looked_at(ledger, 100)), "leadgate_entries_(new|waiting)"),
    (lambda ledger: list(held_until(ledger, NOW, 100)), "leadgate_entries_held"),
    (
        lambda ledger: list(waiting_since(ledger, NOW - timedelta(days=1), 100)),
        "leadgate_entries_by_age",
    ),
    (lambda ledger: read_waiting(ledger, ["01000"]), "leadgate_entries_(pk|waiting)|sqlite_auto"),
    (rescue, "leadgate_entries_(leased|ready|unknown|held|in_doubt|pk)|sqlite_auto"),
    (lambda ledger: claims.release(ledger, now=NOW), "leadgate_entries_leased|lead_id.* = ANY"),
    (lambda ledger: claims.renew(ledger, lease=LEASE, now=NOW), "leadgate_entries_leased|lead_id.* = ANY"),
]


@pytest.mark.parametrize(
    ("step", "index"),
    STEPS,
    ids=["claim", "due", "waiting page", "new", "held", "old", "by id", "rescue", "release", "renew"],
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


def test_a_rescue_goes_to_the_requests_in_flight_alone(ledger: Ledger, engine: Engine) -> None:
    """Those that were answered, which are nearly all there ever were, cost it nothing."""
    answered = [attempt_row(str(number), outcome="taken", answered_at=NOW) for number in range(WAITING)]
    with engine.begin() as connection:
        connection.execute(insert(attempts), answered)
        connection.execute(text("ANALYZE"))
    assert "leadgate_attempts_open" in plans_of(ledger, rescue)[-1]
    with engine.begin() as connection:
        connection.execute(delete(attempts))  # they belong to no entries


SETTLED = {"state": "processed", "token": 1, "decided_token": 1, "settled_at": NOW, "due_at": None}
PROBED: Sequence[tuple[Step, str]] = [
    (lambda ledger: find_controls(ledger, Action.PROCESS, since=NOW), "leadgate_entries_taken"),
    (read_brake, "leadgate_entries_in_doubt"),
    (lambda ledger: claim_unknown(ledger, limit=10, lease=LEASE, now=NOW), "leadgate_entries_unknown"),
]


@pytest.mark.parametrize(("step", "index"), PROBED, ids=["controls", "brake", "unknown"])
def test_evidence_is_looked_for_by_indexes(crowded: Ledger, engine: Engine, step: Step, index: str) -> None:
    """Among thousands that wait or were acted on, of which two are in doubt, no others are gone through."""
    wave = [attempt(held) for held in claims.claim(crowded, limit=10, lease=LEASE, now=NOW)]
    intend(crowded, *wave)
    ended = [outcome(each, Result.IN_DOUBT, State.UNKNOWN, due_at=NOW) for each in wave[:2]]
    sending.record(crowded, [*ended, *map(taken, wave[2:])], now=NOW)
    with engine.begin() as connection:
        moved = entries.update().where(entries.c.state == State.WAITING, entries.c.lead_id > "01000")
        connection.execute(moved.values(SETTLED))
        connection.execute(text("ANALYZE"))
    try:
        plans = plans_of(crowded, step)
        assert re.search(index, plans[0])
        assert not any(map(goes_through_all, plans)), plans
    finally:
        with engine.begin() as connection:
            connection.execute(delete(entries).where(entries.c.lead_id > "01000"))  # nobody decided them


def test_an_act_is_admitted_by_an_index(crowded: Ledger, engine: Engine) -> None:
    """How many are in doubt is counted among those alone, before each request that acts."""
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    wave = [attempt(held) for held in claims.claim(crowded, limit=3, lease=LEASE, now=NOW)]
    assert "leadgate_entries_in_doubt" in plans_of(crowded, lambda ledger: intend(ledger, *wave))[0]


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


OVERVIEW: Sequence[Step] = [
    read_status,
    read_doubts,
    read_backlog,
    count_failed,
    count_reviews,
    read_reviews,
    lambda ledger: count_older(ledger, "v2"),
    lambda ledger: count_overdue(ledger, within=timedelta(hours=1), now=NOW),
    lambda ledger: read_for_people(ledger, limit=20),
    lambda ledger: list(all_parked(ledger, 1000)),
    lambda ledger: list(open_ids(ledger, 7)),
]


@pytest.mark.parametrize(
    "step",
    OVERVIEW,
    ids=["status", "doubts", "backlog", "failed", "groups", "reviews", "older", "overdue", "people", "parked", "open"],
)
def test_leads_that_came_to_their_end_cost_an_overview_nothing(crowded: Ledger, engine: Engine, step: Step) -> None:
    """A ledger keeps them for a year: what a run or a person asks for goes to the others, and to a count of them."""
    with engine.begin() as connection:
        connection.execute(entries.update().where(entries.c.state == State.WAITING).values(SETTLED))
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    try:
        plans = plans_of(crowded, step)
        assert not any(map(goes_through_all, plans)), plans
        assert read_status(crowded).counts[State.PROCESSED] == WAITING - 30
    finally:
        with engine.begin() as connection:
            connection.execute(delete(entries).where(entries.c.state == State.PROCESSED))  # nobody decided them


def test_a_count_of_everything_is_noticed_as_going_through_all(crowded: Ledger) -> None:
    """The tests above would see it."""

    def count(ledger: Ledger) -> None:
        with ledger.reading() as connection:
            connection.scalar(select(func.count()).where(ledger.mine))

    assert all(goes_through_all(plan) for plan in plans_of(crowded, count))
