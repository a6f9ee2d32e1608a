"""Runs that write the same leads at the same moment: they wait in line, and one that must give way tries again."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, make_url, text

from leadgate.errors import LedgerUnavailable
from leadgate.ledger import Ledger, claims, pauses, sending, waiting
from leadgate.ledger import ledger as ledger_module
from leadgate.ledger.status import read_status
from leadgate.model import Conclusion, Result, State
from tests.ledger.steps import (
    HOLD,
    LEASE,
    NOW,
    PIPELINE,
    attempt,
    claim,
    complete,
    entry,
    intend,
    leads,
    make_ready,
    outcome,
    taken,
)
from tests.ledger.together import together
from tests.support.audit import audit_ledger
from tests.support.ledgers import new_engine
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

T = TypeVar("T")
SOON = NOW + timedelta(minutes=1)
ROUNDS = 25
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def strict_url(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database whose transactions are serializable, unless they say otherwise."""
    alter = sql.SQL("ALTER DATABASE {} {{}}").format(sql.Identifier(str(make_url(postgres_url).database))).as_string()
    with postgres_server.connect("postgres") as connection:
        connection.execute(alter.format("SET default_transaction_isolation = serializable"))
        yield postgres_url
        connection.execute(alter.format("RESET default_transaction_isolation"))


def test_runs_share_a_fresh_ledger_whatever_isolation_the_server_prefers(strict_url: str, tmp_path: Path) -> None:
    """The tables are made once, and each lead is registered, claimed and settled once, by whichever run.

    One act goes alone at first; whoever's answer it is lets all go together.
    """
    ids = [str(number) for number in range(60)]

    def run(owner: str) -> int:
        with closing(Ledger(new_engine(strict_url, base_dir=tmp_path), pipeline=PIPELINE, owner=owner)) as ledger:
            registered = waiting.register(ledger, leads(*ids), now=NOW)
            waiting.note_looks(ledger, [complete(lead_id) for lead_id in reversed(ids)], now=NOW)
            while wave := claims.claim(ledger, limit=7, lease=LEASE, now=NOW):
                sent = [attempt(held) for held in wave]
                intended = sending.intend(ledger, sent, lease=LEASE, now=NOW)
                admitted = intended.admitted
                assert intended.may_go | admitted.kept == {held.lead_id for held in wave}
                alone = [replace(each, goes_alone=each.claim.lead_id == admitted.lone) for each in sent]
                answers = [taken(each) for each in alone if each.claim.lead_id in intended.may_go]
                sending.record(ledger, answers, now=NOW)
                claims.release(ledger, now=NOW, ids=list(admitted.kept))
            return registered.new

    assert sum(together(*(partial(run, owner) for owner in ("first", "second", "third")))) == len(ids)
    with closing(Ledger(new_engine(strict_url, base_dir=tmp_path), pipeline=PIPELINE, owner="first")) as ledger:
        with ledger.engine.connect() as connection:
            asked = connection.scalar(text("SHOW default_transaction_isolation"))
        assert asked == "serializable", "the server's own choice is another"
        assert read_status(ledger).counts[State.PROCESSED] == len(ids)
        audit_ledger(ledger.engine, NOW, finished=True)


class Proud(Ledger):
    """A run that gives way to nobody: a step that the database ends is an error."""

    def write(self, step: "partial[T]") -> T:
        """Do the step once."""
        return step()


def write_list(ledger: Ledger, request: str) -> None:
    """Claim leads and write them in lists, the last first: one half is sent and refused, the other put off."""
    wave = claims.claim(ledger, limit=100, lease=LEASE, now=SOON)[::-1]
    sent = [attempt(held, request=request) for held in wave[::2]]
    may_be_sent = intend(ledger, *sent)
    put_off = replace(HOLD, paused=True)
    sending.conclude(ledger, [Conclusion(held, put_off, State.READY, due_at=SOON) for held in wave[1::2]], now=NOW)
    refused = [outcome(one, Result.REFUSED, State.READY, due_at=NOW, note="busy") for one in sent]
    sending.record(ledger, [one for one in refused if one.attempt.claim.lead_id in may_be_sent], now=NOW)


def test_runs_that_write_the_same_leads_in_opposite_orders_never_wait_in_a_circle(engine: Engine) -> None:
    """One writes lists of leads; the other whatever fulfils a condition, as the database finds it."""
    lists, conditions = (Proud(engine, pipeline=PIPELINE, owner="first") for _ in range(2))
    make_ready(lists, *(f"{number:03}" for number in range(100)))
    is_over = Event()

    def write_lists() -> int:
        try:
            for number in range(ROUNDS):
                write_list(lists, f"r{number}")
        finally:
            is_over.set()
        return ROUNDS

    def write_by_conditions() -> int:
        rounds = 0
        while not is_over.is_set():
            rounds += 1
            claims.renew(conditions, lease=LEASE, now=NOW)
            pauses.keep_pause(conditions, by="ann", reason="a check", now=NOW)
            pauses.end_pause(conditions, now=NOW)
            claims.claim(conditions, limit=10, lease=LEASE, now=NOW)
            claims.release(conditions, now=NOW)
        return rounds

    lists_written, conditions_written = together(write_lists, write_by_conditions)
    assert lists_written == ROUNDS
    assert conditions_written


class Interrupted(Ledger):
    """A run whose transactions the database ends just before their commit: so many, each with this code."""

    ends = 0
    code = "40001"
    begun = 0

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a transaction that may come to nothing."""
        self.begun += 1
        with super().transaction() as connection:
            yield connection
            if self.begun <= self.ends:
                connection.execute(text(f"DO $$BEGIN RAISE SQLSTATE '{self.code}'; END$$"))


@pytest.fixture
def interrupted(engine: Engine) -> Interrupted:
    """A run of which no transaction is ended yet."""
    return Interrupted(engine, pipeline=PIPELINE, owner="first")


@on_postgresql
@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["not serializable", "deadlock"])
def test_a_step_that_gave_way_is_done_again(
    interrupted: Interrupted, ledger: Ledger, engine: Engine, code: str
) -> None:
    """What it had done was undone, so that it counts once."""
    make_ready(ledger, "17")
    interrupted.ends, interrupted.code = 2, code
    assert [held.token for held in claims.claim(interrupted, limit=1, lease=LEASE, now=NOW)] == [1]
    assert interrupted.begun == 3
    assert entry(engine, "17")["token"] == 1


@on_postgresql
def test_a_step_that_gives_way_again_and_again_ends(
    interrupted: Interrupted, ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run may be run again, and nothing was changed."""
    make_ready(ledger, "17")
    before = entry(engine, "17")
    pauses_made: list[float] = []
    monkeypatch.setattr(ledger_module._patiently.retry, "sleep", pauses_made.append)
    interrupted.ends = 1000
    with pytest.raises(LedgerUnavailable, match=r"^ledger postgresql.*the same leads\. Nothing is lost: run again\.$"):
        claims.claim(interrupted, limit=1, lease=LEASE, now=NOW)
    assert interrupted.begun == len(pauses_made) + 2 > 5, "once at once, then after pauses"
    assert 0 < sum(pauses_made) < 15, "nobody waits for long"
    assert entry(engine, "17") == before


@on_postgresql
def test_whoever_meets_another_program_in_a_circle_gives_way(
    interrupted: Interrupted, engine: Engine, postgres_server: PostgresServer
) -> None:
    """Another program may lock leads in any order: it goes on, and the step is done after it."""
    claim(interrupted, "1", "2")
    steps_before = interrupted.begun
    lock = "SELECT 1 FROM leadgate_entries WHERE lead_id = %s FOR UPDATE"
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    other, watcher = (postgres_server.connect(str(engine.url.database)) for _ in range(2))
    renew = partial(claims.renew, interrupted, lease=2 * LEASE, now=NOW)

    # Only once, when it has waited so long, does a waiting connection look for a circle: there has to be one by then.
    watcher.execute(f"ALTER DATABASE \"{engine.url.database}\" SET deadlock_timeout = '4s'")
    engine.dispose()

    def meet() -> None:
        # The run, which waits from now on, is to be the one that finds the circle.
        other.execute("SET deadlock_timeout = '60s'")
        with other.transaction():
            other.execute(lock, ["2"])
            has_begun.set()
            wait_until(lambda: bool(watcher.execute(waits).fetchall()), what="the run waits for the second lead")
            other.execute(lock, ["1"])

    has_begun = Event()

    def renew_then() -> None:
        assert has_begun.wait(30)
        renew()

    with other, watcher:
        together(meet, renew_then)
    assert interrupted.begun == steps_before + 2
    assert [entry(engine, lead_id)["lease_until"] for lead_id in ("1", "2")] == [NOW + 2 * LEASE] * 2
