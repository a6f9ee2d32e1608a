"""Prefect blocks that a pipeline file names: filled in where a secret is needed, by whoever knows Prefect.

The core never imports Prefect. What does (tasks) hands in a reader; it is asked only when a file names a block, so
verbs that need no secret never wait for a Prefect server.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import SecretStr, ValidationError

from leadgate.config.shape import Block, LeadByteConfig, PipelineConfig
from leadgate.errors import BlockUnavailable, ConfigError

Reader = Callable[[str, str], Mapping[str, Any]]
"""From a block's type slug and name to what it holds: `base_url` and `api_key`, or `url`; secrets as SecretStr.

Raises ConfigError or BlockUnavailable, whose message goes on after the block's name.
"""

CREDENTIALS = "leadbyte-credentials"
CONNECTORS = ("sqlalchemy-connector", "async-sqlalchemy-connector")

_readers: list[Reader] = []


def use_blocks(reader: Reader) -> None:
    """Let this process read blocks in this way."""
    _readers[:] = [reader]


def resolve_blocks(config: PipelineConfig, name: str) -> PipelineConfig:
    """Put what the blocks of a file hold in their place; `name` is what messages call the file.

    Raises ConfigError naming every block that cannot be used, BlockUnavailable where Prefect cannot be reached.
    """
    problems: list[str] = []
    parts: dict[str, object] = {}
    try:
        parts["leadbyte"] = _leadbyte(config.leadbyte)
    except ConfigError as error:
        problems += error.problems
    try:
        if isinstance(config.source.url, Block):
            held = _read(config.source.url, "source.url", CONNECTORS)
            parts["source"] = config.source.model_copy(update={"url": held["url"]})
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError([f"{name}: {problem}" for problem in problems])
    return config.model_copy(update=parts)


def _leadbyte(config: LeadByteConfig) -> LeadByteConfig:
    """Take address and key from the block; a file may repeat the address, and may not send the key elsewhere."""
    if not isinstance(config.api_key, Block):
        return config
    held = _read(config.api_key, "leadbyte.api_key", (CREDENTIALS,))
    try:
        whole = LeadByteConfig.model_validate({**dict(config), **held})
    except ValidationError:
        msg = f"leadbyte.api_key: the block {config.api_key.block} holds a base_url that is no address: correct it"
        raise ConfigError(msg) from None
    if config.base_url and config.base_url != whole.base_url:
        msg = (
            f"leadbyte.base_url: is {config.base_url}, and the key of the block {config.api_key.block} belongs to "
            f"{whole.base_url}: delete the line from the file, or name the block of that account"
        )
        raise ConfigError(msg)
    return whole


def _read(block: Block, where: str, kinds: Sequence[str]) -> Mapping[str, SecretStr | str]:
    kind, _, name = block.block.partition("/")
    if kind not in kinds or not name:
        msg = f"{where}: {block.block!r} is no block that fits here: write {{block: {kinds[0]}/NAME}}"
        raise ConfigError(msg)
    if not _readers:
        msg = f"{where}: the block {block.block} can only be read by the `leadgate` command and by leadgate's flows"
        raise ConfigError(msg)
    told = f"{where}: the block {block.block}"
    try:
        return _readers[0](kind, name)
    except ConfigError as error:
        raise ConfigError([f"{told} {problem}" for problem in error.problems]) from None
    except BlockUnavailable as error:
        msg = f"{told} {error}"
        raise BlockUnavailable(msg) from None
