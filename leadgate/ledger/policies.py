"""The rules that were used, by version, so that a decision can be explained after they changed."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import DECISION, policies


@writes
def keep_policy(ledger: Ledger, *, version: str, text: str, now: datetime) -> None:
    """Store the rules under their version, once."""
    row = {"pipeline": ledger.pipeline, "version": version, "first_used_at": now, "text": text}
    with ledger.transaction() as connection:
        connection.execute(ledger.insert(policies).on_conflict_do_nothing(), row)


def policy_texts(ledger: Ledger, connection: Connection, versions: Collection[str]) -> dict[str, str]:
    """The text of these versions, over a connection that is open."""
    query = select(policies.c.version, policies.c.text).where(policies.c.pipeline == ledger.pipeline)
    return {row.version: row.text for row in connection.execute(query.where(policies.c.version.in_(versions)))}


def read_newest_policy(ledger: Ledger) -> str | None:
    """The version of the rules that made the newest decision; None where there is none."""
    query = select(DECISION.policy_version).where(DECISION.pipeline == ledger.pipeline)
    return ledger.fetch_value(query.order_by(DECISION.decided_at.desc()).limit(1))
