"""What the tests of the outbox share: a pipeline file on a user's database, and its outbox while a test lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadgate.config import PipelineConfig
from leadgate.source.outbox import Batch, Outbox
from tests.source.conftest import ENRICHMENT, LEADS

CREATE = (
    "CREATE TABLE leads (id BIGINT, quarantined_at TIMESTAMP NULL)",
    "CREATE TABLE enrichment (id BIGINT, updated_at TIMESTAMP NULL, score INTEGER)",
)
HERE = Path()
"""Where a relative address would start; all of these tests' are whole."""


def pipeline(url: str, *, name: str = "acme", leads: Any = LEADS, enrichment: Any = ENRICHMENT) -> PipelineConfig:  # noqa: ANN401
    """A pipeline file whose source is this database."""
    rule = {"name": "late", "when": "late", "then": "reject", "because": "Too late."}
    return PipelineConfig.model_validate(
        {
            "pipeline": name,
            "leadbyte": {"base_url": "http://127.0.0.1:9", "api_key": "key"},
            "source": {"url": url, "leads": leads, "enrichment": enrichment},
            "wait": {"require": ["score"], "deadline": "24h"},
            "policy": {"rules": [rule]},
        }
    )


def why_not(config: PipelineConfig) -> str:
    """The reason why there is no outbox to read."""
    outbox, reason = Outbox.find(config, base_dir=HERE)
    assert outbox is None
    return reason


@contextmanager
def opened(config: PipelineConfig) -> Iterator[Outbox]:
    """Find an outbox that is there, and close it in the end."""
    outbox, reason = Outbox.find(config, base_dir=HERE)
    assert outbox, reason
    try:
        yield outbox
    finally:
        outbox.close()


def take(outbox: Outbox, limit: int = 1000) -> Batch:
    """Read a batch and delete it."""
    batch = outbox.pending(limit)
    outbox.delete(batch.seqs)
    return batch


def take_once(config: PipelineConfig) -> Batch:
    """Find the outbox, read all that is in it, and delete it."""
    with opened(config) as outbox:
        return take(outbox)
