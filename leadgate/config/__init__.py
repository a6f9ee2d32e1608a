"""The pipeline file: its shape (shape.py), how it is read (load.py), and the blocks it names (blocks.py)."""

from leadgate.config.blocks import ReadBlock as ReadBlock
from leadgate.config.blocks import resolve_blocks as resolve_blocks
from leadgate.config.delivery import DeliveryConfig as DeliveryConfig
from leadgate.config.example import ExampleConfig as ExampleConfig
from leadgate.config.leadbyte import LONGEST_CONNECT as LONGEST_CONNECT
from leadgate.config.leadbyte import about_the_clear as about_the_clear
from leadgate.config.leadbyte import longest_exchange as longest_exchange
from leadgate.config.load import load_config as load_config
from leadgate.config.load import parse_config as parse_config
from leadgate.config.policy import Conditions as Conditions
from leadgate.config.policy import PolicyConfig as PolicyConfig
from leadgate.config.policy import RuleConfig as RuleConfig
from leadgate.config.section import Block as Block
from leadgate.config.section import parse_duration as parse_duration
from leadgate.config.section import read_duration as read_duration
from leadgate.config.sentences import SentencesConfig as SentencesConfig
from leadgate.config.shape import LeadByteConfig as LeadByteConfig
from leadgate.config.shape import LedgerConfig as LedgerConfig
from leadgate.config.shape import PipelineConfig as PipelineConfig
from leadgate.config.source import EnrichmentConfig as EnrichmentConfig
from leadgate.config.source import LeadsConfig as LeadsConfig
from leadgate.config.source import RelationConfig as RelationConfig
from leadgate.config.source import SourceConfig as SourceConfig
from leadgate.config.update import FieldConfig as FieldConfig
from leadgate.config.wait import RequireConfig as RequireConfig
from leadgate.config.wait import WaitConfig as WaitConfig
