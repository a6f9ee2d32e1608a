"""The audit after every test is worth its while: each kind of fault that it looks for, it finds."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, insert, update

from leadgate.ledger import Ledger, sending
from leadgate.ledger.schema import attempts, decisions, entries, overrides
from leadgate.model import Action, Result, State
from leadgate.sandbox import Sandbox
from tests.delivery.world import release_brake
from tests.ledger.steps import AFTER_LEASE, NOW, PIPELINE, attempt_row, claim, make_ready, outcome, send, taken
from tests.support.audit import audit_ledger, audit_sandbox
from tests.support.ledgers import new_engine

Plant = Callable[[Connection], object]


@pytest.fixture
def sound(sqlite_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A ledger with a lead in flight, a settled, an unknown and a ready one; not audited by itself."""
    engine = new_engine(sqlite_url, base_dir=tmp_path)
    ledger = Ledger(engine, pipeline=PIPELINE, owner="first")
    release_brake(ledger)
    sending.record(ledger, [taken(send(ledger, claim(ledger, "settled")))], now=NOW)
    doubtful = send(ledger, claim(ledger, "unknown"))
    sending.record(ledger, [outcome(doubtful, Result.IN_DOUBT, State.UNKNOWN, due_at=NOW)], now=NOW)
    send(ledger, claim(ledger, "flying"))
    make_ready(ledger, "ready")
    yield engine
    engine.dispose()


def change(lead_id: str, **values: object) -> Plant:
    """Change an entry past the ledger's own code."""
    return lambda connection: connection.execute(update(entries).where(entries.c.lead_id == lead_id).values(values))


def change_attempt(lead_id: str, **values: object) -> Plant:
    """Change an attempt past the ledger's own code."""
    return lambda connection: connection.execute(update(attempts).where(attempts.c.lead_id == lead_id).values(values))


def add_attempt(lead_id: str, **values: object) -> Plant:
    """Add an attempt that nobody intended."""
    row = attempt_row(lead_id, request_id="r2", kind="act", action="process") | values
    return lambda connection: connection.execute(insert(attempts), row)


FAULTS: Mapping[str, Plant] = {
    "was acted on 2 times": add_attempt("settled", outcome="taken", answered_at=NOW),
    "process was taken, so it must be processed": change_attempt("unknown", outcome="taken"),
    "no act was taken, and it is not inferred": change_attempt("settled", outcome="refused"),
    "nobody waits for the answer": add_attempt("unknown"),
    "was sent without a decision": add_attempt("unknown", token=7, outcome="refused", answered_at=NOW),
    "asked to reject, the decision was process": change_attempt("unknown", action="reject"),
    "its decision is missing": lambda connection: connection.execute(delete(decisions)),
    "belongs to no entry": add_attempt("nobody"),
    "was settled in the future": change("settled", settled_at=AFTER_LEASE),
    "a person is not told why": change("unknown", state="review"),
    "may have been acted on 2 times, where 1 are allowed": add_attempt("unknown", outcome="in_doubt", answered_at=NOW),
    "is being acted on, and not in doubt": change("flying", doubt_since=None, doubt_action=None),
}


def test_a_sound_ledger_has_no_faults(sound: Engine) -> None:
    """Leads in flight are no fault while a run is under way."""
    audit_ledger(sound, NOW)


OVERRIDE: Mapping[str, object] = {
    "pipeline": PIPELINE,
    "lead_id": "unknown",
    "token": 1,
    "verdict": "process",
    "reason": "still there",
    "decided_by": "ann",
    "decided_at": NOW,
}
ALLOWED: Mapping[str, Plant] = {
    "by evidence": change("unknown", acted_again=True),
    "by a person": lambda connection: connection.execute(insert(overrides), OVERRIDE),
}


@pytest.mark.parametrize("freed", ALLOWED)
def test_an_act_that_was_allowed_again_is_no_fault(sound: Engine, freed: str) -> None:
    """Once by evidence, and once for each time a person said so; a third act is one too many."""
    with sound.begin() as connection:
        ALLOWED[freed](connection)
        add_attempt("unknown", outcome="in_doubt", answered_at=NOW)(connection)
    audit_ledger(sound, NOW)
    with sound.begin() as connection:
        add_attempt("unknown", request_id="r3", outcome="in_doubt", answered_at=NOW)(connection)
    with pytest.raises(AssertionError, match="may have been acted on 3 times, where 2 are allowed"):
        audit_ledger(sound, NOW)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(sound: Engine, fault: str) -> None:
    """The audit fails, and says what is wrong."""
    with sound.begin() as connection:
        FAULTS[fault](connection)
    with pytest.raises(AssertionError, match=fault):
        audit_ledger(sound, NOW)


def test_what_a_finished_run_left_is_found(sound: Engine) -> None:
    """Once no run is under way nobody may hold a lead, and no request may be open."""
    with pytest.raises(AssertionError, match=r"a request was left without an outcome\n.*first left a lease$"):
        audit_ledger(sound, NOW, finished=True)
    with pytest.raises(AssertionError, match="first left a lease that is over"):
        audit_ledger(sound, AFTER_LEASE, finished=True)


def act(sandbox: Sandbox, *ids: str, action: Action = Action.PROCESS) -> None:
    """Let the practice LeadByte take an act for each lead."""
    sandbox.quarantine.add(ids)
    for lead_id in ids:
        sandbox.quarantine.queue(sandbox.quarantine.lead(lead_id), action, 1)


def test_a_lead_that_was_acted_on_twice_is_found() -> None:
    """Whatever the ledger says, LeadByte's own count counts."""
    sandbox = Sandbox()
    act(sandbox, "1", "2")
    audit_sandbox(sandbox.quarantine)
    act(sandbox, "2")
    with pytest.raises(AssertionError, match=r"^2: acted on 2 times$"):
        audit_sandbox(sandbox.quarantine)


def test_a_ledger_that_tells_the_truth_passes(sound: Engine) -> None:
    """What is unknown or in flight may have been taken or not."""
    sandbox = Sandbox()
    act(sandbox, "settled", "unknown")
    audit_sandbox(sandbox.quarantine, sound)


@pytest.mark.parametrize(
    ("ids", "action", "told"),
    [
        ([], Action.PROCESS, "settled: processed, but LeadByte took no act"),
        (["settled"], Action.REJECT, "settled: processed, but LeadByte took rejected"),
        (["settled", "ready"], Action.PROCESS, "ready: ready, but LeadByte took processed"),
        (["settled", "stranger"], Action.PROCESS, "stranger: acted on, and not in the ledger"),
    ],
)
def test_a_false_record_is_found(sound: Engine, ids: list[str], action: Action, told: str) -> None:
    """An act that did not happen, another one, one that was not recorded, and one nobody knows of."""
    sandbox = Sandbox()
    act(sandbox, *ids, action=action)
    with pytest.raises(AssertionError, match=told):
        audit_sandbox(sandbox.quarantine, sound)
