"""One lead's history in sentences: what happened, in order, and what holds now."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.engine import RowMapping

from leadgate.delivery import Preparation
from leadgate.ledger import claims, sending
from leadgate.ledger.history import History, read_history
from leadgate.ledger.policies import keep_policy
from leadgate.model import (
    Action,
    Attempt,
    Conclusion,
    Decision,
    LeadRequest,
    Outcome,
    RequestKind,
    Result,
    State,
    Verdict,
)
from leadgate.story import tell
from tests.delivery.world import config_with
from tests.intake.pipeline import NOON, RULES, Pipeline

WRITING = "writing postcode (from postcode)"
LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
THEN_LATE = "then it is late, and the rules decide it with `late` = true."
ENTRY: dict[str, Any] = {
    "lead_id": "1",
    "quarantined_at": NOON,
    "registered_at": NOON,
    "arrived_at": None,
    "due_at": None,
    "lease_until": None,
    "missing": None,
    "deadline": 0,
    "decided_token": None,
    "note": None,
    "inferred": False,
    "settled_at": None,
    "absent_since": None,
}


def now_of(state: State, **columns: object) -> str:
    """What the story says of an entry in this state."""
    entry = cast("RowMapping", ENTRY | {"state": state.value} | columns)
    return tell(History(entry, [], []), config_with()).now


@pytest.mark.parametrize(
    ("state", "columns", "sentence"),
    [
        (
            State.WAITING,
            {},
            f"waits for postcode until 2026-03-02 12:00:00Z; {THEN_LATE}",
        ),
        (
            State.WAITING,
            {"missing": ["score"]},
            f"waits for score until 2026-03-02 12:00:00Z; {THEN_LATE}",
        ),
        (State.WAITING, {"quarantined_at": LAST_DAY}, "waits for postcode, and is never late."),
        (
            State.READY,
            {"due_at": NOON, "absent_since": NOON},
            (
                "due for a decision at 2026-03-01 12:00:00Z. Its row has not been in source.leads since "
                "2026-03-01 12:00:00Z: from 2026-03-01 12:10:00Z on the lead is withdrawn."
            ),
        ),
        (
            State.WAITING,
            {"missing": [], "due_at": NOON + timedelta(hours=1)},
            "held; decided again when its enrichment changes, or at 2026-03-01 13:00:00Z.",
        ),
        (State.READY, {"due_at": NOON}, "due for a decision at 2026-03-01 12:00:00Z."),
        (
            State.READY,
            {"due_at": NOON, "note": "LeadByte refused."},
            "due for a decision at 2026-03-01 12:00:00Z (LeadByte refused).",
        ),
        (State.SENDING, {"lease_until": NOON}, "a request is in flight; its lease ends at 2026-03-01 12:00:00Z."),
        (
            State.UNKNOWN,
            {"note": "HTTP 502"},
            (
                "sent, and nobody knows if it was taken (HTTP 502). Once you have looked in LeadByte: "
                "`leadgate review settle 1`."
            ),
        ),
        (
            State.REVIEW,
            {"note": "No rule matched."},
            "a person must decide (No rule matched): `leadgate review show 1`.",
        ),
        (State.PROCESSED, {}, "queued for processing by LeadByte, which goes on with it."),
        (
            State.PROCESSED,
            {"inferred": True, "settled_at": NOON, "note": "inferred: it is gone"},
            "queued for processing by LeadByte, which goes on with it. No answer says so: it is inferred from a probe.",
        ),
        (State.REJECTED, {}, "queued for rejection by LeadByte."),
        (State.GONE, {"note": "not found"}, "someone else moved it out of quarantine; nothing more is done."),
        (
            State.FAILED,
            {"note": "a {field} in braces"},
            "parked (a {field} in braces); decided anew when its data changes, or by `leadgate retry`.",
        ),
        (State.DISCARDED, {"note": "ann gave it up"}, "given up (ann gave it up); nothing more is done."),
    ],
)
def test_every_state_has_its_sentence(state: State, columns: dict[str, object], sentence: str) -> None:
    """In the words of the ledger, with the instant that matters."""
    assert now_of(state, **columns) == f"Now: {sentence}"


@pytest.mark.parametrize("state", State)
def test_no_state_is_without_words(state: State) -> None:
    """Also one whose columns hold nothing."""
    assert now_of(state).startswith("Now: ")


def test_a_story_tells_what_happened_in_order(pipeline: Pipeline) -> None:
    """Quarantined, registered, complete, decided, sent, answered: each once, with its time."""
    pipeline.quarantine(1)
    pipeline.clock.advance(minutes=1)
    pipeline.register()
    pipeline.arrive(1)
    pipeline.clock.advance(minutes=1)
    pipeline.look()
    ledger, clock = pipeline.ledger, pipeline.clock
    (claim,) = claims.claim(ledger, limit=1, lease=timedelta(minutes=5), now=clock())
    decision = Decision(
        Verdict.PROCESS,
        "good",
        "A good score.",
        "v1",
        late=True,
        facts={"score": 0.9, "mobile": None},
        unanswered=("soon: enrichment.score is missing",),
    )
    request = LeadRequest("1", {"postcode": "TN25 6QD", "phone1": "07700 900123"}, Action.PROCESS)
    attempt = Attempt(claim, request, decision, "hash", "abc")
    clock.advance(minutes=1)
    sending.intend(ledger, [attempt], lease=timedelta(minutes=5), now=clock())
    clock.advance(minutes=1)
    sending.record(ledger, [Outcome(attempt, Result.TAKEN, State.PROCESSED, 200, "queued for processing")], now=clock())
    history = read_history(ledger, "1")
    assert history is not None
    story = tell(history, pipeline.config())
    assert [(event.at - NOON) / timedelta(minutes=1) for event in story.events] == [0, 1, 2, 3, 3, 4]
    assert [event.what for event in story.events] == [
        "put into quarantine",
        "registered",
        "enrichment seen complete",
        (
            "decided process by rule 'good': A good score. Late: the deadline had passed. Facts: score=0.9."
            " Not answered: soon: enrichment.score is missing. (policy v1)"
        ),
        f"sent: update and process {WRITING}, phone1 (from mobile) (request abc)",
        "LeadByte took it, HTTP 200: queued for processing",
    ]
    assert story.now == "Now: queued for processing by LeadByte, which goes on with it."


@pytest.mark.parametrize(
    ("kind", "action", "result", "sent", "ended"),
    [
        (
            RequestKind.UPDATE,
            None,
            Result.IN_DOUBT,
            f"update {WRITING}",
            "no answer that can be trusted",
        ),
        (
            RequestKind.ACT,
            Action.REJECT,
            Result.REFUSED,
            f"reject {WRITING}",
            "LeadByte refused it",
        ),
        (
            RequestKind.PROBE,
            None,
            Result.GONE,
            f"probe (update alone) {WRITING}",
            "LeadByte no longer has it",
        ),
    ],
)
def test_every_request_and_end_has_its_words(
    kind: RequestKind, action: Action | None, result: Result, sent: str, ended: str
) -> None:
    """An attempt without an answer yet has no end."""
    row = {
        "kind": kind.value,
        "action": action and action.value,
        "fields": ["postcode"],
        "sent_at": NOON,
        "request_id": "abc",
        "answered_at": NOON + timedelta(seconds=1),
        "outcome": result.value,
        "http_status": 200,
        "message": "",
    }
    entry = cast("RowMapping", ENTRY | {"state": "review"})
    attempts = cast("list[RowMapping]", [row, row | {"answered_at": None, "outcome": None}])
    events = [event.what for event in tell(History(entry, [], attempts), config_with()).events]
    assert events.count(f"sent: {sent} (request abc)") == 2
    assert sum(event.startswith(ended) for event in events) == 1


def test_what_never_left_is_not_told_as_sent() -> None:
    """LeadByte could not be reached: the intent has an end, and no HTTP status."""
    row = {
        "kind": RequestKind.UPDATE_AND_ACT.value,
        "action": Action.PROCESS.value,
        "fields": ["postcode"],
        "sent_at": NOON,
        "request_id": "abc",
        "answered_at": NOON + timedelta(seconds=1),
        "outcome": Result.REFUSED.value,
        "http_status": None,
        "message": "LeadByte cannot be reached",
    }
    entry = cast("RowMapping", ENTRY | {"state": "ready"})
    events = tell(History(entry, [], cast("list[RowMapping]", [row])), config_with()).events
    told = f"not delivered: update and process {WRITING} (request abc): LeadByte cannot be reached"
    assert [event.what for event in events[2:]] == [told]


def test_a_story_says_of_each_rule_why_it_did_not_match(pipeline: Pipeline) -> None:
    """From the ledger alone: the condition that failed, in the words of the rules as they were, and kept facts."""
    section = {
        "keep_facts": ["score"],
        "rules": [
            {"name": "called", "when": "enrichment.mobile.startsWith('0800')", "then": "reject", "because": "No."},
            *RULES,
        ],
    }
    policy = pipeline.policy(policy=section)
    keep_policy(pipeline.ledger, version=policy.version, text=policy.text, now=pipeline.clock())
    pipeline.complete(1)
    pipeline.arrive(1, score=0.2, mobile="07700 900123")
    config = pipeline.config()
    preparation = Preparation(config=config, source=pipeline.source, ledger=pipeline.ledger, policy=policy)
    (lead,) = preparation.claim_wave(1)
    sending.conclude(pipeline.ledger, [Conclusion(lead.claim, lead.decision, State.REVIEW)], now=pipeline.clock())
    pipeline.run_sql("DELETE FROM enrichment")
    history = read_history(pipeline.ledger, "1")
    assert history is not None
    told = [event.what for event in tell(history, pipeline.config()).events]
    assert told[-5:] == [
        "rule 'called' did not match: `enrichment.mobile.startsWith('0800')` is false",
        "rule 'good' did not match: `enrichment.score >= 0.5` is false (score=0.2)",
        "rule 'soon' did not match: `enrichment.score < 0.0` is false (score=0.2)",
        "rule 'never-enriched' did not match: `late` is false",
        (f"decided review by otherwise: No rule matched. Facts: score=0.2. (policy {policy.version})"),
    ]
    assert "07700" not in str(history)


def test_otherwise_is_told_as_such(pipeline: Pipeline) -> None:
    """A decision that needed no request is in the story too."""
    pipeline.complete(1)
    (claim,) = claims.claim(pipeline.ledger, limit=1, lease=timedelta(minutes=5), now=pipeline.clock())
    decision = Decision(Verdict.REVIEW, None, "No rule matched.", "v1")
    sending.conclude(
        pipeline.ledger, [Conclusion(claim, decision, State.REVIEW, note=decision.reason)], now=pipeline.clock()
    )
    history = read_history(pipeline.ledger, "1")
    assert history is not None
    told = [event.what for event in tell(history, pipeline.config()).events]
    assert told[-1] == "decided review by otherwise: No rule matched. (policy v1)"
