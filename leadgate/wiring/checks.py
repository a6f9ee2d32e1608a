"""What is tried before a run: the file, the rules on examples, other rules on the past."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from leadgate.backtest import Backtest, run_backtest
from leadgate.clock import utc_now
from leadgate.config import PipelineConfig, ReadBlock, about_the_clear, load_config
from leadgate.errors import ConfigError, LeadgateError
from leadgate.files import read_wide_mode
from leadgate.leadbyte.wire import can_act
from leadgate.ledger import Ledger
from leadgate.ledger.source_health import newest_seen
from leadgate.model import Enrichment, Lead
from leadgate.policy.advice import advise
from leadgate.policy.deciding import Policy
from leadgate.policy.examples import Examined, example_faults, run_examples
from leadgate.source import Expected, Finding, Sample, Source, judge_sample, name_faults
from leadgate.wiring.ledger import open_ledger
from leadgate.wiring.pipeline import build_policy, build_shadow, open_source, read_pipeline_file
from leadgate.wiring.run import check_leadbyte

_ABOUT_PROCESSING = (
    "leadbyte.api_key: whether it may process (Quarantine > Process) cannot be tried without acting on a lead. The "
    "first act of an account goes alone."
)


class Checked(NamedTuple):
    """What a check found: faults that must be put right, advice that may be followed, and what is said each time."""

    errors: list[LeadgateError]
    advice: list[str]
    warnings: Sequence[str] = ()
    """What of the source's rows would hold leads back, or send wrong data."""
    in_the_clear: str | None = None
    """That the key travels unencrypted, if it does."""


def check_pipeline(path: Path, read_block: ReadBlock) -> Checked:
    """Try every part of a pipeline for real and name every fault at once; where there is none, all is well."""
    try:
        config = read_pipeline_file(path, read_block)
    except LeadgateError as error:
        return Checked([error], [])
    errors: list[LeadgateError] = []
    advice: list[str] = []
    looked: tuple[Sample, Policy] | None = None
    is_first_run = False
    try:
        with closing(open_source(path, config, clock=utc_now)) as source:
            advice = source.advice()
            policy = build_policy(path, config, source)
            looked = source.sample(), policy
            advice += advise(policy, config.policy, config.wait.require)
            examined = _examine(path, config, source, policy)
            if examined.failures:
                errors.append(ConfigError([f"{path}: {failure}" for failure in examined.failures]))
            build_shadow(path, config, source)
            advice += name_faults(source.reading(utc_now(), config.wait.source_fresh_within).faults)
    except LeadgateError as error:
        errors.append(error)
    try:
        with closing(open_ledger(path, config)) as ledger:
            advice += _about_permissions(ledger)
            is_first_run = newest_seen(ledger) is None
    except LeadgateError as error:
        errors.append(error)
    try:
        asyncio.run(check_leadbyte(config.leadbyte))
        advice.append(_ABOUT_PROCESSING)
    except LeadgateError as error:
        errors.append(error)
    findings: list[Finding] = []
    if looked:
        sample, policy = looked
        findings = judge_sample(sample, _expected(config, policy, is_first_run=is_first_run), now=utc_now())
    advice += [finding.text for finding in findings if not finding.is_warning]
    warnings = [finding.text for finding in findings if finding.is_warning]
    return Checked(errors, advice, warnings, about_the_clear(config.leadbyte.base_url))


def examine_pipeline(path: Path, read_block: ReadBlock) -> Examined:
    """Decide the examples of a pipeline file by its rules; raise ConfigError naming every fault of both."""
    config = read_pipeline_file(path, read_block)
    with closing(open_source(path, config, clock=utc_now)) as source:
        return _examine(path, config, source, build_policy(path, config, source))


def backtest_policy(path: Path, proposed: Path, read_block: ReadBlock, *, since: timedelta) -> Backtest:
    """Try the rules and the wait of another file on what this pipeline has decided; nothing is written or sent.

    Raises ConfigError naming every fault of the other file, as this pipeline's source has it.
    """
    config, other = read_pipeline_file(path, read_block), load_config(proposed)
    now = utc_now()
    with (
        closing(open_ledger(path, config)) as ledger,
        closing(open_source(path, config, clock=utc_now)) as source,
    ):
        policy = build_policy(proposed, other, source)
        return run_backtest(
            source, ledger, policy=policy, old_wait=config.wait, new_wait=other.wait, since=now - since, now=now
        )


def _examine(path: Path, config: PipelineConfig, source: Source, policy: Policy) -> Examined:
    if faults := example_faults(config.examples, policy, source.columns):
        raise ConfigError([f"{path}: {fault}" for fault in faults])
    return run_examples(config.examples, policy, now=utc_now())


def _about_permissions(ledger: Ledger) -> list[str]:
    """What a person has set is not changed, but said: ids, reasons and kept facts stand in the file."""
    address = ledger.engine.url
    file = Path(address.database) if address.database and address.get_backend_name() == "sqlite" else None
    mode = read_wide_mode(file) if file else None
    return [f"ledger {file}: others on this machine may open it (mode {mode}): chmod 600 {file}*"] if mode else []


def _expected(config: PipelineConfig, policy: Policy, *, is_first_run: bool) -> Expected:
    """What the file expects of the rows of its source."""
    leads, enrichment, wait = config.source.leads, config.source.enrichment, config.wait

    def missing_of(_: Lead, arrived: Enrichment | None) -> Sequence[str]:
        return wait.require if arrived is None else arrived.missing(wait.require)

    used = {*wait.require, *config.update.values(), *policy.reads.enrichment}
    return Expected(
        columns={("source.leads", n) for n in policy.reads.lead} | {("source.enrichment", n) for n in used},
        stamps={
            ("source.leads", leads.quarantined_at),
            ("source.leads", leads.updated_at or leads.quarantined_at),
            ("source.enrichment", enrichment.updated_at or ""),
        },
        missing_of=missing_of,
        deadline_of=lambda _: wait.deadline,
        can_act=can_act,
        assumed_zone=None if "time_zone" in config.source.model_fields_set else config.source.time_zone,
        is_first_run=is_first_run,
    )
