"""From the page of leads that need a person to a lead that was acted on once, in a real browser."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import ArtifactSort

from flows.release_leads import release_leads
from leadgate.sandbox import Sandbox
from tests.support.browser import submit_form
from tests.support.pipelines import Practice

PICTURES = "LEADGATE_PICTURES"
"""Names a folder that the pictures of docs/people.md are written into."""


def newest_page() -> str:
    """The id of the newest page of people."""
    with get_client(sync_client=True) as client:
        named = ArtifactFilter(key=ArtifactFilterKey(any_=["leadgate-acme-people"]))
        (found, *_) = client.read_artifacts(artifact_filter=named, sort=ArtifactSort.CREATED_DESC)
        return str(found.id)


def runs() -> dict[str, FlowRun]:
    """The runs that no schedule has planned, by id."""
    with get_client(sync_client=True) as client:
        return {str(run.id): run for run in client.read_flow_runs() if not run.auto_scheduled}


def execute(run_id: str, folder: Path, api_url: str) -> None:
    """Run a run, as a worker does."""
    argv = [sys.executable, "-m", "prefect", "flow-run", "execute", run_id]
    env = os.environ | {"PREFECT_API_URL": api_url, "PREFECT_LOGGING_TO_API_ENABLED": "true"}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def asked(on_the_ui: Practice) -> Practice:
    """A pipeline with three leads that no rule matches; a run has asked people, before the browser's loop begins."""
    on_the_ui.edit(
        "keep_facts: [score]\n", "keep_facts: [score]\nreview: {within: 48h, link: 'https://crm.example/leads/{id}'}\n"
    )
    leads = (4711, 4712, 4713)
    on_the_ui.quarantine(*leads)
    on_the_ui.enrich(*leads, postcode="TN25 6QD", phone_verified=True, score=0.1)
    asyncio.run(release_leads(str(on_the_ui.file)))
    return on_the_ui


def shoot(page: Page, ui: str, name: str) -> None:
    """Take a picture for the docs, of the UI that the server shows, where one is asked for."""
    if ui and (folder := os.environ.get(PICTURES)):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.parametrize("ui", ["v2/", ""])
def test_three_clicks_from_the_page_of_people_to_an_act(
    asked: Practice, ui_server: str, ui: str, page: Page, leadbyte: Sandbox, tmp_path: Path
) -> None:
    """The link, the verdict, Submit: the lead is in the form, its run says what it did, and the next run acts once."""
    root = ui_server.removesuffix("api")
    page.goto(f"{root}{ui}artifacts/artifact/{newest_page()}")
    link = page.get_by_role("row", name="4711").get_by_role("link", name="decide", exact=True)
    expect(link).to_be_visible()
    shoot(page, ui, "people")
    # Links lead into the UI that the server shows to whoever has chosen none.
    if ui:
        link.click()
    else:
        page.goto((link.get_attribute("href") or "").replace("/v2/", "/"))
    ids, _, reason, by, _ = (page.locator("textarea").nth(place) for place in range(5))
    expect(ids).to_have_value("4711")
    choose(page, ui, "process")
    reason.fill("Called them.")
    by.fill("Ann")
    shoot(page, ui, "review")
    before = runs()
    submit_form(page)
    page.wait_for_url(re.compile(r"/deployments/deployment/[0-9a-f-]+(\?.*)?$"))
    (made,) = runs().keys() - before.keys()
    execute(made, tmp_path, ui_server)
    page.goto(f"{root}{ui}runs/flow-run/{made}")
    expect(page.get_by_text("Leads that the next run processes: 1.").first).to_be_visible(timeout=30_000)
    shoot(page, ui, "decided")
    assert leadbyte.quarantine.acts == {}
    with get_client(sync_client=True) as client:
        release = client.read_deployment_by_name("release-leads/release-leads-acme")
        execute(str(client.create_flow_run_from_deployment(release.id).id), tmp_path, ui_server)
    assert leadbyte.quarantine.acts.keys() == {"4711"}
    assert asked.states() == {"4711": "processed", "4712": "review", "4713": "review"}


def choose(page: Page, ui: str, verdict: str) -> None:
    """Choose from the list of verdicts."""
    if ui:
        page.get_by_text("Select", exact=True).click()
    else:
        page.locator(".p-select button").press("Space")  # a click of Playwright's opens the list and closes it again
    page.get_by_role("option", name=verdict, exact=True).click()
