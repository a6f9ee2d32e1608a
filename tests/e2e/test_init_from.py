"""`leadgate init --from`: a pipeline file guessed from a database, which `leadgate check` accepts."""

import re
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from leadgate.sandbox import Sandbox
from tests.support.command import Finished, leadgate

TWO_TABLES = [
    "CREATE TABLE quarantined_leads (quarantine_id BIGINT PRIMARY KEY, received_at TIMESTAMP)",
    "CREATE TABLE lead_enrichment (quarantine_id BIGINT, `post code` CHAR(9), tel VARCHAR(9),updated_at TIMESTAMP)",
    "INSERT INTO quarantined_leads VALUES (1, '2026-03-01 10:00:00')",
]
COLUMNS = ["Prospect ID", "Lead Number", "Lead Origin", "City", 'a: "b" #c', "Created On"]
EXPORT = [
    f"CREATE TABLE crm_export ({', '.join(f'`{name}` VARCHAR(40)' for name in COLUMNS)})",
    "INSERT INTO crm_export VALUES ('7c1', '12', 'API', 'Whitby', 'x', '{}')",
]


def rewrite(file: Path, old: str, new: str) -> None:
    """Replace what stands in the file once."""
    written = file.read_text("utf-8")
    assert written.count(old) == 1
    file.write_text(written.replace(old, new), "utf-8")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def address(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    # Beside the ledger that init makes.
    return str(request.getfixturevalue(fixture)).replace("leadgate.db", "crm.db")


def fill(address: str, statements: list[str]) -> None:
    """Run statements, whose names stand in the quotes of the database."""
    engine = create_engine(address, poolclass=NullPool)
    quote = '"' if engine.dialect.name == "postgresql" else "`"
    with engine.begin() as connection:
        for statement in statements:
            escaped = statement.replace('"b"', '""b""') if quote == '"' else statement
            connection.exec_driver_sql(escaped.replace("`", quote))


def init(file: Path, url: str) -> Finished:
    """Write the file, and give what was said."""
    finished = leadgate("init", "--from", url, file)
    assert (finished.code, finished.stderr) == (0, "")
    return finished


@pytest.mark.parametrize("statements", [TWO_TABLES, [EXPORT[0], EXPORT[1].format("2026-03-01 10:00:00")]])
def test_what_is_guessed_passes_the_check(
    address: str, statements: list[str], tmp_path: Path, leadbyte: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tables, or one with blanks and signs in its names; also with the rule that the file has as an example."""
    fill(address, statements)
    file = tmp_path / "leadgate.yaml"
    told = init(file, address).stdout
    assert "made its ledger" in told
    assert "policy.rules: nothing is processed yet." in told
    monkeypatch.setenv("LEADBYTE_API_KEY", "practice-key")
    monkeypatch.setenv("SOURCE_URL", address)
    rewrite(file, "https://acme.leadbyte.com", leadbyte.url)
    checked = leadgate("check", config=file)
    assert (checked.code, checked.stderr) == (0, "")
    example = re.findall(r"^#   (.*)$", file.read_text("utf-8"), re.MULTILINE)
    rewrite(file, "  rules:  ", "\n".join(["  rules:", *(f"    {line}" for line in example), "    #"]))
    checked = leadgate("check", config=file)
    assert (checked.code, checked.stderr) == (0, "")
    assert "then: process" in file.read_text("utf-8")


def test_dates_that_are_no_iso_are_written_under_types(address: str, tmp_path: Path) -> None:
    """With the word that day and month are a guess; no value of a row is in the file or on the terminal."""
    fill(address, [EXPORT[0], EXPORT[1].format("03/04/2026 10:00")])
    file = tmp_path / "leadgate.yaml"
    told = init(file, address).stdout
    written = file.read_text("utf-8")
    assert written.count('      Created On: {timestamp: "%d/%m/%Y %H:%M"}') == 2
    assert "a guess: day and month may be the other way round" in written
    assert "decides which is the day and which the month" in told
    assert "source.leads.id: must be LeadByte's quarantine id" in told
    assert not re.search("7c1|Whitby|03/04", written + told)


@pytest.mark.parametrize("given", ["{}", "${{CRM}}"])
def test_no_password_is_written_or_shown(
    postgres_url: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file names a variable, the one that was given or SOURCE_URL; the terminal says to export it."""
    fill(postgres_url, TWO_TABLES)
    monkeypatch.setenv("CRM", postgres_url)
    file = tmp_path / "leadgate.yaml"
    told = init(file, given.format(postgres_url)).stdout
    name = "CRM" if "CRM" in given else "SOURCE_URL"
    assert f"url: ${{{name}}}\n" in file.read_text("utf-8")
    assert f"export LEADBYTE_API_KEY and {name}" in told
    assert "postgresql:" not in told


def test_a_sqlite_file_with_options_is_not_written(tmp_path: Path) -> None:
    """They may hold anything; a plain path is written as it was given."""
    fill(f"sqlite:///{tmp_path}/crm.db", TWO_TABLES)
    for number, (url, written) in enumerate(
        [("sqlite:///crm.db?timeout=5", "url: ${SOURCE_URL}"), ("sqlite:///crm.db", 'url: "sqlite:///crm.db"')]
    ):
        file = tmp_path / f"{number}.yaml"
        init(file, url)
        assert written in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("${NOWHERE}", 2, "--from: the environment variable NOWHERE is not set: export it first"),
        ("crm.db", 2, "--from: is no database address that SQLAlchemy knows."),
        ("sqlite:///gone.db", 2, "--from: there is no SQLite file "),
        ("postgresql://reader:s3cret@pw@db/crm", 2, "--from: the address holds more than one @"),
        ("postgresql://reader:s3cret@127.0.0.1:1/crm", 1, "--from: its database, postgresql 127.0.0.1:1/crm, cannot"),
        ("sqlite:///users.db", 2, "--from: no table or view looks like one of leads"),
    ],
)
def test_an_address_that_does_not_serve_is_told(url: str, code: int, message: str, tmp_path: Path) -> None:
    """In one line without a password, and nothing is written: neither a file nor a ledger."""
    fill(f"sqlite:///{tmp_path}/users.db", ["CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)"])
    finished = leadgate("init", "--from", url, tmp_path / "leadgate.yaml")
    assert (finished.code, finished.stdout) == (code, "")
    assert finished.stderr.startswith(f"leadgate: {message}")
    assert finished.stderr.count("\n") == 1
    assert "s3cret" not in finished.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["users.db"]
