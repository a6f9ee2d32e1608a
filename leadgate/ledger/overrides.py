"""What waits for a person, and what people have said. Nothing here changes a row; reviews.py does."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, func, not_, select
from sqlalchemy.sql.selectable import ScalarSelect

from leadgate.config import PipelineConfig
from leadgate.ledger.engine import reading
from leadgate.ledger.schema import attempts, decisions, entries, in_state, overrides
from leadgate.model import Overridden, Override, RequestKind, Resolution, Result, Review, State

_E, _A, _D, _O = entries.c, attempts.c, decisions.c, overrides.c
_standing = and_(_D.pipeline == _E.pipeline, _D.lead_id == _E.lead_id, _D.token == _E.decided_token)


def act_in_doubt() -> ScalarSelect[str]:
    """The last act of an entry that nobody answered and nothing has cleared up since; null where there is none.

    Cleared up it is by a probe that LeadByte took, and by a person who has looked.
    """
    probe = attempts.alias("probe")
    still_there = exists().where(
        probe.c.pipeline == _E.pipeline,
        probe.c.lead_id == _E.lead_id,
        probe.c.kind == RequestKind.PROBE,
        probe.c.outcome == Result.TAKEN,
        probe.c.token > _A.token,
    )
    looked = exists().where(_O.pipeline == _E.pipeline, _O.lead_id == _E.lead_id, _O.token > _A.token)
    return (
        select(_A.action)
        .where(_A.pipeline == _E.pipeline, _A.lead_id == _E.lead_id)
        .where(_A.action.is_not(None), _A.outcome == Result.IN_DOUBT, not_(still_there), not_(looked))
        .correlate(entries)
        .order_by(_A.token.desc())
        .limit(1)
        .scalar_subquery()
    )


def _last_answer() -> ScalarSelect[datetime]:
    """When an entry's last request ended: what it came to may have sent the lead to a person."""
    mine = (_A.pipeline == _E.pipeline, _A.lead_id == _E.lead_id)
    return select(func.max(_A.answered_at)).where(*mine).correlate(entries).scalar_subquery()


def standing_overrides(connection: Connection, pipeline: str, ids: Sequence[str]) -> dict[str, Override]:
    """The overrides that stand in place of the rules, of those of the ids that have one."""
    if not ids:
        return {}
    query = (
        select(_O.lead_id, _O.verdict, _O.reason, _O.decided_by)
        .join(entries, and_(_E.pipeline == _O.pipeline, _E.lead_id == _O.lead_id, _E.override_token == _O.token))
        .where(_O.pipeline == pipeline, _O.lead_id.in_(ids))
    )
    return {row[0]: Override(Resolution(row[1]), *row[2:]) for row in connection.execute(query)}


def read_reviews(engine: Engine, pipeline: str) -> list[Review]:
    """Every lead that a person must decide, the longest open first."""
    query = (
        select(_E.lead_id, _E.registered_at, _D.decided_at, _last_answer(), _D.rule, _E.note, _D.facts, act_in_doubt())
        .outerjoin(decisions, _standing)
        .where(_E.pipeline == pipeline, in_state(State.REVIEW))
    )
    with reading(engine) as connection:
        found = [
            Review(
                lead_id=row[0],
                since=max((at for at in row[2:4] if at), default=row[1]),
                rule=row[4],
                reason=row[5] or "",
                facts=row[6] or {},
                act_in_doubt=row[7],
            )
            for row in connection.execute(query)
        ]
    return sorted(found, key=lambda review: (review.since, review.lead_id))


def count_overdue(engine: Engine, pipeline: str, *, before: datetime) -> int:
    """How many leads a person has had to decide since before an instant."""

    def nothing_since(column: ColumnElement[Any], *where: ColumnElement[bool]) -> ColumnElement[bool]:
        return ~exists().where(*where, column >= before)

    query = (
        select(func.count())
        .select_from(entries)
        .where(_E.pipeline == pipeline, in_state(State.REVIEW))
        .where(nothing_since(_D.decided_at, _standing))
        .where(nothing_since(_A.answered_at, _A.pipeline == _E.pipeline, _A.lead_id == _E.lead_id))
    )
    with reading(engine) as connection:
        return connection.scalar(query) or 0


def overdue_reviews(engine: Engine, config: PipelineConfig, now: datetime) -> int:
    """Count the reviews that have been open for longer than the file allows; 0 where it sets no time."""
    within = config.safety.review_within
    return count_overdue(engine, config.pipeline, before=now - within) if within is not None else 0


def read_overridden(engine: Engine, pipeline: str, *, limit: int) -> list[Overridden]:
    """What people have said last, newest first, each with the facts of the decision that they were asked about."""
    asked = (
        select(func.max(_D.token))
        .where(_D.pipeline == _O.pipeline, _D.lead_id == _O.lead_id, _D.token < _O.token)
        .correlate(overrides)
        .scalar_subquery()
    )
    query = (
        select(_O.lead_id, _O.verdict, _O.reason, _O.decided_by, _D.facts, _D.late)
        .join(decisions, and_(_D.pipeline == _O.pipeline, _D.lead_id == _O.lead_id, _D.token == asked))
        .where(_O.pipeline == pipeline)
        .order_by(_O.decided_at.desc(), _O.lead_id)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [
            Overridden(row[0], Override(Resolution(row[1]), row[2], row[3]), row[4], late=row[5])
            for row in connection.execute(query)
        ]


def read_whereabouts(connection: Connection, pipeline: str, ids: Sequence[str]) -> Mapping[str, str]:
    """Where each of the ids is, in words for who wanted to decide it."""
    query = (
        select(_E.lead_id, _E.state, act_in_doubt(), _O.decided_by, _O.verdict)
        .outerjoin(overrides, and_(_O.pipeline == _E.pipeline, _O.lead_id == _E.lead_id, _O.token == _E.override_token))
        .where(_E.pipeline == pipeline, _E.lead_id.in_(ids))
    )
    found = {row[0]: row for row in connection.execute(query)}
    return {lead_id: _told(found.get(lead_id)) for lead_id in ids}


def _told(row: Any) -> str:  # noqa: ANN401
    if row is None:
        return "is not known to this pipeline"
    _, state, doubt, decided_by, verdict = row
    if state == State.REVIEW and doubt:
        return (
            f"its {doubt} was sent and never answered, so it may have been taken: look it up in LeadByte, and if it "
            "is still in quarantine say so with --still-in-quarantine"
        )
    said = f", since {decided_by} decided {verdict}" if decided_by else ""
    return f"is not in review: it is {state}{said}"
