"""The ledger's first shape: the tables as schema.py and indexes.py have them, until the first release fixes it here."""

from alembic import op

from leadgate.ledger.schema import metadata

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table with its indexes."""
    metadata.create_all(op.get_bind(), checkfirst=False)
