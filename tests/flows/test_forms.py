"""What people do by a form in the Prefect UI: its run says in one sentence what was done, or why not."""

import re
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from flows.pause_pipeline import pause_pipeline
from flows.release_leads import release_leads
from flows.resolve_reviews import resolve_reviews
from flows.resume_pipeline import resume_pipeline
from leadgate.ledger.pauses import read_pause
from leadgate.sandbox import Sandbox
from leadgate.wiring.ledger import ledger_of
from tasks.forms import message_of
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords

UNSURE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.1}


@pytest.fixture
async def asked(pipeline: Practice) -> Practice:
    """A pipeline with four leads that no rule matches."""
    pipeline.quarantine(1, 2, 3, 4)
    pipeline.enrich(1, 2, 3, 4, **UNSURE)
    await release_leads(str(pipeline.file))
    return pipeline


async def submit(pipeline: Practice, form: Any = resolve_reviews, **fields: Any) -> tuple[bool, str, State[Any]]:  # noqa: ANN401
    """Submit a form: whether its run is completed, the message, and the state."""
    state = await form(config=str(pipeline.file), by="ann", return_state=True, **fields)
    return state.is_completed(), state.message or "", state


async def test_the_form_records_and_the_next_run_sends(asked: Practice, leadbyte: Sandbox) -> None:
    """Ids as they are pasted, or a rule with its count; a reason may have several lines."""
    done = await submit(asked, ids=" 1,\n2; ", verdict="reject", reason="Called\nthem.")
    assert done[:2] == (True, "Leads that the next run rejects: 2.")
    done = await submit(asked, rule="otherwise", count=2, verdict="process", reason="Looked at.")
    assert done[:2] == (True, "Leads that the next run processes: 2.")
    assert leadbyte.quarantine.acts == {}
    await release_leads(str(asked.file))
    assert asked.states() == {"1": "rejected", "2": "rejected", "3": "processed", "4": "processed"}


async def test_what_was_not_heard_is_named(asked: Practice) -> None:
    """The run is failed, and whoever was heard is done all the same."""
    await submit(asked, ids="1", verdict="wait", reason="Called them.")
    completed, message, state = await submit(asked, ids="1 2", verdict="process", reason="Called them.")
    assert not completed
    assert re.fullmatch(
        r"Leads that the next run processes: 1\. Not done for 1: 1: is not in review: it is waiting, "
        r"since ann \(flow run acme-[\d:-]+\) decided wait \(`leadgate review undo` takes that back\)\.",
        message,
    )
    refused: Any = getattr(state.data, "result", state.data)
    assert refused.keys() == {"1"}


WRONG = [
    (
        {"ids": "1", "rule": "otherwise", "count": 4},
        "both ids and a rule are given, and nothing was done: give one of them",
    ),
    ({}, "neither ids nor a rule is given, and nothing was done: give one of them"),
    ({"ids": "1", "count": 1}, "a count goes with a rule, not with ids, and nothing was done: leave it at 0"),
    ({"ids": "1 nobody"}, "not known to the pipeline 'acme': nobody. Nothing was done"),
    ({"rule": "otherwise", "count": 3}, "4 leads are meant now by otherwise, not 3, and nothing was done"),
    ({"rule": "othrwise", "count": 4}, "no rule is called 'othrwise'; did you mean"),
    ({"ids": "1", "reason": " "}, "no reason is given, and nothing was done: process needs one"),
    ({"ids": "1" * 201}, "number 1 of the ids is none: it is longer than 200 characters"),
]


@pytest.mark.parametrize(("fields", "told"), WRONG)
async def test_what_is_wrong_is_the_runs_message(
    asked: Practice, fields: dict[str, Any], told: str, records: PrefectRecords, caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence, no traceback, and nothing done."""
    completed, message, state = await submit(asked, **{"verdict": "process", "reason": "Called them."} | fields)
    assert (completed, state.is_failed()) == (False, True)
    assert message.startswith(told)
    assert records.run(state.state_details.flow_run_id)["state"]["message"] == message
    assert "Traceback" not in caplog.text
    assert set(asked.states().values()) == {"review"}


async def test_a_ledger_that_is_not_there_is_the_runs_message(
    asked: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    """As is a pipeline file that is not there."""
    asked.file.with_name("leadgate.db").rename(asked.file.with_name("away.db"))
    completed, message, _ = await submit(asked, ids="1", verdict="again")
    asked.file.with_name("away.db").rename(asked.file.with_name("leadgate.db"))
    assert (completed, message.startswith("ledger "), "there is none" in message) == (False, True, True)
    state: State[Any] = await resolve_reviews(
        config=str(asked.file.with_name("nowhere.yaml")), ids="1", verdict="again", by="ann", return_state=True
    )
    assert (state.is_failed(), "there is no such file" in (state.message or "")) == (True, True)
    assert "Traceback" not in caplog.text


def test_the_message_is_short_however_many_leads_it_is_about() -> None:
    """Leads with the same reason stand together; those of many reasons are counted."""
    alike = message_of({str(number): "is not in review" for number in range(10_000)})
    assert alike == "Not done for 10,000: 0, 1, 2, 3, 4 and 9995 more: is not in review."
    each = message_of({str(number): f"is not in review: it is number {number}" for number in range(10_000)})
    assert len(each) < 4100
    assert each.endswith(" The rest, 9,980, have other reasons: `leadgate explain ID` tells each.")


async def test_a_hundred_thousand_ids_end_in_one_message(asked: Practice) -> None:
    """As many as Prefect's half a megabyte holds are read; where some are unknown, a few of them are named."""
    ids = " ".join(str(number) for number in range(5, 80_005))
    completed, message, _ = await submit(asked, ids=ids, verdict="again")
    assert (completed, len(message) < 300) == (False, True)
    assert message.startswith("not known to the pipeline 'acme': 5, 6, 7, 8, 9 and 79995 more. Nothing was done")


async def test_a_pipeline_is_paused_and_resumed_by_forms(asked: Practice) -> None:
    """The messages are those of the command; the pause names the run."""
    completed, message, _ = await submit(asked, pause_pipeline, reason="Wrong\nrules.")
    assert completed
    assert re.fullmatch(
        r"acme has been paused since [\d :-]+Z by ann \(flow run acme-[\d:-]+\): Wrong rules\. Updates go on; nothing "
        r"is processed or rejected until `leadgate resume`, or a run of resume-pipeline\.",
        message,
    )
    with ledger_of(asked.file) as (_, ledger):
        assert read_pause(ledger)
    completed, message, _ = await submit(asked, resume_pipeline, reason="They are right.")
    assert completed
    assert message.startswith("acme goes on by ann: They are right; it had been paused since ")
    assert message.endswith(": Wrong rules. Leads that the pause held back, decided by the next run: 0.")
    assert (await submit(asked, resume_pipeline))[:2] == (True, "acme was not paused.")
