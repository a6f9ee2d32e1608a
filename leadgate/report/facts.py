"""Everything the page says, as read from the ledger: counts and ages, no leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.config import PipelineConfig
from leadgate.ledger import Ledger
from leadgate.ledger.figures import (
    AnswerCount,
    DecisionCount,
    Movement,
    Waited,
    read_answer_counts,
    read_decision_counts,
    read_movement,
    read_newest_policy,
    read_waits,
)
from leadgate.ledger.overrides import overdue_reviews
from leadgate.ledger.pauses import read_pause
from leadgate.ledger.reads import Status, read_status
from leadgate.model import Pause

LAST_WEEK = timedelta(days=7)
"""How far back the page goes unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a pipeline at `now`, and what happened within the span of `since` before it."""

    pipeline: str
    now: datetime
    since: timedelta
    policy_version: str | None
    """Of the newest decision; None where there is none."""
    status: Status
    overdue: int
    """Reviews that have been open for longer than safety.review_within."""
    pause: Pause | None
    movement: Movement
    waits: Sequence[Waited]
    decisions: Sequence[DecisionCount]
    answers: Sequence[AnswerCount]


def read_facts(ledger: Ledger, config: PipelineConfig, *, since: timedelta, now: datetime) -> Facts:
    """Ask the ledger; each question goes through the pipeline's rows once, in the database."""
    engine, name, from_ = ledger.engine, config.pipeline, now - since
    return Facts(
        pipeline=name,
        now=now,
        since=since,
        policy_version=read_newest_policy(engine, name),
        status=read_status(engine, name),
        overdue=overdue_reviews(ledger.engine, config, now),
        pause=read_pause(engine, name),
        movement=read_movement(engine, name, since=from_, now=now),
        waits=read_waits(engine, name, since=from_),
        decisions=read_decision_counts(engine, name, from_),
        answers=read_answer_counts(engine, name, from_),
    )
