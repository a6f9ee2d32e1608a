"""`leadgate run` as a process of its own: where five hundred leads end, and what LeadByte was asked for them."""

from collections import Counter

import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.crowd import make_crowd, requests_by_lead, settle_in
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

SUMMARY_KEYS = {
    "registered",
    "arrived",
    "processed",
    "rejected",
    "held",
    "review",
    "unknown",
    "failed",
    "notes",
    "gone",
    "waiting",
    "ready",
    "faults",
    "inferred",
    "changed",
    "again",
    "older_rules",
    "disagreed",
    "refused",
    "unanswered",
    "overdue",
    "paused",
    "observed",
    "skipped",
    "error",
    "flow_run_id",
}
COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.mark.parametrize(("databases", "mode"), [("sqlite", "combined"), ("postgresql", "separate")])
def test_every_lead_ends_where_the_rules_say(
    request: pytest.FixtureRequest, leadbyte: Sandbox, databases: str, mode: str
) -> None:
    """Each of 500 leads is asked for once, in LeadByte's own words, and its entry stands where it must."""
    pipeline: Practice = request.getfixturevalue({"sqlite": "pipeline", "postgresql": "postgres_pipeline"}[databases])
    pipeline.edit("policy:\n", f"delivery: {{mode: {mode}}}\npolicy:\n")
    crowd = make_crowd(500)
    settle_in(pipeline, crowd)

    finished = wait_for(start_leadgate("run", "--json", config=pipeline.file))

    assert (finished.code, finished.stderr) == (0, "")
    assert pipeline.states() == {str(person.lead_id): person.state for person in crowd}
    assert requests_by_lead(leadbyte) == {person.lead_id: asked for person in crowd if (asked := person.requests(mode))}
    summary = finished.json()
    verdicts = Counter(person.verdict for person in crowd)
    assert min(verdicts.values()) > 20, "a crowd with every verdict in it"
    assert summary.keys() == SUMMARY_KEYS
    assert summary["error"] is None
    assert {key: summary[key] for key in SUMMARY_KEYS - {"error", "flow_run_id", "arrived"}} == {
        "registered": 500,
        "processed": verdicts["process"],
        "rejected": verdicts["reject"],
        "held": verdicts["hold"],
        "review": verdicts["review"],
        "unknown": 0,
        "refused": 0,
        "unanswered": 0,
        "failed": 0,
        "gone": 0,
        "waiting": verdicts["wait"] + verdicts["hold"],
        "ready": 0,
        "faults": [],
        "inferred": 0,
        "changed": 0,
        "again": 0,
        "older_rules": 0,
        "disagreed": 0,
        "overdue": 0,
        "paused": None,
        "observed": {},
        "skipped": {},
        "notes": [],
    }

    asked_before = len(leadbyte.requests)
    again = leadgate("run", "--json", config=pipeline.file)
    assert again.code == 0
    assert len(leadbyte.requests) == asked_before
    assert {key for key, value in again.json().items() if value} == {"waiting", "flow_run_id"}


def test_a_watching_run_takes_arrivals_as_they_come(pipeline: Practice, leadbyte: Sandbox) -> None:
    """Enrichment that comes while a run watches is acted on by that run, and so is a lead that was not there before."""
    pipeline.quarantine(1, 2)
    pipeline.enrich(1, **COMPLETE)
    process = start_leadgate("run", "--watch", "10s", "--json", config=pipeline.file)
    wait_until(lambda: "1" in leadbyte.quarantine.acts, what="the first lead is acted on", seconds=60)
    pipeline.quarantine(3)
    pipeline.enrich(2, 3, **COMPLETE)
    wait_until(lambda: leadbyte.quarantine.acts.keys() == {"1", "2", "3"}, what="the others are acted on")
    assert process.poll() is None, "the run watches on"

    finished = wait_for(process)
    assert (finished.code, finished.stderr) == (0, "")
    summary = finished.json()
    assert [summary[key] for key in ("registered", "arrived", "processed", "waiting")] == [3, 3, 3, 0]


def test_a_limit_leaves_the_rest_for_the_next_run(pipeline: Practice, leadbyte: Sandbox) -> None:
    """`--limit` bounds how many leads are decided; the others stay ready and are said to be."""
    pipeline.quarantine(*range(1, 11))
    pipeline.enrich(*range(1, 11), **COMPLETE)

    first = leadgate("run", "--json", "--limit", 4, config=pipeline.file).json()
    assert [first[key] for key in ("registered", "processed", "ready")] == [10, 4, 6]
    assert len(leadbyte.quarantine.acts) == 4
    second = leadgate("run", "--json", config=pipeline.file).json()
    assert [second[key] for key in ("registered", "processed", "ready")] == [0, 6, 0]
    assert len(leadbyte.quarantine.acts) == 10


def test_two_runs_at_once_share_a_thousand_leads(postgres_pipeline: Practice, leadbyte: Sandbox) -> None:
    """Each lead belongs to one of the two runs, and together they leave none."""
    pipeline = postgres_pipeline
    pipeline.quarantine(*range(1, 1001))
    pipeline.enrich(*range(1, 1001), **COMPLETE)
    # All are ready before the two begin, so that neither can take the whole.
    leadgate("run", "--json", "--limit", 1, config=pipeline.file)

    both = [start_leadgate("run", "--json", "--limit", 500, config=pipeline.file) for _ in range(2)]
    ended = [wait_for(process) for process in both]

    assert [(finished.code, finished.stderr) for finished in ended] == [(0, ""), (0, "")]
    assert sorted(finished.json()["processed"] for finished in ended) == [499, 500]
    assert len(leadbyte.quarantine.acts) == 1000
    assert set(pipeline.states().values()) == {"processed"}
