"""Every contact with the code under test: a worker's process, one run of it, and what people do to the ledger.

The delivery, the ledger's code and the client are the real ones. A process may die or be held up at any commit.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, get_args

from pydantic import SecretStr
from sqlalchemy import Connection

from leadgate.clock import Clock
from leadgate.config import DeliveryConfig, PipelineConfig
from leadgate.delivery import Delivery, Exchange, Preparation, Reconciliation
from leadgate.errors import LeadByteError
from leadgate.identity import Identity
from leadgate.intake.look import look_at
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.wording import Sentences
from leadgate.ledger import Ledger
from leadgate.ledger.absent import bring_back, note_presence, open_ids, read_withdrawn, withdraw
from leadgate.ledger.claims import release, rescue
from leadgate.ledger.learned import read_learned
from leadgate.ledger.pauses import end_pause, keep_pause
from leadgate.ledger.people import resolve
from leadgate.ledger.pipelines import add_pipeline, note_all_seen
from leadgate.ledger.waiting import all_waiting, note_looks, register
from leadgate.model import Chosen, Columns, ColumnType, Enrichment, Lead, Resolution
from leadgate.policy.compiling import compile_policy
from leadgate.policy.deciding import Policy
from leadgate.policy.requirements import Requirements
from leadgate.stopping import Stop
from leadgate.wiring.identity import put_back
from tests.delivery.world import config_with
from tests.leadbyte.virtual_time import VirtualLoop
from tests.worlds.door import Door
from tests.worlds.memory import PIPELINE

DEADLINE = timedelta(hours=12)
MODES: Sequence[str] = get_args(DeliveryConfig.model_fields["mode"].annotation)
_USUAL_MODE: str = DeliveryConfig.model_fields["mode"].default
_RULES = [
    {"name": "opted-out", "when": "enrichment.opted_out", "then": "reject", "because": "Opted out."},
    {"name": "late", "when": "late", "then": "reject", "because": "Too late."},
    {"name": "good", "when": "enrichment.score >= 0.0", "then": "process", "because": "Good."},
]
_TYPES = {"postcode": ColumnType.STRING, "opted_out": ColumnType.BOOL, "score": ColumnType.DOUBLE}
_COLUMNS = Columns(lead={}, enrichment=_TYPES)
MOST_WAVES = 40

ConfigKey = tuple[str, int, int]
"""delivery.mode, leadbyte.batch_size and leadbyte.concurrency."""
CHANGED: dict[str, object] = {}
"""Settings of `delivery` that are other than by default, for a rule that is taken out."""
_IDENTITY = Identity("worlds", "source")
_ANY_CONFIG: ConfigKey = ("combined", 50, 1)
PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class Killed(BaseException):
    """The process is dead: it does nothing any more."""


class WorkerLoop(VirtualLoop):
    """Virtual time, and threads that are done at once, or when the process they belong to goes on."""

    def run_in_executor(  # type: ignore[override] # the arguments' types need not be told apart
        self,
        executor: object,  # noqa: ARG002 - there is one way
        function: Callable[..., Any],
        *args: Any,  # noqa: ANN401
    ) -> "asyncio.Future[Any]":
        """Run a function in a thread, as it seems to the caller."""
        ended: asyncio.Future[Any] = self.create_future()

        def run() -> None:
            if ended.done():
                return
            try:
                ended.set_result(function(*args))
            except BaseException as error:  # noqa: BLE001 - raised to whoever waits for it
                ended.set_exception(error)

        process = PROCESS.get()
        if process and process.held_up_until > self.time():
            self.call_at(process.held_up_until, run)
        else:
            run()
        return ended


@dataclass(eq=False, slots=True)
class Process:
    """One process of a worker: it lives until it ends or is killed."""

    name: str
    commits_left: int | None = None
    """It dies at the commit after so many, before it or after it."""
    dies_before: bool = False
    dead: bool = False
    held_up_until: float = 0
    stop: Stop = field(default_factory=Stop)
    task: "asyncio.Task[None] | None" = None

    def die(self) -> None:
        """Be killed, whatever goes on."""
        self.dead = True
        if self.task:
            self.task.cancel()

    def is_alive(self) -> None:
        """Raise Killed where it is dead."""
        if self.dead:
            raise Killed


class MortalLedger(Ledger):
    """The ledger as one process holds it: a dead one writes nothing."""

    process: Process

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commit, unless the process dies before; it may also die right after."""
        process = self.process
        process.is_alive()
        last = process.commits_left == 0
        if process.commits_left is not None:
            process.commits_left -= 1
        with super().transaction() as connection:
            yield connection
            if last and process.dies_before:
                process.die()
            process.is_alive()
        if last:
            process.die()
        process.is_alive()


@dataclass(slots=True)
class Rows:
    """The source: rows by id, as the core reads them."""

    leads_by_id: dict[str, Lead] = field(default_factory=dict)
    enrichments_by_id: dict[str, Enrichment] = field(default_factory=dict)

    columns = _COLUMNS

    def leads(self, ids: Sequence[str]) -> dict[str, Lead]:
        """The leads' rows, of those that have one."""
        return {lead_id: self.leads_by_id[lead_id] for lead_id in ids if lead_id in self.leads_by_id}

    def present(self, ids: Sequence[str]) -> set[str]:
        """Those that have a row among the leads."""
        return self.leads_by_id.keys() & set(ids)

    def enrichments(self, ids: Sequence[str]) -> dict[str, Enrichment]:
        """What has arrived for them."""
        return {lead_id: self.enrichments_by_id[lead_id] for lead_id in ids if lead_id in self.enrichments_by_id}


@cache
def config_of(mode: str, batch_size: int, concurrency: int) -> PipelineConfig:
    """A pipeline file; all else is as by default."""
    return config_with(
        leadbyte={"batch_size": batch_size, "concurrency": concurrency},
        delivery={"mode": mode, "patience": "6h", **CHANGED},
        policy={"rules": _RULES},
    ).model_copy(update={"pipeline": PIPELINE})


@cache
def policy_of(config_key: ConfigKey) -> Policy:
    """The rules of that file, compiled once."""
    return compile_policy(config_of(*config_key).policy, _COLUMNS)


async def run_once(
    process: Process, ledger: Ledger, door: Door, rows: Rows, config_key: ConfigKey, wave: int, *, looks: bool
) -> int:
    """Go over everything that is due, as the flow release-leads does; return how many waves there were.

    Where there is nothing new in the source, it need not look.
    """
    config, source = config_of(*config_key), _as_source(rows)
    PROCESS.set(process)
    if looks:
        look(ledger, rows, config)
    waves: list[asyncio.Task[None]] = []
    learned = read_learned(ledger)
    async with _client(config, ledger.clock, door, learned.gone) as client:
        exchange = Exchange(config=config, ledger=ledger, client=client, stop=process.stop)
        reconciliation = Reconciliation(config, source, exchange, wanted=learned.wanted)
        delivery = Delivery(config, exchange, reconciliation.controls)
        preparation = Preparation(config=config, source=source, ledger=ledger, policy=policy_of(config_key))

        async def send(leads: Any) -> None:  # noqa: ANN401 - a wave
            await delivery.act(await delivery.update(leads))

        try:
            with suppress(LeadByteError):
                rescue(ledger, unknown_after=config.delivery.unknown_after, now=ledger.now())
                await reconciliation.reconcile_due()
                try:
                    while not process.stop and len(waves) < MOST_WAVES and (leads := preparation.claim_wave(wave)):
                        waves.append(asyncio.create_task(send(leads)))
                        await asyncio.gather(*waves[-2:-1])
                finally:
                    ended = await asyncio.gather(*waves, return_exceptions=True)
                for error in ended:
                    if isinstance(error, BaseException):
                        raise error
        finally:
            release(ledger, now=ledger.now())
    return len(waves)


def look(ledger: Ledger, rows: Rows, config: PipelineConfig) -> None:
    """Register the source's leads, and look at those that wait."""
    now = ledger.now()
    if back := read_withdrawn(ledger, list(rows.leads_by_id)):
        bring_back(ledger, back, now=now)
    register(ledger, list(rows.leads_by_id.values()), now=now)
    note_all_seen(ledger)
    for ids in open_ids(ledger, 1000):
        absent = [lead_id for lead_id in ids if lead_id not in rows.leads_by_id]
        present = [lead_id for lead_id in ids if lead_id in rows.leads_by_id]
        note_presence(ledger, present=present, absent=absent, now=now)
    withdraw(ledger, left="withdraw", now=now)
    needed, times = Requirements(config.wait, _COLUMNS), (now, now - DEADLINE, ledger.fingerprint)
    for page in all_waiting(ledger, 1000):
        found = rows.enrichments([entry.lead_id for entry in page])
        looks = []
        for entry in page:
            enrichment = found.get(entry.lead_id)
            missing = needed.missing(Lead(entry.lead_id, entry.quarantined_at), enrichment)
            looks.append(look_at(entry, enrichment, missing, *times))
        note_looks(ledger, [each for each in looks if each], now=now)


def open_ledger(engine: Any, process: Process, clock: Clock) -> Ledger:  # noqa: ANN401 - SQLAlchemy's
    """The ledger as a process holds it, by the ledger's own clock."""
    ledger = MortalLedger(engine, pipeline=PIPELINE, owner=process.name, clock=clock)
    ledger.process = process
    return ledger


def decide_as_person(ledger: Ledger, lead_id: str, verdict: str, *, still_there: bool) -> bool:
    """Let a person end a review; return whether that was heard."""
    resolved = resolve(
        ledger,
        Chosen([lead_id]),
        Resolution(verdict),
        reason="I know.",
        by="ann",
        hold_for=timedelta(hours=1),
        now=ledger.now(),
        still_in_quarantine=still_there,
        proven_after=config_of(*_ANY_CONFIG).delivery.proven_after,
    )
    return bool(resolved.ids)


def pause(ledger: Ledger) -> None:
    """Pause the pipeline."""
    keep_pause(ledger, by="ann", reason="", now=ledger.now())


def resume(ledger: Ledger) -> None:
    """End the pause."""
    end_pause(ledger, now=ledger.now())


def begun(ledger: Ledger) -> None:
    """Do what `leadgate init` does to a ledger before anything was sent."""
    add_pipeline(ledger, _IDENTITY, first_time=True, now=ledger.now())


def restored(ledger: Ledger) -> None:
    """Say that an older copy of the ledger was put back, as `leadgate ledger restored` does."""
    put_back(ledger, unknown_after=config_of(*_ANY_CONFIG).delivery.unknown_after)


def created(ledger: Ledger) -> None:
    """Make a ledger anew, for an account that was acted on before: `leadgate ledger create`."""
    add_pipeline(ledger, _IDENTITY, first_time=False, now=ledger.now())


def enrichment_of(lead_id: str, values: Mapping[str, object], at: datetime) -> Enrichment:
    """What has arrived for a lead."""
    return Enrichment(lead_id, at, {"postcode": "TN25 6QD", "opted_out": False, "score": 0.9, **values})


def draw_config(random: Random) -> ConfigKey:
    """Draw the settings that matter to how requests are made."""
    mode = _USUAL_MODE if random.random() < 0.6 else random.choice(MODES)
    return mode, random.choice((1, 3, 5, 50, 50)), random.choice((1, 4))


def _client(config: PipelineConfig, clock: Clock, door: Door, learned: Sequence[str]) -> LeadByteClient:
    return LeadByteClient(
        base_url=config.leadbyte.base_url,
        api_key=SecretStr("practice-key"),
        timeout=config.leadbyte.timeout,
        concurrency=config.leadbyte.concurrency,
        clock=clock,
        transport=door,
        sentences=Sentences().learn_gone(learned),
    )


def _as_source(rows: Rows) -> Any:  # noqa: ANN401 - stands in for leadgate.source.Source
    return rows
