"""What the rules have decided in the past, for trying other rules on it. Nothing here changes a row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, func, not_, select

from leadgate.ledger.engine import reading
from leadgate.ledger.schema import decisions, entries, outages, policies

_PAGE = 1000
_D, _E = decisions.c, entries.c


@dataclass(frozen=True, slots=True)
class PastLead:
    """A lead, and the last that the rules have decided of it."""

    lead_id: str
    quarantined_at: datetime
    arrived_at: datetime | None
    data_hash: str | None
    decided_at: datetime
    policy_version: str
    verdict: str
    rule: str | None
    late: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outage:
    """A span in which deadlines stood still; `ended_at` is None while it lasts."""

    began_at: datetime
    ended_at: datetime | None


def read_decided(engine: Engine, pipeline: str, since: datetime) -> Iterator[list[PastLead]]:
    """The leads the rules have decided since an instant, in pages by id; what people or pauses decided is left out."""
    after = ""
    by_rules = (_D.pipeline == pipeline, _D.decided_at >= since, _D.decided_by.is_(None), not_(_D.paused))
    while True:
        newest = (
            select(_D.lead_id, func.max(_D.token).label("token"))
            .where(*by_rules, _D.lead_id > after)
            .group_by(_D.lead_id)
            .order_by(_D.lead_id)
            .limit(_PAGE)
            .subquery()
        )
        query = (
            select(_E.lead_id, _E.quarantined_at, _E.arrived_at, _E.data_hash, _D.decided_at, _D.policy_version)
            .add_columns(_D.verdict, _D.rule, _D.late, _D.facts)
            .join(decisions, and_(_D.pipeline == _E.pipeline, _D.lead_id == _E.lead_id))
            .join(newest, and_(newest.c.lead_id == _D.lead_id, newest.c.token == _D.token))
            .where(_E.pipeline == pipeline)
            .order_by(_E.lead_id)
        )
        with reading(engine) as connection:
            page = [PastLead(*row) for row in connection.execute(query)]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].lead_id


def read_policy_texts(engine: Engine, pipeline: str) -> dict[str, str]:
    """The canonical text of all rules that were ever used, by version."""
    with reading(engine) as connection:
        query = select(policies.c.version, policies.c.text).where(policies.c.pipeline == pipeline)
        return {row[0]: row[1] for row in connection.execute(query)}


def read_outages(engine: Engine, pipeline: str) -> list[Outage]:
    """The spans in which the source was not healthy, oldest first."""
    with reading(engine) as connection:
        query = select(outages.c.began_at, outages.c.ended_at).where(outages.c.pipeline == pipeline)
        return [Outage(*row) for row in connection.execute(query.order_by(outages.c.began_at))]
