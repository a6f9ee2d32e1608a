"""The six stages of a lead's way, one a file: thin Prefect tasks over the core that know nothing of each other."""

from collections.abc import Mapping
from typing import Any

from leadgate.config import use_blocks


def _read_block(kind: str, name: str) -> Mapping[str, Any]:
    from tasks.blocks import read_block  # noqa: PLC0415 - imports Prefect, which takes seconds

    return read_block(kind, name)


use_blocks(_read_block)
