"""${message}."""

import sqlalchemy as sa
from alembic import op

from leadgate.ledger.schema import UtcDateTime

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger forward."""
    ${upgrades if upgrades else "pass"}
