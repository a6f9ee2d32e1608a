"""The flow maintain-ledger keeps the page where the pipeline file wants it, and links to it where it can be opened."""

import sys
from typing import Any

import pytest

from flows.maintain_ledger import maintain_ledger
from flows.release_leads import release_leads
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords


async def test_the_page_is_written_and_linked_where_it_has_an_address(
    pipeline: Practice, records: PrefectRecords
) -> None:
    """Nothing unless the file says where to; no link unless it says where people open it; a wrong folder is named."""

    async def run(report: str) -> tuple[Any, list[dict[str, Any]]]:
        text = pipeline.file.read_text("utf-8").partition("\nreport:")[0]
        pipeline.file.write_text(f"{text}\n{report}", "utf-8")
        state = await maintain_ledger(str(pipeline.file), return_state=True)
        made = records.of_run("artifacts", state.state_details.flow_run_id)
        return state, [artifact for artifact in made if artifact["key"]]

    page = pipeline.file.with_name("page.html")
    state, made = await run("")
    assert (state.is_completed(), made, page.exists()) == (True, [], False)

    state, made = await run("report: {path: page.html}")
    assert (state.is_completed(), made) == (True, [])
    assert page.read_text("utf-8").startswith("<!doctype html>")

    page.unlink()
    state, (link,) = await run("report: {path: page.html, url: 'https://reports.example.com/acme.html'}")
    assert page.exists()
    assert link["key"] == "leadgate-acme-report"
    assert link["data"] == "[How acme does](https://reports.example.com/acme.html)"

    state, made = await run("report: {path: nowhere/page.html}")
    assert made == []
    assert state.is_failed()
    assert "nowhere/page.html: cannot be written (there is no folder" in state.message


async def test_what_waiting_costs_is_shown_when_a_lead_is_known(pipeline: Practice, records: PrefectRecords) -> None:
    """As `leadgate waits` counts it; no page says that there is nothing."""

    async def run() -> list[dict[str, Any]]:
        state = await maintain_ledger(str(pipeline.file), return_state=True)
        assert state.is_completed()
        made = records.of_run("artifacts", state.state_details.flow_run_id)
        return [artifact for artifact in made if artifact["key"] == "leadgate-acme-waits"]

    assert await run() == []
    pipeline.quarantine(1, 2, hours_ago=30)
    pipeline.enrich(1, postcode="TN25 6QD", phone_verified=True)
    await release_leads(str(pipeline.file), return_state=True)
    (page,) = await run()
    assert page["description"].startswith("What waiting costs: Too few leads are old enough to judge the deadline")
    assert "| phone\\_verified |" in page["data"]
    assert "2 leads quarantined since" in page["data"]


async def test_what_draws_the_page_may_have_to_be_installed(
    pipeline: Practice, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names what in the file wants it."""
    monkeypatch.setitem(sys.modules, "altair", None)
    pipeline.edit("policy:\n", "report: {path: page.html}\npolicy:\n")
    state = await maintain_ledger(str(pipeline.file), return_state=True)
    assert state.is_failed()
    assert "report.path: needs altair: pip install 'leadgate[report]'" in str(state.message)
