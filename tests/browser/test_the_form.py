"""The form of resolve-reviews in a real browser: a link fills it in, a person presses one button, and a run is made."""

import asyncio
import re

import pytest
from playwright.sync_api import Page, expect
from prefect import get_client
from prefect.client.schemas.objects import FlowRun

from tasks.links import form_link
from tests.support.browser import submit_form
from tests.support.pipelines import Practice

FILLED_IN = {
    "ids": "a1, b2\nc3",
    "rule": "otherwise",
    "count": 3,
    "verdict": "was-processed",
    "reason": 'Said "yes, 50%" & 100%25 \\u0025 + é漢 #1.\nAnd <b>then</b> no.',
    "by": "Zoë O'Hara, sales",
    "still_in_quarantine": True,
}


@pytest.fixture
def link(on_the_ui: Practice) -> str:
    """The link to the form of the pipeline, filled in; made before the browser, whose loop lets no other run."""
    made = asyncio.run(form_link("acme", FILLED_IN))
    assert made
    return made


def runs() -> list[FlowRun]:
    """The runs that no schedule has planned."""
    with get_client(sync_client=True) as client:
        return [run for run in client.read_flow_runs() if not run.auto_scheduled]


@pytest.mark.parametrize("ui", ["/v2/", "/"])
def test_a_link_fills_in_the_form_and_one_button_makes_the_run(
    link: str, ui: str, on_the_ui: Practice, page: Page
) -> None:
    """In both UIs every character arrives as it was, and the pipeline file is the deployment's own."""
    assert link.count("/v2/") == 1
    before = {run.id for run in runs()}
    page.goto(link.replace("/v2/", ui))
    # The fields in their order: the ids, the rule, the reason, who decides, the pipeline file.
    fields = [FILLED_IN["ids"], FILLED_IN["rule"], FILLED_IN["reason"], FILLED_IN["by"], str(on_the_ui.file)]
    for place, value in enumerate(fields):
        expect(page.locator("textarea").nth(place)).to_have_value(str(value))
    submit_form(page)
    page.wait_for_url(re.compile(r"/deployments/deployment/[0-9a-f-]+(\?.*)?$"))
    (made,) = [run for run in runs() if run.id not in before]
    assert made.parameters == FILLED_IN | {"config": str(on_the_ui.file)}
