"""What the ledger counts against a budget, and that no intents of two runs go beyond it, whenever they meet."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from leadgate.config import BudgetsConfig
from leadgate.ledger import Ledger, claims, sending
from leadgate.ledger.budgets import has_room, read_rooms
from leadgate.model import Action, Attempt, RequestKind, Result, State
from tests.ledger.steps import LEASE, NOW, REJECT, attempt, claim, make_ready, outcome, send, taken
from tests.ledger.together import together

FIVE = BudgetsConfig.model_validate({"process": "5/hour"})
HOUR = timedelta(hours=1)
LATER = NOW + HOUR


def left(ledger: Ledger, now: datetime) -> int:
    """How many more may be processed."""
    return read_rooms(ledger, FIVE, now=now)[Action.PROCESS].left


@pytest.mark.parametrize(
    ("result", "state", "counts"),
    [
        (Result.TAKEN, State.PROCESSED, True),
        (Result.IN_DOUBT, State.UNKNOWN, True),
        (Result.REFUSED, State.READY, False),
        (Result.GONE, State.GONE, False),
    ],
)
def test_an_act_counts_until_it_is_proven_not_taken(
    ledger: Ledger, result: Result, state: State, *, counts: bool
) -> None:
    """From its intent on, for as long as the span lasts."""
    sent = send(ledger, claim(ledger, "1"))
    assert left(ledger, NOW) == 4
    due = {} if state in {State.PROCESSED, State.GONE} else {"due_at": LATER}
    sending.record(ledger, [taken(sent) if result is Result.TAKEN else outcome(sent, result, state, **due)], now=NOW)
    assert left(ledger, NOW + HOUR - timedelta(seconds=1)) == 5 - counts
    assert left(ledger, NOW + HOUR) == 5


def test_other_acts_and_requests_count_nothing(ledger: Ledger) -> None:
    """An update, a reject."""
    make_ready(ledger, "1", "2")
    one, two = claims.claim(ledger, limit=2, lease=LEASE, now=NOW)
    reject = replace(attempt(two, action=Action.REJECT), decision=REJECT)
    update = attempt(one, RequestKind.UPDATE, request="r2")
    sending.intend(ledger, [update, reject], lease=LEASE, now=NOW)
    assert left(ledger, NOW) == 5
    assert not has_room(ledger, BudgetsConfig.model_validate({"reject": "1/hour"}), now=NOW)
    assert has_room(ledger, BudgetsConfig.model_validate({"reject": "0/hour"}), now=NOW)


def test_intents_that_meet_share_one_budget(ledger: Ledger, rival: Ledger) -> None:
    """Two runs that have each decided on as much as there was room for: no more than that is let through."""
    make_ready(ledger, *map(str, range(1, 21)))
    mine, theirs = (
        [attempt(held) for held in claims.claim(run, limit=10, lease=LEASE, now=NOW)] for run in (ledger, rival)
    )

    def intend(run: Ledger, attempts: list[Attempt]) -> list[sending.Intended]:
        return [
            sending.intend(run, attempts[start : start + 2], lease=LEASE, now=NOW, budgets=FIVE)
            for start in range(0, 10, 2)
        ]

    found = [
        each for of_one in together(lambda: intend(ledger, mine), lambda: intend(rival, theirs)) for each in of_one
    ]
    assert sum(len(each.may_go) for each in found) == 5
    over = {lead_id: at for each in found for lead_id, at in each.over_budget.items()}
    assert len(over) == 15
    assert set(over.values()) == {NOW + HOUR}
    assert left(ledger, NOW) == 0
