"""How a migration runs the statements of the files beside it."""

from pathlib import Path

from alembic import op


def run_files(migration: str) -> None:
    """Run FILE.sql beside a migration, then what FILE.sqlite.sql or FILE.postgresql.sql has for the one database.

    A blank line ends a statement.
    """
    connection = op.get_bind()
    for suffix in (".sql", f".{connection.dialect.name}.sql"):
        file = Path(migration).with_suffix(suffix)
        for statement in file.read_text("utf-8").split(";\n\n") if file.exists() else ():
            connection.exec_driver_sql(statement)
