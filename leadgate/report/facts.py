"""Everything the page says, as read from the ledger: counts and ages, no leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.config import PipelineConfig
from leadgate.health import Health, read_health
from leadgate.ledger import Ledger
from leadgate.ledger.observed import count_observed, would_have
from leadgate.ledger.pauses import read_pause
from leadgate.ledger.policies import read_newest_policy
from leadgate.ledger.report_counts import (
    AnswerCount,
    DecisionCount,
    Movement,
    Waited,
    read_answer_counts,
    read_decision_counts,
    read_movement,
    read_waits,
)
from leadgate.model import Pause
from leadgate.sign_of_life import now_doing
from leadgate.waits import Waits, count_waits

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
    health: Health
    kept_since: datetime | None
    """Leads that were settled before it are pruned; None: none is."""
    pause: Pause | None
    observed: str | None
    """What would have been done with the leads that are observed; None where none is."""
    movement: Movement
    waits: Sequence[Waited]
    arrivals: Waits
    decisions: Sequence[DecisionCount]
    answers: Sequence[AnswerCount]


def read_facts(ledger: Ledger, config: PipelineConfig, *, since: timedelta, now: datetime) -> Facts:
    """Ask the ledger; each question goes through the pipeline's rows once, in the database."""
    now_doing("Counting leads in the ledger")
    from_, observed = now - since, count_observed(ledger)
    return Facts(
        pipeline=config.pipeline,
        now=now,
        since=since,
        policy_version=read_newest_policy(ledger),
        health=read_health(ledger, config),
        kept_since=now - config.ledger.keep if config.ledger.keep else None,
        pause=read_pause(ledger),
        observed=would_have(observed) if observed or config.delivery.observe else None,
        movement=read_movement(ledger, since=from_, now=now),
        waits=read_waits(ledger, since=from_),
        arrivals=count_waits(ledger, config, since=from_, now=now),
        decisions=read_decision_counts(ledger, from_),
        answers=read_answer_counts(ledger, from_),
    )
