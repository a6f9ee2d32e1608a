"""The reminder of overdue reviews: how many by rule, where they are decided, and which has been open for longest."""

import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from prefect.client.orchestration import SyncPrefectClient

from flows.release_leads import release_leads
from flows.resolve_reviews import resolve_reviews
from leadgate.ledger.reviews import count_overdue, count_reviews
from leadgate.wiring.ledger import ledger_of
from tasks import alarms, links
from tests.support.pipelines import Practice

UNSURE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.1}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mapping[str, int | str]]:
    """The payloads of the events that runs send, by event."""
    found: dict[str, Mapping[str, int | str]] = {}
    monkeypatch.setattr(alarms, "tell", lambda event, _, payload: found.setdefault(event, payload))
    return found


def ask(pipeline: Practice) -> None:
    """Let three leads need a person: two that no rule matches, and one reject too many."""
    pipeline.edit(
        "  keep_facts: [score]\n", "  keep_facts: [score]\nsafety: {budgets: {reject: 1/hour}}\nreview:\n  within: 0s\n"
    )
    pipeline.quarantine(1, 2, hours_ago=2)
    pipeline.enrich(1, 2, **UNSURE)
    pipeline.quarantine(3, 4)
    pipeline.enrich(3, 4, **UNSURE, opted_out=True)


async def test_the_event_tells_rules_and_links(
    pipeline: Practice,
    client: SyncPrefectClient,
    told: dict[str, Mapping[str, int | str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The form is filled in for the rule with most of them; no value of a lead is told."""

    def root(ui: str, _: object) -> str:
        return ui

    monkeypatch.setattr(links, "_root_for_people", root)
    client.create_deployment(client.create_flow(resolve_reviews), "resolve-reviews-acme", parameters={"config": "x"})
    ask(pipeline)
    pipeline.edit("  within: 0s\n", "  within: 0s\n  link: 'https://crm.example/leads/{id}'\n")
    await release_leads(str(pipeline.file), return_state=True)
    payload = dict(told["leadgate.reviews.overdue"])
    (text,) = parse_qs(urlsplit(str(payload.pop("form"))).query)["parameters"]
    assert json.loads(text) == {"config": "x", "rule": "otherwise", "count": 2}
    assert payload.pop("lead") in {f"https://crm.example/leads/{lead_id}" for lead_id in range(1, 5)}
    assert payload == {"overdue": 3, "by_rule": "otherwise 2, opted-out 1"}


async def test_without_a_deployment_and_a_link_the_event_has_none(
    pipeline: Practice, told: dict[str, Mapping[str, int | str]]
) -> None:
    """The notification leaves them out; the counts are told all the same."""
    ask(pipeline)
    await release_leads(str(pipeline.file), return_state=True)
    assert told["leadgate.reviews.overdue"] == {
        "overdue": 3,
        "by_rule": "otherwise 2, opted-out 1",
        "form": "",
        "lead": "",
    }
    with ledger_of(pipeline.file) as (_, ledger):
        now = ledger.now()
        assert sum(each.leads for each in count_reviews(ledger, before=now)) == 3
        assert count_overdue(ledger, within=timedelta(), now=now) == 3
        assert count_reviews(ledger, before=now - timedelta(hours=1)) == []
