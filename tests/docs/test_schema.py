"""The JSON Schema for editors takes every pipeline file that leadgate takes, and refuses what has a wrong shape."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from cli.init import pipeline_template
from tests.docs.pages import Block
from tests.docs.test_yaml import BLOCKS, OTHER_FILES, WHOLE, read, written_into
from tests.support.command import leadgate

SCHEMA = json.loads(leadgate("schema").stdout)
VALID = Draft202012Validator(SCHEMA)


def as_json(value: Any) -> Any:  # noqa: ANN401 - any document
    """A document as an editor has it: times are text."""
    return json.loads(json.dumps(value, default=lambda each: each.isoformat() if isinstance(each, date) else each))


def test_it_is_a_schema() -> None:
    """Of draft 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_every_pipeline_of_the_docs_is_taken(block: Block) -> None:
    """Whole files as they stand, pieces within a whole one."""
    found = read(block.text)
    if not OTHER_FILES & found.keys():
        whole = found if "pipeline" in found else written_into(read(WHOLE), found)
        assert [error.message for error in VALID.iter_errors(as_json(whole))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deadline: 24h", "deadline: ${DEADLINE}"),
        ("queue_time: 1h", "queue_time: ${QUEUE_TIME}"),
        ("otherwise: review", "otherwise: ${OTHERWISE}"),
        ("api_key: ${LEADBYTE_API_KEY}", "api_key: {block: leadbyte-credentials/acme}"),
    ],
)
def test_variables_and_blocks_may_stand_for_values(old: str, new: str) -> None:
    """The template with them, and without."""
    for text in (pipeline_template(), pipeline_template().replace(old, new)):
        assert new in text or text == pipeline_template()
        assert [error.message for error in VALID.iter_errors(as_json(read(text)))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("otherwise: review", "otherwize: review"),
        ("otherwise: review", "otherwise: maybe"),
        ("keep_facts: [score]", "keep_facts: score"),
        ("api_key: ${LEADBYTE_API_KEY}", "api_key: 5"),
        ("api_key: ${LEADBYTE_API_KEY}", "api_key: {blok: acme}"),
        ("deadline: 24h", "deadline: soon"),
        ("queue_time: 1h", "queue_time: 1 hour"),
        ("    table: lead_enrichment\n", ""),
        ("given: {late: true}", "given: {late: true, score: [1]}"),
        ("pipeline: acme", "pipeline: a b"),
    ],
)
def test_a_wrong_shape_is_refused(old: str, new: str) -> None:
    """Faults of the kinds that `check` names too."""
    assert old in pipeline_template()
    assert list(VALID.iter_errors(as_json(read(pipeline_template().replace(old, new))))) != []


def test_init_writes_the_schema_that_the_file_names(tmp_path: Path) -> None:
    """Beside it, so that an editor finds it."""
    file = tmp_path / "acme.yaml"
    assert leadgate("init", file).code == 0
    first = file.read_text("utf-8").partition("\n")[0]
    named = file.with_name(first.partition("$schema=")[2])
    assert YAML(typ="safe").load(named.read_text("utf-8")) == SCHEMA
