"""What the outbox stands on: the two tables of a pipeline file, and whether the triggers on them are there."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from leadgate.config import PipelineConfig
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.source.describe import Place, describe
from leadgate.source.ids import IdKind
from leadgate.source.outbox_sql import INSTALLED, OUTBOX, OutboxSql, Trigger, Watched
from leadgate.suggest import suggest

_INSTALL = "`leadgate install-outbox` prints the SQL for it, and --apply runs it."
_SCHEMA = "SELECT nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
_FUNCTION = "SELECT p.prosrc FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid"


@dataclass(frozen=True, slots=True)
class Site:
    """The SQL that fits a pipeline's tables, and how the ids of each relation compare."""

    sql: OutboxSql
    id_kinds: Mapping[str, IdKind]


def survey(connection: Connection, config: PipelineConfig) -> Site:
    """Look the pipeline's two tables up; raise SourceError naming every fault, such as a view or a `query:`."""
    watched: list[Watched] = []
    id_kinds: dict[str, IdKind] = {}
    faults: list[str] = []
    for relation, place in (
        ("leads", Place("source.leads", config.source.leads)),
        ("enrichment", Place("source.enrichment", config.source.enrichment)),
    ):
        try:
            _refuse_what_bears_no_trigger(connection, place)
            id_kinds[relation] = _id_kind(connection, place)
            schema, table = place.schema_and_table
            watched.append(Watched(relation, _schema(connection, schema, table), table, place.config.id))
        except SourceUnavailable:
            raise
        except SourceError as fault:
            faults.append(str(fault))
    if faults:
        raise SourceError("\n".join(faults))
    return Site(OutboxSql(_dialect(connection), config.pipeline, watched[-1].schema, watched), id_kinds)


def what_is_missing(connection: Connection, sql: OutboxSql) -> str | None:
    """Why the outbox does not work as it stands, and what to do; None when every trigger is as it should be."""
    if not inspect(connection).has_table(OUTBOX, sql.schema):
        return f"the outbox is not installed for pipeline `{sql.pipeline}`: {_INSTALL}"
    if sql.dialect in {"mysql", "mariadb"}:
        # Who may not create triggers is not shown them, so what was installed is read from the outbox itself.
        statement = text(f"SELECT lead_id FROM {sql.outbox} WHERE pipeline = :pipeline AND relation = :relation")  # noqa: S608 - quoted there
        found = connection.scalars(statement, {"pipeline": sql.pipeline, "relation": INSTALLED}).all()
        if found == [sql.fingerprint()]:
            return None
        how = "installed for other tables or columns" if found else "not installed"
        return f"the outbox is {how} for pipeline `{sql.pipeline}`: {_INSTALL}"
    triggers = sql.triggers()
    fallen = [trigger for trigger in triggers if not _stands(connection, sql, trigger)]
    if len(fallen) == len(triggers):
        return f"the outbox is not installed for pipeline `{sql.pipeline}`: {_INSTALL}"
    names = " and ".join(f"trigger `{trigger.name}` on table `{trigger.watched.table}`" for trigger in fallen)
    are = "is missing, disabled or not as the pipeline file has it"
    return f"{names}, which fills the outbox, {are}: {_INSTALL}" if fallen else None


def _refuse_what_bears_no_trigger(connection: Connection, place: Place) -> None:
    instead = (
        f"and a trigger stands on a table. Name the table behind it under {place.path}.table, "
        "or leave the outbox out: reading forward by `updated_at` and comparing find arrivals too, only later"
    )
    if place.config.query is not None:
        msg = f"{place.where}: is a query, {instead}."
        raise SourceError(msg)
    schema, name = place.schema_and_table
    inspector = inspect(connection)
    views = inspector.get_view_names(schema)
    if connection.dialect.name == "postgresql":
        views += inspector.get_materialized_view_names(schema)
    # PostgreSQL alone tells names apart by capitals wherever it runs.
    elif name.casefold() in {view.casefold() for view in views}:
        views.append(name)
    if name in views:
        msg = f"{place.path} (view {place.config.table}): is a view, {instead}."
        raise SourceError(msg)


def _id_kind(connection: Connection, place: Place) -> IdKind:
    native = describe(connection, place)
    found = native.get(place.config.id)
    if found is None:
        msg = f"{place.path}.id: {place.where} has no column `{place.config.id}`; {suggest(place.config.id, native)}"
        raise SourceError(msg)
    if found.id_kind is None:
        msg = f"{place.path}.id: column `{place.config.id}` of {place.where} is {found.name}, which is no id."
        raise SourceError(msg)
    return found.id_kind


def _schema(connection: Connection, schema: str | None, table: str) -> str | None:
    """The schema a table is really in, so that whoever installs and whoever reads mean the same; None on SQLite."""
    match connection.dialect.name:
        case "sqlite":
            # Triggers know the tables of their own file alone, and take no qualified name.
            return None
        case "postgresql" if schema is None:
            statement = text(f"{_SCHEMA} WHERE c.oid = pg_catalog.to_regclass(pg_catalog.quote_ident(:name))")
            return str(connection.scalar(statement, {"name": table}))
        case _:
            return schema or inspect(connection).default_schema_name


def _dialect(connection: Connection) -> str:
    name = connection.dialect.name
    if name not in {"sqlite", "postgresql", "mysql", "mariadb"}:
        msg = f"source.url: on {name} there is no outbox; reading forward and comparing find arrivals too, only later."
        raise SourceError(msg)
    return name


def _stands(connection: Connection, sql: OutboxSql, trigger: Trigger) -> bool:
    if sql.dialect == "sqlite":
        statement = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
        return _same(connection.scalar(statement, {"name": trigger.name}), trigger.create)
    where = "WHERE t.tgrelid = pg_catalog.to_regclass(:table) AND t.tgname = :name AND t.tgenabled IN ('O', 'A')"
    table = '"' + '"."'.join(n.replace('"', '""') for n in (trigger.watched.schema, trigger.watched.table) if n) + '"'
    source = connection.scalar(text(f"{_FUNCTION} {where}"), {"table": table, "name": trigger.name})
    return _same(source, trigger.body.split("$leadgate$")[1])


def _same(found: str | None, wanted: str) -> bool:
    """Whether two texts are the same SQL, however their lines are broken."""
    return found is not None and found.split() == wanted.split()
