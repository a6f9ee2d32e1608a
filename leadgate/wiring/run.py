"""A run over a pipeline: the client, the stages' work, and the way to stop it."""

import gc
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from leadgate.clock import utc_now
from leadgate.config import Block, PipelineConfig
from leadgate.delivery import Delivery, Preparation, Reconciliation
from leadgate.errors import ConfigError
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.pacing import TakeTurn
from leadgate.stopping import Stop, stop_on_signals
from leadgate.wiring.pipeline import Pipeline

_COLLECT_AFTER = 20_000
"""Objects made and not yet gone before Python looks for rings among them; its 700 are made by a dozen leads."""


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
        with stop_on_signals() as stop, _tuned_for_waves():
            try:
                yield Run(pipeline, client, stop)
            finally:
                pipeline.ledger.release(now=utc_now())


@contextmanager
def _tuned_for_waves() -> Iterator[None]:
    """Tell Python what a run is: many short waits for disk and network, beside modules that stay.

    Threads take turns every 0.5 ms instead of 5: between two statements the one that writes waits for the one that
    sends. And the garbage collector need not walk through everything that was imported, again and again.
    """
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(0.0005)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        sys.setswitchinterval(interval)


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
