"""A pipeline: its file, its source, its ledger and its rules, each checked before anything is read or sent."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from leadgate import telemetry
from leadgate.clock import Clock
from leadgate.config import PipelineConfig, ReadBlock, load_config, resolve_blocks
from leadgate.errors import ConfigError, LeadgateError, SourceError, problems_of
from leadgate.intake import Again, mind_odd_ids
from leadgate.ledger import Ledger
from leadgate.ledger.policies import keep_policy
from leadgate.ledger.source_health import keep_reading
from leadgate.model import SourceReading
from leadgate.policy.compiling import compile_policy
from leadgate.policy.data_read import DataRead
from leadgate.policy.deciding import Policy
from leadgate.policy.demands import may_process_late
from leadgate.policy.requirements import Requirements
from leadgate.policy.writing import Update
from leadgate.readable import counted
from leadgate.sign_of_life import now_doing
from leadgate.silence import end_with
from leadgate.source import KnownColumns, Source
from leadgate.wiring.ledger import open_ledger, refuse_bad_address, without_values

Part = TypeVar("Part")


def read_pipeline_file(path: Path, read_block: ReadBlock, *, needs_key: bool = True) -> PipelineConfig:
    """Read and check a pipeline file, and the Prefect blocks it names; raise as `load_config` and `resolve_blocks`.

    Without `needs_key`, LeadByte's key may be missing, and is not read from a block.
    """
    config = resolve_blocks(load_config(path, needs_key=needs_key), str(path), read_block, needs_key=needs_key)
    if isinstance(config.source.url, SecretStr):
        refuse_bad_address(path, "source.url", config.source.url)
    return config


class Pipeline:
    """Everything one pipeline needs, built and checked. No dataclass: see `leadgate.model.Wave`."""

    def __init__(
        self, config: PipelineConfig, source: Source, ledger: Ledger, policy: Policy, shadow: Policy | None
    ) -> None:
        self.config = config
        self.source = source
        self.ledger = ledger
        self.policy = policy
        self.clock = ledger.clock
        """The one clock of everything that is done for this pipeline."""
        self.shadow = shadow
        """Rules that decide beside the policy and are never acted on."""

    def ends_with(self, ends_at: Callable[[], float | None]) -> None:
        """Wait for no database longer than the process may that was asked to end; None as long as it was not."""
        end_with(self.ledger.engine, ends_at)
        self.source.end_with(ends_at)

    @cached_property
    def again(self) -> Again:
        """What lets leads in review or parked be decided anew."""
        return build_again(self.config, self.source, self.ledger, self.policy)


@contextmanager
def open_pipeline(path: Path, read_block: ReadBlock, *, clock: Clock | None = None) -> Iterator[Pipeline]:
    """Build every part of a pipeline from its file; each part is checked before anything is read or sent.

    All parts go by one clock, the source, the ledger and LeadByte's client alike. Where the source is down, or is not
    as the file says, deadlines stand still from now on: nobody could see enrichment arrive.

    Raises ConfigError or PolicyError naming every fault, SourceError or LedgerError where a database is not as the
    file says, and SourceUnavailable or LedgerUnavailable where it cannot be reached.
    """
    config = read_pipeline_file(path, read_block)
    telemetry.name_run(config.pipeline)
    with (
        closing(open_ledger(path, config, clock=clock)) as ledger,
        _noting(SourceError, ledger),
        closing(open_source(path, config, clock=ledger.clock)) as source,
    ):
        now_doing("Checking the rules against the source")
        mind_odd_ids(source, ledger)
        if not source.has_clock:
            ledger.their_now = lambda: None
        with _noting(ConfigError, ledger):
            policy, shadow = build_policy(path, config, source), build_shadow(path, config, source)
        for rules in filter(None, (policy, shadow)):
            keep_policy(ledger, version=rules.version, text=rules.text, now=ledger.now())
        yield Pipeline(config, source, ledger, policy, shadow)


def build_again(config: PipelineConfig, source: Source, ledger: Ledger, policy: Policy) -> Again:
    """Build what lets leads in review or parked be decided anew, of a file that was checked."""
    requirements = Requirements(config.wait, source.columns, config.without_values)
    update = Update(config.update, source.columns)
    read = DataRead(config.source, policy, requirements, update, fingerprint=ledger.fingerprint)
    return Again(config, source, ledger, read, rules=policy.version)


def open_source(path: Path, config: PipelineConfig, *, clock: Clock) -> Source:
    """Open the source of a pipeline file, as `Source.open`."""
    now_doing("Opening the source")
    with without_values(config):
        return Source.open(config.source, base_dir=path.resolve().parent, clock=clock)


@contextmanager
def _noting(kind: type[LeadgateError], ledger: Ledger) -> Iterator[None]:
    """Let deadlines stand still from an error on that keeps a run from seeing the source, and `status` say so."""
    try:
        yield
    except kind as error:
        first, *others = (problem.splitlines()[0] for problem in problems_of(error))
        problem = f"{first} (and {counted(len(others), 'other fault')})" if others else first
        keep_reading(ledger, SourceReading(ledger.now(), newest_at=None, healthy=False, problem=problem))
        raise


def build_policy(path: Path, config: PipelineConfig, source: KnownColumns) -> Policy:
    """Check every column and rule of a file against what is known of the source; raise ConfigError with all faults."""
    problems: list[str] = []
    of_rules: list[str] = []
    policy = _built(of_rules, lambda: compile_policy(config.policy, source.columns))
    guaranteed = config.wait.columns if policy and not may_process_late(policy) else []
    _built(problems, lambda: Requirements(config.wait, source.columns))
    _built(problems, lambda: Update(config.update, source.columns, guaranteed))
    problems += of_rules
    if policy is None or problems:
        raise ConfigError([f"{path}: {config.without_values(problem)}" for problem in dict.fromkeys(problems)])
    return policy


def _built(problems: list[str], build: Callable[[], Part]) -> Part | None:
    """Build a part; None where it has faults, which are noted, so that those of all parts are named."""
    try:
        return build()
    except ConfigError as error:
        problems += error.problems
        return None


def build_shadow(
    path: Path, config: PipelineConfig, source: KnownColumns, *, is_offline: bool = False
) -> Policy | None:
    """Check the rules of the file that policy.shadow names against the same source; None where it names none."""
    if config.policy.shadow is None:
        return None
    file = path.resolve().parent / config.policy.shadow
    with without_values(config):
        return build_policy(file, load_config(file, is_offline=is_offline), source)
