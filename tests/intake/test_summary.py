"""The numbers of a run, under the names every report uses."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from leadgate.model import Fault, Faults, State, Tally
from leadgate.summary import Account, Summary

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


FAULTS = Faults()
FAULTS.add(Fault("source.leads", "of leads that are on more than one", "The earliest counts."), ["17"])
FAULTS.add(Fault("source.leads", "with a blank in their id", "Correct them."), ["18"])


def summary(**went: int) -> Summary:
    """A run whose leads went to these states."""
    account = Account(BEGAN, leads=7, arrived=5, changed=2, lead_faults=FAULTS, inferred=["17"])
    account.tally.went.update({State(name): count for name, count in went.items()})
    left = {State.WAITING: 11, State.READY: 3, State.UNKNOWN: account.tally.went[State.UNKNOWN]}
    return account.summarize(remaining=left)


def test_a_summary_counts_where_leads_went_and_what_is_left() -> None:
    """Held leads are those this run sent back to waiting; `waiting` is all that wait when it ended."""
    assert summary(processed=1, rejected=2, waiting=3, review=4, unknown=5, failed=6, gone=7, ready=8).as_dict() == {
        "registered": 7,
        "arrived": 5,
        "processed": 1,
        "rejected": 2,
        "held": 3,
        "review": 4,
        "unknown": 5,
        "refused": 0,
        "unanswered": 0,
        "failed": 6,
        "gone": 7,
        "inferred": 1,
        "changed": 2,
        "again": 0,
        "disagreed": 0,
        "waiting": 11,
        "ready": 3,
        "overdue": 0,
        "older_rules": 0,
        "faults": 2,
    }


def test_a_refusal_needs_attention() -> None:
    """The lead is sent again, but what LeadByte refuses once it mostly refuses again."""
    account = Account(BEGAN, tally=Tally(Counter([State.READY]), refused=1))
    assert account.summarize(remaining={}).needs_attention


@pytest.mark.parametrize("state", State)
def test_only_parked_and_open_leads_need_attention(state: State) -> None:
    """A review is a verdict and no accident."""
    assert summary(**{state.value: 1}).needs_attention is (state in {State.FAILED, State.UNKNOWN})
