"""What controls have taught of an account's LeadByte: words that mean *gone*, and how long its queue takes.

Nothing is kept beside the controls' own attempts: a sentence is learned once LeadByte has said it of three controls
in three runs, each time beside a lead that was never acted on and whose update it took (outcome `refused`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, func, or_, select

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
    """Read it, from the controls of all pipelines of the account."""
    account = select(pipelines.c.pipeline).where(pipelines.c.account == ledger.account)
    controls = and_(IS_CONTROL, or_(ATTEMPT.pipeline == ledger.pipeline, ATTEMPT.pipeline.in_(account)))
    enough = and_(
        func.count(ATTEMPT.lead_id.distinct()) >= _ENOUGH,
        func.count(ATTEMPT.owner.distinct()) >= _ENOUGH,
    )
    gone = select(ATTEMPT.shape).where(controls, ATTEMPT.outcome == Result.REFUSED).group_by(ATTEMPT.shape)
    shown = select(ENTRY.settled_at, ATTEMPT.sent_at, ATTEMPT.outcome, ATTEMPT.shape).join(
        attempts, same_lead(ATTEMPT, ENTRY)
    )
    shown = shown.select_from(entries).where(controls, ENTRY.settled_at.is_not(None))
    shown = shown.order_by(ATTEMPT.sent_at.desc()).limit(_LATEST)
    with ledger.reading() as connection:
        ages: dict[str, list[timedelta]] = {Result.TAKEN: [], Result.GONE: []}
        found = connection.execute(shown).all()
        for row in found:
            ages.setdefault(row.outcome, []).append(row.sent_at - row.settled_at)
        known = list(connection.scalars(gone.having(enough).order_by(ATTEMPT.shape)))
        last = found[0].shape if found else None
        return Learned(
            gone=known,
            wanted=last if last and last not in known else None,
            still_there=max(ages[Result.TAKEN], default=None),
            had_left=min(ages[Result.GONE], default=None),
        )
