"""The page of leads that need a person: counts, leads, links, and nothing that somebody else's text could add."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from leadgate.config.review import ReviewConfig
from leadgate.ledger.reviews import ForPerson
from leadgate.model import Group, SentBy, State
from tasks.links import Forms
from tasks.people import People

NOW = datetime(2026, 9, 3, 12, tzinfo=UTC)
FORMS = Forms("https://prefect.example/v2/deployments/deployment/1/run", {"config": "acme.yaml"})
NO_FORMS = Forms(None, {})
HOSTILE = "](https://evil.example) | <a href=x>`\n# www.evil.example"


def lead(lead_id: str, state: State = State.REVIEW, **more: Any) -> ForPerson:  # noqa: ANN401
    """A lead that has been where it is for a day."""
    fields: dict[str, Any] = {"rule": "low-score", "by_person": False, "note": "A score of 0.1."} | more
    return ForPerson(lead_id, state, NOW - timedelta(days=1), **fields)


def page(
    found: Sequence[ForPerson],
    groups: Sequence[Group] = (),
    counts: Mapping[State, int] | None = None,
    forms: Forms = FORMS,
    rejecting: Collection[str] = (),
) -> str:
    """The page's Markdown."""
    review = ReviewConfig(within=timedelta(hours=2), link="https://crm.example/{id}")
    return People(counts or {State.REVIEW: len(found)}, groups, found, review, forms, NOW, rejecting).as_markdown()


def test_a_rule_is_decided_by_one_link() -> None:
    """With its count over all its reasons; of a rule with many reasons some are told."""
    groups = [Group(SentBy.RULE, "low-score", f"A score of 0.{number}.", 2) for number in range(5)]
    groups += [Group(SentBy.CAP, "low-score", "Over the cap.", 1), Group(SentBy.DOUBT, None, "", 3)]
    told = page([lead("1")], groups)
    (address,) = re.findall(r"\[decide all 11\]\((\S+)\)", told)
    assert unquote(address).endswith('{"config":"acme.yaml","rule":"low-score","count":11}')
    assert told.count("| low-score | A score of") == 4  # three of the rule, and the lead
    assert "| 5 | | low-score | 3 other reasons |" in told
    assert "| 3 | see below | an act that may have been taken |  |" in told


def test_a_lead_is_named_with_all_that_may_be_known() -> None:
    """Its address, the link to the form, since when, and its kept facts."""
    (row,) = [line for line in page([lead("4 7", facts={"score": 0.1, "gone": None})]).splitlines() if "4 7" in line]
    assert row.startswith("| [4 7](https://crm.example/4%207) | [decide](https://prefect.example/")
    assert row.endswith(" | 2026-09-02 12:00Z, **overdue** | low-score | A score of 0.1. | `score=0.1` |")
    assert '"ids":"4 7"' in unquote(row)


def test_what_is_to_be_done_first_stands_above_each_kind() -> None:
    """An act in doubt is looked up; what is parked is retried; what is unknown is left, and neither has a link."""
    found = [lead("1", in_doubt="process"), lead("2", State.FAILED), lead("3", State.UNKNOWN)]
    told = page(found, counts={State.REVIEW: 1, State.FAILED: 1, State.UNKNOWN: 40})
    assert "Look each one up in LeadByte first" in told
    assert "leadgate review settle ID --was processed" in told
    assert "leadgate retry ID" in told
    assert told.count("[decide](") == 1
    assert "Named are 3 leads of 42." in told


def test_without_a_form_there_are_commands() -> None:
    """On a laptop, where no deployment draws one."""
    told = page([lead("1")], [Group(SentBy.RULE, None, "No rule matched.", 1)], forms=NO_FORMS)
    assert "`leadgate review process --rule otherwise --reason TEXT`" in told
    capped = page([lead("1")], [Group(SentBy.CAP, "opted-out", "Opted out.", 3)], forms=NO_FORMS)
    assert "`leadgate review reject --rule opted-out --reason TEXT`" in capped
    late = page(
        [lead("1")], [Group(SentBy.RULE, "late", "No lead is complete.", 3)], forms=NO_FORMS, rejecting={"late"}
    )
    assert "`leadgate review reject --rule late --reason TEXT`" in late
    assert "review process --rule" not in capped
    assert "`leadgate review process ID --reason TEXT`" in told
    assert "[decide" not in told


def test_nothing_is_smuggled_into_the_page() -> None:
    """By an id, a rule, a reason or a fact: each table keeps its columns, and every link is one of ours."""
    hostile = lead(HOSTILE, rule=HOSTILE, note=HOSTILE, facts={HOSTILE: HOSTILE})
    told = page([hostile], [Group(SentBy.RULE, HOSTILE, HOSTILE, 1)])
    for row in (line for line in told.splitlines() if line.startswith("|")):
        assert len(re.findall(r"(?<!\\)\|", row)) - 1 in {4, 6}
    told = re.sub(r"(?<!\\)`[^`]*`", "", told)  # in code nothing is marked up
    links = re.findall(r"(?<!\\)\]\(([^)]*)\)", told)
    assert len(links) == 3
    assert all(link.startswith(("https://prefect.example/", "https://crm.example/")) for link in links)
    bare = re.sub(r"(?<!\\)\]\([^)]*\)", "", told)
    assert re.search(r"://|www\.|(?<!\\)<", bare) is None


def test_the_page_is_short_where_nobody_is_needed() -> None:
    """It is made all the same: an old one would stand otherwise."""
    assert page([]) == "Nothing is to be done."
