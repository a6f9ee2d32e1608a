"""Rows that cannot be true are refused by the tables themselves, whoever writes them."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Engine, insert
from sqlalchemy.exc import IntegrityError

from leadgate.ledger.schema import attempts, decisions, entries, metadata, overrides, seats
from leadgate.model import FINAL_STATES, Action, RequestKind, Resolution, Result, State, Verdict
from tests.ledger.steps import NOW, PIPELINE, attempt_row

Row = Mapping[str, Any]

DECIDED = {"token": 1, "decided_token": 1}
LEASED = {"lease_owner": "first", "lease_until": NOW}
SETTLED = {**DECIDED, "settled_at": NOW}
POSSIBLE: Mapping[State, Row] = {
    State.WAITING: {},
    State.READY: {"due_at": NOW},
    State.SENDING: DECIDED | LEASED,
    State.UNKNOWN: DECIDED | {"due_at": NOW, "doubt_since": NOW, "doubt_action": "process"},
    State.REVIEW: {"note": "why"},
    State.PROCESSED: SETTLED,
    State.REJECTED: SETTLED,
    State.GONE: SETTLED,
    State.FAILED: {"note": "why"},
    State.DISCARDED: {"note": "why", "settled_at": NOW},
}
ENTRIES: list[tuple[str, State | str, Row]] = [
    ("state_is_known", "released", {}),
    ("state_is_known", "", {}),
    ("lease_is_whole", State.READY, {"lease_owner": "first"}),
    ("lease_is_whole", State.READY, {"lease_until": NOW}),
    ("sending_has_lease", State.SENDING, {"lease_owner": None, "lease_until": None}),
    *(
        ("lease_is_for_work", state, LEASED)
        for state in (State.WAITING, State.REVIEW, *sorted(FINAL_STATES), State.FAILED)
    ),
    *(("settled_is_final", state, {"settled_at": None}) for state in sorted(FINAL_STATES)),
    *(
        ("settled_is_final", state, {"settled_at": NOW})
        for state in (State.WAITING, State.READY, State.SENDING, State.UNKNOWN, State.REVIEW, State.FAILED)
    ),
    *(
        ("acts_are_decided", state, {"decided_token": None})
        for state in (State.SENDING, State.UNKNOWN, State.PROCESSED, State.REJECTED)
    ),
    ("decided_when_claimed", State.SENDING, {"token": 1, "decided_token": 2}),
    ("decided_when_claimed", State.WAITING, {"token": 0, "decided_token": 0}),
    ("override_has_token", State.READY, {"token": 1, "override_token": 2}),
    ("override_has_token", State.READY, {"token": 1, "override_token": 0}),
    ("work_is_due", State.READY, {"due_at": None}),
    ("work_is_due", State.UNKNOWN, {"due_at": None}),
    *(
        ("inferred_is_acted", state, {"inferred": True})
        for state in State
        if state not in {State.PROCESSED, State.REJECTED}
    ),
    ("failed_has_reason", State.FAILED, {"note": None}),
    ("unknown_is_doubted", State.UNKNOWN, {"doubt_since": None, "doubt_action": None}),
    *(("settled_is_not_doubted", state, {"doubt_since": NOW}) for state in sorted(FINAL_STATES)),
    ("doubt_is_known", State.REVIEW, {"doubt_since": NOW, "doubt_action": "sell"}),
    *(("doubt_has_time", state, {"doubt_action": "process"}) for state in (State.WAITING, State.READY, State.REVIEW)),
]
ATTEMPTS: list[tuple[str, Row]] = [
    ("kind_is_known", {"kind": "delete"}),
    ("outcome_is_known", {"outcome": "perhaps", "answered_at": NOW}),
    ("outcome_has_time", {"outcome": "taken"}),
    ("outcome_has_time", {"answered_at": NOW}),
    ("act_has_action", {"kind": "act"}),
    ("act_has_action", {"kind": "update_and_act"}),
    ("act_has_action", {"kind": "update", "action": "process"}),
    ("act_has_action", {"kind": "probe", "action": "reject"}),
    ("action_is_known", {"kind": "act", "action": "sell"}),
]


def entry_row(state: State | str, changes: Row) -> Row:
    """A row that is possible but for the changes."""
    row: Row = {"pipeline": PIPELINE, "lead_id": "17", "account": "acme", "state": state}
    row = {**row, "quarantined_at": NOW, "registered_at": NOW}
    return row | dict(POSSIBLE.get(State(state), {}) if state in set(State) else {}) | dict(changes)


def decision_row(verdict: str) -> Row:
    """A possible row of a decision but for the verdict."""
    row = {"pipeline": PIPELINE, "lead_id": "17", "token": 1, "decided_at": NOW, "policy_version": "v1"}
    return row | {"verdict": verdict, "reason": "why", "late": False, "facts": {}, "unanswered": []}


def write(engine: Engine, table: Any, row: Row) -> None:  # noqa: ANN401
    """Write a row past the ledger's own code, and take it back."""
    with engine.connect() as connection:
        connection.execute(insert(table), dict(row))
        connection.rollback()


@pytest.mark.parametrize("state", State, ids=str)
def test_a_possible_row_is_taken(engine: Engine, state: State) -> None:
    """Each state has a row that the table takes, so the refusals below have no other cause."""
    write(engine, entries, entry_row(state, {}))


@pytest.mark.parametrize(("rule", "state", "changes"), ENTRIES)
def test_an_impossible_entry_is_refused(engine: Engine, rule: str, state: State | str, changes: Row) -> None:
    """The database names the rule that the row breaks."""
    with pytest.raises(IntegrityError, match=f"leadgate_entries_{rule}"):
        write(engine, entries, entry_row(state, changes))


def test_a_possible_attempt_is_taken(engine: Engine) -> None:
    """Every kind with every outcome, and each act with an action."""
    for kind, result in product(RequestKind, [None, *Result]):
        for action in Action if kind.value.endswith("act") else [None]:
            ended = {"outcome": result, "answered_at": NOW} if result else {}
            write(engine, attempts, attempt_row(kind=kind, action=action, **ended))


@pytest.mark.parametrize(("rule", "changes"), ATTEMPTS)
def test_an_impossible_attempt_is_refused(engine: Engine, rule: str, changes: Row) -> None:
    """The database names the rule that the row breaks."""
    with pytest.raises(IntegrityError, match=f"leadgate_attempts_{rule}"):
        write(engine, attempts, attempt_row(**changes))


def test_a_second_request_in_flight_is_refused(engine: Engine) -> None:
    """Two open attempts of one lead cannot both be stored, whoever tries."""
    with engine.connect() as connection:
        connection.execute(insert(attempts), attempt_row())
        with pytest.raises(IntegrityError, match=r"leadgate_attempts_open|leadgate_attempts\.lead_id"):
            connection.execute(insert(attempts), attempt_row(request_id="r2"))
        connection.rollback()


def test_every_verdict_can_be_stored(engine: Engine) -> None:
    """The four verdicts, and by the next test no others."""
    for verdict in Verdict:
        write(engine, decisions, decision_row(verdict))


def test_an_unheard_of_verdict_is_refused(engine: Engine) -> None:
    """The database names the rule that the row breaks."""
    with pytest.raises(IntegrityError, match="leadgate_decisions_verdict_is_known"):
        write(engine, decisions, decision_row("sell"))


def test_an_act_that_a_pause_lets_through_is_refused(engine: Engine) -> None:
    """A decision that was put off holds its lead, whatever the rules would have done."""
    write(engine, decisions, {**decision_row("hold"), "paused": True})
    with pytest.raises(IntegrityError, match="leadgate_decisions_paused_is_held"):
        write(engine, decisions, {**decision_row("process"), "paused": True})


def test_a_reject_too_many_that_is_rejected_is_refused(engine: Engine) -> None:
    """A person decides it."""
    write(engine, decisions, {**decision_row("review"), "capped": True})
    with pytest.raises(IntegrityError, match="leadgate_decisions_capped_is_no_act"):
        write(engine, decisions, {**decision_row("reject"), "capped": True})


def test_what_people_may_say_is_known(engine: Engine) -> None:
    """`wait` is among it, `hold` is not."""
    row = {"pipeline": PIPELINE, "lead_id": "17", "token": 1, "reason": "why", "decided_by": "ann", "decided_at": NOW}
    for verdict in Resolution:
        write(engine, overrides, row | {"verdict": verdict})
    with pytest.raises(IntegrityError, match="leadgate_overrides_verdict_is_known"):
        write(engine, overrides, row | {"verdict": "hold"})


def test_there_are_two_seats(engine: Engine) -> None:
    """One at work, one to come."""
    row = {"pipeline": PIPELINE, "owner": "first", "until": NOW}
    for seat in ("at_work", "to_come"):
        write(engine, seats, row | {"seat": seat})
    with pytest.raises(IntegrityError, match="leadgate_seats_seat_is_known"):
        write(engine, seats, row | {"seat": "behind"})


def test_every_rule_of_the_tables_has_a_row_that_breaks_it() -> None:
    """A CHECK that is added without a row here fails this test."""
    broken = {f"leadgate_entries_{rule}" for rule, _, _ in ENTRIES}
    broken |= {f"leadgate_attempts_{rule}" for rule, _ in ATTEMPTS} | {"leadgate_decisions_verdict_is_known"}
    broken |= {"leadgate_decisions_paused_is_held", "leadgate_overrides_verdict_is_known"}
    broken |= {"leadgate_decisions_capped_is_no_act", "leadgate_seats_seat_is_known"}
    checks = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert checks == broken
