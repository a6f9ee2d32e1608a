"""Claims: which leads a run takes, and that no two runs ever hold the same one."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text

from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.model import Result, State
from tests.ledger.steps import (
    AFTER_LEASE,
    LEASE,
    NOW,
    attempt,
    claim,
    entry,
    intend,
    leads,
    make_ready,
    outcome,
    rescue,
    send,
    states,
    taken,
)
from tests.ledger.together import together

ROOT = Path(__file__).parents[2]
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_CLAIM_ALL = """
import sys
from datetime import timedelta
from pathlib import Path
from leadgate.ledger import Ledger, claims, open_engine
from tests.ledger.steps import LEASE, NOW, PIPELINE
ledger = Ledger(open_engine(sys.argv[1], base_dir=Path(".")), pipeline=PIPELINE, owner=sys.argv[2])
print("open", flush=True)
sys.stdin.readline()
while wave := claims.claim(ledger, limit=7, lease=LEASE, now=NOW):
    print(*(claim.lead_id for claim in wave))
ledger.close()
"""


def claimed(ledger: Ledger, *, limit: int = 100, now: datetime = NOW) -> list[str]:
    """The ids a run gets when it claims."""
    return [found.lead_id for found in claims.claim(ledger, limit=limit, lease=LEASE, now=now)]


def claim_until_none(ledger: Ledger, limit: int) -> list[str]:
    """The ids a run gets when it claims as long as there is anything to claim."""
    ids: list[str] = []
    while wave := claimed(ledger, limit=limit):
        assert len(wave) <= limit
        ids += wave
    return ids


def test_nothing_is_claimed_where_nothing_is_due(ledger: Ledger) -> None:
    """A lead that waits is not claimed."""
    waiting.register(ledger, leads("17"), now=NOW)
    assert claimed(ledger) == []


def test_a_claim_says_what_a_decision_needs(ledger: Ledger) -> None:
    """A claim has the lead's instant of quarantine and its number, which counts from one."""
    found = claim(ledger, "17")
    assert (found.token, found.quarantined_at) == (1, NOW - timedelta(hours=1))
    assert (found.late, found.refusals, found.updated_hash) == (False, 0, None)


def test_leads_are_claimed_in_the_order_they_became_due(ledger: Ledger) -> None:
    """Who has waited longest goes first, however the ids sort."""
    for minutes, lead_id in enumerate(["5", "9", "1", "7"]):
        make_ready(ledger, lead_id, now=NOW + timedelta(minutes=minutes))
    later = NOW + timedelta(hours=1)
    assert claimed(ledger, limit=3, now=later) == ["5", "9", "1"]
    assert claimed(ledger, limit=3, now=later) == ["7"]


def test_leads_that_became_due_together_are_claimed_in_the_order_of_their_ids(ledger: Ledger) -> None:
    """The order is the same in every run."""
    make_ready(ledger, "3", "1", "2")
    assert claimed(ledger) == ["1", "2", "3"]


def test_a_lead_that_is_due_later_is_not_claimed_yet(ledger: Ledger) -> None:
    """A lead that was refused rests until its next look."""
    sent = send(ledger, claim(ledger, "17"))
    due_at = NOW + timedelta(minutes=1)
    sending.record(ledger, [outcome(sent, Result.REFUSED, State.READY, due_at=due_at, is_refusal=True)], now=NOW)
    assert claimed(ledger, now=due_at - timedelta(microseconds=1)) == []
    (again,) = claims.claim(ledger, limit=1, lease=LEASE, now=due_at)
    assert (again.token, again.refusals) == (2, 1)


def test_a_claimed_lead_is_nobody_elses_until_its_lease_ends(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """A claim lasts exactly as long as its lease, and then goes to whoever claims next."""
    claim(ledger, "17")
    assert entry(engine, "17")["lease_until"] == NOW + LEASE
    assert claimed(rival, now=NOW + LEASE) == []
    assert claimed(rival, now=AFTER_LEASE) == ["17"]
    assert (entry(engine, "17")["lease_owner"], entry(engine, "17")["token"]) == ("second", 2)


def test_what_is_in_flight_is_not_claimed_even_when_its_lease_has_ended(ledger: Ledger, rival: Ledger) -> None:
    """Only a rescue may say what becomes of a lead that may have been acted on."""
    send(ledger, claim(ledger, "17"))
    assert claimed(rival, now=AFTER_LEASE) == []


def test_a_settled_lead_is_never_claimed_again(ledger: Ledger) -> None:
    """Final is final."""
    sent = send(ledger, claim(ledger, "17"))
    sending.record(ledger, [taken(sent)], now=NOW)
    assert claimed(ledger, now=NOW + timedelta(days=365)) == []


def test_two_runs_that_claim_at_once_share_no_lead(ledger: Ledger, rival: Ledger) -> None:
    """Between them two threads claim every lead, and no lead twice."""
    ids = [f"{number:03}" for number in range(200)]
    make_ready(ledger, *ids)
    waves = together(lambda: claim_until_none(ledger, 3), lambda: claim_until_none(rival, 5))
    assert sorted(waves[0] + waves[1]) == ids


def test_two_processes_that_claim_at_once_share_no_lead(ledger: Ledger, database_url: str) -> None:
    """The fence stands in the database, not in the memory of a process."""
    ids = [f"{number:03}" for number in range(200)]
    make_ready(ledger, *ids)
    workers = [start_claiming(database_url, owner) for owner in ("one", "two")]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "open\n"
    found = [worker.communicate("go\n", timeout=60)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(found[0] + found[1]) == ids


def start_claiming(url: str, owner: str) -> "subprocess.Popen[str]":
    """Start a process that claims everything there is, when it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", _CLAIM_ALL, url, owner],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@on_postgresql
def test_postgresql_skips_a_lead_that_is_locked(ledger: Ledger, engine: Engine) -> None:
    """A claim does not wait for a lead that another transaction is busy with."""
    make_ready(ledger, "1", "2")
    with engine.begin() as other:
        other.execute(text("SELECT 1 FROM leadgate_entries WHERE lead_id = '1' FOR UPDATE"))
        assert claimed(ledger) == ["2"]
    assert claimed(ledger) == ["1"]


@on_postgresql
def test_postgresql_rescues_around_a_lead_that_is_locked(ledger: Ledger, engine: Engine) -> None:
    """Two runs that start together after a crash do not wait for each other in a circle."""
    make_ready(ledger, "1", "2")
    intend(ledger, *(attempt(held) for held in claims.claim(ledger, limit=2, lease=LEASE, now=NOW)))
    with engine.begin() as other:
        other.execute(text("SELECT 1 FROM leadgate_entries WHERE lead_id = '1' FOR UPDATE"))
        assert rescue(ledger) == 1
    assert states(engine, "1", "2") == [State.SENDING, State.UNKNOWN]


@on_postgresql
@pytest.mark.parametrize("disabled", [[], ["hashagg", "sort", "hashjoin", "mergejoin", "material"]])
def test_the_limit_holds_whatever_plan_postgresql_chooses(
    ledger: Ledger, engine: Engine, disabled: Sequence[str]
) -> None:
    """A nested loop would run a bare subquery again for each lead, and lock `limit` more each time."""
    make_ready(ledger, *(f"{number:03}" for number in range(20)))

    @event.listens_for(engine, "begin")
    def choose(connection: Connection) -> None:
        for name in disabled:
            connection.exec_driver_sql(f"SET LOCAL enable_{name} = off")

    assert claimed(ledger, limit=3) == ["000", "001", "002"]
    assert claimed(ledger, limit=3) == ["003", "004", "005"]
