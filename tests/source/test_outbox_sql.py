"""The outbox as SQL: names that are safe and nobody else's, and a page that shows what is printed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.source.outbox_sql import OutboxSql, Watched

PAGE = (Path(__file__).parents[2] / "docs" / "outbox.md").read_text(encoding="utf-8")
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", fullmatch=True)


def outbox_sql(dialect: str, pipeline: str = "acme", schema: str | None = None) -> OutboxSql:
    """The SQL for the two tables of the examples."""
    tables = (("leads", "quarantined_leads"), ("enrichment", "lead_enrichment"))
    watched = [Watched(relation, schema, table, "quarantine_id") for relation, table in tables]
    return OutboxSql(dialect, pipeline, schema, watched)


def names(dialect: str, pipeline: str) -> list[str]:
    """The names of a pipeline's triggers, as a database compares them that knows no capitals."""
    return [trigger.name.lower() for trigger in outbox_sql(dialect, pipeline).triggers()]


def test_a_plain_name_stands_in_the_triggers_name() -> None:
    """PostgreSQL has one trigger for both events, the others one for each."""
    assert names("postgresql", "acme") == ["leadgate_outbox_acme_leads", "leadgate_outbox_acme_enrichment"]
    assert names("sqlite", "acme")[2:] == [
        "leadgate_outbox_acme_enrichment_insert",
        "leadgate_outbox_acme_enrichment_update",
    ]


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_no_two_pipelines_share_a_trigger(pipelines: list[str]) -> None:
    """However long their names are, and however alike; and no name is longer than PostgreSQL keeps."""
    for dialect in ("sqlite", "postgresql", "mysql"):
        both = names(dialect, pipelines[0]) + names(dialect, pipelines[1])
        assert len(set(both)) == len(both)
        assert max(map(len, both)) <= 63


@pytest.mark.parametrize("alike", [("Acme", "acme"), ("a-b", "a_b"), ("x" * 62 + "a", "x" * 62 + "b")])
def test_names_that_are_nearly_the_same_are_told_apart(alike: tuple[str, str]) -> None:
    """By capitals, by what is no letter, by the last letter of a long one."""
    assert not set(names("sqlite", alike[0])) & set(names("sqlite", alike[1]))


@pytest.mark.parametrize(
    ("dialect", "schema", "user"),
    [("sqlite", None, ""), ("postgresql", "public", "leadgate_reader"), ("mysql", "crm", "'leadgate_reader'@'%'")],
)
def test_the_page_shows_the_statements_as_they_are_printed(dialect: str, schema: str | None, user: str) -> None:
    """Those for the enrichment; the leads' differ in two names."""
    sql = outbox_sql(dialect, schema=schema)
    shown = [s for s in sql.install() if "_leads" not in s and "'installed'" not in s] + sql.grants(user)
    assert [statement for statement in shown if statement not in PAGE] == []
    assert [s for s in sql.remove(has_table=True) if "_leads" not in s and s not in PAGE] == []


def test_mariadbs_script_changes_the_delimiter_round_a_trigger() -> None:
    """Its command line would end the statement at the first semicolon."""
    sql = outbox_sql("mysql", schema="crm")
    script = sql.script(sql.install())
    assert script.count("DELIMITER //\nCREATE TRIGGER") == script.count("END IF //\nDELIMITER ;\n") == 4
