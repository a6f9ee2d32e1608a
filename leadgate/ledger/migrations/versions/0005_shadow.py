"""What the shadow rules said, beside the decision."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; decisions made before had no shadow."""
    shadow = sa.Column(
        "shadow",
        sa.JSON(none_as_null=True),
        nullable=True,
        comment="what the shadow rules said: verdict, rule, version, agrees",
    )
    op.add_column("leadgate_decisions", shadow)
