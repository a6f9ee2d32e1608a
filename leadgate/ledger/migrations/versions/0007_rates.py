"""One row an account: its next free slot for a request."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table; no slot is reserved."""
    op.create_table(
        "leadgate_rates",
        sa.Column(
            "account", sa.String(length=300), nullable=False, comment="host of leadbyte.base_url, and port if any"
        ),
        sa.Column(
            "next_at",
            sa.Double,
            nullable=False,
            comment="the next free slot, in seconds since 1970: one row an account",
        ),
        sa.PrimaryKeyConstraint("account", name="leadgate_rates_pk"),
    )
