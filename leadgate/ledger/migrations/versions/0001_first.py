"""The ledger of leadgate 0.1.0, each statement as it was released: see the .sql file of each database."""

from pathlib import Path

from alembic import op

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table with its indexes."""
    connection = op.get_bind()
    statements = Path(__file__).with_name(f"0001_first.{connection.dialect.name}.sql").read_text("utf-8")
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
