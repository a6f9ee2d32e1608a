"""The ledger of a pipeline file: all that the verbs need that only look."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import SecretStr

from leadgate.addresses import check_address
from leadgate.clock import Clock
from leadgate.config import PipelineConfig, load_config, load_ledger_alone
from leadgate.errors import ConfigError, LedgerError, SourceError
from leadgate.identity import identity_of
from leadgate.ledger import Ledger, open_engine
from leadgate.ledger.forgotten import read_forgotten
from leadgate.ledger.history import History, read_history
from leadgate.ledger.pipelines import check_pipeline, read_known_pipeline
from leadgate.sign_of_life import now_doing


def open_ledger(path: Path, config: PipelineConfig, *, clock: Clock | None = None) -> Ledger:
    """Open the ledger under a name of this run's own, which its leases carry.

    Raises LedgerError where there is none, or where it has the pipeline with another account or source.
    """
    now_doing("Opening the ledger")
    ledger = connect_ledger(path, config, clock=clock)
    try:
        with without_values(config):
            check_pipeline(ledger, identity_of(config))
    except BaseException:
        ledger.close()
        raise
    return ledger


def connect_ledger(path: Path, config: PipelineConfig, *, clock: Clock | None = None, create: bool = False) -> Ledger:
    """Open the ledger, whoever's it is; with `create` make one where there is none."""
    refuse_bad_address(path, "ledger.url", config.ledger.url)
    with without_values(config):
        engine = open_engine(config.ledger.url.get_secret_value(), base_dir=path.resolve().parent, create=create)
    owner = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"
    return Ledger(engine, pipeline=config.pipeline, owner=owner, clock=clock)


@contextmanager
def without_values(config: PipelineConfig) -> Iterator[None]:
    """Let no error quote what a variable of the file holds: it may be a secret that stands in a wrong place."""
    try:
        yield
    except ConfigError as error:
        raise type(error)([config.without_values(problem) for problem in error.problems]) from None
    except (LedgerError, SourceError) as error:
        raise type(error)(config.without_values(str(error))) from None


def refuse_bad_address(path: Path, key: str, address: SecretStr) -> None:
    """Raise ConfigError for an address whose parts cannot be used; no part of it is quoted."""
    try:
        check_address(address.get_secret_value())
    except ValueError as error:
        raise ConfigError(f"{path}: {key}: {error}") from None


@contextmanager
def ledger_of(path: Path) -> Iterator[tuple[PipelineConfig, Ledger]]:
    """Read a pipeline file and open its ledger, and nothing else of it; the ledger is closed afterwards."""
    config = load_config(path, needs_secrets=False)
    with closing(open_ledger(path, config)) as ledger:
        yield config, ledger


@contextmanager
def ledger_to_stop(path: Path) -> Iterator[tuple[PipelineConfig, Ledger]]:
    """As `ledger_of`; of a file that is wrong elsewhere by its name and ledger alone, for the ledger that knows it.

    Whoever pauses must not have to mend a file first.
    """
    try:
        config, fault = load_config(path, needs_secrets=False), None
    except ConfigError as error:
        undone = "nothing was paused or resumed: name a file that is right by --config, or run pause-pipeline-NAME"
        fault = ConfigError([*error.problems, f"{path}: {undone}"])
        alone = load_ledger_alone(path)
        if alone is None:
            raise fault from None
        config = alone
    with closing(connect_ledger(path, config) if fault else open_ledger(path, config)) as ledger:
        if fault and read_known_pipeline(ledger) is None:
            raise fault
        yield config, ledger


def history_of(path: Path, config: PipelineConfig, ledger: Ledger, lead_id: str) -> History:
    """Everything the ledger knows of one lead; raise ConfigError where it knows nothing."""
    history = read_history(ledger, lead_id)
    if history is None and read_forgotten(ledger, [lead_id]):
        raise ConfigError(
            f"{path}: the lead {lead_id!r} was pruned or forgotten: nothing else is kept of it, and it is never acted "
            "on again."
        )
    if history is None:
        meant = lead_id.strip().lstrip("0")
        also = f"Did you mean {meant!r}? " if meant != lead_id and read_history(ledger, meant) else ""
        raise ConfigError(
            f"{path}: the pipeline {config.pipeline!r} knows no lead {lead_id!r}. {also}Leads are registered "
            "by a run; `leadgate status` counts those it knows, and `leadgate plan` names rows that are passed over."
        )
    return history
