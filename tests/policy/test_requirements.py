"""What leads wait for, and how long: columns of both relations, choices, conditions, and deadlines of their own."""

from datetime import timedelta
from typing import Any

import pytest

from leadgate.config import WaitConfig
from leadgate.errors import PolicyError
from leadgate.model import Columns, Enrichment, Lead
from leadgate.policy.requirements import Requirements
from tests.policy.conftest import NOW


def wait(require: list[Any], **more: Any) -> WaitConfig:  # noqa: ANN401 - as in the file
    """A wait as the file has it."""
    return WaitConfig.model_validate({"require": require, "deadline": "24h", **more})


def missing(
    columns: Columns, require: list[Any], enrichment: dict[str, Any] | None, lead: dict[str, Any] | None = None
) -> list[str]:
    """What a lead still lacks."""
    arrived = None if enrichment is None else Enrichment("7", NOW, enrichment)
    return Requirements(wait(require), columns).missing(Lead("7", NOW, lead or {}), arrived)


@pytest.mark.parametrize(
    ("require", "enrichment", "lead", "expected"),
    [
        (["postcode"], {"postcode": "N1"}, {}, []),
        (["postcode", "score"], {"postcode": "N1"}, {}, ["score"]),
        (["postcode", "score"], None, {}, ["postcode", "score"]),
        (["enrichment.postcode"], {"postcode": "N1"}, {}, []),
        (["lead.campaign"], {}, {"campaign": "solar"}, []),
        (["lead.campaign", "score"], None, {"campaign": "solar"}, ["score"]),
        (["lead.campaign"], {"campaign": "solar"}, {}, ["lead.campaign"]),
        ([{"any": ["postcode", "score"]}], {"score": 0.1}, {}, []),
        ([{"any": ["postcode", "lead.campaign"]}], {}, {"campaign": "solar"}, []),
        ([{"any": ["postcode", "score"]}], {"age": 3}, {}, ["one of postcode, score"]),
        ([{"when": "enrichment.score >  0.5"}], {"score": 0.6}, {}, []),
        ([{"when": "enrichment.score >  0.5"}], {"score": 0.4}, {}, ["`enrichment.score > 0.5`"]),
        # Without an answer it does not hold.
        ([{"when": "enrichment.score >  0.5"}], {"age": 3}, {}, ["`enrichment.score > 0.5`"]),
        ([{"when": "missing.score || enrichment.score > 0.5"}], {"age": 3}, {}, []),
        ([{"when": "lead.campaign == 'solar'"}], {}, {"campaign": "solar"}, []),
    ],
)
def test_what_is_missing(
    columns: Columns, require: list[Any], enrichment: dict[str, Any] | None, lead: dict[str, Any], expected: list[str]
) -> None:
    """Columns without a value, choices of which none has one, and conditions that do not hold."""
    assert missing(columns, require, enrichment, lead) == expected


def test_the_first_deadline_that_matches_counts(columns: Columns) -> None:
    """Else the lead has none of its own; a condition without an answer does not match."""
    rules = [
        {"when": "lead.campaign == 'solar'", "after": "6h"},
        {"when": "lead.attempts > 2 || enrichment.age > 70", "after": "3d"},
    ]
    requirements = Requirements(wait(["postcode"], deadlines=rules), columns)

    def deadline(lead: dict[str, Any], enrichment: dict[str, Any] | None = None) -> timedelta | None:
        arrived = None if enrichment is None else Enrichment("7", NOW, enrichment)
        return requirements.deadline(Lead("7", NOW, lead), arrived)

    assert deadline({"campaign": "solar", "attempts": 5}) == timedelta(hours=6)
    assert deadline({"campaign": "heat", "attempts": 5}) == timedelta(days=3)
    assert deadline({}, {"age": 71}) == timedelta(days=3)
    assert deadline({"campaign": "heat"}) is None
    assert requirements.reads_lead


def test_what_ends_a_wait_is_known_by_column(columns: Columns) -> None:
    """Of choices all of them, of a condition those it reads."""
    require = ["postcode", {"any": ["score", "lead.campaign"]}, {"when": "enrichment.age > 3"}]
    requirements = Requirements(wait(require), columns)
    assert requirements.behind(["postcode"]) == {"enrichment.postcode"}
    assert requirements.behind(["one of score, lead.campaign"]) == {"enrichment.score", "lead.campaign"}
    assert requirements.behind(["`enrichment.age > 3`"]) == {"enrichment.age"}
    assert requirements.behind([]) == set()


@pytest.mark.parametrize(
    ("require", "deadlines", "told"),
    [
        (["postcod"], [], "wait.require[1]: source.enrichment has no column `postcod`; did you mean postcode?"),
        (["campaign"], [], "wait.require[1]: source.enrichment has no column `campaign`; did you mean lead.campaign?"),
        (["lead.score"], [], "wait.require[1]: source.leads has no column `score`; did you mean score?"),
        (
            [{"any": ["postcode", "scor"]}],
            [],
            "wait.require[1].any[2]: source.enrichment has no column `scor`; did",
        ),
        ([{"when": "enrichment.age"}], [], "wait.require[1].when: gives a whole number, not true or false"),
        ([{"when": "late"}], [], "wait.require[1].when: `late` is not used here: a wait goes by the lead's data"),
        (["postcode"], [("days_since(enrichment.seen_at) > 2", "6h")], "wait.deadlines[1].when: `days_since()` is not"),
        (["postcode"], [("waited > days(1)", "6h")], "wait.deadlines[1].when: `waited` is not used here"),
        (["postcode"], [("false", "6h")], "wait.deadlines[1].when: can never match: it is false whatever the data"),
        (["postcode"], [("true", "6h")], "wait.deadlines[1].when: always holds: write its time as wait.deadline"),
        (
            ["postcode"],
            [("lead.attempts > 1", "6h"), ("lead.attempts>1", "7h")],
            "wait.deadlines[2].when: can never match: wait.deadlines[1] holds wherever it does",
        ),
        (
            ["postcode"],
            [("enrichment.age > 30", "6h"), ("enrichment.age >= 40 && lead.campaign == 'solar'", "7h")],
            "wait.deadlines[2].when: can never match: wait.deadlines[1] holds wherever it does",
        ),
        (
            ["postcode"],
            [("enrichment.age > 30 && enrichment.age < 20", "6h")],
            "wait.deadlines[1].when: can never match: its comparisons exclude each other",
        ),
    ],
)
def test_faults_are_named_with_their_place(
    columns: Columns, require: list[Any], deadlines: list[tuple[str, str]], told: str
) -> None:
    """Before anything runs."""
    rules = [{"when": when, "after": after} for when, after in deadlines]
    with pytest.raises(PolicyError) as caught:
        Requirements(wait(require, deadlines=rules), columns)
    (problem,) = caught.value.problems
    assert problem.startswith(told)
