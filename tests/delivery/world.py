"""One ledger, one LeadByte to practise on, and the runs that deliver to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlalchemy.engine import RowMapping

from leadgate.config import PipelineConfig
from leadgate.delivery import Delivery, Exchange
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger, brakes, claims, schema, waiting
from leadgate.ledger.history import History, read_history
from leadgate.model import Decided, Decision, Lead, Look, State, Tally, Verdict, fingerprint
from leadgate.sandbox import Sandbox
from leadgate.stopping import Stop
from tests.support.ledgers import new_engine

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POSTCODE = {"postcode": "TN25 6QD"}


L = TypeVar("L", bound=Ledger)


class Clock:
    """A clock that stands still until it is told to go on, or goes on by `step` each time it is read."""

    def __init__(self, step: timedelta = timedelta()) -> None:
        self.now, self.step = NOON, step

    def __call__(self) -> datetime:
        """The time it shows."""
        self.now += self.step
        return self.now

    def advance(self, **span: float) -> None:
        """Go on by a span, given as timedelta takes it."""
        self.now += timedelta(**span)


def config_with(**sections: dict[str, Any]) -> PipelineConfig:
    """A whole pipeline file with changes to its sections; its addresses lead nowhere."""
    document: dict[str, dict[str, Any]] = {
        "leadbyte": {"base_url": "http://127.0.0.1:9", "api_key": "practice-key", "requests_per_second": 0},
        "source": {
            "url": "sqlite:///source.db",
            "leads": {"table": "leads", "id": "id", "quarantined_at": "quarantined_at"},
            "enrichment": {"table": "enrichment", "id": "id", "updated_at": "updated_at"},
        },
        "wait": {"require": ["postcode"], "deadline": "24h"},
        "policy": {"rules": [{"name": "any", "when": "true", "then": "process", "because": "Because."}]},
        "update": {"postcode": "postcode"},
        "delivery": {"mode": "combined"},
        "review": {},
        "safety": {},
    }
    whole: dict[str, Any] = {name: section | sections.get(name, {}) for name, section in document.items()}
    return PipelineConfig.model_validate({"pipeline": "acme"} | whole)


def decision_of(verdict: Verdict | str) -> Decision:
    """A decision with this verdict."""
    return Decision(Verdict(verdict), "any", "Because.", "v1")


def release_brake(ledger: Ledger) -> None:
    """Let acts go together, as they do when LeadByte has answered one."""
    with ledger.transaction() as connection:
        brakes.put_on(ledger, connection, now=NOON, lone_in_vain=False)
        connection.execute(schema.brakes.update().values(is_on=False))


def renew_account(ledger: Ledger) -> None:
    """Let the account be one that was never acted on: its brake is on."""
    with ledger.transaction() as connection:
        connection.execute(schema.brakes.delete())


class World:
    """Registers and claims leads, delivers them, and tells where they are."""

    def __init__(self, url: str, sandbox: Sandbox, base_dir: Path, clock: Clock | None = None) -> None:
        self.url, self.sandbox, self.base_dir = url, sandbox, base_dir
        self.clock = clock or Clock()
        self.ledger = self.open_ledger("run-1")
        release_brake(self.ledger)

    def open_ledger(self, owner: str) -> Ledger:
        """Open the same ledger as another run."""
        engine = new_engine(self.url, base_dir=self.base_dir)
        return Ledger(engine, pipeline="acme", owner=owner, clock=self.clock)

    def open_failing(self, kind: type[L]) -> L:
        """Open the ledger as the first run, in a kind that fails."""
        engine = new_engine(self.url, base_dir=self.base_dir)
        return kind(engine, pipeline="acme", owner="run-1", clock=self.clock)

    def seed(self, ids: Sequence[str]) -> None:
        """Register leads and make them due for a decision."""
        leads = [Lead(lead_id, NOON - timedelta(hours=1)) for lead_id in ids]
        waiting.register(self.ledger, leads, now=self.clock())
        waiting.note_looks(self.ledger, [Look(lead_id, [], "hash", due=True) for lead_id in ids], now=self.clock())

    def claim(
        self,
        verdict: Verdict | str = "process",
        *,
        update: dict[str, Any] | None = None,
        ledger: Ledger | None = None,
        lease: timedelta = timedelta(minutes=5),
    ) -> list[Decided]:
        """Claim whatever is due, decided with one verdict and the same fields to write."""
        update = POSTCODE if update is None else update
        found = claims.claim(ledger or self.ledger, limit=1000, lease=lease, now=self.clock())
        payload = fingerprint(update) if update else None
        return [
            Decided(
                claim,
                decision_of(verdict),
                update,
                payload,
                is_written=payload is not None and payload == claim.updated_hash,
            )
            for claim in found
        ]

    def wave(
        self, *ids: str, verdict: Verdict | str = "process", update: dict[str, Any] | None = None
    ) -> list[Decided]:
        """Seed leads and claim them."""
        self.seed(ids)
        return self.claim(verdict, update=update)

    def client(
        self,
        *,
        base_url: str | None = None,
        concurrency: int = 4,
        timeout: float = 5,
        clock: Clock | None = None,
        kind: type[LeadByteClient] = LeadByteClient,
    ) -> LeadByteClient:
        """A client of the sandbox, by the same clock as the run."""
        return kind(
            base_url=base_url or self.sandbox.url,
            api_key=SecretStr(self.sandbox.key),
            timeout=timedelta(seconds=timeout),
            concurrency=concurrency,
            clock=clock or self.clock,
        )

    async def deliver(
        self,
        wave: Sequence[Decided],
        *,
        ledger: Ledger | None = None,
        client: LeadByteClient | None = None,
        stop: Stop | None = None,
        **sections: dict[str, Any],
    ) -> Tally:
        """Send a wave as a run does, update then act; its leases are given back whatever happens."""
        ledger = ledger or self.ledger
        async with client or self.client() as connected:
            config = config_with(**sections)
            exchange = Exchange(config=config, ledger=ledger, client=connected, stop=stop)
            delivery = Delivery(config, exchange)
            try:
                await delivery.act(await delivery.update(wave))
            finally:
                claims.release(ledger, now=self.clock())
        return exchange.tally

    def history(self, lead_id: str) -> History:
        """Everything the ledger knows of one lead."""
        history = read_history(self.ledger, lead_id)
        assert history is not None
        return history

    def entry(self, lead_id: str) -> RowMapping:
        """One lead's row."""
        return self.history(lead_id).entry

    def states(self, ids: Sequence[str]) -> dict[str, State]:
        """Where each of these leads is."""
        return {lead_id: State(self.entry(lead_id)["state"]) for lead_id in ids}

    def asked(self) -> list[tuple[str, Any]]:
        """The method and body of every request that reached LeadByte."""
        return [(exchange.method, exchange.body) for exchange in self.sandbox.requests]
