"""With `delivery.observe` a pipeline decides and records, and LeadByte hears nothing until it is switched off."""

from collections import Counter

import pytest
from sqlalchemy import create_engine, text

from leadgate.sandbox import Sandbox
from tests.support.command import Finished, leadgate
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
WOULD_HAVE = "would have processed 1, rejected 2, held 1, asked a person about 1"
ON = "delivery: {observe: true}\npolicy:\n"


@pytest.fixture(params=["pipeline", "postgres_pipeline"])
def observed(request: pytest.FixtureRequest) -> Practice:
    """A pipeline that is observed, with a lead for each verdict, and one that never gets its data."""
    pipeline: Practice = request.getfixturevalue(request.param)
    pipeline.edit("policy:\n", ON)
    pipeline.quarantine(1, 2, 3, 4)
    pipeline.quarantine(5, hours_ago=30)
    pipeline.enrich(1, **COMPLETE)
    pipeline.enrich(2, **COMPLETE, opted_out=True)
    pipeline.enrich(3, **COMPLETE | {"score": 0.5})
    pipeline.enrich(4, **COMPLETE | {"score": 0.1})
    return pipeline


def run(pipeline: Practice) -> Finished:
    """Run in this process."""
    return leadgate("run", "--json", config=pipeline.file)


def decisions(pipeline: Practice) -> Counter[str]:
    """How often each lead was decided."""
    url = pipeline.ledger_url
    engine = create_engine(url.replace("sqlite:///", f"sqlite:///{pipeline.file.parent}/"))
    with engine.connect() as connection:
        found = Counter(connection.scalars(text("select lead_id from leadgate_decisions")))
    engine.dispose()
    return found


def test_nothing_is_sent_and_each_lead_is_decided_once(observed: Practice, leadbyte: Sandbox) -> None:
    """However often it runs; the late one too, though nobody has asked LeadByte what time it is."""
    first, again = run(observed), run(observed)
    assert (first.code, first.stderr, again.code) == (0, "", 0)
    assert leadbyte.requests == []
    assert first.json()["observed"] == {"process": 1, "reject": 2, "hold": 1, "review": 1}
    assert {name: first.json()[name] for name in ("processed", "rejected", "held", "review", "notes")} == {
        "processed": 0,
        "rejected": 0,
        "held": 0,
        "review": 0,
        "notes": [],
    }
    assert again.json()["observed"] == {}
    assert observed.states() == dict.fromkeys("12345", "waiting")
    assert decisions(observed) == Counter("12345")


def test_people_read_what_would_have_been_done(observed: Practice, leadbyte: Sandbox) -> None:
    """In the run's summary, in the status, in the plan and in the story of a lead, each marked as observed."""
    planned = leadgate("plan", config=observed.file).stdout
    assert "1: process by verified - observed, nothing is sent (postcode aa99 9aa" in planned
    assert f"Observed: {WOULD_HAVE}. Nothing was sent (delivery.observe).\n" in (
        leadgate("run", config=observed.file).stdout
    )
    status = leadgate("status", config=observed.file)
    assert (status.code, f"observed: {WOULD_HAVE}; nothing is sent (delivery.observe)\n" in status.stdout) == (0, True)
    story = leadgate("explain", "1", config=observed.file).stdout
    assert "observed, nothing was sent: decided process by rule 'verified'" in story
    assert "Now: observed, and nothing was sent (delivery.observe)" in story
    assert leadbyte.requests == []


def test_changed_data_or_rules_are_decided_anew(observed: Practice, leadbyte: Sandbox) -> None:
    """The lead whose data has changed, and then all of them by the rules of now."""
    run(observed)
    observed.enrich(4, **COMPLETE)
    assert run(observed).json()["observed"] == {"process": 1}
    assert decisions(observed) == Counter("123445")
    observed.edit("enrichment.score >= 0.6", "enrichment.score >= 0.95")
    assert run(observed).json()["observed"] == {"reject": 2, "hold": 3}
    assert (leadbyte.requests, observed.states()) == ([], dict.fromkeys("12345", "waiting"))


def test_switched_off_each_lead_is_acted_on_once(observed: Practice, leadbyte: Sandbox) -> None:
    """They are decided anew, as the plan says before; what was observed stays in the story, and none is in doubt."""
    run(observed)
    observed.edit(ON, "policy:\n")
    planned = leadgate("plan", "--json", config=observed.file).json()
    assert {lead["lead_id"]: lead["verdict"] for lead in planned["leads"]} == {
        "1": "process",
        "2": "reject",
        "3": "hold",
        "4": "review",
        "5": "reject",
    }
    assert f"observed: {WOULD_HAVE}; nothing was sent, and" in leadgate("status", config=observed.file).stdout
    finished = [run(observed), run(observed)]
    assert [each.code for each in finished] == [0, 0]
    assert observed.states() == {"1": "processed", "2": "rejected", "3": "waiting", "4": "review", "5": "rejected"}
    acts = {lead_id: [act.action.value for act in acts] for lead_id, acts in leadbyte.quarantine.acts.items()}
    assert acts == {"1": ["process"], "2": ["reject"], "5": ["reject"]}
    status = leadgate("status", "--json", config=observed.file).json()
    assert (status["observe"], status["observed"], status["doubts"]["brake"]["in_doubt"]) == (False, {}, 0)
    assert "observed, nothing was sent: decided process" in leadgate("explain", "1", config=observed.file).stdout
