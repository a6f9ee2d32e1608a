"""The pipeline file: its shape (shape.py), how it is read (load.py), and the blocks it names (blocks.py)."""

from leadgate.config.blocks import ReadBlock, resolve_blocks
from leadgate.config.example import ExampleConfig
from leadgate.config.load import load_config, parse_config
from leadgate.config.section import parse_duration
from leadgate.config.shape import (
    LONGEST_CONNECT,
    Block,
    Conditions,
    DeliveryConfig,
    EnrichmentConfig,
    LeadByteConfig,
    LeadsConfig,
    LedgerConfig,
    PipelineConfig,
    PolicyConfig,
    RelationConfig,
    RuleConfig,
    SafetyConfig,
    SourceConfig,
    WaitConfig,
    longest_exchange,
)

__all__ = [
    "LONGEST_CONNECT",
    "Block",
    "Conditions",
    "DeliveryConfig",
    "EnrichmentConfig",
    "ExampleConfig",
    "LeadByteConfig",
    "LeadsConfig",
    "LedgerConfig",
    "PipelineConfig",
    "PolicyConfig",
    "ReadBlock",
    "RelationConfig",
    "RuleConfig",
    "SafetyConfig",
    "SourceConfig",
    "WaitConfig",
    "load_config",
    "longest_exchange",
    "parse_config",
    "parse_duration",
    "resolve_blocks",
]
