"""docs/operations.md and docs/events.md name what a server is given: deployments, automations, alarms, events."""

import re
from uuid import UUID

from prefect import settings
from ruamel.yaml import YAML

from deployments.automations import alarms_of_all, alarms_of_one
from deployments.wanted import ENTRIES, MANIFEST
from leadgate.ledger.alarms import Alarm
from tasks.alarms import BEGINS, ENDS, HEALTHY
from tasks.announce import EVENT
from tasks.failing import FAILING, RECOVERED
from tests.docs.pages import page

OPERATIONS, EVENTS = page("operations.md"), page("events.md")
ALARMS = OPERATIONS.partition("\n## Alarms\n")[2].partition("\n## ")[0]
SECTIONS = ALARMS.split("\n### ")[1:]
MANIFESTED = YAML(typ="safe").load(MANIFEST.read_text("utf-8"))


def test_every_automation_stands_in_one_section_of_the_alarms() -> None:
    """By its name; the one that tells of the end may be told by its last word alone."""
    automations = [*alarms_of_all([UUID(int=1)], None), *alarms_of_one("NAME", None)]
    assert automations
    for automation in automations:
        last = "-" + automation.name.rpartition("-")[2]
        assert [
            each.partition("\n")[0]
            for each in SECTIONS
            if f"`{automation.name}`" in each or f"over with `{last}`" in each
        ] != [], automation.name


def test_every_section_says_what_to_type_and_when_it_is_over() -> None:
    """In that order, after what it means."""
    assert len(SECTIONS) == len(Alarm) + 3
    for section in SECTIONS:
        assert re.search(r"^`leadgate-[A-Za-z-]+`", section, re.MULTILINE), section
        assert re.search(r"\bType [`n]", section), section
        assert re.search(r"\bover\b", section), section


def test_every_event_is_on_the_page_of_events() -> None:
    """Those that runs send; the page names no other of leadgate's."""
    assert set(re.findall(r"`(leadgate\.[a-z]+\.[a-z]+)`", EVENTS)) == {
        EVENT,
        HEALTHY,
        *BEGINS.values(),
        *ENDS.values(),
        FAILING,
        RECOVERED,
    }
    assert set(Alarm) == BEGINS.keys() == ENDS.keys()


def test_every_deployment_has_a_row() -> None:
    """With how often it runs, as the manifest has it."""
    told = dict(re.findall(r"^\| `([a-z-]+)-NAME` \| ([^|]+) \|", OPERATIONS, re.MULTILINE))
    assert told == {each["name"]: _schedule(each) for each in MANIFESTED[ENTRIES]}


def test_the_server_of_the_first_block_is_not_open_to_everybody() -> None:
    """Every variable is a setting that Prefect knows, and the clients' password is that of the server."""
    blocks = re.findall(r"```sh\n(.*?)```", OPERATIONS, re.DOTALL)
    given = dict(re.findall(r"(PREFECT_[A-Z_]+)=(\S+)", blocks[0] + blocks[1]))
    assert given["PREFECT_SERVER_API_AUTH_STRING"] == given["PREFECT_API_AUTH_STRING"]
    assert given["PREFECT_SERVER_UI_API_URL"] == given["PREFECT_API_URL"]
    assert given["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == given["PREFECT_API_URL"].removesuffix("/api")
    assert [name for name in given if not hasattr(settings, name)] == []


def _schedule(deployment: dict[str, list[dict[str, int]]]) -> str:
    minutes = [each["interval"] // 60 for each in deployment.get("schedules", ())]
    return f"every {minutes[0]} minutes" if minutes else "when asked"
