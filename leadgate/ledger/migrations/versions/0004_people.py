"""People: their decisions on reviews, which stand in place of the rules, and pauses."""

import sqlalchemy as sa
from alembic import op

from leadgate.ledger.schema import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables, and the columns that point to them."""
    op.create_table(
        "leadgate_overrides",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("lead_id", sa.String(length=200), nullable=False),
        sa.Column(
            "token", sa.Integer(), nullable=False, comment="one of the entry's: it fences off whoever held it before"
        ),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "lead_id", "token", name="leadgate_overrides_pk"),
        sa.CheckConstraint("verdict in ('process', 'reject', 'wait')", name="leadgate_overrides_verdict_is_known"),
    )
    op.create_table(
        "leadgate_pauses",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("paused_at", UtcDateTime, nullable=False),
        sa.Column("paused_by", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", name="leadgate_pauses_pk"),
    )
    op.add_column(
        "leadgate_entries",
        sa.Column(
            "override_token",
            sa.Integer(),
            # Written with the column: SQLite adds no CHECK to a table that is there.
            sa.CheckConstraint("override_token between 1 and token", name="leadgate_entries_override_has_token"),
            nullable=True,
            comment="the override that stands in place of the rules",
        ),
    )
    op.add_column(
        "leadgate_decisions",
        sa.Column(
            "decided_by", sa.String(length=100), nullable=True, comment="whose override it follows; null: the rules"
        ),
    )
    op.add_column(
        "leadgate_decisions",
        sa.Column(
            "paused",
            sa.Boolean(),
            sa.CheckConstraint("not paused or verdict = 'hold'", name="leadgate_decisions_paused_is_held"),
            nullable=False,
            server_default=sa.text("false"),
            comment="held by a pause: the lead is ready, and is decided again",
        ),
    )
