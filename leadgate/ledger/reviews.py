"""What waits for a person, and what people have said. Nothing here changes a row; people.py does."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, not_, or_, select
from sqlalchemy.sql.selectable import ScalarSelect

from leadgate.ledger.again import IS_LEFT
from leadgate.ledger.ledger import Ledger
from leadgate.ledger.policies import policy_texts
from leadgate.ledger.schema import (
    ATTEMPT,
    DECISION,
    ENTRY,
    OVERRIDE,
    decisions,
    entries,
    in_state,
    overrides,
    same_lead,
    stands_for,
)
from leadgate.ledger.unknown import DOUBT_BEGAN
from leadgate.model import OTHERWISE, Group, Overridden, Override, Resolution, Review, SentBy, State, Verdict
from leadgate.policy.trace import explain_tried_rules, rules_of

FOR_PEOPLE = (State.FAILED, State.REVIEW, State.UNKNOWN)
"""Where a lead is that a person should know of."""
_EXAMPLES = (Resolution.PROCESS, Resolution.REJECT, Resolution.WAIT)
"""The words of people that say what rules could have said."""
SETTLE = {Resolution.WAS_PROCESSED, Resolution.WAS_REJECTED, Resolution.NOT_TAKEN}
"""The words of people that say what became of an act."""

_TOKEN_OF_WORD = select(OVERRIDE.token).where(
    same_lead(OVERRIDE, ENTRY), OVERRIDE.token == ENTRY.token, OVERRIDE.verdict.in_((Resolution.WAIT, Resolution.AGAIN))
)
CAN_BE_TAKEN_BACK = and_(
    ENTRY.state.in_((State.READY, State.WAITING)),
    ENTRY.doubt_since.is_(None),
    or_(ENTRY.override_token.is_not(None), _TOKEN_OF_WORD.correlate(entries).exists()),
)
"""Of an entry: the last that a person said of it is `process`, `reject`, `wait` or `again`, and nothing followed."""
_BY_RULE = and_(ENTRY.doubt_since.is_(None), DECISION.verdict == "review", DECISION.decided_by.is_(None))
_SENT_BY = case(
    (ENTRY.doubt_since.is_not(None), SentBy.DOUBT.value),
    (and_(_BY_RULE, DECISION.capped), SentBy.CAP.value),
    (_BY_RULE, SentBy.RULE.value),
    else_=SentBy.OTHER.value,
)


@dataclass(frozen=True, slots=True)
class ForPerson:
    """A lead that a person should look at, and since when it is where it is."""

    lead_id: str
    state: State
    since: datetime
    rule: str | None
    by_person: bool
    note: str
    facts: dict[str, object] = field(default_factory=dict)
    """What `policy.keep_facts` kept with its last decision."""
    in_doubt: str | None = None
    """The act that was sent for it and may have been taken; `act` where nobody knows which."""


@dataclass(frozen=True, slots=True)
class LookedFor:
    """An unknown lead: the act that was sent for it (`act` where nobody knows which), and when."""

    lead_id: str
    act: str
    since: datetime


def read_reviews(
    ledger: Ledger, *, rule: str | None = None, since: datetime | None = None, limit: int | None = None
) -> list[Review]:
    """The leads that a person must decide, the longest open first.

    All by default; or those of a `rule` (see `ids_meant`), those opened at `since` or later, the first `limit`.
    """
    opened_at = _opened_at()
    opened = _in_review(ledger, rule, since=since).with_only_columns(ENTRY.lead_id, opened_at.label("since"))
    chosen = opened.order_by(opened_at, ENTRY.lead_id).limit(limit).subquery()
    query = (
        select(ENTRY.lead_id, chosen.c.since, _SENT_BY.label("sent_by"), DECISION.rule, ENTRY.note, DECISION.facts)
        .add_columns(ENTRY.doubt_since, ENTRY.doubt_action)
        .add_columns(DECISION.policy_version, DECISION.trace, DECISION.unanswered)
        .select_from(chosen.join(entries, and_(ledger.mine, ENTRY.lead_id == chosen.c.lead_id)))
        .outerjoin(decisions, stands_for(ENTRY))
        .order_by(chosen.c.since, ENTRY.lead_id)
    )
    with ledger.reading() as connection:
        rows = connection.execute(query).all()
        texts = policy_texts(ledger, connection, {row.policy_version for row in rows if row.policy_version})
    return [
        Review(
            lead_id=row.lead_id,
            since=row.since,
            sent_by=SentBy(row.sent_by),
            rule=row.rule,
            reason=row.note or "",
            facts=row.facts or {},
            act_in_doubt=(row.doubt_action or "act") if row.doubt_since else None,
            doubt_since=row.doubt_since,
            unmatched=_unmatched(row, texts.get(row.policy_version)),
        )
        for row in rows
    ]


def _unmatched(row: Row[Any], policy: str | None) -> list[str]:
    if policy is None or row.trace is None or row.rule or row.sent_by != SentBy.RULE:
        return []
    process = {rule["name"] for rule in rules_of(policy) if rule["then"] == Verdict.PROCESS}
    tried = explain_tried_rules(policy, row.trace, row.unanswered, {})  # the facts stand beside it
    return [f"{rule}: {why}" for rule, why in tried if rule in process]


def read_looked_for(ledger: Ledger, limit: int | None = None) -> list[LookedFor]:
    """The leads whose act may have been taken and for which runs look for evidence, the oldest doubt first."""
    query = select(ENTRY.lead_id, ENTRY.doubt_action, DOUBT_BEGAN.label("since"))
    query = query.where(ledger.mine, in_state(State.UNKNOWN)).order_by(DOUBT_BEGAN, ENTRY.lead_id).limit(limit)
    return [LookedFor(row.lead_id, row.doubt_action or "act", row.since) for row in ledger.fetch_rows(query)]


def count_looked_for(ledger: Ledger) -> int:
    """How many those are."""
    return ledger.fetch_value(select(func.count()).where(ledger.mine, in_state(State.UNKNOWN))) or 0


def count_reviews(
    ledger: Ledger, *, rule: str | None = None, since: datetime | None = None, before: datetime | None = None
) -> list[Group]:
    """Count the leads in review by what sent them there, rule and reason, the most first.

    Chosen as by `read_reviews`; with `before`, those alone that have been open since before an instant.
    """
    note = case((ENTRY.doubt_since.is_not(None), ""), else_=func.coalesce(ENTRY.note, ""))
    query = _in_review(ledger, rule, since=since, before=before)
    query = query.with_only_columns(_SENT_BY.label("sent_by"), DECISION.rule, note.label("reason"))
    query = query.add_columns(func.count().label("leads")).group_by(_SENT_BY, DECISION.rule, note)
    found = [Group(SentBy(row.sent_by), row.rule, row.reason, row.leads) for row in ledger.fetch_rows(query)]
    return sorted(found, key=lambda group: (-group.leads, group.sent_by, group.rule or "", group.reason))


def ids_meant(ledger: Ledger, verdict: Resolution, rule: str | None) -> Select[Any]:
    """The ids of the leads that a person's word is about which names none: of those that can be decided so.

    With a rule, those that it sent to a person, or that were one reject too many by it; `otherwise`: no rule matched.
    """
    can_be: ColumnElement[bool]
    if verdict is Resolution.UNDO:
        return _decided(ledger, CAN_BE_TAKEN_BACK, rule).with_only_columns(ENTRY.lead_id).order_by(ENTRY.lead_id)
    if verdict in SETTLE:
        can_be = ENTRY.doubt_since.is_not(None)
    elif verdict is Resolution.AGAIN:
        can_be = not_(IS_LEFT)
    else:
        can_be = ENTRY.doubt_since.is_(None)
    return _in_review(ledger, rule).with_only_columns(ENTRY.lead_id).where(can_be).order_by(ENTRY.lead_id)


def count_meant(ledger: Ledger, verdict: Resolution, rule: str | None) -> int:
    """How many those are."""
    query = select(func.count()).select_from(ids_meant(ledger, verdict, rule).order_by(None).subquery())
    return ledger.fetch_value(query) or 0


def read_left(ledger: Ledger, rule: str | None = None) -> dict[SentBy, list[str]]:
    """The ids of the leads in review that are left to people whatever the rules say, by what sent them there."""
    query = _in_review(ledger, rule).with_only_columns(ENTRY.lead_id, _SENT_BY.label("sent_by")).where(IS_LEFT)
    found: dict[SentBy, list[str]] = {}
    for row in ledger.fetch_rows(query.order_by(ENTRY.lead_id)):
        found.setdefault(SentBy(row.sent_by), []).append(row.lead_id)
    return found


def _in_review(
    ledger: Ledger, rule: str | None = None, *, since: datetime | None = None, before: datetime | None = None
) -> Select[Any]:
    """The entries in review with their standing decisions."""
    query = _decided(ledger, in_state(State.REVIEW), rule)
    query = query.where(_opened_at() >= since) if since else query
    return query.where(_opened_at() < before) if before else query


def _decided(ledger: Ledger, which: ColumnElement[bool], rule: str | None) -> Select[Any]:
    """Entries with their standing decisions; with a rule, those that it left to people."""
    query = select(entries).outerjoin(decisions, stands_for(ENTRY)).where(ledger.mine, which)
    if rule is None:
        return query
    named = DECISION.rule == rule
    return query.where(_BY_RULE, or_(named, DECISION.rule.is_(None)) if rule == OTHERWISE else named)


def _opened_at() -> ColumnElement[datetime]:
    """Since when an entry is in review: its last decision or the last answer sent it there."""
    answered_at = _last_answer(entries)
    decided_first = answered_at > DECISION.decided_at
    return case(
        (decided_first, answered_at), else_=func.coalesce(DECISION.decided_at, answered_at, ENTRY.registered_at)
    )


def count_overdue(ledger: Ledger, *, within: timedelta | None, now: datetime) -> int:
    """How many leads a person has had to decide for longer than `within`; 0 where there is no such limit."""
    if within is None:
        return 0
    query = _in_review(ledger, before=now - within).with_only_columns(func.count())
    return ledger.fetch_value(query) or 0


def read_overridden(ledger: Ledger, *, limit: int) -> list[Overridden]:
    """What people have decided last and not taken back, newest first, with the facts of the decision before it."""
    of_the_lead = same_lead(DECISION, OVERRIDE)
    asked = (
        select(func.max(DECISION.token))
        .where(of_the_lead, DECISION.token < OVERRIDE.token)
        .correlate(overrides)
        .scalar_subquery()
    )
    later = overrides.alias("later")
    next_word = select(later.c.verdict).where(same_lead(later.c, OVERRIDE), later.c.token > OVERRIDE.token)
    next_word = next_word.order_by(later.c.token).limit(1).correlate(overrides)
    stands = func.coalesce(next_word.scalar_subquery(), "") != Resolution.UNDO
    query = (
        select(OVERRIDE.lead_id, OVERRIDE.verdict, OVERRIDE.reason, OVERRIDE.decided_by, DECISION.facts, DECISION.late)
        .join(decisions, and_(of_the_lead, DECISION.token == asked))
        .where(OVERRIDE.pipeline == ledger.pipeline, OVERRIDE.verdict.in_(_EXAMPLES), stands)
        .order_by(OVERRIDE.decided_at.desc(), OVERRIDE.lead_id)
        .limit(limit)
    )
    return [
        Overridden(row.lead_id, Override(Resolution(row.verdict), row.reason, row.decided_by), row.facts, late=row.late)
        for row in ledger.fetch_rows(query)
    ]


def read_for_people(ledger: Ledger, *, limit: int) -> list[ForPerson]:
    """The leads that a person should know of, the longest in quarantine first; some of each state where not all fit."""
    with ledger.reading() as connection:
        found = [_for_people(ledger, connection, state, limit) for state in FOR_PEOPLE]
    while sum(map(len, found)) > limit:
        max(found, key=len).pop()
    return [lead for leads in found for lead in leads]


def _for_people(ledger: Ledger, connection: Connection, state: State, limit: int) -> list[ForPerson]:
    """Those in one state: chosen first, so that only what is shown is looked up."""
    chosen = (
        select(entries)
        .where(ledger.mine, in_state(state))
        .order_by(ENTRY.quarantined_at, ENTRY.lead_id)
        .limit(limit)
        .subquery()
    )
    c = chosen.c
    query = (
        select(c.lead_id, c.registered_at, c.note, DECISION.decided_at, DECISION.rule, DECISION.decided_by)
        .add_columns(DECISION.facts, c.doubt_since, c.doubt_action)
        .add_columns(_last_answer(chosen).label("answered_at"))
        .select_from(chosen.outerjoin(decisions, stands_for(c)))
        .order_by(c.quarantined_at, c.lead_id)
    )
    return [
        ForPerson(
            lead_id=row.lead_id,
            state=state,
            since=max(at for at in (row.registered_at, row.decided_at, row.answered_at) if at),
            rule=row.rule,
            by_person=row.decided_by is not None,
            note=row.note or "",
            facts=row.facts or {},
            in_doubt=(row.doubt_action or "act") if row.doubt_since else None,
        )
        for row in connection.execute(query)
    ]


def _last_answer(of: Any) -> ScalarSelect[datetime]:  # noqa: ANN401 - the table, or rows chosen from it
    """When an entry's last request ended: what it came to may have sent the lead to a person."""
    return select(func.max(ATTEMPT.answered_at)).where(same_lead(ATTEMPT, of.c)).correlate(of).scalar_subquery()
