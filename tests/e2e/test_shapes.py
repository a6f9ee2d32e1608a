"""Shapes that sources have, each through `check`, `plan` and `run`: exact numbers, and what LeadByte is written."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate

HEAD = """\
pipeline: acme
leadbyte: {{base_url: "{leadbyte}", api_key: practice-key, requests_per_second: 0}}
source:
  url: {source}
{relations}
ledger: {{url: "sqlite:///leadgate.db"}}
"""
RULES = """\
wait: {require: [postcode, score], deadline: 24h}
update: {postcode: postcode, data1: score}
policy:
  rules:
    - {name: good, when: enrichment.score >= 0.5, then: process, because: A good score.}
    - {name: late, when: late, then: reject, because: Not complete in time.}
  otherwise: review
"""
LEADS = "  leads: {table: leads, id: id, quarantined_at: received_at}"
LEADS_TABLE = "CREATE TABLE leads (id BIGINT PRIMARY KEY, received_at TIMESTAMP)"
AN_HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
INSTANTS = {
    "$an_hour_ago": f"{AN_HOUR_AGO:%Y-%m-%d %H:%M:%S}",
    "$a_day_ago": f"{AN_HOUR_AGO - timedelta(days=1):%Y-%m-%d %H:%M:%S}",
    "$ms_an_hour_ago": str(int(AN_HOUR_AGO.timestamp()) * 1000),
    "$ms_a_day_ago": str(int((AN_HOUR_AGO - timedelta(days=1)).timestamp()) * 1000),
}
"""What the statements here name instead of a time."""
Update = dict[str, Any]


class Shape:
    """A source of some shape, and the pipeline that reads it."""

    def __init__(self, folder: Path, leadbyte: Sandbox) -> None:
        self.file, self.leadbyte = folder / "leadgate.yaml", leadbyte

    def set_up(self, url: str, statements: Sequence[str], relations: str, rules: str = RULES) -> None:
        """Fill the source, write the file and make its ledger; `relations` without leads has the usual ones."""
        self.source = url.replace("leadgate.db", "crm.db")
        self.execute(*statements)
        if "  leads:" not in relations:
            relations = f"{LEADS}\n{relations}"
        head = HEAD.format(leadbyte=self.leadbyte.url, source=self.source, relations=relations)
        self.file.write_text(head + rules, "utf-8")
        made = leadgate("ledger", "create", "--first-time", config=self.file)
        assert (made.code, made.stderr) == (0, "")

    def execute(self, *statements: str) -> None:
        """Run statements in the source."""
        engine = create_engine(self.source, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(re.sub(r"\$\w+", lambda name: INSTANTS[name[0]], statement))

    def goes(self, verdicts: dict[str, str], written: dict[str, Update], *, waiting: int) -> None:
        """Demand that check is content, that plan and run agree on each lead, and what LeadByte is written."""
        checked = leadgate("check", config=self.file)
        assert (checked.code, checked.stderr) == (0, ""), checked.stdout
        planned = leadgate("plan", "--json", config=self.file)
        assert planned.code == 0
        assert {lead["lead_id"]: lead["verdict"] for lead in planned.json()["leads"]} == verdicts
        ended = leadgate("run", "--json", config=self.file)
        assert ended.code == 0
        said = ended.json()
        for key, verdict in (("processed", "process"), ("rejected", "reject"), ("review", "review")):
            assert said[key] == list(verdicts.values()).count(verdict), key
        assert said["waiting"] == waiting
        acts = {lead_id: [act.action.value for act in acts] for lead_id, acts in self.leadbyte.quarantine.acts.items()}
        assert acts == {lead_id: [verdict] for lead_id, verdict in verdicts.items() if verdict != "review"}
        found: dict[str, Update] = {}
        for request in self.leadbyte.requests:
            for part in request.asked:
                if part.update:
                    found.setdefault(part.lead_id, {}).update(part.update)
        assert found == written


@pytest.fixture
def shape(tmp_path: Path, leadbyte: Sandbox, prefect_server: str) -> Shape:
    """A pipeline whose source is still to be made."""
    return Shape(tmp_path, leadbyte)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    return str(request.getfixturevalue(fixture))


def test_rows_of_a_key_and_a_value_are_brought_together_by_a_query(url: str, shape: Shape) -> None:
    """Two facts of one lead arrive in two rows; one that has only the first waits."""
    shape.set_up(
        url,
        [
            LEADS_TABLE,
            "INSERT INTO leads VALUES (1, '$an_hour_ago'), (2, '$an_hour_ago'), (3, '$an_hour_ago')",
            "CREATE TABLE facts (lead_id BIGINT, name VARCHAR(20), fact VARCHAR(20))",
            "INSERT INTO facts VALUES (1, 'postcode', 'N1 1AA'), (1, 'score', '0.9'), (2, 'postcode', 'N1 2BB')",
            "INSERT INTO facts VALUES (3, 'score', '0.1'), (3, 'postcode', 'N1 3CC')",
        ],
        """\
  enrichment:
    query: >
      SELECT lead_id, max(CASE WHEN name = 'postcode' THEN fact END) AS postcode,
      max(CASE WHEN name = 'score' THEN fact END) AS score FROM facts GROUP BY lead_id
    id: lead_id
    types: {postcode: string, score: double}""",
    )
    written = {"1": {"postcode": "N1 1AA", "data1": "0.9"}, "3": {"postcode": "N1 3CC", "data1": "0.1"}}
    shape.goes({"1": "process", "3": "review"}, written, waiting=1)


def test_a_payload_of_json_is_taken_apart_by_a_query(postgres_url: str, shape: Shape) -> None:
    """`->>` gives text, types make a number of it; a key that is missing, and JSON's null, are no value."""
    shape.set_up(
        postgres_url,
        [
            LEADS_TABLE,
            "INSERT INTO leads VALUES (1, '$an_hour_ago'), (2, '$an_hour_ago'), (3, '$an_hour_ago')",
            "CREATE TABLE answers (lead_id BIGINT, payload JSONB)",
            """INSERT INTO answers VALUES (1, '{"postcode": "N1 1AA", "score": 0.9}'), (2, '{"score": 0.9}'),
               (3, '{"postcode": null, "score": 0.9}')""",
        ],
        """\
  enrichment:
    query: "SELECT lead_id, payload->>'postcode' AS postcode, payload->>'score' AS score FROM answers"
    id: lead_id
    types: {score: double}""",
    )
    shape.goes({"1": "process"}, {"1": {"postcode": "N1 1AA", "data1": "0.9"}}, waiting=2)


def test_two_tables_are_joined_by_a_query(url: str, shape: Shape) -> None:
    """One has the postcode and one the score; a lead that lacks a row in the second waits."""
    shape.set_up(
        url,
        [
            LEADS_TABLE,
            "INSERT INTO leads VALUES (1, '$an_hour_ago'), (2, '$an_hour_ago')",
            "CREATE TABLE places (lead_id BIGINT, postcode VARCHAR(9))",
            "CREATE TABLE scores (lead_id BIGINT, score INTEGER)",
            "INSERT INTO places VALUES (1, 'N1 1AA'), (2, 'N1 2BB')",
            "INSERT INTO scores VALUES (1, 7)",
        ],
        """\
  enrichment:
    query: "SELECT p.lead_id, p.postcode, s.score FROM places p LEFT JOIN scores s ON s.lead_id = p.lead_id"
    id: lead_id
    types: {postcode: string, score: double}""",
    )
    shape.goes({"1": "process"}, {"1": {"postcode": "N1 1AA", "data1": 7}}, waiting=1)


def test_rows_that_were_deleted_softly_are_left_out_by_a_query(url: str, shape: Shape) -> None:
    """A deleted lead is not registered, and deleted enrichment is none."""
    shape.set_up(
        url,
        [
            "CREATE TABLE leads (id BIGINT PRIMARY KEY, received_at TIMESTAMP, deleted_at TIMESTAMP NULL)",
            "INSERT INTO leads VALUES (1, '$an_hour_ago', NULL), (3, '$an_hour_ago', NULL)",
            "INSERT INTO leads VALUES (2, '$an_hour_ago', '$an_hour_ago')",
            "CREATE TABLE found (id BIGINT, postcode VARCHAR(9), score INTEGER, deleted_at TIMESTAMP NULL)",
            "INSERT INTO found VALUES (1, 'N1 1AA', 1, NULL), (2, 'N1 2BB', 1, NULL), (3, 'N1 3CC', 1, '$an_hour_ago')",
        ],
        """  leads:
    query: SELECT id, received_at FROM leads WHERE deleted_at IS NULL
    id: id
    quarantined_at: received_at
    types: {received_at: timestamp}
  enrichment:
    query: SELECT id, postcode, score FROM found WHERE deleted_at IS NULL
    id: id
    types: {postcode: string, score: double}""",
    )
    shape.goes({"1": "process"}, {"1": {"postcode": "N1 1AA", "data1": 1}}, waiting=1)


def test_of_a_history_the_latest_row_counts(url: str, shape: Shape) -> None:
    """Also when it was written first or has less in it: rows are not merged."""
    shape.set_up(
        url,
        [
            LEADS_TABLE,
            "INSERT INTO leads VALUES (1, '$an_hour_ago'), (2, '$an_hour_ago'), (3, '$an_hour_ago')",
            "CREATE TABLE found (id BIGINT, postcode VARCHAR(9), score INTEGER, updated_at TIMESTAMP)",
            "INSERT INTO found VALUES (1, 'N1 1AA', 0, '$a_day_ago'), (1, 'N1 1AB', 1, '$an_hour_ago')",
            "INSERT INTO found VALUES (2, 'N1 2BB', 0, '$an_hour_ago'), (2, 'N1 2BC', 1, '$a_day_ago')",
            "INSERT INTO found VALUES (3, 'N1 3CC', 1, '$a_day_ago'), (3, NULL, 1, '$an_hour_ago')",
        ],
        "  enrichment: {table: found, id: id, updated_at: updated_at}",
    )
    written = {"1": {"postcode": "N1 1AB", "data1": 1}, "2": {"postcode": "N1 2BB", "data1": 0}}
    shape.goes({"1": "process", "2": "review"}, written, waiting=1)


def test_ids_that_are_text_with_blanks_meet(url: str, shape: Shape) -> None:
    """A blank before or after an id is left out in both tables, and LeadByte gets the bare number."""
    shape.set_up(
        url,
        [
            "CREATE TABLE leads (id VARCHAR(20), received_at TIMESTAMP)",
            "INSERT INTO leads VALUES ('1 ', '$an_hour_ago'), (' 2', '$an_hour_ago'), ('3', '$an_hour_ago')",
            "CREATE TABLE found (id VARCHAR(20), postcode VARCHAR(9), score INTEGER)",
            "INSERT INTO found VALUES ('1', 'N1 1AA', 1), ('2  ', 'N1 2BB', 1), (' 3', 'N1 3CC', 0)",
        ],
        "  enrichment: {table: found, id: id}",
    )
    written = {
        "1": {"postcode": "N1 1AA", "data1": 1},
        "2": {"postcode": "N1 2BB", "data1": 1},
        "3": {"postcode": "N1 3CC", "data1": 0},
    }
    shape.goes({"1": "process", "2": "process", "3": "review"}, written, waiting=0)


def test_stamps_in_milliseconds_since_1970_are_read(url: str, shape: Shape) -> None:
    """The deadline goes by them: a lead of more than a day ago is late, one of an hour ago waits."""
    shape.set_up(
        url,
        [
            "CREATE TABLE leads (id BIGINT PRIMARY KEY, received_at BIGINT)",
            "INSERT INTO leads VALUES (1, $ms_an_hour_ago), (2, $ms_a_day_ago), (3, $ms_an_hour_ago)",
            "CREATE TABLE found (id BIGINT, postcode VARCHAR(9), score INTEGER, updated_at BIGINT)",
            "INSERT INTO found VALUES (1, 'N1 1AA', 1, $ms_an_hour_ago)",
        ],
        """  leads: {table: leads, id: id, quarantined_at: received_at, types: {received_at: {timestamp: epoch_ms}}}
  enrichment: {table: found, id: id, updated_at: updated_at, types: {updated_at: {timestamp: epoch_ms}}}""",
    )
    shape.goes({"1": "process", "2": "reject"}, {"1": {"postcode": "N1 1AA", "data1": 1}}, waiting=1)


def test_a_numeric_without_scale_keeps_its_digits(postgres_url: str, shape: Shape) -> None:
    """As an id it is a whole number, as a score it is compared and written with all its digits."""
    shape.set_up(
        postgres_url,
        [
            "CREATE TABLE leads (id NUMERIC PRIMARY KEY, received_at TIMESTAMP)",
            "INSERT INTO leads VALUES (1, '$an_hour_ago'), (2, '$an_hour_ago')",
            "CREATE TABLE found (id NUMERIC, postcode TEXT, score NUMERIC)",
            "INSERT INTO found VALUES (1.0, 'N1 1AA', 0.50), (2, 'N1 2BB', 0.45000000000000000000001)",
        ],
        "  enrichment: {table: found, id: id}",
    )
    written = {
        "1": {"postcode": "N1 1AA", "data1": "0.50"},
        "2": {"postcode": "N1 2BB", "data1": "0.45000000000000000000001"},
    }
    shape.goes({"1": "process", "2": "review"}, written, waiting=0)


def test_dates_of_birth_are_written_as_dates(url: str, shape: Shape) -> None:
    """The day stays that day in a zone whose midnight is another day in UTC; rules see an instant."""
    shape.set_up(
        url,
        [
            LEADS_TABLE,
            "INSERT INTO leads VALUES (1, '$an_hour_ago'), (2, '$an_hour_ago')",
            "CREATE TABLE found (id BIGINT, born DATE, born_text VARCHAR(20))",
            "INSERT INTO found VALUES (1, '1985-06-15', '15/06/1985'), (2, '2020-01-01', '01/01/2020')",
        ],
        """\
  enrichment:
    table: found
    id: id
    types: {born_text: {timestamp: "%d/%m/%Y"}}
  time_zone: Europe/London""",
        """\
wait: {require: [born, born_text], deadline: 24h}
update: {dob: born, data1: born_text}
policy:
  rules:
    - name: adult
      when: enrichment.born < timestamp('2000-01-01T00:00:00Z') && enrichment.born == enrichment.born_text
      then: process
      because: Of age.
  otherwise: review
""",
    )
    written = {"1": {"dob": "1985-06-15", "data1": "1985-06-15"}, "2": {"dob": "2020-01-01", "data1": "2020-01-01"}}
    shape.goes({"1": "process", "2": "review"}, written, waiting=0)
