"""The only place that builds the parts of a pipeline from its file, and the only one that reads the clock."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from leadgate import telemetry
from leadgate.backtest import Backtest, run_backtest
from leadgate.config import Block, PipelineConfig, load_config, resolve_blocks
from leadgate.delivery import Delivery, Preparation, Reconciliation
from leadgate.errors import ConfigError, LeadgateError, SourceError, SourceUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.pacing import TakeTurn
from leadgate.ledger import Ledger, open_engine
from leadgate.ledger.keep import keep_policy, keep_reading
from leadgate.metrics import serve_ledger
from leadgate.model import Reading
from leadgate.policy import Policy, compile_policy
from leadgate.policy.advice import advise
from leadgate.policy.examples import Examined, example_faults, run_examples
from leadgate.source import Outbox, Source
from leadgate.stopping import Stop, stop_on_signals


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def read_pipeline_file(path: Path) -> PipelineConfig:
    """Read and check a pipeline file, and the Prefect blocks it names; raise as `load_config` and `resolve_blocks`."""
    return resolve_blocks(load_config(path), str(path))


class Pipeline:
    """Everything one pipeline needs, built and checked. No dataclass: see `leadgate.model.Wave`."""

    def __init__(
        self, config: PipelineConfig, source: Source, ledger: Ledger, policy: Policy, *, base_dir: Path
    ) -> None:
        self.config = config
        self.source = source
        self.ledger = ledger
        self.policy = policy
        self.shadow: Policy | None = None
        """Rules that decide beside the policy and are never acted on."""
        self._base_dir = base_dir

    @cached_property
    def outbox(self) -> Outbox | None:
        """The source's outbox, where there is one to use; looked for when first wanted, since that locks it briefly."""
        return Outbox.find(self.config, base_dir=self._base_dir)[0]

    def close(self) -> None:
        """Close what the pipeline itself has opened."""
        if outbox := self.__dict__.get("outbox"):
            outbox.close()


@contextmanager
def open_pipeline(path: Path) -> Iterator[Pipeline]:
    """Build every part of a pipeline from its file; each part is checked before anything is read or sent.

    Raises ConfigError or PolicyError naming every fault, SourceError or LedgerError where a database is not as the
    file says, and SourceUnavailable or LedgerUnavailable where it cannot be reached.
    """
    config = read_pipeline_file(path)
    telemetry.name_run(config.pipeline)
    with closing(open_ledger(path, config)) as ledger, closing(_open_source(path, config, ledger)) as source:
        policy, shadow = build_policy(path, config, source), build_shadow(path, config, source)
        for rules in filter(None, (policy, shadow)):
            keep_policy(ledger.engine, config.pipeline, version=rules.version, text=rules.text, now=utc_now())
        with closing(Pipeline(config, source, ledger, policy, base_dir=path.resolve().parent)) as pipeline:
            pipeline.shadow = shadow
            yield pipeline


def _open_source(path: Path, config: PipelineConfig, ledger: Ledger) -> Source:
    """Open the source; one that is down stops the clock of deadlines from now on."""
    try:
        return Source.open(config.source, base_dir=path.resolve().parent, clock=utc_now)
    except SourceUnavailable as error:
        down = Reading(read_at=utc_now(), newest_at=None, healthy=False, problem=str(error))
        keep_reading(ledger.engine, config.pipeline, down)
        raise


class Run:
    """The parts of one run over a pipeline, and the way to stop it. No dataclass: see `leadgate.model.Wave`."""

    def __init__(self, pipeline: Pipeline, client: LeadByteClient, stop: Stop) -> None:
        config, source, ledger = pipeline.config, pipeline.source, pipeline.ledger
        self.pipeline = pipeline
        self.client = client
        self.stop = stop
        self.preparation = Preparation(
            config=config,
            source=source,
            ledger=ledger,
            policy=pipeline.policy,
            clock=utc_now,
            shadow=pipeline.shadow,
        )
        self.delivery = Delivery(config=config, ledger=ledger, client=client, clock=utc_now, stop=stop)
        self.reconciliation = Reconciliation(
            config=config, source=source, ledger=ledger, exchange=self.delivery.exchange, clock=utc_now
        )


@asynccontextmanager
async def open_run(pipeline: Pipeline, take_turn: TakeTurn | None = None) -> AsyncIterator[Run]:
    """Build what one run needs; when it ends, however it does, the leads it holds and has not sent are given back.

    `take_turn` waits until all workers together may send one more request; without it the run's own rate is all.
    """
    async with build_client(pipeline.config, take_turn) as client:
        with stop_on_signals() as stop, _quick_turns():
            try:
                yield Run(pipeline, client, stop)
            finally:
                pipeline.ledger.release(now=utc_now())


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let Python's threads take turns every 0.5 ms instead of 5: a run is many short waits for disk and network.

    Between two statements the thread that writes waits for the one that sends, and with 5 ms it mostly waits.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def build_policy(path: Path, config: PipelineConfig, source: Source) -> Policy:
    """Check every column and rule the file names against the real source; raise ConfigError naming every fault."""
    problems = source.check(required=config.wait.require, used=list(config.update.values()))
    policy = None
    try:
        policy = compile_policy(config.policy, source.columns)
    except ConfigError as error:
        problems += error.problems
    if policy is None or problems:
        raise ConfigError([f"{path}: {problem}" for problem in dict.fromkeys(problems)])
    return policy


def build_shadow(path: Path, config: PipelineConfig, source: Source) -> Policy | None:
    """Check the rules of the file that policy.shadow names against the same source; None where it names none."""
    if config.policy.shadow is None:
        return None
    file = path.resolve().parent / config.policy.shadow
    return build_policy(file, load_config(file), source)


def open_ledger(path: Path, config: PipelineConfig) -> Ledger:
    """Open the ledger under a name of this run's own, which its leases carry."""
    engine = open_engine(config.ledger.url.get_secret_value(), base_dir=path.resolve().parent)
    owner = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"
    return Ledger(engine, pipeline=config.pipeline, owner=owner)


@contextmanager
def serve_metrics(path: Path, port: int) -> Iterator[None]:
    """Answer Prometheus from a pipeline's ledger; raise PortTaken where the port cannot be listened on."""
    config = load_config(path)
    with closing(open_ledger(path, config)) as ledger, serve_ledger(ledger.engine, config.pipeline, port, utc_now):
        yield


def build_client(config: PipelineConfig, take_turn: TakeTurn | None = None) -> LeadByteClient:
    """Build the LeadByte client; nothing is sent until it is used."""
    leadbyte = config.leadbyte
    if isinstance(leadbyte.api_key, Block):
        msg = f"leadbyte.api_key: the block {leadbyte.api_key.block} was not read: use read_pipeline_file()"
        raise ConfigError(msg)
    return LeadByteClient(
        base_url=leadbyte.base_url,
        api_key=leadbyte.api_key,
        timeout=leadbyte.timeout,
        concurrency=leadbyte.concurrency,
        requests_per_second=leadbyte.requests_per_second,
        clock=utc_now,
        take_turn=take_turn,
    )


class Checked(NamedTuple):
    """What a check found: faults that must be put right, and advice that may be followed."""

    problems: list[str]
    advice: list[str]


def check_pipeline(path: Path) -> Checked:
    """Try every part of a pipeline for real and name every fault at once; where there is none, all is well."""
    try:
        config = read_pipeline_file(path)
    except LeadgateError as error:
        return Checked(problems_of(error), [])
    problems: list[str] = []
    advice: list[str] = []
    try:
        source = Source.open(config.source, base_dir=path.resolve().parent, clock=utc_now)
        with closing(source):
            advice = [*_about_outbox(path, config), *source.advice()]
            policy = build_policy(path, config, source)
            advice += advise(policy, config.policy, config.wait.require)
            examined = _examine(path, config, source, policy)
            problems += [f"{path}: {failure}" for failure in examined.failures]
            build_shadow(path, config, source)
            source.reading(utc_now(), config.wait.source_fresh_within)
    except LeadgateError as error:
        problems += problems_of(error)
    try:
        open_ledger(path, config).close()
    except LeadgateError as error:
        problems += problems_of(error)
    try:
        asyncio.run(_check_leadbyte(config))
    except LeadgateError as error:
        problems += problems_of(error)
    return Checked(problems, advice)


def examine_pipeline(path: Path) -> Examined:
    """Decide the examples of a pipeline file by its rules; raise ConfigError naming every fault of both."""
    config = read_pipeline_file(path)
    with closing(Source.open(config.source, base_dir=path.resolve().parent, clock=utc_now)) as source:
        return _examine(path, config, source, build_policy(path, config, source))


def backtest_policy(path: Path, proposed: Path, *, since: timedelta) -> Backtest:
    """Try the rules and the wait of another file on what this pipeline has decided; nothing is written or sent.

    Raises ConfigError naming every fault of the other file, as this pipeline's source has it.
    """
    config, other = read_pipeline_file(path), load_config(proposed)
    base_dir, now = path.resolve().parent, utc_now()
    with (
        closing(open_ledger(path, config)) as ledger,
        closing(Source.open(config.source, base_dir=base_dir, clock=utc_now)) as source,
    ):
        policy = build_policy(proposed, other, source)
        return run_backtest(
            source, ledger, policy=policy, old_wait=config.wait, new_wait=other.wait, since=now - since, now=now
        )


def _examine(path: Path, config: PipelineConfig, source: Source, policy: Policy) -> Examined:
    if faults := example_faults(config.examples, policy, source.columns):
        raise ConfigError([f"{path}: {fault}" for fault in faults])
    return run_examples(config.examples, policy, now=utc_now())


def _about_outbox(path: Path, config: PipelineConfig) -> list[str]:
    outbox, why_not = Outbox.find(config, base_dir=path.resolve().parent)
    if outbox is None:
        return [why_not]
    outbox.close()
    return [
        "source: triggers write every change into leadgate_outbox, so none is missed, however late it is committed."
    ]


async def _check_leadbyte(config: PipelineConfig) -> None:
    async with build_client(config) as client:
        await client.check()


def problems_of(error: LeadgateError) -> list[str]:
    """The faults an error names, one by one."""
    if isinstance(error, ConfigError):
        return error.problems
    return str(error).splitlines() if isinstance(error, SourceError) else [str(error)]
