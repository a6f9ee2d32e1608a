"""The outbox as SQL: its table, the triggers that fill it and how they go again, for each database.

Text alone: nothing here connects. A trigger must never fail its owner's write, so it checks and converts nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

OUTBOX = "leadgate_outbox"
INSTALLED = "installed"
"""The `relation` of a row that MariaDB keeps beside the changes: the fingerprint of the triggers that stand."""

_MYSQL = {"mysql", "mariadb"}
_LONGEST_PLAIN = 28
"""Letters of a pipeline's name that fit between leadgate_outbox_ and _enrichment_insert: names have 63."""

_SQLITE_TABLE = """\
CREATE TABLE IF NOT EXISTS {outbox} (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline VARCHAR(63) NOT NULL,
    relation VARCHAR(10) NOT NULL,
    lead_id
)"""
_POSTGRESQL_TABLE = """\
CREATE TABLE IF NOT EXISTS {outbox} (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline varchar(63) NOT NULL,
    relation varchar(10) NOT NULL,
    lead_id text NOT NULL
)"""
# Of an id that is longer than any may be, one letter too many is enough.
_MYSQL_TABLE = """\
CREATE TABLE IF NOT EXISTS {outbox} (
    seq BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    pipeline VARCHAR(63) NOT NULL,
    relation VARCHAR(10) NOT NULL,
    lead_id VARCHAR(201) NOT NULL,
    KEY leadgate_outbox_pipeline (pipeline, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"""
_INDEX = "CREATE INDEX IF NOT EXISTS leadgate_outbox_pipeline ON {outbox} (pipeline, seq)"
# A trigger's wait for its table would keep out every writer that comes after it.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"


@dataclass(frozen=True, slots=True)
class Watched:
    """A table whose changes are written down: `relation` is leads or enrichment, `id` the column of the lead's id."""

    relation: str
    schema: str | None
    table: str
    id: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger as it is created; `function` is what it runs, and its body, on PostgreSQL."""

    name: str
    watched: Watched
    create: str
    function: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class OutboxSql:
    """The SQL for one pipeline's outbox, which lies in the schema of the enrichment's table.

    `dialect` is sqlite, postgresql, mysql or mariadb.
    """

    dialect: str
    pipeline: str
    schema: str | None
    watched: Sequence[Watched]

    @property
    def outbox(self) -> str:
        """The outbox's name, quoted."""
        return self._quote(self.schema, OUTBOX)

    def triggers(self) -> list[Trigger]:
        """The triggers as they should stand."""
        return [trigger for watched in self.watched for trigger in self._triggers(watched)]

    def fingerprint(self) -> str:
        """A text that is another one as soon as any trigger is."""
        return sha256("\n".join(trigger.create for trigger in self.triggers()).encode()).hexdigest()

    def install(self) -> list[str]:
        """What creates the outbox and the triggers; triggers of the same names are replaced, wherever they stand."""
        match self.dialect:
            case "sqlite":
                tables = [_SQLITE_TABLE, _INDEX]
            case "postgresql":
                tables = [_LOCK_TIMEOUT, _POSTGRESQL_TABLE, _INDEX]
            case _:
                tables = [_MYSQL_TABLE]
        statements = [statement.format(outbox=self.outbox) for statement in tables]
        for trigger in self.triggers():
            # Not OR REPLACE: MariaDB replaces none that stands on another table.
            statements.append(self._drop(trigger))
            if trigger.function:
                statements += [trigger.body, f"REVOKE ALL ON FUNCTION {trigger.function} FROM PUBLIC"]
            statements.append(trigger.create)
        if self.dialect in _MYSQL:
            values = f"('{self.pipeline}', '{INSTALLED}', '{self.fingerprint()}')"
            statements += [
                f"{self._forget()} AND relation = '{INSTALLED}'",
                f"INSERT INTO {self.outbox} (pipeline, relation, lead_id) VALUES {values}",  # noqa: S608 - quoted here
            ]
        return statements

    def remove(self, *, has_table: bool) -> list[str]:
        """What takes the triggers and the pipeline's rows out again; the table may be other pipelines' too."""
        statements = [_LOCK_TIMEOUT] if self.dialect == "postgresql" else []
        statements += [self._drop(trigger) for trigger in self.triggers()]
        return [*statements, self._forget()] if has_table else statements

    def grants(self, user: str) -> list[str]:
        """What the user that leadgate runs as needs; `user` is quoted as the database wants it."""
        return [] if self.dialect == "sqlite" else [f"GRANT SELECT, DELETE ON {self.outbox} TO {user}"]

    def _quote(self, *names: str | None) -> str:
        mark = "`" if self.dialect in _MYSQL else '"'
        return ".".join(mark + name.replace(mark, mark * 2) + mark for name in names if name)

    def _forget(self) -> str:
        return f"DELETE FROM {self.outbox} WHERE pipeline = '{self.pipeline}'"  # noqa: S608 - a name has no quotes

    def _insert(self, watched: Watched, value: str) -> str:
        values = f"VALUES ('{self.pipeline}', '{watched.relation}', {value})"
        return f"INSERT INTO {self.outbox} (pipeline, relation, lead_id)\n    {values};"

    def _triggers(self, watched: Watched) -> Iterator[Trigger]:
        name = f"{OUTBOX}_{_safe(self.pipeline)}_{watched.relation}"
        id_, table = f"NEW.{self._quote(watched.id)}", self._quote(watched.schema, watched.table)
        if self.dialect == "postgresql":
            yield self._postgresql_trigger(name, watched, id_, table)
            return
        for event in ("INSERT", "UPDATE"):
            own = f"{name}_{event.lower()}"
            quoted = self._quote(watched.schema, own)
            if self.dialect == "sqlite":
                # As it is: an id's text depends on whether a number is stored as one.
                create = (
                    f"CREATE TRIGGER {quoted} AFTER {event} ON {table}\n"
                    f"WHEN {id_} IS NOT NULL\nBEGIN\n    {self._insert(watched, id_)}\nEND"
                )
            else:
                value = f"LEFT(CAST({id_} AS CHAR CHARACTER SET utf8mb4), 201)"
                create = (
                    f"CREATE TRIGGER {quoted} AFTER {event} ON {table}\n"
                    f"FOR EACH ROW IF {id_} IS NOT NULL THEN\n    {self._insert(watched, value)}\nEND IF"
                )
            yield Trigger(own, watched, create)

    def _postgresql_trigger(self, name: str, watched: Watched, id_: str, table: str) -> Trigger:
        function = f"{self._quote(self.schema, name)}()"
        # As its owner, so that the users who write need no right on the outbox; with a path nobody else can lay.
        body = (
            f"CREATE FUNCTION {function} RETURNS trigger\n"
            "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $leadgate$\n"
            f"BEGIN\n    {self._insert(watched, f'{id_}::text')}\n    RETURN NULL;\nEND\n$leadgate$"
        )
        create = (
            f"CREATE TRIGGER {self._quote(name)} AFTER INSERT OR UPDATE ON {table}\n"
            f"FOR EACH ROW WHEN ({id_} IS NOT NULL) EXECUTE FUNCTION {function}"
        )
        return Trigger(name, watched, create, function, body)

    def _drop(self, trigger: Trigger) -> str:
        if trigger.function:
            # With its trigger on whatever table: on one that the file named before, a new body might fail writes.
            return f"DROP FUNCTION IF EXISTS {trigger.function} CASCADE"
        return f"DROP TRIGGER IF EXISTS {self._quote(trigger.watched.schema, trigger.name)}"

    def script(self, statements: Sequence[str]) -> str:
        """The statements as the database's own command line reads them."""
        if self.dialect in _MYSQL:
            return "".join(
                f"DELIMITER //\n{statement} //\nDELIMITER ;\n" if ";" in statement else f"{statement};\n"
                for statement in statements
            )
        begin = "BEGIN IMMEDIATE" if self.dialect == "sqlite" else "BEGIN"
        return "".join(f"{statement};\n" for statement in (begin, *statements, "COMMIT"))


def _safe(pipeline: str) -> str:
    """A pipeline's name as part of another: short, and apart from all others where capitals do not count."""
    if re.fullmatch(rf"[a-z0-9_]{{1,{_LONGEST_PLAIN}}}", pipeline):
        return pipeline
    plain = re.sub(r"[^a-z0-9]", "_", pipeline.lower())
    return f"{plain[: _LONGEST_PLAIN - 9]}_{sha256(pipeline.encode()).hexdigest()[:8]}"
