"""What people do at the keyboard and in the Prefect UI, between real runs of the flow."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import State
from ruamel.yaml import YAML

from cli.options import at_keyboard
from cli.output import ATTENTION, FINE, WRONG
from flows.release_leads import release_leads
from leadgate.config import load_config
from leadgate.sandbox import Sandbox
from leadgate.summary import Summary
from tests.support.command import leadgate
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
UNSURE = COMPLETE | {"score": 0.1}


async def run(pipeline: Practice, **parameters: Any) -> tuple[State[Any], Summary, UUID]:  # noqa: ANN401
    """Run the main job; give its state, its summary and its id."""
    state = await release_leads(str(pipeline.file), return_state=True, **parameters)
    summary = getattr(state.data, "result", state.data)
    assert isinstance(summary, Summary)
    assert state.state_details.flow_run_id
    return state, summary, state.state_details.flow_run_id


async def test_a_review_is_listed_decided_sent_and_explained(pipeline: Practice, leadbyte: Sandbox) -> None:
    """At the keyboard; who comes second is told, and the decision can become an example."""
    pipeline.quarantine(1, 2)
    pipeline.enrich(1, 2, **UNSURE)
    await run(pipeline)
    listed = leadgate("review", "list", config=pipeline.file)
    why = "No rule matched. (verified: `enrichment.score >= 0.6` is false) [score=0.1]"
    assert (listed.code, listed.stdout.count(why)) == (FINE, 2)
    decided = leadgate("review", "process", "1", "--reason", "Called them.", "--by", "ann", config=pipeline.file)
    assert (decided.code, decided.stdout.splitlines()[0]) == (FINE, "Leads that the next run processes: 1.")
    again = leadgate("review", "reject", "1", "--reason", "No.", "--by", "bob", config=pipeline.file)
    assert again.code == WRONG
    since = f"since ann ({at_keyboard()}) decided process (`leadgate review undo` takes that back)"
    assert again.stderr == f"leadgate: 1: is not in review: it is ready, {since}.\n"
    _, summary, _ = await run(pipeline)
    assert (summary.processed, set(leadbyte.quarantine.acts)) == (1, {"1"})
    told = leadgate("explain", "1", config=pipeline.file).stdout
    assert f"ann ({at_keyboard()}) decided process: Called them." in told
    assert f"sending process, as ann ({at_keyboard()}) decided: Called them." in told

    pasted = leadgate("review", "examples", config=pipeline.file).stdout
    assert YAML(typ="safe").load(pasted) == {
        "examples": [{"name": "lead 1", "given": {"score": 0.1}, "expect": {"verdict": "process"}}]
    }
    pipeline.file.write_text(pipeline.file.read_text("utf-8") + pasted, "utf-8")
    assert load_config(pipeline.file).examples[0].expect.verdict == "process"


async def test_a_pause_is_told_of_everywhere(pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords) -> None:
    """In the status, the summary and the artifact; after it, the run goes on."""
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)
    ann = f"ann ({at_keyboard()})"
    paused = leadgate("pause", "--reason", "Wrong rules.", "--by", "ann", config=pipeline.file)
    assert (paused.code, f" by {ann}: Wrong rules.\n" in paused.stdout) == (FINE, True)
    _, summary, run_id = await run(pipeline)
    assert summary.pause
    assert (summary.pause.paused_by, summary.pause.reason, summary.ready) == (ann, "Wrong rules.", 1)
    assert leadbyte.quarantine.acts == {}
    (artifact,) = (a for a in records.of_run("artifacts", run_id) if a["key"] == "leadgate-acme-summary")
    assert f"**Paused.** acme has been {summary.pause}" in artifact["data"]
    assert leadgate("status", "--json", config=pipeline.file).json()["paused"]["paused_by"] == ann
    assert f"acme has been {summary.pause}" in leadgate("status", config=pipeline.file).stdout
    resumed = leadgate("resume", config=pipeline.file)
    assert (resumed.code, "held back, decided by the next run: 1." in resumed.stdout) == (FINE, True)
    _, summary, _ = await run(pipeline)
    assert (summary.pause, summary.processed) == (None, 1)
    assert leadgate("resume", config=pipeline.file).stdout == "acme was not paused.\n"


async def test_a_run_keeps_to_a_plan(pipeline: Practice, leadbyte: Sandbox, tmp_path: Path) -> None:
    """What has changed since is listed in the summary, which needs attention then, and in the artifact's words."""
    file = tmp_path / "plan.json"
    pipeline.quarantine(1, 2)
    pipeline.enrich(1, 2, **COMPLETE)
    written = leadgate("plan", "--out", file, config=pipeline.file)
    assert (written.code, f"Written to {file}" in written.stdout) == (FINE, True)
    pipeline.enrich(2, **COMPLETE | {"score": 0.8})
    pipeline.quarantine(3)
    pipeline.enrich(3, **COMPLETE)
    _, summary, _ = await run(pipeline, plan=str(file))
    assert (summary.processed, summary.skipped, summary.needs_attention) == (1, {"2": "its data has changed"}, True)
    assert leadbyte.quarantine.acts.keys() == {"1"}


async def test_a_review_that_is_open_too_long_is_counted(pipeline: Practice) -> None:
    """In the summary and the status, which exits with 1; nothing is decided by itself."""
    pipeline.edit("  keep_facts: [score]\n", "  keep_facts: [score]\nreview:\n  within: 0s\n")
    pipeline.quarantine(1)
    pipeline.enrich(1, **UNSURE)
    _, summary, _ = await run(pipeline)
    assert (summary.review, summary.overdue, summary.needs_attention) == (1, 1, True)
    status = leadgate("status", "--json", config=pipeline.file)
    assert (status.code, status.json()["overdue_reviews"]) == (ATTENTION, 1)
    assert " OVERDUE: No rule matched." in leadgate("review", "list", config=pipeline.file).stdout
    assert pipeline.states() == {"1": "review"}


@pytest.mark.parametrize("options", [["--limit", "1"], ["--watch", "1m"]])
def test_a_plan_and_a_limit_are_refused_before_anything_starts(
    pipeline: Practice, tmp_path: Path, options: list[str]
) -> None:
    """One clear message names the file."""
    file = tmp_path / "plan.json"
    leadgate("plan", "--out", file, config=pipeline.file)
    refused = leadgate("run", "--plan", file, *options, config=pipeline.file)
    assert (refused.code, refused.stderr) == (
        WRONG,
        f"leadgate: {file}: a plan says which leads are sent: give neither a limit nor a time to watch with it\n",
    )
