"""What people start themselves: `leadgate retry`, and the flow maintain-ledger."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.maintain_ledger import maintain_ledger
from leadgate.clock import utc_now
from leadgate.config import load_config
from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.ledger.schema import entries
from leadgate.ledger.unknown import note_control
from leadgate.model import Action, Control, Lead, Look, Result, State
from leadgate.sandbox import LeadState, Sandbox, sandbox_thread
from leadgate.wiring.ledger import open_ledger
from tests.delivery.world import release_brake
from tests.ledger.steps import LEASE, attempt, intend, outcome
from tests.support.audit import audit_ledger
from tests.support.command import leadgate
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """A pipeline whose LeadByte is never asked."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    yield practice
    practice.close()


@pytest.fixture
def ledger(practice: Practice) -> Iterator[Ledger]:
    """Its ledger, as an earlier run would see it; audited in the end."""
    ledger = open_ledger(practice.file, load_config(practice.file))
    yield ledger
    audit_ledger(ledger.engine, utc_now())
    ledger.close()


def park(ledger: Ledger, *ids: str) -> None:
    """Let LeadByte have refused these leads until they were parked."""
    end(ledger, ids, Result.REFUSED, State.FAILED, utc_now(), note="A field has a value that is not valid")


def end(
    ledger: Ledger,
    ids: tuple[str, ...],
    result: Result | None,
    state: State,
    now: datetime,
    *,
    note: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Let leads be claimed and acted on with this end; with no result the run was killed before.

    Those in doubt were probed before, which told the time by LeadByte's clock.
    """
    release_brake(ledger)
    waiting.register(ledger, [Lead(lead_id, now - timedelta(hours=1)) for lead_id in ids], now=now)
    waiting.note_looks(ledger, [Look(lead_id, [], "hash", due=True) for lead_id in ids], now=now)
    attempts = [attempt(claim) for claim in claims.claim(ledger, limit=100, lease=LEASE, now=now)]
    assert intend(ledger, *attempts, now=now) == set(ids)
    if result:
        sending.record(ledger, [outcome(a, result, state, note=note, due_at=due_at) for a in attempts], now=now)
    with ledger.engine.begin() as connection:
        probed = entries.update().where(entries.c.state == State.UNKNOWN, entries.c.lead_id.in_(ids))
        connection.execute(probed.values(doubt_theirs=now))


def test_a_parked_lead_goes_round_again(practice: Practice, ledger: Ledger) -> None:
    """With all its attempts; the others stay where they are."""
    park(ledger, "1", "2")
    done = leadgate("retry", "1", config=practice.file)
    assert (done.code, done.stdout.strip()) == (0, "Leads that the next run retries: 1.")
    assert practice.states() == {"1": "ready", "2": "failed"}
    (claim,) = claims.claim(ledger, limit=9, lease=LEASE, now=utc_now())
    assert (claim.lead_id, claim.refusals) == ("1", 0)


def test_every_parked_lead_goes_round_again(practice: Practice, ledger: Ledger) -> None:
    """With --failed; a second time there is none left, which is no fault."""
    park(ledger, "1", "2")
    assert leadgate("retry", "--failed", "--json", config=practice.file).json() == {"retried": ["1", "2"]}
    again = leadgate("retry", "--failed", "--json", config=practice.file)
    assert (again.code, again.json()) == (0, {"retried": []})
    assert set(practice.states().values()) == {"ready"}


@pytest.mark.parametrize("state", [State.PROCESSED, State.UNKNOWN, State.REVIEW])
def test_what_may_have_been_acted_on_is_never_retried(practice: Practice, ledger: Ledger, state: State) -> None:
    """Not by its id, and not with --failed."""
    result = Result.TAKEN if state is State.PROCESSED else Result.IN_DOUBT
    end(ledger, ("1",), result, state, utc_now(), note="no answer", due_at=utc_now() + LEASE)
    done = leadgate("retry", "1", config=practice.file)
    assert done.code == 2
    assert "not parked as failed: 1. `leadgate explain ID` says where each is." in done.stderr
    assert leadgate("retry", "--failed", config=practice.file).code == 0
    assert practice.states() == {"1": state}


def test_a_wrong_id_is_named_and_the_right_ones_go_round(practice: Practice, ledger: Ledger) -> None:
    """Exit code 2, one clear line."""
    park(ledger, "1", "2")
    done = leadgate("retry", "1", "nobody", "x", config=practice.file)
    assert done.code == 2
    assert "not parked as failed: nobody, x." in done.stderr
    assert "1 other is retried" in done.stderr
    assert practice.states() == {"1": "ready", "2": "failed"}


@pytest.mark.parametrize("arguments", [[], ["1", "--failed"]])
def test_either_ids_or_all(practice: Practice, ledger: Ledger, arguments: list[str]) -> None:
    """Neither and both are wrong use, and change nothing."""
    park(ledger, "1")
    done = leadgate("retry", *arguments, config=practice.file)
    assert done.code == 2
    assert "name the leads, or --failed" in done.stderr
    assert practice.states() == {"1": "failed"}


def test_status_shows_what_controls_have_taught(practice: Practice, ledger: Ledger) -> None:
    """With the line to write, for a person who wants to keep it."""
    now = utc_now() - timedelta(hours=2)
    end(ledger, ("1", "2", "3"), Result.TAKEN, State.PROCESSED, now)
    for lead_id in ("1", "2", "3"):
        run = Ledger(ledger.engine, pipeline=ledger.pipeline, owner=f"run-{lead_id}", account=ledger.account)
        refused = {"request_id": "taught", "message": "It is with the buyer", "shape": "it is with the …"}
        note_control(run, Control(lead_id, 1, now), Result.REFUSED, **refused, now=now + timedelta(hours=1))
    left = {"request_id": "left", "message": "", "shape": ""}
    note_control(ledger, Control("1", 1, now), Result.GONE, **left, now=now + timedelta(minutes=90))
    told = leadgate("status", config=practice.file)
    assert (
        'learned: LeadByte says "it is with the …" of leads that have left; '
        'leadbyte: sentences: {gone: ["it is with the …"]}\n'
    ) in told.stdout
    assert (
        "LeadByte's queue, by controls: one had left 5400 s after it was queued (delivery.queue_time)\n" in told.stdout
    )
    assert leadgate("status", "--json", config=practice.file).json()["learned"] == {
        "gone": ["it is with the …"],
        "still_there_seconds": None,
        "had_left_seconds": 5400,
    }


async def test_the_flow_maintain_ledger_settles_and_acts_on_nothing(tmp_path: Path, prefect_server: str) -> None:
    """One was applied and is inferred, one was not and is ready, by a control beside them, and one is not due yet."""
    with sandbox_thread() as leadbyte:
        practice = Practice(tmp_path, leadbyte.url)
        practice.edit("policy:\n", "delivery: {queue_time: 30m}\npolicy:\n")
        for lead_id in ("1", "2", "3", "9"):
            practice.quarantine(lead_id)
            practice.enrich(lead_id, **COMPLETE)
        earlier = utc_now() - timedelta(hours=1)
        ledger = open_ledger(practice.file, load_config(practice.file))
        end(ledger, ("1", "2"), Result.IN_DOUBT, State.UNKNOWN, earlier, due_at=earlier + LEASE)
        end(ledger, ("3",), Result.IN_DOUBT, State.UNKNOWN, earlier, due_at=earlier + timedelta(hours=2))
        end(ledger, ("9",), Result.TAKEN, State.PROCESSED, earlier)
        leadbyte.quarantine.add(["1", "9"])
        leadbyte.quarantine.queue(leadbyte.quarantine.lead("9"), Action.PROCESS, 0)
        leadbyte.quarantine.move(["1"], LeadState.RELEASED)
        assert await maintain_ledger(str(practice.file)) == {"rescued": 0, "pruned": 0, "probed": 2, "inferred": 1}
        assert practice.states() == {"1": "processed", "2": "ready", "3": "unknown", "9": "processed"}
        assert [[item["quarantineId"] for item in request.body["leads"]] for request in leadbyte.requests] == [
            ["9", "1", "2"]
        ]
        assert list(leadbyte.quarantine.acts) == ["9"]
        practice.audit(leadbyte)
        ledger.close()
        practice.close()


async def test_the_flow_maintain_ledger_takes_over_what_dead_runs_left(
    practice: Practice, ledger: Ledger, prefect_server: str
) -> None:
    """It asks neither the source nor LeadByte; what is held by a living run is left alone."""
    earlier = utc_now() - timedelta(hours=1)
    end(ledger, ("1", "2"), None, State.SENDING, earlier)
    end(ledger, ("3",), None, State.SENDING, utc_now())
    practice.edit("table: lead_enrichment", "table: no_such_table")
    assert await maintain_ledger(str(practice.file)) == {"rescued": 2, "pruned": 0, "probed": 0, "inferred": 0}
    assert practice.states() == {"1": "unknown", "2": "unknown", "3": "sending"}
    assert await maintain_ledger(str(practice.file)) == {"rescued": 0, "pruned": 0, "probed": 0, "inferred": 0}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("url: sqlite:///source.db", "url: postgresql://reader@127.0.0.1:9/crm", "cannot be reached right now"),
        ("api_key: practice-key", "api_key: {block: leadbyte-credentials/nobody}", "leadbyte.api_key: the block"),
        (
            "api_key: practice-key",
            "api_key: a-key",
            "LeadByte at http://127.0.0.1:9 is not accepting requests right now",
        ),
    ],
    ids=["source", "key", "LeadByte"],
)
async def test_what_is_down_fails_the_probes_alone(
    practice: Practice, ledger: Ledger, prefect_server: str, old: str, new: str, why: str
) -> None:
    """The leads of dead runs are taken over, and the page is written; the run is Failed and says so."""
    earlier = utc_now() - timedelta(hours=1)
    practice.quarantine("2")
    practice.enrich("2", **COMPLETE)
    end(ledger, ("1",), None, State.SENDING, earlier)
    end(ledger, ("2",), Result.IN_DOUBT, State.UNKNOWN, earlier, due_at=earlier + LEASE)
    practice.edit(old, new)
    practice.file.write_text(f"{practice.file.read_text('utf-8')}\nreport: {{path: page.html}}\n", "utf-8")
    state: Any = await maintain_ledger(str(practice.file), return_state=True)
    assert state.is_failed()
    assert state.message.startswith("The unknown leads that are due (1) could not be settled. ")
    assert state.message.endswith(" The rest is done: 1 lead taken over.")
    assert why in state.message
    assert practice.states() == {"1": "unknown", "2": "unknown"}
    assert practice.file.with_name("page.html").exists()


async def test_a_page_that_cannot_be_written_fails_the_page_alone(
    practice: Practice, ledger: Ledger, leadbyte: Sandbox, prefect_server: str
) -> None:
    """What nobody answered is settled all the same."""
    earlier = utc_now() - timedelta(hours=1)
    leadbyte.quarantine.move(["2"], LeadState.RELEASED)
    practice.quarantine("2")
    practice.enrich("2", **COMPLETE)
    end(ledger, ("2",), Result.IN_DOUBT, State.UNKNOWN, earlier, due_at=earlier + LEASE)
    practice.edit("http://127.0.0.1:9", leadbyte.url)
    practice.file.write_text(f"{practice.file.read_text('utf-8')}\nreport: {{path: nowhere/page.html}}\n", "utf-8")
    state: Any = await maintain_ledger(str(practice.file), return_state=True)
    assert state.is_failed()
    assert state.message.startswith("The report could not be written. ")
    assert state.message.endswith(" The rest is done: 0 leads taken over.")
    assert practice.states() == {"2": "processed"}
