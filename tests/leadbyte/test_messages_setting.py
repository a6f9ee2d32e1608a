"""`delivery.messages` in the pipeline file, as far as the answers of a LeadByte that repeats all it is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadgate.model import LeadRequest
from leadgate.summary import Account
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import open_run
from tasks.blocks import read_block
from tests.support.echoing import NOT_UPDATED, echoing_leadbyte
from tests.support.pipelines import Practice


@pytest.mark.parametrize("messages", ["masked", "withheld"])
async def test_the_file_says_how_much_is_kept(tmp_path: Path, messages: str) -> None:
    """Masked messages name the fields; withheld ones keep the words that every sentence may have."""
    with echoing_leadbyte("nobody") as address:
        practice = Practice(tmp_path, address)
        practice.edit("policy:\n", f"delivery: {{messages: {messages}}}\npolicy:\n")
        practice.close()
        with open_pipeline(practice.file, read_block) as pipeline:
            async with open_run(pipeline, Account(started_at=datetime.now(UTC))) as run:
                (answer,) = await run.client.put([LeadRequest(NOT_UPDATED, {"name": "Jane Example"})])
    assert "Example" not in answer.message
    assert ("[name]" in answer.message) is (messages == "masked")
    assert "is not valid" in answer.message
