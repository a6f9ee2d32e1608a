"""A commit that was given back must survive a crash of the database, whatever its server was told."""

from pathlib import Path

from leadgate.ledger.engine import reading
from tests.support.ledgers import new_engine
from tests.support.postgres import PostgresServer


def test_an_intent_is_on_disk_even_where_the_server_does_not_wait_for_it(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """With synchronous_commit off, a crash loses the last commits, and leads would be acted on twice."""
    with postgres_server.connect("postgres") as connection:
        assert connection.execute("show synchronous_commit").fetchone() == ("off",)
    engine = new_engine(postgres_url, base_dir=tmp_path)
    for _ in range(2):  # a connection keeps it when it goes back to the pool
        with reading(engine) as connection:
            assert connection.exec_driver_sql("show synchronous_commit").scalar() == "on"
    engine.dispose()
