"""Where there is no form to open there is no link, and one lookup serves every link."""

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from prefect import get_client
from prefect.events import emit_event
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

from flows.resolve_reviews import resolve_reviews
from tasks.links import Forms, form_link
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer, talking_to
from tests.support.waiting import wait_until


async def test_a_run_without_a_server_has_no_links() -> None:
    """On a laptop no server is asked, and none is started to be asked."""
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert await form_link("acme", {}) is None


async def test_a_server_without_the_deployment_has_no_form(ui_server: str) -> None:
    """A run by hand, for a pipeline that nobody has deployed, gives no link."""
    assert await form_link("nobody", {"ids": "1"}) is None


async def test_a_server_without_a_ui_has_no_form(prefect_server: str) -> None:
    """The deployment alone is nothing that a browser could open."""
    async with get_client() as client:
        made = await client.create_deployment(await client.create_flow(resolve_reviews), "resolve-reviews-acme")
        assert await form_link("acme", {"ids": "1"}) is None
        await client.delete_deployment(made)


@pytest.mark.parametrize("ui", ["https://leads.example.com", "https://leads.example.com/prefect/"])
async def test_links_name_the_address_that_people_use(on_the_ui: Practice, ui: str) -> None:
    """PREFECT_UI_URL says it where people reach the server by another name than the runs do."""
    with temporary_settings({PREFECT_UI_URL: ui}):
        forms = await Forms.of("acme")
    links = [forms.link({"ids": lead_id}) or "" for lead_id in ("1", "2")]
    assert [link.partition("/v2/deployments/deployment/")[0] for link in links] == [ui.rstrip("/")] * 2
    (text,) = parse_qs(urlsplit(links[1]).query)["parameters"]
    assert json.loads(text) == {"config": str(on_the_ui.file), "ids": "2"}


def test_events_go_to_the_server_that_is_talked_to(prefect_server: str, ui_process: PrefectServer) -> None:
    """To another one for a while, and then to the tests' own again: alarms and triggers are tested there."""

    def heard(api_url: str) -> set[str]:
        query = {"filter": {"event": {"prefix": ["talking."]}}, "limit": 50}
        found = httpx.post(f"{api_url}/events/filter", json=query).raise_for_status().json()["events"]
        return {event["event"] for event in found}

    def emit(event: str) -> None:
        emit_event(event, resource={"prefect.resource.id": "leadgate.pipeline.talking"})

    emit("talking.before")
    with talking_to(ui_process.api_url):
        emit("talking.there")
    emit("talking.after")
    expected = ({"talking.before", "talking.after"}, {"talking.there"})
    wait_until(lambda: (heard(prefect_server), heard(ui_process.api_url)) == expected, what="each has heard its own")
