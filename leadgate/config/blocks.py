"""Prefect blocks that a pipeline file names: filled in where a secret is needed, by whoever knows Prefect.

The core never imports Prefect. Flows and verbs hand in a reader (tasks.blocks); it is asked only when a file names a
block.
"""

import re
from collections.abc import Callable, Mapping

from pydantic import SecretStr, ValidationError

from leadgate.config.section import Block
from leadgate.config.shape import LeadByteConfig, PipelineConfig
from leadgate.errors import BlockUnavailable, ConfigError

ReadBlock = Callable[[str, str], Mapping[str, str | SecretStr]]
"""From a block's type slug and name to what it holds: `base_url` and `api_key`, or `url`; secrets as SecretStr.

Raises ConfigError or BlockUnavailable, whose message goes on after the block's name.
"""

CREDENTIALS = "leadbyte-credentials"
_NAME = re.compile(r"[a-z0-9-]{1,100}")
ADDRESS = "secret"
"""Prefect's own type for one secret text: here the address of a source."""


def resolve_blocks(
    config: PipelineConfig, name: str, read_block: ReadBlock, *, needs_key: bool = True
) -> PipelineConfig:
    """Put what the blocks of a file hold in their place; `name` is what messages call the file.

    Without `needs_key` the block of LeadByte's key is not read.
    Raises ConfigError naming every block that cannot be used, BlockUnavailable where Prefect cannot be reached.
    """
    problems: list[str] = []
    parts: dict[str, object] = {}
    try:
        if needs_key:
            parts["leadbyte"] = _leadbyte(config.leadbyte, read_block)
    except ConfigError as error:
        problems += error.problems
    try:
        if isinstance(config.source.url, Block):
            secrets = _read(config.source.url, "source.url", ADDRESS, read_block)
            parts["source"] = config.source.model_copy(update={"url": secrets["url"]})
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError([f"{name}: {problem}" for problem in problems])
    return config.model_copy(update=parts)


def _leadbyte(config: LeadByteConfig, read_block: ReadBlock) -> LeadByteConfig:
    """Take address and key from the block; a file may repeat the address, and may not send the key elsewhere."""
    if not isinstance(config.api_key, Block):
        return config
    secrets = _read(config.api_key, "leadbyte.api_key", CREDENTIALS, read_block)
    try:
        whole = LeadByteConfig.model_validate({**dict(config), **secrets})
    except ValidationError as error:
        faults = [
            f"leadbyte.api_key: the block {config.api_key.block}: {fault['loc'][0]}: {fault['ctx']['error']}"
            for fault in error.errors(include_url=False, include_input=False)
            if fault["type"] == "value_error"
        ]
        none = f"leadbyte.api_key: the block {config.api_key.block} does not hold an address and a key: correct it"
        raise ConfigError(faults or none) from None
    if config.base_url and config.base_url != whole.base_url:
        raise ConfigError(
            f"leadbyte.base_url: is not the address that the key of the block {config.api_key.block} belongs to: "
            "delete the line from the file, or name the block of that account"
        )
    return whole


def _read(block: Block, where: str, wanted: str, read_block: ReadBlock) -> Mapping[str, str | SecretStr]:
    kind, _, name = block.block.partition("/")
    if kind != wanted or not _NAME.fullmatch(name):
        # Not quoted: it may be the key itself.
        raise ConfigError(f"{where}: is no block that fits here: write {{block: {wanted}/NAME}}")
    block_name = f"{where}: the block {block.block}"
    try:
        return read_block(kind, name)
    except ConfigError as error:
        raise ConfigError([f"{block_name} {problem}" for problem in error.problems]) from None
    except BlockUnavailable as error:
        raise BlockUnavailable(f"{block_name} {error}") from None
