"""A small source to write rules for, and one lead to decide."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadgate.config import PolicyConfig
from leadgate.model import Columns, ColumnType, Decision, Enrichment, Lead
from leadgate.policy.compiling import compile_policy
from leadgate.policy.deciding import Policy

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)

Compile = Callable[..., Policy]
Decide = Callable[..., Decision]


@pytest.fixture(scope="session")
def columns() -> Columns:
    """Columns of every type in both relations; `id` is in both, one name is no plain word, one cannot be written."""
    return Columns(
        lead={
            "id": ColumnType.INT,
            "campaign": ColumnType.STRING,
            "attempts": ColumnType.INT,
            "Phone Type": ColumnType.STRING,
        },
        enrichment={
            "id": ColumnType.INT,
            "score": ColumnType.DOUBLE,
            "age": ColumnType.INT,
            "phone_verified": ColumnType.BOOL,
            "opted_out": ColumnType.BOOL,
            "postcode": ColumnType.STRING,
            "seen_at": ColumnType.TIMESTAMP,
            "größe": ColumnType.INT,
        },
        unreadable={"enrichment.tags": "ARRAY", "lead.raw": "JSON"},
    )


@pytest.fixture(scope="session")
def compile_rules(columns: Columns) -> Compile:
    """Compile rules given as they stand in the file; a rule that is only a condition says process."""

    def compile_(
        *rules: str | Mapping[str, Any], otherwise: str = "hold", keep_facts: Sequence[str] = (), hold_for: str = "1h"
    ) -> Policy:
        whole = [
            {"name": f"r{number}", "then": "process", "because": "Because."}
            | ({"when": rule} if isinstance(rule, str) else dict(rule))
            for number, rule in enumerate(rules, 1)
        ]
        document = {"rules": whole, "otherwise": otherwise, "keep_facts": list(keep_facts), "hold_for": hold_for}
        return compile_policy(PolicyConfig.model_validate(document), columns)

    return compile_


@pytest.fixture(scope="session")
def decide() -> Decide:
    """Decide one lead, quarantined two days ago, with the given enrichment (None: nothing has arrived)."""

    def decide_(
        policy: Policy,
        enrichment: Mapping[str, Any] | None = None,
        lead: Mapping[str, Any] | None = None,
        *,
        late: bool = False,
        now: datetime = NOW,
    ) -> Decision:
        arrived = None if enrichment is None else Enrichment("7", NOW, enrichment)
        return policy.decide(Lead("7", NOW - timedelta(days=2), lead or {}), arrived, late=late, now=now)

    return decide_
