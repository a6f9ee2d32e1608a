"""What is tried before a run: the file, the rules on examples, other rules on the past."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
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
from leadgate.ledger.again import count_older
from leadgate.ledger.source_health import newest_seen
from leadgate.model import Columns, Enrichment, Lead
from leadgate.policy.advice import advise
from leadgate.policy.deciding import Policy
from leadgate.policy.examples import Examined, example_faults, run_examples
from leadgate.policy.names import joined, spell
from leadgate.policy.requirements import Requirements
from leadgate.policy.version import version_of
from leadgate.policy.writing import Update
from leadgate.sign_of_life import now_doing
from leadgate.source import Expected, Finding, KnownColumns, Sample, Source, judge_sample
from leadgate.source.types_file import columns_of_file, columns_of_pipeline, differing, types_file_of, write_types
from leadgate.wiring.ledger import open_ledger, without_values
from leadgate.wiring.pipeline import build_policy, build_shadow, open_source, read_pipeline_file
from leadgate.wiring.run import check_leadbyte

_ABOUT_PROCESSING = (
    "leadbyte.api_key: whether it may process (Quarantine > Process) cannot be tried without acting on a lead. The "
    "first act of an account goes alone."
)


THE_SOURCE = "the source"
"""What rules were held against, where it was no file."""


class Checked(NamedTuple):
    """What a check found: faults that must be put right, advice that may be followed, and what is said each time."""

    errors: list[LeadgateError]
    advice: list[str]
    warnings: Sequence[str] = ()
    """What of the source's rows would hold leads back, or send wrong data."""
    in_the_clear: str | None = None
    """That the key travels unencrypted, if it does."""
    types_of: str = THE_SOURCE
    """Where the types of the columns are from: a file's path, or the source."""


def check_pipeline(
    path: Path, read_block: ReadBlock, *, types: Path | None = None, write_types_to: Path | None = None
) -> Checked:
    """Try every part of a pipeline for real and name every fault at once; where there is none, all is well.

    `types` is the file of types that is held against the source, if it is not the one beside the pipeline file.
    """
    try:
        config = read_pipeline_file(path, read_block)
    except LeadgateError as error:
        return Checked([error], [])
    errors: list[LeadgateError] = []
    advice: list[str] = []
    findings: list[Finding] = []
    looked: tuple[Sample, Policy | None, Columns] | None = None
    is_first_run = False
    try:
        with closing(open_source(path, config, clock=utc_now)) as source:
            now_doing("Checking the rules against the source")
            if write_types_to:
                write_types(write_types_to, config.pipeline, source)
                advice.append(f"{write_types_to}: has the columns of the source and their types now.")
            advice += _about_types(path, types, source)
            advice += source.advice()
            findings += [Finding(warning, is_warning=True) for warning in source.warnings()]
            policy = _build_policy(path, config, source, errors)
            now_doing("Reading a sample of the source's rows")
            looked = source.sample(), policy, source.columns
            if policy:
                advice += _about_file(config, policy, looked[0])
                examined = _examine(path, config, source, policy)
                if examined.failures:
                    errors.append(ConfigError([f"{path}: {failure}" for failure in examined.failures]))
                build_shadow(path, config, source)
            now_doing("Reading how fresh the source is")
            reading = source.reading(utc_now(), config.wait.source_fresh_within)
            advice += [*reading.faults.lines(), *filter(None, [reading.problem])]
    except LeadgateError as error:
        errors.append(error)
    try:
        with closing(open_ledger(path, config)) as ledger:
            advice += _about_permissions(ledger)
            is_first_run = newest_seen(ledger) is None
    except LeadgateError as error:
        errors.append(error)
    try:
        now_doing("Asking LeadByte")
        asyncio.run(check_leadbyte(config.leadbyte))
        advice.append(_ABOUT_PROCESSING)
    except LeadgateError as error:
        errors.append(error)
    if looked:
        sample, policy, columns = looked
        # With unknown columns in the file nobody can tell what it expects of the rows.
        with suppress(ConfigError):
            findings += judge_sample(sample, _expected(config, policy, columns, is_first_run), now=utc_now())
    # First what the rows say: how many leads are complete matters more than which index is missing.
    advice = [*(finding.text for finding in findings if not finding.is_warning), *advice]
    warnings = [finding.text for finding in findings if finding.is_warning]
    return Checked(errors, advice, warnings, about_the_clear(config.leadbyte.base_url))


def _build_policy(path: Path, config: PipelineConfig, source: Source, errors: list[LeadgateError]) -> Policy | None:
    """Check the rules; None where they have faults, which are noted, so that those of the rows are named too."""
    try:
        return build_policy(path, config, source)
    except ConfigError as error:
        errors.append(error)
        return None


def check_offline(path: Path, types: Path | None) -> Checked:
    """Check the file alone, by the types that are known without the source; nothing is asked of anybody.

    Those are in the file `types` (by default the one beside the pipeline file, if there is one), and under `types:`.
    """
    types_of = str(path)
    try:
        config = load_config(path, is_offline=True)
        file = _types_file(path, types)
        types_of = str(file or path)
        with without_values(config):
            known = columns_of_file(file, config) if file else columns_of_pipeline(path, config)
        policy = build_policy(path, config, known)
        examined = _examine(path, config, known, policy)
        build_shadow(path, config, known, is_offline=True)
    except LeadgateError as error:
        return Checked([error], [], types_of=types_of)
    failures = [f"{path}: {failure}" for failure in examined.failures]
    errors: list[LeadgateError] = [ConfigError(failures)] if failures else []
    return Checked(errors, _about_file(config, policy), types_of=types_of)


def examine_pipeline(path: Path, read_block: ReadBlock, types: Path | None) -> tuple[Examined, str]:
    """Decide the examples of a pipeline file by its rules; raise ConfigError naming every fault of both.

    With a file of types (as for `check_offline`) the source is not asked. Also says where the types are from.
    """
    if file := _types_file(path, types):
        config = load_config(path, is_offline=True)
        with without_values(config):
            known = columns_of_file(file, config)
        return _examine(path, config, known, build_policy(path, config, known)), str(file)
    config = read_pipeline_file(path, read_block)
    with closing(open_source(path, config, clock=utc_now)) as source:
        return _examine(path, config, source, build_policy(path, config, source)), THE_SOURCE


def _types_file(path: Path, named: Path | None) -> Path | None:
    """The file of types to go by: the one that was named, or the one beside the pipeline file; None if it has none."""
    beside = types_file_of(path)
    return named or (beside if beside.exists() else None)


def _about_types(path: Path, named: Path | None, source: Source) -> list[str]:
    """Name the columns that the file of types has otherwise than the source."""
    file = named or types_file_of(path)
    if not (named or file.exists()):
        return []
    try:
        differ = differing(file, source)
    except ConfigError as error:
        return error.problems
    if not differ:
        return []
    difference = f"{file}: the source has other types now, or other columns ({joined(map(spell, differ))})"
    return [f"{difference}: write it anew with `leadgate check --write-types FILE`."]


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
        now_doing("Checking the rules against the source")
        policy = build_policy(proposed, other, source)
        waits = {"old_wait": config.wait, "new_wait": other.wait}
        found = run_backtest(source, ledger, policy=policy, **waits, since=now - since, now=now)
        return replace(found, older_rules=count_older(ledger, version_of(config.policy)))


def _examine(path: Path, config: PipelineConfig, source: KnownColumns, policy: Policy) -> Examined:
    nulls = config.source.nulls
    if faults := example_faults(config.examples, policy, source.columns, fields=config.update, nulls=nulls):
        raise ConfigError([f"{path}: {fault}" for fault in faults])
    return run_examples(
        config.examples,
        policy,
        now=utc_now(),
        update=Update(config.update, source.columns),
        nulls=nulls,
        id_column=config.source.leads.id,
    )


def _about_file(config: PipelineConfig, policy: Policy, sample: Sample | None = None) -> list[str]:
    columns = sample.columns if sample else ()
    empty = {f"lead.{each.name}" for each in columns if each.path == "source.leads" and None in each.values}
    return [*advise(policy, config.policy, config.wait.columns, empty), *_about_single_acts(config)]


def _about_single_acts(config: PipelineConfig) -> Iterator[str]:
    """Say which acts are a request each, and how many of those there can be a second."""
    leadbyte = config.leadbyte
    each = f"{leadbyte.requests_per_second:g} a second (leadbyte.requests_per_second)"
    slow = f"a request each, {each if leadbyte.requests_per_second else f'{leadbyte.concurrency} at once'}"
    if config.delivery.mode == "separate":
        yield f"delivery.mode: `separate` makes every act {slow}. `combined` and `update_first` send them in batches."
    elif not any(field.text for field in config.update.values()):
        yield (
            f"update: leads with nothing to write, such as late ones without enrichment, are acted on by {slow}. "
            f"With a field of `text:` they go in batches of {leadbyte.batch_size}, like all others."
        )


def _about_permissions(ledger: Ledger) -> list[str]:
    """What a person has set is not changed, but said: ids, reasons and kept facts stand in the file."""
    address = ledger.engine.url
    file = Path(address.database) if address.database and address.get_backend_name() == "sqlite" else None
    mode = read_wide_mode(file) if file else None
    return [f"ledger {file}: others on this machine may open it (mode {mode}): chmod 600 {file}*"] if mode else []


def _expected(config: PipelineConfig, policy: Policy | None, columns: Columns, is_first_run: bool) -> Expected:  # noqa: FBT001
    """What the file expects of the rows of its source."""
    leads, enrichment, wait = config.source.leads, config.source.enrichment, config.wait
    requirements, update = Requirements(wait, columns, config.without_values), Update(config.update, columns)

    def deadline_of(lead: Lead, arrived: Enrichment | None) -> timedelta:
        return requirements.deadline(lead, arrived) or wait.deadline

    read = {(column.relation, column.name) for column in (*requirements.columns, *update.columns)}
    if policy:
        read |= {("lead", name) for name in policy.reads.lead}
        read |= {("enrichment", name) for name in policy.reads.enrichment}
    paths = {"lead": "source.leads", "enrichment": "source.enrichment"}
    return Expected(
        columns={(paths[relation], name) for relation, name in read},
        stamps={
            ("source.leads", leads.quarantined_at),
            ("source.leads", leads.updated_at or leads.quarantined_at),
            ("source.enrichment", enrichment.updated_at or ""),
        },
        missing_of=requirements.missing,
        deadline_of=deadline_of,
        can_act=can_act,
        assumed_zone=None if "time_zone" in config.source.model_fields_set else config.source.time_zone,
        null_values=config.source.null_values,
        is_first_run=is_first_run,
    )
