"""The views for other programs: what they have is what docs/warehouse.md says, and it stays so."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from leadgate.ledger import Ledger, people, sending, waiting
from leadgate.ledger.forgotten import forget
from leadgate.model import Action, Attempt, Chosen, Conclusion, Outcome, Resolution, Result, State
from tests.ledger.steps import HOLD, NOW, REJECT, attempt, claim, intend, leads, send, taken

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "warehouse.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "warehouse"
VIEWS = {
    "leadgate_leads": (
        "pipeline lead_id state quarantined_at registered_at complete_at late decided_at verdict rule reason "
        "policy_version decided_by settled_at inferred in_doubt last_word last_word_by last_word_at"
    ),
    "leadgate_decisions": (
        "pipeline lead_id decision decided_at verdict rule reason policy_version late decided_by paused observed "
        "capped stands"
    ),
    "leadgate_requests": ("pipeline lead_id request_id decision kind action sent_at answered_at outcome http_status"),
}
"""Other programs read these. One that changes is named in CHANGELOG.md, and gets a migration of its own."""


def rows(connection: Connection, view: str, **where: str) -> list[dict[str, Any]]:
    """Rows of a view; of one lead if it is named."""
    conditions = " AND ".join(f"{name} = :{name}" for name in where) or "1 = 1"
    found = connection.execute(text(f"SELECT * FROM {view} WHERE {conditions} ORDER BY 1, 2, 3"), where)  # noqa: S608
    return [dict(row) for row in found.mappings()]


def unanswered(lost: Attempt) -> Outcome:
    """No answer came."""
    return Outcome(attempt=lost, result=Result.IN_DOUBT, state=State.UNKNOWN, due_at=NOW)


@pytest.fixture
def filled(engine: Engine, ledger: Ledger) -> Engine:
    """17 was processed, a person has rejected 18, 19 is in doubt, and 20 waits."""
    sending.record(ledger, [taken(send(ledger, claim(ledger, "17")))], now=NOW)
    held = claim(ledger, "18")
    sending.conclude(ledger, [Conclusion(held, HOLD, State.REVIEW, note="Not sure yet.")], now=NOW)
    people.resolve(ledger, Chosen(["18"]), Resolution.REJECT, reason="Heard it.", by="kim", where="desk", now=NOW)
    lost = attempt(claim(ledger, "19"), action=Action.REJECT)
    assert intend(ledger, lost, decision=REJECT) == {"19"}
    sending.record(ledger, [unanswered(lost)], now=NOW)
    waiting.register(ledger, leads("20"), now=NOW)
    return engine


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_the_columns_that_the_page_names(engine: Engine, view: str) -> None:
    """In their order, on both databases; on PostgreSQL each column has its sentence as a comment too."""
    columns = inspect(engine).get_columns(view)
    section = re.split(r"\n##+ ", PAGE.split(f"### {view}\n", 1)[1])[0]
    told = dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", section, re.MULTILINE))
    assert [column["name"] for column in columns] == list(told) == VIEWS[view].split()
    if engine.dialect.name == "postgresql":
        assert {column["name"]: column["comment"] for column in columns} == told


def test_a_lead_has_one_row_with_the_decision_that_stands(filled: Engine) -> None:
    """Who decided, by which rules, and what came of it."""
    with filled.connect() as connection:
        found = {row["lead_id"]: row for row in rows(connection, "leadgate_leads")}
    assert {lead_id: row["state"] for lead_id, row in found.items()} == {
        "17": "processed",
        "18": "ready",
        "19": "unknown",
        "20": "waiting",
    }
    seventeen, eighteen, nineteen, twenty = (found[lead_id] for lead_id in ("17", "18", "19", "20"))
    names = ("verdict", "rule", "reason", "policy_version", "decided_by", "last_word")
    assert [seventeen[name] for name in names] == ["process", "verified", "Phone verified.", "v1", None, None]
    assert (eighteen["verdict"], eighteen["last_word"], eighteen["last_word_by"]) == ("hold", "reject", "kim (desk)")
    assert [bool(row["in_doubt"]) for row in found.values()] == [False, False, True, False]
    assert (nineteen["verdict"], nineteen["settled_at"], bool(nineteen["inferred"])) == ("reject", None, False)
    assert (twenty["verdict"], twenty["rule"], twenty["decided_at"], bool(twenty["late"])) == (None, None, None, False)
    instant = seventeen["settled_at"]
    assert instant == (NOW if isinstance(instant, datetime) else f"{NOW:%Y-%m-%d %H:%M:%S.%f}")


def test_decisions_and_requests_have_a_row_each(filled: Engine) -> None:
    """The decision that stands is marked; requests name the decision that they follow."""
    with filled.connect() as connection:
        decided, sent = rows(connection, "leadgate_decisions"), rows(connection, "leadgate_requests")
    assert [(row["lead_id"], row["decision"], row["verdict"], bool(row["stands"])) for row in decided] == [
        ("17", 1, "process", True),
        ("18", 1, "hold", True),
        ("19", 1, "reject", True),
    ]
    assert [(row["lead_id"], row["kind"], row["action"], row["outcome"], row["http_status"]) for row in sent] == [
        ("17", "update_and_act", "process", "taken", 200),
        ("19", "update_and_act", "reject", "in_doubt", None),
    ]


def test_a_lead_that_is_forgotten_leaves_every_view(filled: Engine, ledger: Ledger) -> None:
    """Nothing of it is left to read."""
    assert forget(ledger, "17") is None
    with filled.connect() as connection:
        assert [rows(connection, view, lead_id="17") for view in VIEWS] == [[], [], []]


@pytest.fixture
def reader(filled: Engine) -> Iterator[Engine]:
    """The role of the example, in the ledger's PostgreSQL."""
    statements = (ROOT / "examples" / "reader_postgresql.sql").read_text("utf-8")
    with filled.begin() as connection:
        connection.execute(text(statements))
    opened = create_engine(filled.url.set(username="leadgate_reader", password="change-me"))
    yield opened
    opened.dispose()
    with filled.begin() as connection:
        connection.execute(text("DROP OWNED BY leadgate_reader"))
        connection.execute(text("DROP ROLE leadgate_reader"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_role_of_the_example_reads_the_views_and_nothing_else(reader: Engine) -> None:
    """No table, and it writes nothing, also not through a view of one table."""
    with reader.connect() as connection:
        assert [len(rows(connection, view)) for view in VIEWS] == [4, 3, 2]
    refused = [
        "SELECT * FROM leadgate_entries",
        "SELECT hash_key FROM leadgate_pipelines",
        "DELETE FROM leadgate_requests",
        "UPDATE leadgate_entries SET state = 'processed'",
    ]
    for statement in refused:
        with reader.connect() as connection:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            with pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text(statement))


def test_the_example_joins_them_with_outcomes(filled: Engine) -> None:
    """As dbt renders it: each model is a view, and one reads another."""

    def render(name: str) -> str:
        model = (EXAMPLE / "models" / f"{name}.sql").read_text("utf-8")
        return str(jinja2.Template(model).render(source=lambda _, table: table, ref=str))

    with filled.begin() as connection:
        connection.execute(
            text("CREATE TABLE outcomes (lead_id TEXT, sold_at TIMESTAMP, revenue NUMERIC, returned_at TIMESTAMP)")
        )
        connection.execute(text("INSERT INTO outcomes VALUES ('17', '2026-03-02 09:00:00', 12, NULL)"))
        for name in ("lead_outcomes", "rules_by_outcome"):
            connection.execute(text(f"CREATE VIEW {name} AS {render(name)}"))
        leads = rows(connection, "lead_outcomes")
        rules = rows(connection, "rules_by_outcome")
        for query in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL):
            assert connection.execute(text(query)).all()
    assert [(row["lead_id"], row["decider"], int(row["revenue"])) for row in leads if row["state"] == "processed"] == [
        ("17", "verified", 12)
    ]
    assert [(row["decider"], row["leads"], row["sold"], row["returned"], int(row["revenue"])) for row in rules] == [
        ("verified", 1, 1, 0, 12)
    ]
