"""The world of the delivery tests with a source in it, and whole runs: rescue, reconcile, claim, deliver, give back."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from leadgate.delivery import Delivery, Exchange, Reconciled, Reconciliation
from leadgate.errors import LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, claims
from leadgate.ledger.learned import read_learned
from leadgate.model import State, Tally
from leadgate.sandbox import Sandbox
from leadgate.source import Source
from leadgate.stopping import Stop
from tests.delivery.world import POSTCODE, Clock, World, config_with, release_brake

GRACE = timedelta(minutes=5)
"""The default of delivery.unknown_after, and of delivery.lease."""
LATER = {"minutes": 6}
"""A little longer than either of them."""
NO_QUEUE = {"queue_time": "0s"}
"""A taken act leaves quarantine at once: where a test is not about LeadByte's queue."""
_TABLES = [
    "create table leads (id text, quarantined_at timestamp)",
    "create table enrichment (id text, updated_at timestamp, postcode text)",
]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run did."""

    tally: Tally
    reconciled: Reconciled


class Reconciling(World):
    """Registers leads with what there is to write onto them, and lets whole runs go over them."""

    def __init__(self, url: str, sandbox: Sandbox, base_dir: Path, clock: Clock) -> None:
        super().__init__(url, sandbox, base_dir, clock)
        self._runs = 1
        self.controls: list[str] = []
        self._ledgers = [self.ledger]
        self._rows = create_engine(f"sqlite:///{base_dir / 'source.db'}")
        with self._rows.begin() as connection:
            for statement in _TABLES:
                connection.execute(text(statement))
        self.source = Source.open(config_with().source, base_dir=base_dir)

    def close(self) -> None:
        """Give every connection back."""
        self.source.close()
        self._rows.dispose()
        for ledger in self._ledgers:
            ledger.close()

    def enrich(self, ids: Sequence[str], postcode: str | None = POSTCODE["postcode"]) -> None:
        """Let the source have a postcode for these leads, or a row without one."""
        now = self.clock().astimezone(UTC).replace(tzinfo=None)
        rows = [{"id": lead_id, "at": now, "postcode": postcode} for lead_id in ids]
        with self._rows.begin() as connection:
            connection.execute(text("insert into enrichment values (:id, :at, :postcode)"), rows)

    def arrive(self, *ids: str) -> None:
        """Register leads whose data is complete, and let the source have it."""
        self.seed(ids)
        self.enrich(ids)

    def next_ledger(self, kind: type[Ledger] = Ledger) -> Any:  # noqa: ANN401 - of the kind that was asked for
        """Open the ledger as one more run."""
        self._runs += 1
        opened = kind(self.ledger.engine, pipeline="acme", owner=f"run-{self._runs}", clock=self.clock)
        self._ledgers.append(opened)
        return opened

    async def run(
        self,
        *,
        ledger: Ledger | None = None,
        client: LeadByteClient | None = None,
        stop: Stop | None = None,
        verdict: str = "process",
        update: dict[str, Any] | None = None,
        writes: dict[str, Any] | None = None,
        claiming: bool = True,
        dies_of: type[BaseException] | tuple[()] = (),
        **sections: dict[str, Any],
    ) -> Ran:
        """Go over everything that is due, as a run does; its leases are given back, unless it `dies_of` what it met.

        `writes` is the file's `update:`. Without `claiming` it only settles what is in doubt. Acts leave LeadByte's
        queue at once, unless `delivery.queue_time` is given.
        """
        ledger = ledger or self.next_ledger()
        sections |= {"update": writes} if writes else {}
        config = config_with(**sections | {"delivery": NO_QUEUE | sections.get("delivery", {})})
        async with client or self.client() as connected:
            exchange = Exchange(config=config, ledger=ledger, client=connected, stop=stop)
            reconciliation = Reconciliation(config, self.source, exchange, wanted=read_learned(ledger).wanted)
            delivery = Delivery(config, exchange, reconciliation.controls)
            try:
                claims.rescue(ledger, unknown_after=config.delivery.unknown_after, now=self.clock())
                reconciled = await reconciliation.reconcile_due()
                if claiming:
                    wave = self.claim(verdict, update=update, ledger=ledger, lease=config.delivery.lease)
                    await delivery.act(await delivery.update(wave))
            except dies_of:
                raise
            except BaseException:
                claims.release(ledger, now=self.clock())
                raise
            claims.release(ledger, now=self.clock())
        return Ran(exchange.tally, reconciled)

    async def run_later(self, times: int = 2, **run: Any) -> Ran:  # noqa: ANN401 - what `run` takes
        """Run again and again, each time after a grace.

        The first probe of an act tells the time by LeadByte's clock, and the next one counts.
        """
        for _ in range(times):
            self.clock.advance(**LATER)
            ran = await self.run(**run)
        return ran

    async def have_control(self, lead_id: str = "9001", **run: Any) -> str:  # noqa: ANN401 - what `run` takes
        """Let a lead have been acted on before, of which LeadByte said that it queued it."""
        self.arrive(lead_id)
        await self.run(**run)
        assert self.states([lead_id])[lead_id] in {State.PROCESSED, State.REJECTED}
        self.controls.append(lead_id)
        return lead_id

    async def lose(self, *ids: str, applied: bool = True, **run: Any) -> None:  # noqa: ANN401 - what `run` takes
        """Let leads arrive and be acted on by a run that gets no answer, whether the acts were applied or not.

        All together, as when LeadByte has answered every act before.
        """
        release_brake(self.ledger)
        self.arrive(*ids)
        fault = "drop-after" if applied else "drop-before"
        self.sandbox.faults.change({fault: "always"})
        await self.run(**run)
        self.sandbox.faults.change({fault: None})

    def acts_sent(self, lead_id: str) -> list[str]:
        """Every act that was sent for a lead, whatever became of it."""
        return [attempt["action"] for attempt in self.history(lead_id).attempts if attempt["action"]]

    async def reached(self) -> None:
        """Wait until LeadByte can be reached."""
        async with self.client() as client:
            while True:
                with suppress(LeadByteUnavailable):
                    return await client.check()

    def probes(self) -> list[Sequence[str]]:
        """The leads of each request that carried no act, in order; without the controls beside them."""
        asked = [
            [item["quarantineId"] for item in body["leads"]]
            for method, body in self.asked()
            if method == "PUT" and not any("action" in item for item in body["leads"])
        ]
        probes = [[lead_id for lead_id in ids if lead_id not in self.controls] for ids in asked]
        return [ids for ids in probes if ids]
