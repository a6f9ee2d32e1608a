"""`leadgate ledger`, and what every verb does without a ledger, or with one that is another's."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cli.blocks import read_block
from deployments import serve
from leadgate.intake import register_leads
from leadgate.sandbox import Sandbox, SandboxRequest, sandbox_thread
from leadgate.wiring.pipeline import open_pipeline
from tests.support.command import leadgate
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
READERS = [["status"], ["explain", "1"], ["review", "list"], ["pause"], ["retry", "1"]]
RUNNERS = [["check"], ["plan"], ["run"]]


@pytest.fixture
def practice(tmp_path: Path, leadbyte: Sandbox) -> Iterator[Practice]:
    """A pipeline whose ledger a person has made, with one lead that is complete."""
    practice = Practice(tmp_path, leadbyte.url)
    practice.quarantine(1)
    practice.enrich(1, **COMPLETE)
    yield practice
    practice.close()


def rewrite(file: Path, old: str, new: str, to: Path | None = None) -> Path:
    """Write the file with a change, as a person does who forgets the ledger."""
    written = file.read_text("utf-8")
    assert old in written
    (to or file).write_text(written.replace(old, new), "utf-8")
    return to or file


def register(file: Path) -> None:
    """Register what the source holds, as a run does first."""
    with open_pipeline(file, read_block) as pipeline:
        register_leads(pipeline.source, pipeline.ledger, pipeline.config, now=pipeline.clock())


def doubts(practice: Practice) -> dict[str, datetime | None]:
    """Since when each lead of the ledger may have been acted on."""
    engine = create_engine(f"sqlite:///{practice.file.parent / 'leadgate.db'}")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT lead_id, doubt_since FROM leadgate_entries")).all()
    engine.dispose()
    return {row.lead_id: row.doubt_since for row in found}


@pytest.mark.parametrize("verb", READERS + RUNNERS, ids=" ".join)
def test_no_verb_makes_a_ledger(practice: Practice, leadbyte: Sandbox, verb: list[str]) -> None:
    """It was deleted, the folder is another one, the container has no volume: exit code 2, and what to type."""
    ledger = practice.file.parent / "leadgate.db"
    ledger.unlink()
    finished = leadgate(*verb, config=practice.file)
    assert finished.code == 2
    assert f"ledger {ledger}: there is none" in finished.stderr
    assert "`leadgate ledger create --first-time`" in finished.stderr
    assert not ledger.exists()
    assert leadbyte.quarantine.acts == {}


def test_serve_makes_none_either(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so before it serves anything."""
    (practice.file.parent / "leadgate.db").unlink()
    assert serve.main([str(practice.file)]) == 2
    assert "there is none" in capsys.readouterr().err


def test_a_second_checkout_does_not_begin_anew(practice: Practice, tmp_path: Path) -> None:
    """The file is there, the default sqlite:///leadgate.db beside it is not."""
    checkout = tmp_path / "second"
    checkout.mkdir()
    shutil.copy(practice.file, checkout)
    assert leadgate("run", config=checkout / "leadgate.yaml").code == 2
    assert [path.name for path in checkout.iterdir()] == ["leadgate.yaml"]


def test_a_ledger_that_is_made_after_one_was_lost_doubts_what_is_older(practice: Practice) -> None:
    """The lead waits for evidence; with --first-time it would not."""
    ledger = practice.file.parent / "leadgate.db"
    ledger.unlink()
    made = leadgate("ledger", "create", config=practice.file)
    assert (made.code, made.stderr) == (0, "")
    assert "Leads quarantined before this moment count as maybe acted on" in made.stdout
    register(practice.file)
    assert doubts(practice).keys() == {"1"}
    assert doubts(practice)["1"] is not None


def test_a_ledger_is_made_once(practice: Practice) -> None:
    """The second time there is nothing to create."""
    finished = leadgate("ledger", "create", "--first-time", config=practice.file)
    assert finished.code == 2
    assert "knows the pipeline 'acme': nothing is to be created" in finished.stderr


@pytest.mark.parametrize("verb", [["status"], *RUNNERS], ids=" ".join)
def test_a_rehearsal_and_the_real_account_share_no_ledger(practice: Practice, verb: list[str]) -> None:
    """The error names both accounts, and says what a rehearsal needs and what a move is."""
    register(practice.file)
    with sandbox_thread() as other:
        account, mine = (address.removeprefix("http://") for address in (other.url, _address(practice)))
        rewrite(practice.file, mine, account)
        finished = leadgate(*verb, config=practice.file)
        assert finished.code == 2
        assert f"the account {mine}, and the file names the account {account}" in finished.stderr
        assert "A rehearsal or another pipeline needs a ledger of its own" in finished.stderr
        assert "`leadgate ledger rebind --same-account`" in finished.stderr
        assert other.quarantine.acts == {}


def test_a_pipeline_that_was_renamed_is_not_known(practice: Practice) -> None:
    """Its leads would all be new."""
    register(practice.file)
    rewrite(practice.file, "pipeline: acme", "pipeline: acme-2")
    finished = leadgate("run", config=practice.file)
    assert finished.code == 2
    assert "does not know the pipeline 'acme-2' (it knows: 'acme')" in finished.stderr
    assert "leadgate ledger create" in finished.stderr


def test_the_same_leads_in_two_pipelines_are_acted_on_by_one(practice: Practice, tmp_path: Path) -> None:
    """The second is told which leads, and whose they are."""
    register(practice.file)
    second = rewrite(practice.file, "pipeline: acme", "pipeline: second", to=tmp_path / "second.yaml")
    assert leadgate("ledger", "create", "--first-time", config=second).code == 0
    planned = leadgate("plan", config=second)
    told = "leads that belong to the pipeline 'acme' of the same account, and are not registered twice, of lead 1."
    assert told in planned.stdout
    assert leadgate("plan", "--json", config=second).json()["leads"] == []


def test_two_files_of_one_name_and_two_sources_share_no_ledger(practice: Practice, tmp_path: Path) -> None:
    """The second would find the first one's leads gone from its source."""
    register(practice.file)
    shutil.copy(tmp_path / "source.db", tmp_path / "beta.db")
    second = rewrite(practice.file, "sqlite:///source.db", "sqlite:///beta.db", to=tmp_path / "beta.yaml")
    finished = leadgate("run", config=second)
    assert finished.code == 2
    told = "the source source.db: quarantined_leads, and the file names the source beta.db: quarantined_leads"
    assert told in finished.stderr


def test_an_older_copy_that_was_put_back_waits_for_evidence(practice: Practice) -> None:
    """Leads of the copy, and older ones that it does not know."""
    register(practice.file)
    practice.quarantine(2)
    told = leadgate("ledger", "restored", config=practice.file)
    assert (told.code, told.stdout, told.stderr) == (0, "acme: 1 lead now waits for evidence.\n", "")
    register(practice.file)
    practice.quarantine(3, hours_ago=-1)
    register(practice.file)
    found = doubts(practice)
    assert {lead_id for lead_id, since in found.items() if since} == {"1", "2"}
    assert found["3"] is None


def test_a_move_is_written_down_after_checking(practice: Practice, leadbyte: Sandbox) -> None:
    """A new address that does not answer, or a table that is not there, changes nothing."""
    register(practice.file)
    assert leadgate("ledger", "rebind", config=practice.file).code == 2
    good = practice.file.read_text("utf-8")
    rewrite(practice.file, "table: quarantined_leads", "table: nowhere")
    assert leadgate("ledger", "rebind", "--same-account", config=practice.file).code == 2
    practice.file.write_text(good, "utf-8")
    rewrite(practice.file, leadbyte.url, leadbyte.url.replace("127.0.0.1", "localhost"))
    assert leadgate("status", config=practice.file).code == 2
    moved = leadgate("ledger", "rebind", "--same-account", config=practice.file)
    assert (moved.code, moved.stderr) == (0, "")
    assert "it is account localhost:" in moved.stdout
    assert leadgate("status", config=practice.file).code == 0


def test_who_only_reads_the_ledger_needs_neither_key_nor_source(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables are set where runs are."""
    rewrite(practice.file, "practice-key", "${LEADBYTE_API_KEY}")
    rewrite(practice.file, "sqlite:///source.db", "${SOURCE_URL}")
    for name in ("LEADBYTE_API_KEY", "SOURCE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert leadgate("status", config=practice.file).code == 0
    assert "the environment variable SOURCE_URL is not set" in leadgate("plan", config=practice.file).stderr


def test_init_makes_the_ledger_of_a_pipeline_that_is_named_later(practice: Practice, tmp_path: Path) -> None:
    """The file is edited after init: the ledger takes its first pipeline as it is called then."""
    folder = tmp_path / "new"
    folder.mkdir()
    file = folder / "leadgate.yaml"
    assert "made its ledger" in leadgate("init", file).stdout
    shutil.copy(tmp_path / "source.db", folder)
    file.write_text(practice.file.read_text("utf-8").replace("pipeline: acme", "pipeline: mine"), "utf-8")
    assert leadgate("check", config=file).code == 0
    register(file)
    assert leadgate("status", "--json", config=file).json()["pipeline"] == "mine"
    assert "leadgate ledger create" in leadgate("init", file, "--force").stdout


def test_init_makes_no_ledger_that_may_have_been_lost(practice: Practice, tmp_path: Path) -> None:
    """Where another pipeline file is, or was, a person says whether it is the first time."""
    (tmp_path / "leadgate.db").unlink()
    why = f" was not made, since {practice.file.name} is a pipeline file too, and may have one"
    for arguments, told in (([tmp_path / "second.yaml"], why), ([practice.file, "--force"], "")):
        finished = leadgate("init", *arguments)
        assert finished.code == 0
        assert f"Its ledger{told}: `leadgate ledger create`" in finished.stdout
        assert "make the ledger, then `leadgate check`." in finished.stdout
        (tmp_path / "second.yaml").unlink(missing_ok=True)
    assert not (tmp_path / "leadgate.db").exists()


def test_a_ledger_that_is_lost_under_a_run_stops_it(tmp_path: Path, prefect_server: str) -> None:
    """Nothing leaves but what was committed before, one request ahead; and no new ledger is made."""
    ledger = tmp_path / "leadgate.db"

    def remove(request: SandboxRequest) -> None:
        if request.asked:
            ledger.unlink(missing_ok=True)

    with sandbox_thread(Sandbox(on_request=remove)) as sandbox:
        practice = Practice(tmp_path, sandbox.url)
        practice.edit("requests_per_second: 0", "requests_per_second: 0\n  batch_size: 1\n  concurrency: 1")
        practice.quarantine(*range(1, 11))
        practice.enrich(*range(1, 11), **COMPLETE)
        finished = leadgate("run", config=practice.file)
        practice.close()
        assert finished.code != 0
        assert "the file was removed while it was in use, so nothing more is sent" in finished.stderr
        assert len([request for request in sandbox.requests if request.asked]) <= 2
    assert not ledger.exists()


def _address(practice: Practice) -> str:
    lines = practice.file.read_text("utf-8").splitlines()
    return next(line.partition(": ")[2] for line in lines if "base_url" in line)
