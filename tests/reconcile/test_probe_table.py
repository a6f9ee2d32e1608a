"""What each answer to a probe makes of an unknown lead: the whole table, which docs/delivery.md shows as it is here."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from leadgate.delivery.controls import ControlRequest
from leadgate.delivery.evidence import Evidence
from leadgate.model import Action, Answer, Attempt, Certainty, Claim, Control, InDoubt, LeadRequest, Outcome, State
from tests.delivery.world import NOON, POSTCODE, config_with

DOCUMENT = Path(__file__).parents[2] / "docs" / "delivery.md"
HEADING = "## What an answer to a probe makes of a lead"
UNKNOWN_AFTER, QUEUE_TIME, PATIENCE = timedelta(minutes=7), timedelta(minutes=50), timedelta(hours=20)
CONFIG = config_with(delivery={"unknown_after": UNKNOWN_AFTER, "queue_time": QUEUE_TIME, "patience": PATIENCE})
PROVEN = UNKNOWN_AFTER + QUEUE_TIME
SECOND = timedelta(seconds=1)


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
    Row("gone", "this ledger knows of no act", "gone", "never", "gone"),
    Row("taken", "not taken, by evidence", "ready", "at once", "taken"),
    Row("taken", "not taken, by evidence, for the second time", "review", "by a person", "taken"),
    Row("taken", "no evidence, within patience", "unknown", "after a longer grace", "taken"),
    Row("taken", "no evidence, patience is over", "review", "by a person", "taken"),
    Row("refused", "any", "review", "by a person", "refused"),
    Row("refused, transient", "any", "unknown", "after a minute", "refused"),
    Row("refused, transient, Retry-After", "any", "unknown", "when LeadByte said", "refused"),
    Row("in doubt, no answer", "any", "unknown", "after a longer grace", "in_doubt"),
    Row("in doubt, answered", "within patience", "unknown", "after a longer grace", "in_doubt"),
    Row("in doubt, answered", "patience is over", "review", "by a person", "in_doubt"),
]

ANSWERS: dict[str, dict[str, Any]] = {
    "gone": {"certainty": Certainty.ANSWERED, "updated": False, "gone": True, "http_status": 200},
    "taken": {"certainty": Certainty.ANSWERED, "updated": True, "http_status": 200},
    "refused": {"certainty": Certainty.REFUSED, "updated": False, "http_status": 400},
    "refused, transient": {"certainty": Certainty.REFUSED, "transient": True, "http_status": 429},
    "refused, transient, Retry-After": {
        "certainty": Certainty.REFUSED,
        "transient": True,
        "http_status": 503,
        "retry_at": NOON + timedelta(minutes=20),
    },
    "in doubt, no answer": {"certainty": Certainty.IN_DOUBT, "transient": True},
    "in doubt, answered": {"certainty": Certainty.IN_DOUBT, "http_status": 500},
}
AGAIN = {
    "never": None,
    "by a person": None,
    "at once": NOON,
    "after a minute": NOON + timedelta(minutes=1),
    "when LeadByte said": NOON + timedelta(minutes=20),
}
AGES = [timedelta(), UNKNOWN_AFTER, PROVEN, PROVEN + SECOND, PATIENCE, PATIENCE + SECOND]
CONTROLS: Mapping[str, list[dict[str, Any]]] = {
    "none": [],
    "gone": [ANSWERS["gone"]],
    "updatable": [ANSWERS["taken"]],
    "refused": [ANSWERS["refused"]],
    "unanswered": [ANSWERS["in doubt, no answer"]],
    "gone before, now unanswered": [ANSWERS["gone"], ANSWERS["in doubt, no answer"]],
    "unanswered before, now gone": [ANSWERS["in doubt, no answer"], ANSWERS["gone"]],
}
CLOCKS: Mapping[str, timedelta | None] = {
    "no Date header": None,
    "the same": timedelta(),
    "two minutes less": -timedelta(minutes=2),
    "two minutes more": timedelta(minutes=2),
    "too little": -timedelta(minutes=2, seconds=1),
    "too much": timedelta(minutes=2, seconds=1),
    "hours too much": timedelta(hours=10),
}
"""By how much more an act has aged by LeadByte's clock."""


class Case(NamedTuple):
    """One way in which a probe can be answered."""

    action: Action
    is_ours: bool
    age: timedelta
    control: str
    clock: str
    knows_theirs: bool
    acted_again: bool
    probes: int

    @property
    def has_evidence(self) -> bool:
        """Whether the act was not taken, if LeadByte updates its lead: old enough by both clocks, a control gone."""
        more = CLOCKS[self.clock]
        if more is not None and (not self.knows_theirs or abs(more) > timedelta(minutes=2)):
            return False
        return (
            CONTROLS[self.control][-1:] == [ANSWERS["gone"]]
            and self.age + min(more or timedelta(), timedelta()) > PROVEN
        )

    @property
    def is_over(self) -> bool:
        """Whether patience is over."""
        return self.age > PATIENCE


MEANS: Mapping[str, Callable[[Case], bool]] = {
    "any": lambda _: True,
    "the act was process": lambda case: case.is_ours and case.action is Action.PROCESS,
    "the act was reject": lambda case: case.is_ours and case.action is Action.REJECT,
    "this ledger knows of no act": lambda case: not case.is_ours,
    "not taken, by evidence": lambda case: case.has_evidence and not case.acted_again,
    "not taken, by evidence, for the second time": lambda case: case.has_evidence and case.acted_again,
    "no evidence, within patience": lambda case: not case.has_evidence and not case.is_over,
    "no evidence, patience is over": lambda case: not case.has_evidence and case.is_over,
    "within patience": lambda case: not case.is_over,
    "patience is over": lambda case: case.is_over,
}
"""What the second column says, as a condition."""


def cases() -> Iterator[Case]:
    """Every case there is, with some of the numbers that matter."""
    yes_or_no = (True, False)
    yield from map(Case._make, product(Action, yes_or_no, AGES, CONTROLS, CLOCKS, yes_or_no, yes_or_no, (0, 2, 9)))


def answer_of(kind: Mapping[str, Any], lead_id: str, at: datetime | None = None) -> Answer:
    """An answer in LeadByte's words."""
    return Answer(lead_id, message="In LeadByte's words", their_time=at, **kind)


def outcome_of(case: Case, answer: str) -> Outcome:
    """What the code makes of it; it reads nothing but its settings for that."""
    evidence = Evidence(CONFIG.delivery, [ControlRequest(Control("9", 1, NOON - PATIENCE), LeadRequest("9", POSTCODE))])
    for heard in CONTROLS[case.control]:
        evidence.hear([answer_of(heard, "9")])
    claim = Claim("17", 2, NOON, late=False, refusals=0, updated_hash=None)
    attempt = Attempt(claim, LeadRequest("17", POSTCODE), decision=None)
    since = NOON - case.age
    more, offset = CLOCKS[case.clock], timedelta(days=300)  # their clock may show whatever it likes
    doubt = InDoubt(
        claim=claim,
        action=case.action,
        is_ours=case.is_ours,
        since=since,
        theirs=since - offset if case.knows_theirs else None,
        acted_again=case.acted_again,
        probes=case.probes,
    )
    their_time = None if more is None else NOON - offset + more
    return evidence.outcome_of(doubt, attempt, answer_of(ANSWERS[answer], "17", their_time), NOON)


def again_at(row: Row, case: Case) -> datetime | None:
    """When a lead comes up again."""
    if row.again != "after a longer grace":
        return AGAIN[row.again]
    later = NOON + min(timedelta(hours=1), UNKNOWN_AFTER * 2**case.probes)
    proven_at = NOON - case.age + PROVEN + timedelta(minutes=1)
    return proven_at if NOON < proven_at < later else later


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_to_a_probe_makes_of_a_lead_what_the_table_says(answer: str) -> None:
    """Its state, when it comes up again, how the probe ended; one row speaks of each case, and each row of some."""
    rows = [row for row in TABLE if row.answer == answer]
    met = set()
    for case in cases():
        (row,) = (row for row in rows if MEANS[row.case](case))
        met.add(row)
        outcome = outcome_of(case, answer)
        assert outcome.state == row.becomes, case
        assert outcome.due_at == again_at(row, case), case
        assert outcome.result == row.ends_as, case
        assert outcome.inferred is (row.inferred == "yes"), case
        assert outcome.acts_again is (outcome.state is State.READY), case
        assert (outcome.is_refusal, outcome.updated_hash) == (False, None)
        assert outcome.note
    assert met == set(rows)


def test_the_grace_doubles_with_each_vain_probe_up_to_an_hour() -> None:
    """And once it is not longer than until there can be evidence."""
    waits = []
    for probes in range(6):
        case = Case(Action.PROCESS, True, PATIENCE, "none", "the same", True, False, probes)
        waits.append(((outcome_of(case, "taken").due_at or NOON) - NOON) / timedelta(minutes=1))
    assert waits == [7, 14, 28, 56, 60, 60]
    young = Case(Action.PROCESS, True, PROVEN - timedelta(minutes=30), "none", "the same", True, False, 5)
    assert outcome_of(young, "taken").due_at == NOON + timedelta(minutes=31)


@pytest.mark.parametrize("knows_theirs", [True, False])
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_first_answer_tells_the_time_by_leadbytes_clock(answer: str, knows_theirs: bool) -> None:
    """Whatever it says: from then on the act ages by two clocks. One that is known is not set anew."""
    case = Case(Action.PROCESS, True, PROVEN, "none", "the same", knows_theirs, False, 0)
    theirs = outcome_of(case, answer).theirs
    assert theirs == (None if knows_theirs else NOON - timedelta(days=300))
    assert outcome_of(case._replace(clock="no Date header"), answer).theirs is None


def test_the_document_shows_this_table() -> None:
    """Row for row, in this order."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"{HEADING}\n")[1].split("\n## ")[0]
    shown = [
        re.sub(r"[`*]", "", line).strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")
    ]
    assert [[cell.strip() for cell in row] for row in shown[2:]] == [list(row) for row in TABLE]
