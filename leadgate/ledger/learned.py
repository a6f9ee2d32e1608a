"""What controls have shown of an account's LeadByte: words that mean *gone*, and how long its queue takes.

It is read from the controls' attempts: a sentence means *gone* after three controls of three runs, each beside a lead
that was never acted on and whose update was taken (outcome `refused`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, bindparam, func, or_, select

from leadgate.ledger.ledger import Ledger
from leadgate.ledger.schema import ATTEMPT, ENTRY, attempts, entries, pipelines, same_lead
from leadgate.ledger.unknown import IS_CONTROL
from leadgate.model import Result

_ENOUGH = 3
_LATEST = 200
"""Controls by which the queue is judged."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What an account's LeadByte has shown."""

    gone: Sequence[str]
    """Shapes of sentences that it says of leads that have left."""
    wanted: str | None
    """The shape of what it said of the last control, where nobody knows yet what that means."""
    still_there: timedelta | None
    """The longest after which a lead that it queued was still updated."""
    had_left: timedelta | None
    """The shortest after which one was not there any more."""


def read_learned(ledger: Ledger) -> Learned:
    """Read what the controls of all pipelines of the account have shown."""
    whose = {"own": ledger.pipeline, "account": ledger.account}
    with ledger.reading() as connection:
        shown = connection.execute(_SHOWN, whose).all()
        known = list(connection.scalars(_GONE, whose)) if shown else []
    last = shown[0].shape if shown else None
    ages = {
        result: [row.sent_at - row.settled_at for row in shown if row.outcome == result]
        for result in (Result.TAKEN, Result.GONE)
    }
    return Learned(
        gone=known,
        wanted=last if last and last not in known else None,
        still_there=max(ages[Result.TAKEN], default=None),
        had_left=min(ages[Result.GONE], default=None),
    )


_ACCOUNT = select(pipelines.c.pipeline).where(pipelines.c.account == bindparam("account"))
_CONTROLS = and_(IS_CONTROL, or_(ATTEMPT.pipeline == bindparam("own"), ATTEMPT.pipeline.in_(_ACCOUNT)))
_GONE = (
    select(ATTEMPT.shape)
    .where(_CONTROLS, ATTEMPT.outcome == Result.REFUSED)
    .group_by(ATTEMPT.shape)
    .having(func.count(ATTEMPT.lead_id.distinct()) >= _ENOUGH, func.count(ATTEMPT.owner.distinct()) >= _ENOUGH)
    .order_by(ATTEMPT.shape)
)
_SHOWN = (
    select(ENTRY.settled_at, ATTEMPT.sent_at, ATTEMPT.outcome, ATTEMPT.shape)
    .select_from(entries.join(attempts, same_lead(ATTEMPT, ENTRY)))
    .where(_CONTROLS, ENTRY.settled_at.is_not(None))
    .order_by(ATTEMPT.sent_at.desc())
    .limit(_LATEST)
)
