"""How a verb reads the Prefect blocks that a pipeline file names."""

from collections.abc import Mapping

from pydantic import SecretStr


def read_block(kind: str, name: str) -> Mapping[str, str | SecretStr]:
    """Do as `tasks.blocks.read_block`, which is loaded for files that name a block alone."""
    from tasks import blocks  # noqa: PLC0415 - imports Prefect, which takes seconds

    return blocks.read_block(kind, name)
