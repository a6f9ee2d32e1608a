"""A run over a pipeline: the client, the stages' work, and the way to stop it."""

import gc
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime

from leadgate.clock import Clock, utc_now
from leadgate.config import Block, LeadByteConfig
from leadgate.delivery import Delivery, Exchange, Preparation, Reconciliation
from leadgate.errors import LeadByteError
from leadgate.intake import TakingIn, late_by_deadline
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.pacing import TakeTurn
from leadgate.leadbyte.wording import Sentences
from leadgate.ledger import NOT_ASKED
from leadgate.ledger.claims import release
from leadgate.ledger.learned import read_learned
from leadgate.ledger.observed import decide_anew
from leadgate.ledger.rate import Rate
from leadgate.ledger.waiting import waiting_since
from leadgate.stopping import Stop, stop_on_signals
from leadgate.summary import Account
from leadgate.wiring.pipeline import Pipeline

_COLLECT_AFTER = 200_000
"""Objects made and not yet gone before Python looks for rings among them: as many as the leads of a few waves are."""


class Run:
    """The parts of one run over a pipeline, and the way to stop it. No dataclass: see `leadgate.model.Wave`."""

    def __init__(
        self, pipeline: Pipeline, client: LeadByteClient, stop: Stop, account: Account, *, wanted: str | None
    ) -> None:
        config, source, ledger = pipeline.config, pipeline.source, pipeline.ledger
        self.pipeline = pipeline
        self.client = client
        self.stop = stop
        self.account = account
        """What is known of the run; its parts count into it."""
        self.taking_in = TakingIn(source, ledger, config, clock=pipeline.clock, again=pipeline.again)
        self.preparation = Preparation(
            config=config,
            source=source,
            ledger=ledger,
            policy=pipeline.policy,
            shadow=pipeline.shadow,
            tally=account.tally,
        )
        self.exchange = Exchange(config=config, ledger=ledger, client=client, stop=stop, tally=account.tally)
        self.reconciliation = Reconciliation(config, source, self.exchange, wanted=wanted)
        self.delivery = Delivery(config, self.exchange, self.reconciliation.controls)

    async def learn_their_time(self, until: datetime) -> None:
        """Ask LeadByte what time it is, once, where no server of ours knows and a lead is late by our clock `until`."""
        ledger, now = self.pipeline.ledger, self.pipeline.clock()
        if ledger.clock_problem() is not NOT_ASKED:
            return
        late = late_by_deadline(ledger, self.pipeline.config.wait, max(now, until)).items()
        if await ledger.aside(lambda: any(any(waiting_since(ledger, at, 1, deadline=own)) for own, at in late)):
            with suppress(LeadByteError):
                await self.client.check()


@asynccontextmanager
async def open_run(pipeline: Pipeline, account: Account) -> AsyncIterator[Run]:
    """Build what one run needs; when it ends, however it does, the leads it holds and has not sent are given back."""
    learned, observe = read_learned(pipeline.ledger), pipeline.config.delivery.observe
    decide_anew(pipeline.ledger, rules=pipeline.policy.version if observe else None, now=pipeline.ledger.now())
    account.again += pipeline.again.follow_rules()
    config, ledger = pipeline.config.leadbyte, pipeline.ledger
    per_second = config.requests_per_second
    # All who share the ledger share the account's rate.
    take_turn = Rate(ledger, ledger.account, requests_per_second=per_second).take_turn if per_second else None
    shapes_only = pipeline.config.delivery.messages == "withheld"
    async with build_client(config, take_turn, learned.gone, shapes_only=shapes_only, clock=pipeline.clock) as client:
        if pipeline.ledger.their_now:
            # LeadByte is not asked while observing: leads are late by our clock alone, and anew when it is over.
            pipeline.ledger.their_now = None if observe else client.their_now
        with stop_on_signals() as stop, _tuned_for_waves():
            pipeline.ends_with(lambda: stop.ends_at)
            try:
                yield Run(pipeline, client, stop, account, wanted=learned.wanted)
            finally:
                release(pipeline.ledger, now=pipeline.clock())


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


async def check_leadbyte(config: LeadByteConfig) -> None:
    """Show LeadByte the key, changing nothing; raise as `LeadByteClient.check`."""
    async with build_client(config) as client:
        await client.check()


def build_client(
    leadbyte: LeadByteConfig,
    take_turn: TakeTurn | None = None,
    learned: Sequence[str] = (),
    *,
    shapes_only: bool = False,
    clock: Clock = utc_now,
) -> LeadByteClient:
    """Build the LeadByte client; nothing is sent until it is used.

    Without `take_turn` it keeps to no rate; `learned` are shapes of sentences that mean *gone* for the account.
    With `shapes_only` answers keep nothing else of LeadByte's words.
    """
    assert not isinstance(leadbyte.api_key, Block)  # noqa: S101 - a pipeline file is read with its blocks
    return LeadByteClient(
        base_url=leadbyte.base_url,
        api_key=leadbyte.api_key,
        timeout=leadbyte.timeout,
        concurrency=leadbyte.concurrency,
        clock=clock,
        take_turn=take_turn,
        sentences=Sentences.of_account(leadbyte.sentences).learn_gone(learned),
        shapes_only=shapes_only,
    )
