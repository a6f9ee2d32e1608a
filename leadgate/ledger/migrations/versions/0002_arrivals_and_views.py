"""When what a lead waits for came; and views for other programs, of which one takes the name of a table."""

from leadgate.ledger.migrations.statements import run_files

revision = "second"
down_revision = "first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, rename the table, make the views."""
    run_files(__file__)
