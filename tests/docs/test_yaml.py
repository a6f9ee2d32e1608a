"""Every piece of YAML in the docs loads: whole pipeline files as they stand, pieces within a whole one."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from leadgate.config import PipelineConfig, parse_config
from tests.docs.pages import PAGES, Block, blocks

BLOCKS = [block for path in PAGES for block in blocks(path) if block.language == "yaml"]
ENVIRONMENT = {"LEADBYTE_API_KEY": "key", "SOURCE_URL": "sqlite:///source.db"}
WHOLE = next(block.text for block in BLOCKS if block.where.startswith("README.md"))
OTHER_FILES = {"scrape_configs", "groups"}
"""Keys of files of Prometheus, not of ours."""


def read(text: str) -> dict[str, Any]:
    """The document a block holds."""
    document = YAML(typ="safe", pure=True).load(text)
    assert isinstance(document, dict)
    return document


def written_into(whole: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    """A pipeline file with a piece in place of what it had there, as a reader would put it."""
    merged = dict(whole)
    for key, value in piece.items():
        both = isinstance(value, dict) and isinstance(whole.get(key), dict)
        merged[key] = {**whole[key], **value} if both else value
    return merged


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_every_block_is_a_pipeline_file_or_fits_into_one(block: Block) -> None:
    """By the reader that a run uses; a piece is put into the file that README shows."""
    if "pipeline:" in block.text.splitlines()[0]:
        parse_config(block.text, block.where, ENVIRONMENT)
        return
    piece = read(block.text)
    if OTHER_FILES & piece.keys():
        return
    assert piece.keys() <= PipelineConfig.model_fields.keys()
    PipelineConfig.model_validate(written_into(read(WHOLE), piece))


def test_the_readme_shows_a_whole_file() -> None:
    """On which all the pieces rest."""
    assert parse_config(WHOLE, "README.md", ENVIRONMENT).pipeline == "acme"
    assert len(BLOCKS) > 10
