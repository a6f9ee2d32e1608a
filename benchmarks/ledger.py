"""`python -m benchmarks.ledger`: how many of its steps a lead's entry takes in a second. See docs/performance.md.

No source, rules, requests or Prefect: every lead is registered, looked at, claimed, intended and recorded, a group at a
time and each group one transaction, by one thread.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from benchmarks.__main__ import Database
from benchmarks.figures import RESULTS, align, write_json
from benchmarks.leads import FIRST_ID
from benchmarks.rounds import databases_of
from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.model import Action, Attempt, Decision, Lead, LeadRequest, Look, Outcome, Result, State, Verdict
from tests.delivery.world import release_brake
from tests.support.ledgers import new_engine

T = TypeVar("T")
_STEPS = ("register", "look", "claim", "intend", "record")
_LEASE = timedelta(minutes=5)
_WAVE = 1000  # as a run claims them
_DECISION = Decision(Verdict.PROCESS, "verified", "Phone verified and a score of 0.7.", "v1", facts={"score": 0.7})
_UPDATE = {"postcode": "N1", "phone1": "020"}


class Way:
    """The way of many leads through one ledger, and the seconds that each step of it took."""

    def __init__(self, ledger: Ledger, group: int) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._ledger = ledger
        self._group = group
        self._now = datetime.now(UTC)

    def take(self, leads: int) -> None:
        """Take new leads from their registration to `processed`."""
        ledger, now = self._ledger, self._now
        ids = [str(FIRST_ID + number) for number in range(leads)]  # those of a source that is filled
        new = [Lead(lead_id, now - timedelta(hours=6)) for lead_id in ids]
        looks = [Look(lead_id, [], "hash", due=True) for lead_id in ids]
        for unknown in self._groups(new):
            self._time("register", partial(waiting.register, ledger, unknown, now=now))
        for seen in self._groups(looks):
            self._time("look", partial(waiting.note_looks, ledger, seen, now=now))
        release_brake(ledger)  # as after an act that LeadByte has answered: until then the next one goes alone
        sent = 0
        while wave := self._time("claim", lambda: claims.claim(ledger, limit=_WAVE, lease=_LEASE, now=now)):
            attempts = [
                Attempt(claim, LeadRequest(claim.lead_id, _UPDATE, Action.PROCESS), _DECISION, "hash", claim.lead_id)
                for claim in wave
            ]
            sent += sum(self._send(group) for group in self._groups(attempts))
        if sent != leads:
            raise RuntimeError(f"{sent} of {leads} leads went all the way")

    def _send(self, attempts: Sequence[Attempt]) -> int:
        """Write what is written round a request."""
        ledger, now = self._ledger, self._now
        held = self._time(
            "intend", lambda: sending.intend(ledger, attempts, lease=_LEASE, now=now, in_doubt_at_most=10**9)
        )
        outcomes = [Outcome(one, Result.TAKEN, State.PROCESSED, 200, "OK", updated_hash="hash") for one in attempts]
        self._time("record", lambda: sending.record(ledger, outcomes, now=now))
        return len(held.may_go)

    def _groups(self, everything: Sequence[T]) -> Iterator[Sequence[T]]:
        return (everything[start : start + self._group] for start in range(0, len(everything), self._group))

    def _time(self, step: str, call: Callable[[], T]) -> T:
        began = time.monotonic()
        came = call()
        self.seconds[step] += time.monotonic() - began
        return came


def _measure(
    databases: Sequence[str], groups: Sequence[int], leads: int
) -> Iterator[tuple[str, int, dict[str, float]]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-ledger-")))
        for database in databases:
            places = stack.enter_context(databases_of(database, folder))
            for group in groups:
                ledger = Ledger(
                    new_engine(places.new_ledger(), base_dir=folder, pipelines=["benchmark"]),
                    pipeline="benchmark",
                    owner="one",
                )
                stack.callback(ledger.close)
                way = Way(ledger, group)
                way.take(leads)
                yield database, group, way.seconds


def run(
    *,
    leads: Annotated[int, typer.Option(help="Leads to take through the ledger.", min=1)] = 20_000,
    group: Annotated[list[int] | None, typer.Option(help="Leads a transaction; repeatable.", min=1)] = None,
    database: Annotated[list[Database] | None, typer.Option(help="Where the ledger is; repeatable.")] = None,
) -> None:
    """Print, for each database and size of group, how many leads take each step in a second."""
    measured = list(_measure([one.value for one in database or Database], group or [50, 400], leads))
    rows = [
        (one, str(size), *(f"{leads / seconds[step]:,.0f}" for step in _STEPS), f"{leads / sum(seconds.values()):,.0f}")
        for one, size, seconds in measured
    ]
    print(f"{leads:,} leads, claimed in waves of {_WAVE:,}; every other group is one transaction; leads a second")
    print(align(("database", "group", *_STEPS, "all five"), rows))
    found = {"leads": leads, "seconds": measured}
    print(f"All of it: {write_json(RESULTS, found, name='ledger-', now=datetime.now(UTC))}")


if __name__ == "__main__":
    typer.run(run)
