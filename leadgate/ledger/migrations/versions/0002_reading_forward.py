"""Reading the source forward: marks, outages, and indexes by which few of many waiting leads are found."""

import sqlalchemy as sa
from alembic import op

from leadgate.ledger.schema import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create them, and let every waiting lead be looked at anew: there is no mark yet to go on from."""
    op.execute("update leadgate_entries set missing = null where state = 'waiting'")
    for name, columns, where in (
        ("leadgate_entries_new", ["lead_id"], "state = 'waiting' and missing is null"),
        ("leadgate_entries_held", ["due_at", "lead_id"], "state = 'waiting' and due_at is not null"),
        ("leadgate_entries_by_age", ["quarantined_at", "lead_id"], "state = 'waiting' and due_at is null"),
    ):
        op.create_index(
            name,
            "leadgate_entries",
            ["pipeline", *columns],
            unique=False,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "leadgate_outages",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column(
            "began_at", UtcDateTime, nullable=False, comment="the first reading of the source that was not healthy"
        ),
        sa.Column(
            "ended_at", UtcDateTime, nullable=True, comment="the healthy reading that ended it; null while it lasts"
        ),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "began_at", name="leadgate_outages_pk"),
    )
    op.create_index(
        "leadgate_outages_open",
        "leadgate_outages",
        ["pipeline"],
        unique=True,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "leadgate_marks",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("relation", sa.String(length=10), nullable=False),
        sa.Column("position", UtcDateTime, nullable=True, comment="every row stamped before it has been read"),
        sa.Column("moved_at", UtcDateTime, nullable=True, comment="when position last grew"),
        sa.Column("read_at", UtcDateTime, nullable=False, comment="when the relation was last read forward"),
        sa.Column(
            "compared_to",
            sa.Text(),
            nullable=True,
            comment="where a comparison of everything has come to; null while none goes on",
        ),
        sa.Column("compared_at", UtcDateTime, nullable=True, comment="when the last whole comparison ended"),
        sa.Column(
            "compared_rows", sa.Integer(), server_default="0", nullable=False, comment="how many it went through"
        ),
        sa.Column("faults", sa.JSON(), nullable=False, comment="what was wrong with rows at the last whole comparison"),
        sa.PrimaryKeyConstraint("pipeline", "relation", name="leadgate_marks_pk"),
    )
