"""The alarms that are raised."""

import sqlalchemy as sa
from alembic import op

from leadgate.ledger.schema import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table; none is raised."""
    op.create_table(
        "leadgate_alarms",
        sa.Column("pipeline", sa.String(length=63), nullable=False),
        sa.Column("alarm", sa.String(length=20), nullable=False),
        sa.Column(
            "since", UtcDateTime, nullable=False, comment="when a run found it; the row is deleted when it is over"
        ),
        sa.PrimaryKeyConstraint("pipeline", "alarm", name="leadgate_alarms_pk"),
    )
