"""Which condition of each rule failed, beside the decision."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; of decisions made before, nobody knows."""
    trace = sa.Column(
        "trace",
        sa.JSON(none_as_null=True),
        nullable=True,
        comment="for each rule tried before: the number of the failed condition",
    )
    op.add_column("leadgate_decisions", trace)
