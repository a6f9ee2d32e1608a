"""docs/ledger.md is complete and true: its states, columns, rules and queries are the code's."""

import re
from pathlib import Path

from sqlalchemy import CheckConstraint, Engine, text

import leadgate.ledger.indexes  # noqa: F401 - the tables have them from then on
from leadgate.ledger import Ledger, sending
from leadgate.ledger.schema import entries, metadata
from leadgate.model import FINAL_STATES, Result, State
from tests.ledger.steps import NOW, claim, outcome, send, taken

DOCS = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"\n##+ ", DOCS.split(f"# {title}\n", 1)[1])[0]


def rows(title: str) -> list[str]:
    """What the rows of the table under a heading are called."""
    return re.findall(r"^\| `([a-z_]+)` \|", section(title), re.MULTILINE)


def test_every_state_has_a_row() -> None:
    """In the order of a lead's way, and final where the code says so."""
    assert rows("States") == [state.value for state in State]
    final = re.findall(r"^\| `([a-z]+)` \|.*\| final \|$", section("States"), re.MULTILINE)
    assert set(final) == {state.value for state in FINAL_STATES}


def test_the_diagram_has_every_state_and_every_way_out() -> None:
    """Each state is entered and left by an arrow, and none but the final ones leads to the end."""
    arrows = re.findall(r"^ +(\S+) --> ([^:\s]+)", DOCS, re.MULTILINE)
    names = {state.value for state in State}
    assert {start for start, _ in arrows} == {end for _, end in arrows} == names | {"[*]"}
    assert {start for start, end in arrows if end == "[*]"} == {state.value for state in FINAL_STATES}
    assert all(end == "[*]" for start, end in arrows if start in FINAL_STATES)


def test_every_table_has_a_row() -> None:
    """And every row names a table."""
    assert sorted(rows("Tables")) == sorted(metadata.tables)


def test_every_rule_of_the_tables_has_a_row() -> None:
    """CHECKs and unique indexes, by the names the database shows in its errors; those of a kind share a row."""
    named = re.findall(r"^\| (`.*?) \|", section("What the tables refuse"), re.MULTILINE)
    told = [name for cell in named for name in re.findall(r"`([a-z_]+)`", cell)]
    checks = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    unique = {str(index.name) for table in metadata.tables.values() for index in table.indexes if index.unique}
    assert sorted(told) == sorted(checks | unique)


def test_every_index_of_the_entries_is_named() -> None:
    """By its last word, after the first in full."""
    told = section("How two runs stay apart")
    for index in entries.indexes:
        assert str(index.name).removeprefix("leadgate_entries") + "`" in told


def test_every_query_runs(ledger: Ledger, engine: Engine) -> None:
    """On both databases, and each finds something to tell."""
    sending.record(ledger, [taken(send(ledger, claim(ledger, "1")))], now=NOW)
    doubtful = send(ledger, claim(ledger, "2"))
    sending.record(ledger, [outcome(doubtful, Result.IN_DOUBT, State.UNKNOWN, due_at=NOW)], now=NOW)
    assert QUERIES
    with engine.connect() as connection:
        for query in QUERIES:
            assert connection.execute(text(query)).all()
