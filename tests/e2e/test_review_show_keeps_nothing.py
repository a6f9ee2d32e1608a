"""What `leadgate review show` has shown is nowhere afterwards: every value is a marker that is searched for."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from cli import review_show
from leadgate.wiring import showing
from tests.e2e.test_people_data import BAD_TYPE, IDS, dumped, fill, found_in, kept_files, marker, spoil
from tests.e2e.test_policy_commands import decide_all
from tests.support.command import leadgate
from tests.support.pipelines import Practice

ROOT = Path(__file__).parents[2]


def everything(_: str) -> bool:
    """Look for the values of every column."""
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Practice]:
    """Leads with a marker in every column, all of them with a person."""
    urls = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        urls = {"database_url": url, "ledger_url": url}
    practice = Practice(tmp_path, "http://127.0.0.1:1", **urls)
    practice.edit("  phone1: mobile", "  phone1: mobile\n  email: email\n  name: {value: enrichment.full_name + '!'}")
    practice.edit("when: enrichment.opted_out", "when: int(enrichment.age) < 18 || enrichment.full_name == 'Nobody'")
    practice.edit("when: enrichment.score >= 0.4", "when: enrichment.score >= 0.4 && lead.phone == enrichment.mobile")
    fill(practice)
    decide_all(practice)
    yield practice
    practice.close()


def ledger_of(pipeline: Practice) -> bytes:
    """All that the ledger holds, and its file as it is."""
    file = pipeline.file.parent / "leadgate.db"
    address = f"sqlite:///{file}" if file.exists() else pipeline.ledger_url
    engine = create_engine(address)
    try:
        return dumped(engine) + (file.read_bytes() if file.exists() else b"")
    finally:
        engine.dispose()


def test_nothing_of_what_was_shown_is_kept(pipeline: Practice, tmp_path: Path) -> None:
    """The ledger is as it was, and no file or message has a value; standard output alone has."""
    if pipeline.source.dialect.name == "sqlite":
        spoil(pipeline)
    before = ledger_of(pipeline)
    shown, errors = "", ""
    for lead_id in (*IDS, 99):
        for more in ([], ["--json"]):
            finished = leadgate("review", "show", lead_id, *more, config=pipeline.file)
            assert finished.code == (2 if lead_id == 99 else 0)
            shown, errors = shown + finished.stdout, errors + finished.stderr
    assert f"(full_name={marker('full_name', 2)}, " in shown, "what a rule read is told"
    assert len(found_in({"the screen": shown.encode()}, lambda column: column != "score")) > len(IDS) * 5
    assert ledger_of(pipeline) == before
    places = {"the ledger": before, "standard error": errors.encode()} | kept_files(tmp_path)
    assert found_in(places, everything) == []


@pytest.mark.parametrize("pipeline", ["sqlite"], indirect=True)
def test_a_value_that_is_not_of_its_type_is_named_and_not_shown(pipeline: Practice) -> None:
    """It counts as missing, as for a run; only SQLite keeps a text in a column of numbers."""
    spoil(pipeline)
    told = leadgate("review", "show", BAD_TYPE, config=pipeline.file).stdout.splitlines()
    assert "  score: unreadable: it is not a decimal number" in told
    assert "missing of wait.require: score. A run would not decide the lead yet: it is not late." in told
    document = leadgate("review", "show", BAD_TYPE, "--json", config=pipeline.file).json()
    assert document["enrichment"]["columns"]["score"] is None
    assert document["enrichment"]["unreadable"] == {"score": "it is not a decimal number"}


def test_a_process_of_its_own_loads_no_prefect_and_leaves_no_file(pipeline: Practice, tmp_path: Path) -> None:
    """At home, in the folder of temporary files, or where it is called."""
    program = (
        "import sys; from cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: assert not {'prefect', 'opentelemetry.sdk'} & set(sys.modules)"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, "review", "show", "2", "--config", str(pipeline.file)],
        env=os.environ
        | {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        | {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_LOGGING_LEVEL": "DEBUG"},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert marker("email", 2) in done.stdout
    assert list(home.rglob("*")) == []


def raising(*quoted: object, **_: object) -> None:
    """Fail as nobody foresaw, with what was given in the text."""
    raise KeyError(*quoted)


@pytest.mark.parametrize("as_json", [[], ["--json"]])
@pytest.mark.parametrize(
    "spoil_it",
    [
        lambda patch: patch.setattr(showing, "field_value", raising),
        lambda patch: patch.setattr(showing, "explain_tried_rules", raising),
        lambda patch: patch.setattr(review_show, "read_lead", raising),
        lambda patch: patch.setattr(review_show, "in_short", raising),
    ],
    ids=["writing", "rules", "reading", "printing"],
)
def test_what_nobody_foresaw_quotes_no_value(
    pipeline: Practice,
    monkeypatch: pytest.MonkeyPatch,
    spoil_it: Callable[[pytest.MonkeyPatch], None],
    as_json: list[str],
) -> None:
    """Its type and place are told, on one line; nothing else of it leaves the verb."""
    monkeypatch.delenv("LEADGATE_TRACEBACK", raising=False)
    spoil_it(monkeypatch)
    finished = leadgate("review", "show", 2, *as_json, config=pipeline.file)
    if as_json and not finished.code:
        return  # nothing is shortened for machines
    assert finished.code == 1
    assert finished.stderr.startswith("leadgate: unexpected KeyError at ")
    assert finished.stderr.count("\n") == 1
    assert found_in({"standard error": finished.stderr.encode()}, everything) == []
