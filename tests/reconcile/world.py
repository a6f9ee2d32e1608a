"""The world of the delivery tests with a source in it, and whole runs: rescue, reconcile, claim, deliver, give back."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import create_engine, text

from leadgate.config import PipelineConfig
from leadgate.delivery import Delivery, Exchange, Reconciled, Reconciliation
from leadgate.errors import LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, claims
from leadgate.model import Tally
from leadgate.sandbox import Sandbox
from leadgate.source import Source
from leadgate.stopping import Stop
from tests.delivery.world import POSTCODE, Clock, World, config_with

GRACE = timedelta(minutes=5)
"""The default of delivery.unknown_after, and of delivery.lease."""
LATER = {"minutes": 6}
"""A little longer than either of them."""
_TABLES = [
    "create table leads (id text, quarantined_at timestamp)",
    "create table enrichment (id text, updated_at timestamp, postcode text)",
]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run did."""

    tally: Tally
    reconciled: Reconciled


def judging(config: PipelineConfig) -> Reconciliation:
    """What judges the answers to probes, with neither a source nor anything to send with."""
    nothing: Any = SimpleNamespace(ledger=None)
    return Reconciliation(config, nothing, nothing)


class Reconciling(World):
    """Registers leads with what there is to write onto them, and lets whole runs go over them."""

    def __init__(self, url: str, sandbox: Sandbox, base_dir: Path, clock: Clock) -> None:
        super().__init__(url, sandbox, base_dir, clock)
        self._runs = 1
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

    def enrich(self, ids: Sequence[str]) -> None:
        """Let the source have a postcode for these leads."""
        now = self.clock().astimezone(UTC).replace(tzinfo=None)
        rows = [{"id": lead_id, "at": now, "postcode": POSTCODE["postcode"]} for lead_id in ids]
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
        claiming: bool = True,
        dies_of: type[BaseException] | tuple[()] = (),
        **sections: dict[str, Any],
    ) -> Ran:
        """Go over everything that is due, as a run does; its leases are given back, unless it `dies_of` what it met.

        Without `claiming` it only settles what nobody answered.
        """
        ledger = ledger or self.next_ledger()
        config = config_with(**sections)
        async with client or self.client() as connected:
            exchange = Exchange(config=config, ledger=ledger, client=connected, stop=stop)
            delivery = Delivery(config, exchange)
            try:
                claims.rescue(ledger, unknown_after=config.delivery.unknown_after, now=self.clock())
                reconciled = await Reconciliation(config, self.source, exchange).reconcile_due()
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

    async def lose(self, *ids: str, applied: bool = True, **run: Any) -> None:  # noqa: ANN401 - what `run` takes
        """Let leads arrive and be acted on by a run that gets no answer, whether the acts were applied or not."""
        self.arrive(*ids)
        fault = "drop-after" if applied else "drop-before"
        self.sandbox.faults.change({fault: "always"})
        await self.run(**run)
        self.sandbox.faults.change({fault: None})

    async def reached(self) -> None:
        """Wait until LeadByte can be reached."""
        async with self.client() as client:
            while True:
                with suppress(LeadByteUnavailable):
                    return await client.check()

    def probes(self) -> list[Sequence[str]]:
        """The leads of each request that carried no act, in order."""
        return [
            [item["quarantineId"] for item in body["leads"]]
            for method, body in self.asked()
            if method == "PUT" and body["leads"] and not any("action" in item for item in body["leads"])
        ]
