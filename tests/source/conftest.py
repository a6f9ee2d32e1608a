"""A user's database to read: the same tests run on SQLite, PostgreSQL and, where there is one, MariaDB."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, NullPool, Table, create_engine, event, text

from leadgate.config import EnrichmentConfig, LeadsConfig, SourceConfig
from leadgate.source import Source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def source_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return str(request.getfixturevalue(fixture))


class UserDatabase:
    """The database as its owner uses it: with the right to write."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Whatever the zone of the server is, the times in these tests are UTC.
        options = {"init_command": "SET time_zone = '+00:00'"} if url.startswith("mysql") else {}
        self.engine: Engine = create_engine(url, poolclass=NullPool, connect_args=options)
        self.dialect = self.engine.dialect.name

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def create(self, table: Table, *rows: dict[str, Any]) -> None:
        """Create a table with these rows."""
        with self.engine.begin() as connection:
            table.create(connection)
            if rows:
                connection.execute(table.insert(), rows)


@pytest.fixture
def database(source_url: str) -> UserDatabase:
    """The user's database, empty."""
    return UserDatabase(source_url)


LEADS = {"table": "leads", "id": "id", "quarantined_at": "quarantined_at"}
ENRICHMENT = {"table": "enrichment", "id": "id", "updated_at": "updated_at"}
OpenSource = Callable[..., Source]


@pytest.fixture
def open_source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenSource]:
    """Open sources, with changes to the usual relations, and close them after the test.

    A `query` takes the table's place; a key that is None is left out.
    """
    opened: list[Source] = []

    def relation(usual: dict[str, str], change: dict[str, Any]) -> dict[str, Any]:
        merged = {**usual, **({"table": None} if "query" in change else {}), **change}
        return {key: value for key, value in merged.items() if value is not None}

    def open_(
        url: str | None = None,
        *,
        leads: dict[str, Any] | None = None,
        enrichment: dict[str, Any] | None = None,
        **more: Any,  # noqa: ANN401 - other keys of `source:`
    ) -> Source:
        config = SourceConfig(
            url=SecretStr(url or request.getfixturevalue("database").url),
            leads=LeadsConfig.model_validate(relation(LEADS, leads or {})),
            enrichment=EnrichmentConfig.model_validate(relation(ENRICHMENT, enrichment or {})),
            **more,
        )
        opened.append(Source.open(config, base_dir=tmp_path))
        return opened[-1]

    yield open_
    for source in opened:
        source.close()


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL of every statement any engine has run since the test began; clear it to count from a point."""
    seen: list[str] = []

    def note(*args: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
        seen.append(args[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)
