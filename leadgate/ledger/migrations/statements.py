"""How a migration runs the statements of the file beside it that is written for the ledger's database."""

from pathlib import Path

from alembic import op


def run_file(migration: str) -> None:
    """Run FILE.sqlite.sql or FILE.postgresql.sql beside a migration, a statement at a time."""
    connection = op.get_bind()
    statements = Path(migration).with_suffix(f".{connection.dialect.name}.sql").read_text("utf-8")
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
