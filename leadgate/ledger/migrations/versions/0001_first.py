"""The ledger's first shape: entries, decisions, attempts, policies and the newest reading of the source."""

import sqlalchemy as sa
from alembic import op

from leadgate.ledger.schema import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "leadgate_attempts",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("lead_id", sa.String(length=200), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False, comment="the leads of one request share it"),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=True),
        sa.Column(
            "fields", sa.JSON(), nullable=False, comment="names of the LeadByte fields that were written; never values"
        ),
        sa.Column("payload_hash", sa.String(length=16), nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("sent_at", UtcDateTime, nullable=False, comment="committed before the request is sent"),
        sa.Column("answered_at", UtcDateTime, nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True, comment="null while the answer is awaited"),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(action is not null) = (kind in ('update_and_act', 'act'))", name="leadgate_attempts_act_has_action"
        ),
        sa.CheckConstraint(
            "kind in ('update', 'update_and_act', 'act', 'probe')", name="leadgate_attempts_kind_is_known"
        ),
        sa.CheckConstraint("action in ('process', 'reject')", name="leadgate_attempts_action_is_known"),
        sa.CheckConstraint(
            "outcome in ('taken', 'refused', 'in_doubt', 'gone')", name="leadgate_attempts_outcome_is_known"
        ),
        sa.CheckConstraint("(outcome is null) = (answered_at is null)", name="leadgate_attempts_outcome_has_time"),
        sa.PrimaryKeyConstraint("pipeline", "lead_id", "request_id", name="leadgate_attempts_pk"),
    )
    op.create_index(
        "leadgate_attempts_open",
        "leadgate_attempts",
        ["pipeline", "lead_id"],
        unique=True,
        sqlite_where=sa.text("outcome is null"),
        postgresql_where=sa.text("outcome is null"),
    )
    op.create_table(
        "leadgate_decisions",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("lead_id", sa.String(length=200), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("decided_at", UtcDateTime, nullable=False),
        sa.Column("policy_version", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=True, comment="null: no rule matched, `otherwise` decided"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False, comment="values of the columns in keep_facts, no others"),
        sa.Column(
            "unanswered", sa.JSON(), nullable=False, comment="rules that could not be answered, and the missing columns"
        ),
        sa.CheckConstraint(
            "verdict in ('process', 'reject', 'hold', 'review')", name="leadgate_decisions_verdict_is_known"
        ),
        sa.PrimaryKeyConstraint("pipeline", "lead_id", "token", name="leadgate_decisions_pk"),
    )
    op.create_table(
        "leadgate_entries",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("lead_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("quarantined_at", UtcDateTime, nullable=False),
        sa.Column("registered_at", UtcDateTime, nullable=False),
        sa.Column(
            "due_at",
            UtcDateTime,
            nullable=True,
            comment="not before: decide (ready), look again (waiting, held), probe (unknown)",
        ),
        sa.Column(
            "missing", sa.JSON(), nullable=True, comment="required columns that were still null when last looked at"
        ),
        sa.Column(
            "data_hash",
            sa.String(length=16),
            nullable=True,
            comment="of the enrichment last seen: a change ends a hold",
        ),
        sa.Column("arrived_at", UtcDateTime, nullable=True, comment="when the enrichment was first seen complete"),
        sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="refusals that were about this lead"
        ),
        sa.Column(
            "token",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="grows with each claim: the fencing token",
        ),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", UtcDateTime, nullable=True),
        sa.Column(
            "decided_token", sa.Integer(), nullable=True, comment="the claim under which the standing decision was made"
        ),
        sa.Column(
            "updated_hash",
            sa.String(length=16),
            nullable=True,
            comment="of the last payload LeadByte took: it is not sent again",
        ),
        sa.Column(
            "note",
            sa.Text(),
            nullable=True,
            comment="why the entry is where it is, in LeadByte's words where it has some",
        ),
        sa.Column(
            "inferred", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="settled by a probe"
        ),
        sa.Column("settled_at", UtcDateTime, nullable=True),
        sa.CheckConstraint(
            "(settled_at is not null) = (state in ('processed', 'rejected', 'gone'))",
            name="leadgate_entries_settled_is_final",
        ),
        sa.CheckConstraint(
            "lease_owner is null or state in ('ready', 'sending', 'unknown')", name="leadgate_entries_lease_is_for_work"
        ),
        sa.CheckConstraint("decided_token between 1 and token", name="leadgate_entries_decided_when_claimed"),
        sa.CheckConstraint(
            "state not in ('ready', 'unknown') or due_at is not null", name="leadgate_entries_work_is_due"
        ),
        sa.CheckConstraint(
            "not inferred or state in ('processed', 'rejected')", name="leadgate_entries_inferred_is_acted"
        ),
        sa.CheckConstraint("state <> 'failed' or note is not null", name="leadgate_entries_failed_has_reason"),
        sa.CheckConstraint("state <> 'sending' or lease_owner is not null", name="leadgate_entries_sending_has_lease"),
        sa.CheckConstraint(
            "state in ('waiting', 'ready', 'sending', 'unknown', 'review', 'processed', 'rejected', 'gone', 'failed')",
            name="leadgate_entries_state_is_known",
        ),
        sa.CheckConstraint(
            "state not in ('sending', 'unknown', 'processed', 'rejected') or decided_token is not null",
            name="leadgate_entries_acts_are_decided",
        ),
        sa.CheckConstraint("(lease_owner is null) = (lease_until is null)", name="leadgate_entries_lease_is_whole"),
        sa.PrimaryKeyConstraint("pipeline", "lead_id", name="leadgate_entries_pk"),
    )
    op.create_index(
        "leadgate_entries_for_people",
        "leadgate_entries",
        ["pipeline", "state", "lead_id"],
        unique=False,
        sqlite_where=sa.text("state in ('review', 'failed')"),
        postgresql_where=sa.text("state in ('review', 'failed')"),
    )
    op.create_index(
        "leadgate_entries_leased",
        "leadgate_entries",
        ["pipeline", "lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until is not null"),
        postgresql_where=sa.text("lease_until is not null"),
    )
    op.create_index(
        "leadgate_entries_ready",
        "leadgate_entries",
        ["pipeline", "due_at", "lead_id"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "leadgate_entries_unknown",
        "leadgate_entries",
        ["pipeline", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'unknown'"),
        postgresql_where=sa.text("state = 'unknown'"),
    )
    op.create_index(
        "leadgate_entries_waiting",
        "leadgate_entries",
        ["pipeline", "lead_id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "leadgate_policies",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("first_used_at", UtcDateTime, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "version", name="leadgate_policies_pk"),
    )
    op.create_table(
        "leadgate_readings",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("read_at", UtcDateTime, nullable=False, comment="the newest reading only: one row a pipeline"),
        sa.Column("newest_at", UtcDateTime, nullable=True, comment="of the source's newest enrichment row"),
        sa.Column("healthy", sa.Boolean(), nullable=False),
        sa.Column("healthy_at", UtcDateTime, nullable=True, comment="the newest healthy reading"),
        sa.PrimaryKeyConstraint("pipeline", name="leadgate_readings_pk"),
    )
