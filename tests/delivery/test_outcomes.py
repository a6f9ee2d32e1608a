"""What each answer makes of a lead: the whole table, which docs/delivery.md shows as it stands here."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from leadgate.config import DeliveryConfig
from leadgate.delivery.outcomes import Outcomes, retry_delay
from leadgate.model import Answer, Attempt, Certainty, Claim, LeadRequest, Outcome, RequestKind, Result, State, Verdict
from tests.delivery.world import NOON, POSTCODE, decision_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "delivery.md"
ATTEMPTS = 3
UNKNOWN_AFTER, HOLD_FOR = timedelta(minutes=7), timedelta(hours=2)


class Row(NamedTuple):
    """A line of the table, in the words of the document."""

    sent: str
    answer: str
    case: str
    becomes: str
    again: str
    ends_as: str
    counts: str = "no"


TABLE = [
    Row("an act", "taken", "process", "processed", "never", "taken"),
    Row("an act", "taken", "reject", "rejected", "never", "taken"),
    Row("an act", "taken, the update not", "any", "processed or rejected", "never", "taken"),
    Row("anything", "gone", "any", "gone", "never", "gone"),
    Row("an act", "in doubt", "unknown: probe", "unknown", "after unknown_after", "in_doubt"),
    Row("an act", "in doubt", "unknown: review", "review", "by a person", "in_doubt"),
    Row("an act", "the act not told", "unknown: probe", "unknown", "after unknown_after", "in_doubt"),
    Row("an act", "the act not told", "unknown: review", "review", "by a person", "in_doubt"),
    Row("an act", "opposite", "any", "review", "by a person", "in_doubt"),
    Row("an update", "taken", "process or reject", "sending", "at once: the act follows", "taken"),
    Row("an update", "taken", "hold", "waiting", "after hold_for", "taken"),
    Row("an update", "taken", "review", "review", "by a person", "taken"),
    Row("an update", "in doubt", "attempts left", "ready", "after a rest", "in_doubt", "yes"),
    Row("an update", "in doubt", "last attempt", "failed", "never", "in_doubt", "yes"),
    Row("an update", "no answer at all", "any", "ready", "after five seconds", "in_doubt"),
    Row("anything", "refused", "attempts left", "ready", "after a rest", "refused", "yes"),
    Row("anything", "refused", "last attempt", "failed", "never", "refused", "yes"),
    Row("anything", "refused, transient", "any", "ready", "after five seconds", "refused"),
    Row("anything", "refused, transient, Retry-After", "any", "ready", "when LeadByte said", "refused"),
]

ACTS = [RequestKind.UPDATE_AND_ACT, RequestKind.ACT]
SENT = {"an act": ACTS, "an update": [RequestKind.UPDATE], "anything": [RequestKind.UPDATE, *ACTS]}
ANSWERED, REFUSED, IN_DOUBT = Certainty.ANSWERED, Certainty.REFUSED, Certainty.IN_DOUBT
ANSWERS: dict[str, dict[str, Any]] = {
    "taken": {"certainty": ANSWERED, "updated": True, "acted": True},
    "taken, the update not": {"certainty": ANSWERED, "updated": False, "acted": True},
    "gone": {"certainty": ANSWERED, "updated": False, "acted": False, "gone": True},
    "in doubt": {"certainty": IN_DOUBT},
    "no answer at all": {"certainty": IN_DOUBT, "transient": True},
    "the act not told": {"certainty": ANSWERED, "updated": True},
    "opposite": {"certainty": IN_DOUBT, "updated": True, "opposite": True},
    "refused": {"certainty": REFUSED, "updated": False, "acted": False},
    "refused, transient": {"certainty": REFUSED, "transient": True},
    "refused, transient, Retry-After": {
        "certainty": REFUSED,
        "transient": True,
        "retry_at": NOON + timedelta(minutes=20),
    },
}
AGAIN = {
    "never": None,
    "by a person": None,
    "at once: the act follows": None,
    "after unknown_after": NOON + UNKNOWN_AFTER,
    "after hold_for": NOON + HOLD_FOR,
    "after five seconds": NOON + timedelta(seconds=5),
    "when LeadByte said": NOON + timedelta(minutes=20),
}


class Case(NamedTuple):
    """One way to meet a row: what was sent under which verdict, before how many refusals."""

    row: Row
    kind: RequestKind
    verdict: Verdict
    tried: int


def cases() -> Iterator[Case]:
    """Every row with every kind of request, verdict and number of refusals that it speaks of."""
    for row in TABLE:
        for kind in SENT[row.sent]:
            words = [] if row.case.startswith("unknown:") else row.case.split()
            named = {Verdict(word) for word in words if word in set(Verdict)}
            verdicts = named or ({Verdict.PROCESS, Verdict.REJECT} if kind in ACTS else set(Verdict))
            left = {"attempts left": range(ATTEMPTS - 1), "last attempt": [ATTEMPTS - 1]}
            for tried in left.get(row.case, range(ATTEMPTS)):
                yield from (Case(row, kind, verdict, tried) for verdict in sorted(verdicts))


def attempt_of(kind: RequestKind, verdict: Verdict, refusals: int) -> Attempt:
    """A request of this kind for a lead with this verdict."""
    update = {} if kind is RequestKind.ACT else POSTCODE
    request = LeadRequest("17", update, verdict.action if kind in ACTS else None)
    claim = Claim("17", 1, NOON, late=False, refusals=refusals, updated_hash=None)
    return Attempt(claim, request, decision_of(verdict), "payload")


def outcome_of(case: Case) -> Outcome:
    """What the code makes of it."""
    unknown = "review" if case.row.case == "unknown: review" else "probe"
    delivery = DeliveryConfig.model_validate({"attempts": ATTEMPTS, "unknown": unknown, "unknown_after": UNKNOWN_AFTER})
    answer = Answer("17", message="In LeadByte's words", **ANSWERS[case.row.answer])
    attempt = attempt_of(case.kind, case.verdict, case.tried)
    return Outcomes(delivery, HOLD_FOR).outcome_of(attempt, answer, NOON)


@pytest.mark.parametrize(
    "case", list(cases()), ids=lambda case: f"{case.kind}/{case.row.answer}/{case.verdict}/{case.tried}"
)
def test_an_answer_makes_of_a_lead_what_the_table_says(case: Case) -> None:
    """Its state, when it comes up again, how the attempt ended, and whether that used one of its attempts."""
    outcome = outcome_of(case)
    settled = "processed" if case.verdict is Verdict.PROCESS else "rejected"
    assert outcome.state == (settled if " or " in case.row.becomes else case.row.becomes)
    assert outcome.due_at == (
        NOON + retry_delay(case.tried) if case.row.again == "after a rest" else AGAIN[case.row.again]
    )
    assert outcome.result == case.row.ends_as
    assert outcome.is_refusal is (case.row.counts == "yes")


@pytest.mark.parametrize(
    "case", list(cases()), ids=lambda case: f"{case.kind}/{case.row.answer}/{case.verdict}/{case.tried}"
)
def test_only_what_was_taken_counts_as_written(case: Case) -> None:
    """The payload's hash is kept, so that it is not written again, where LeadByte said that it took the update."""
    written = ANSWERS[case.row.answer].get("updated") is True
    assert outcome_of(case).updated_hash == ("payload" if written else None)


@pytest.mark.parametrize("kind", ACTS)
@pytest.mark.parametrize("certainty", Certainty)
@pytest.mark.parametrize("acted", [True, False, None])
@pytest.mark.parametrize("updated", [True, False, None])
@pytest.mark.parametrize("transient", [True, False])
def test_an_act_comes_again_only_if_it_was_refused(
    kind: RequestKind, certainty: Certainty, acted: bool | None, updated: bool | None, transient: bool
) -> None:
    """Whatever else an answer says, even if it contradicts itself, or calls the act not taken."""
    answer = Answer("17", certainty, updated=updated, acted=acted, transient=transient)
    outcome = Outcomes(DeliveryConfig(), HOLD_FOR).outcome_of(attempt_of(kind, Verdict.PROCESS, 0), answer, NOON)
    refused = not acted and certainty is REFUSED
    assert (outcome.state is State.READY) is refused
    assert (outcome.result is Result.REFUSED) is refused


@pytest.mark.parametrize("kind", ACTS)
@pytest.mark.parametrize("unknown", ["probe", "review"])
@pytest.mark.parametrize("opposite", [True, False])
def test_a_person_reads_why_an_act_is_theirs(kind: RequestKind, unknown: str, opposite: bool) -> None:
    """The opposite act speaks for itself, whatever `unknown` says; of any other doubt the note says what it is."""
    delivery = DeliveryConfig.model_validate({"unknown": unknown})
    answer = Answer("17", IN_DOUBT, opposite=opposite, message="In LeadByte's words", shape="in …")
    outcome = Outcomes(delivery, HOLD_FOR).outcome_of(attempt_of(kind, Verdict.PROCESS, 0), answer, NOON)
    is_told = opposite or unknown == "probe"
    assert outcome.note == ("In LeadByte's words" if is_told else "no answer that can be trusted: In LeadByte's words")
    assert (outcome.shape, outcome.ends_doubt) == ("in …", False)


@pytest.mark.parametrize("kind", [RequestKind.UPDATE, *ACTS])
@pytest.mark.parametrize("doubted", [True, False])
def test_a_lead_that_is_gone_in_doubt_may_have_been_ours(kind: RequestKind, doubted: bool) -> None:
    """An act that this ledger does not know of may have moved it, and the note says so."""
    attempt = attempt_of(kind, Verdict.PROCESS, 0)
    attempt = replace(attempt, claim=replace(attempt.claim, doubt_since=NOON if doubted else None))
    answer = Answer("17", ANSWERED, gone=True, message="Quarantine lead not found")
    outcome = Outcomes(DeliveryConfig(), HOLD_FOR).outcome_of(attempt, answer, NOON)
    assert outcome.state is State.GONE
    assert outcome.note
    assert outcome.note.startswith("Quarantine lead not found")
    assert ("may have been an act of ours" in outcome.note) is doubted


def test_a_lead_without_a_reason_still_fails_with_one() -> None:
    """LeadByte may refuse without a word."""
    attempt = attempt_of(RequestKind.UPDATE, Verdict.HOLD, ATTEMPTS - 1)
    outcome = Outcomes(DeliveryConfig(attempts=ATTEMPTS), HOLD_FOR).outcome_of(attempt, Answer("17", REFUSED), NOON)
    assert (outcome.state, outcome.note) == (State.FAILED, "refused 3 times without a reason")


def test_a_pause_shorter_than_five_seconds_is_five_seconds() -> None:
    """A refused lead never comes straight back, whatever LeadByte says."""
    soon = Answer("17", REFUSED, transient=True, retry_at=NOON + timedelta(seconds=2))
    attempt = attempt_of(RequestKind.UPDATE, Verdict.PROCESS, 99)
    outcome = Outcomes(DeliveryConfig(), HOLD_FOR).outcome_of(attempt, soon, NOON)
    assert (outcome.state, outcome.due_at) == (State.READY, NOON + timedelta(seconds=5))


def test_rests_double_up_to_an_hour() -> None:
    """One minute first, and never more than sixty however often it was refused."""
    minutes = [retry_delay(tried) / timedelta(minutes=1) for tried in range(8)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]
    assert retry_delay(10_000) == timedelta(hours=1)


def test_the_document_shows_this_table() -> None:
    """Row for row, in this order."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index("## What an answer makes of a lead") :].split("\n## ")[0]
    shown = [
        re.sub(r"[`*]", "", line).strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")
    ]
    assert [[cell.strip() for cell in row] for row in shown[2:]] == [list(row) for row in TABLE]
