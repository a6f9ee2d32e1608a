"""What each answer to a probe makes of an unknown lead: the whole table, which docs/delivery.md shows as it is here."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from leadgate.delivery.reconcile import PROBES
from leadgate.model import Action, Answer, Attempt, Certainty, Claim, InDoubt, LeadRequest, Outcome, State
from tests.delivery.world import NOON, POSTCODE, config_with
from tests.reconcile.world import judging

DOCUMENT = Path(__file__).parents[2] / "docs" / "delivery.md"
HEADING = "## What an answer to a probe makes of a lead"
ATTEMPTS, UNKNOWN_AFTER = 3, timedelta(minutes=7)


class Row(NamedTuple):
    """A line of the table, in the words of the document."""

    answer: str
    case: str
    becomes: str
    again: str
    ends_as: str
    inferred: str = "no"


TABLE = [
    Row("gone", "the act was process", "processed", "never", "gone", "yes"),
    Row("gone", "the act was reject", "rejected", "never", "gone", "yes"),
    Row("taken", "acted on in vain less than attempts times", "ready", "at once", "taken"),
    Row("taken", "acted on in vain attempts times", "review", "by a person", "taken"),
    Row("refused, transient", "any", "unknown", "after a minute", "refused"),
    Row("refused, transient, Retry-After", "any", "unknown", "when LeadByte said", "refused"),
    Row("refused", "the first four probes", "unknown", "after a longer grace", "in_doubt"),
    Row("refused", "the fifth probe", "review", "by a person", "in_doubt"),
    Row("in doubt", "the first four probes", "unknown", "after a longer grace", "in_doubt"),
    Row("in doubt", "the fifth probe", "review", "by a person", "in_doubt"),
]

ANSWERS: dict[str, dict[str, Any]] = {
    "gone": {"certainty": Certainty.ANSWERED, "updated": False, "gone": True},
    "taken": {"certainty": Certainty.ANSWERED, "updated": True},
    "refused, transient": {"certainty": Certainty.REFUSED, "transient": True},
    "refused, transient, Retry-After": {
        "certainty": Certainty.REFUSED,
        "transient": True,
        "retry_at": NOON + timedelta(minutes=20),
    },
    "refused": {"certainty": Certainty.REFUSED, "updated": False, "whole_request": True},
    "in doubt": {"certainty": Certainty.IN_DOUBT, "transient": True},
}
AGAIN = {
    "never": None,
    "by a person": None,
    "at once": NOON,
    "after a minute": NOON + timedelta(minutes=1),
    "when LeadByte said": NOON + timedelta(minutes=20),
}
ACTIONS = {"the act was process": [Action.PROCESS], "the act was reject": [Action.REJECT]}
PROBED = {"the first four probes": range(PROBES - 1), "the fifth probe": [PROBES - 1]}
ACTED = {
    "acted on in vain less than attempts times": range(1, ATTEMPTS),
    "acted on in vain attempts times": [ATTEMPTS, ATTEMPTS + 1],
}


class Case(NamedTuple):
    """One way to meet a row: what the act was, after how many vain probes, how often it was sent in vain."""

    row: Row
    action: Action
    probes: int
    acts: int


def cases() -> Iterator[Case]:
    """Every row in every case it speaks of."""
    for row in TABLE:
        for action in ACTIONS.get(row.case, list(Action)):
            for probes in PROBED.get(row.case, range(PROBES)):
                for acts in ACTED.get(row.case, [1, ATTEMPTS]):
                    yield Case(row, action, probes, acts)


def outcome_of(case: Case) -> Outcome:
    """What the code makes of it; it reads nothing but its settings for that."""
    config = config_with(delivery={"attempts": ATTEMPTS, "unknown_after": UNKNOWN_AFTER})
    claim = Claim("17", 2, NOON, late=False, refusals=0, updated_hash=None)
    attempt = Attempt(claim, LeadRequest("17", POSTCODE), decision=None)
    answer = Answer("17", message="In LeadByte's words", **ANSWERS[case.row.answer])
    doubt = InDoubt(claim, case.action, case.probes, case.acts)
    return judging(config).outcome_of(doubt, attempt, answer, NOON)


@pytest.mark.parametrize(
    "case", list(cases()), ids=lambda case: f"{case.row.answer}/{case.action}/{case.probes}/{case.acts}"
)
def test_an_answer_to_a_probe_makes_of_a_lead_what_the_table_says(case: Case) -> None:
    """Its state, when it comes up again, how the probe ended; nothing but "gone" settles a lead, by inference."""
    outcome = outcome_of(case)
    longer = NOON + min(timedelta(hours=1), UNKNOWN_AFTER * 2**case.probes)
    assert outcome.state == case.row.becomes
    assert outcome.due_at == (longer if case.row.again == "after a longer grace" else AGAIN[case.row.again])
    assert outcome.result == case.row.ends_as
    assert outcome.inferred is (case.row.inferred == "yes")
    assert (outcome.is_refusal, outcome.updated_hash) == (False, None)
    if outcome.state in {State.REVIEW, State.PROCESSED, State.REJECTED}:
        assert outcome.note


def test_the_grace_doubles_with_each_vain_probe_up_to_an_hour() -> None:
    """So that four probes in vain take more than an hour, and no answer is waited for longer than that at a time."""
    vain = [case for case in cases() if case.row == TABLE[8] and case.action is Action.PROCESS and case.acts == 1]
    waits = [(outcome_of(case).due_at or NOON) - NOON for case in vain]
    assert [wait / timedelta(minutes=1) for wait in waits] == [7, 14, 28, 56]


def test_the_document_shows_this_table() -> None:
    """Row for row, in this order."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"{HEADING}\n")[1].split("\n## ")[0]
    shown = [
        re.sub(r"[`*]", "", line).strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")
    ]
    assert [[cell.strip() for cell in row] for row in shown[2:]] == [list(row) for row in TABLE]
