"""What a person says of a ledger: that it is made, that an older copy was put back, that a pipeline has moved."""

import asyncio
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from leadgate.clock import utc_now
from leadgate.config import LedgerConfig, ReadBlock, load_config
from leadgate.identity import Identity, identity_of
from leadgate.ledger import Ledger, open_engine
from leadgate.ledger.brakes import note_doubts
from leadgate.ledger.claims import rescue
from leadgate.ledger.pipelines import (
    KnownPipeline,
    add_pipeline,
    keep_first_place,
    note_restored,
    read_pipelines,
    rebind_pipeline,
)
from leadgate.wiring.ledger import connect_ledger, open_ledger


def create_ledger(path: Path, *, first_time: bool) -> KnownPipeline:
    """Make the ledger of a pipeline file if there is none, and add the pipeline.

    Unless it is the `first_time`, leads that are older count as maybe acted on. Neither key nor source is needed.
    """
    config = load_config(path, needs_secrets=False)
    with closing(connect_ledger(path, config, create=True)) as ledger:
        return add_pipeline(ledger, identity_of(config), first_time=first_time, now=ledger.now())


def make_first_ledger(path: Path) -> bool:
    """Make the ledger beside a new pipeline file, with a place for whatever the pipeline will be called.

    Returns false, and changes nothing, if there is one that knows a pipeline.
    """
    engine = open_engine(LedgerConfig().url.get_secret_value(), base_dir=path.resolve().parent, create=True)
    with closing(Ledger(engine, pipeline="", owner="")) as ledger:
        return keep_first_place(ledger, now=ledger.now())


def note_older_copy(path: Path) -> tuple[str, int, list[str]]:
    """Note that an older copy of the ledger was put back; return the pipeline, its leads in doubt, other pipelines."""
    config = load_config(path, needs_secrets=False)
    with closing(open_ledger(path, config)) as ledger:
        marked = put_back(ledger, unknown_after=config.delivery.unknown_after)
        others = [name for name in read_pipelines(ledger) if name != config.pipeline]
    return config.pipeline, marked, others


def put_back(ledger: Ledger, *, unknown_after: timedelta) -> int:
    """Note in a ledger that it is an older copy; return how many leads count as maybe acted on.

    What it shows as being sent is taken over at once: its runs have ended.
    """
    marked = note_restored(ledger, now=ledger.now())
    rescue(ledger, unknown_after=unknown_after, now=ledger.now())
    note_doubts(ledger, now=ledger.now())
    return marked


def rebind_ledger(path: Path, read_block: ReadBlock) -> tuple[Identity, Identity]:
    """Write down the new account and source of a pipeline; return what the ledger had, and what it has now.

    Both are tried first: the source's tables, and LeadByte with the key.
    """
    # The other two need no source, and start faster without.
    from leadgate.wiring.pipeline import open_source, read_pipeline_file  # noqa: PLC0415
    from leadgate.wiring.run import check_leadbyte  # noqa: PLC0415

    config = read_pipeline_file(path, read_block)
    open_source(path, config, clock=utc_now).close()
    with closing(connect_ledger(path, config)) as ledger:
        asyncio.run(check_leadbyte(config.leadbyte))
        known = rebind_pipeline(ledger, identity_of(config), now=ledger.now())
    return Identity(known.account, known.source), identity_of(config)
