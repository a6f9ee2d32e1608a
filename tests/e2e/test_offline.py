"""Rules checked and tested without the source, by the types that a file keeps: no key, no database, no ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate.sandbox import Sandbox
from tests.e2e.test_policy_commands import EXAMPLES
from tests.support.command import Finished, leadgate
from tests.support.pipelines import Practice

VARIABLES = {
    "api_key: practice-key": "api_key: ${LEADGATE_TEST_KEY}",
    "url: sqlite:///source.db": "url: ${LEADGATE_TEST_SOURCE}",
    "url: sqlite:///leadgate.db": "url: ${LEADGATE_TEST_LEDGER}",
}


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox) -> Iterator[Practice]:
    """A pipeline with examples, and a column that rules cannot read."""
    practice = Practice(tmp_path, leadbyte.url)
    with practice.source.begin() as connection:
        connection.execute(text("ALTER TABLE lead_enrichment ADD COLUMN tags JSON"))
    with practice.file.open("a", encoding="utf-8") as file:
        file.write(EXAMPLES)
    yield practice
    practice.close()


def write_types(pipeline: Practice) -> Path:
    """Keep the types of the source in the file beside the pipeline file."""
    file = pipeline.file.with_name("leadgate.types.yaml")
    assert leadgate("check", "--write-types", file, config=pipeline.file).code == 0
    return file


def cut_off(pipeline: Practice) -> None:
    """Take the source away, the ledger, and every variable that leads to them."""
    pipeline.close()
    for name in ("source.db", "leadgate.db"):
        pipeline.file.with_name(name).unlink()
    for old, new in VARIABLES.items():
        pipeline.edit(old, new)


def offline(pipeline: Practice) -> Finished:
    """Check the file alone."""
    return leadgate("check", "--offline", config=pipeline.file)


def test_names_and_types_are_written_and_no_value(pipeline: Practice) -> None:
    """Under a comment that says what the file is, for which pipeline, and how to make it anew."""
    pipeline.quarantine(1)
    pipeline.enrich(1, postcode="TN25 6QD", mobile="07700900123", phone_verified=True, score=0.9)
    written = write_types(pipeline).read_text("utf-8")
    for told in (
        "pipeline acme",
        "version control",
        "check --write-types",
        "\n  score: double\n",
        "unreadable: JSON\n",
    ):
        assert told in written
    assert "TN25" not in written
    assert "07700900123" not in written


def test_rules_are_checked_and_tested_without_key_source_and_ledger(pipeline: Practice, leadbyte: Sandbox) -> None:
    """None of the variables is set; the output says which types it went by."""
    types = write_types(pipeline)
    cut_off(pipeline)
    asked = len(leadbyte.requests)
    finished = offline(pipeline)
    assert (finished.code, finished.stderr) == (0, "")
    assert f"the file alone is well, by the types of {types}." in finished.stdout
    tested = leadgate("test", config=pipeline.file)
    assert (tested.code, tested.stderr) == (0, "")
    assert tested.stdout.startswith(f"2 of 2 examples decided as expected, by the types of {types}.\n")
    assert leadgate("test", "--json", config=pipeline.file).json()["types"] == str(types)
    assert len(leadbyte.requests) == asked


def test_faults_are_told_as_with_the_source(pipeline: Practice) -> None:
    """Word for word for types and unreadable columns; of an unknown column also that the file may be old."""
    write_types(pipeline)
    pipeline.edit("require: [postcode,", "require: [tags,")
    pipeline.edit("enrichment.score >= 0.4", "enrichment.postcode >= 0.4")
    online = leadgate("check", "--json", config=pipeline.file).json()["problems"]
    assert len(online) == 2
    assert leadgate("check", "--offline", "--json", config=pipeline.file).json()["problems"] == online
    pipeline.edit("enrichment.postcode >= 0.4", "enrichment.scor >= 0.4")
    assert (
        "unknown column enrichment.scor; did you mean enrichment.score? (it is not among the types of "
        "leadgate.types.yaml: if the source has it, write them anew with `leadgate check --write-types FILE`)"
    ) in offline(pipeline).stderr


def test_without_any_types_it_says_how_to_write_them(pipeline: Practice) -> None:
    """One message; `types:` of the pipeline file are enough for the columns they name."""
    cut_off(pipeline)
    finished = offline(pipeline)
    assert (finished.code, finished.stdout) == (2, "")
    (told,) = finished.stderr.splitlines()
    assert "`leadgate check --write-types " in told
    columns = "postcode: string, mobile: string, score: double, phone_verified: bool, opted_out: bool"
    pipeline.edit("updated_at: updated_at}", f"updated_at: updated_at, types: {{{columns}}}}}")
    assert (offline(pipeline).code, offline(pipeline).stderr) == (0, "")


def test_check_says_that_the_source_has_changed(pipeline: Practice) -> None:
    """It names the columns in one line of advice, and none while the file is as the source."""
    types = write_types(pipeline)
    told = f"{types}: the source has other types now, or other columns (enrichment.landline)"
    assert told not in leadgate("check", config=pipeline.file).stdout
    with pipeline.source.begin() as connection:
        connection.execute(text("ALTER TABLE lead_enrichment ADD COLUMN landline TEXT"))
    assert told in leadgate("check", config=pipeline.file).stdout
    write_types(pipeline)
    assert told not in leadgate("check", config=pipeline.file).stdout


@pytest.mark.parametrize("content", ["", "leads: {a: int}\n", "leads: {a: number}\nenrichment: {b: int}\n", "- a\n"])
def test_a_file_of_types_that_is_none_is_told(pipeline: Practice, content: str) -> None:
    """With its name and what to type."""
    types = pipeline.file.with_name("other.yaml")
    types.write_text(content, "utf-8")
    finished = leadgate("test", "--types", types, config=pipeline.file)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"leadgate: {types}: ")
    assert "leadgate check --write-types" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_what_asks_the_source_cannot_be_offline(pipeline: Practice) -> None:
    """Both options together are wrong use."""
    assert leadgate("check", "--offline", "--write-types", "types.yaml", config=pipeline.file).code == 2
