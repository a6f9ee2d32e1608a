"""Other rules on past leads: each is decided as at its time, by the data that is nearest to what it was."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from leadgate.backtest.verdicts import Evidence, Flip, Rejudge, Verdicts
from leadgate.ledger.past_decisions import PastLead
from leadgate.model import Columns, Enrichment, Lead, fingerprint
from leadgate.policy.deciding import Policy
from tests.policy.conftest import NOW

Compile = Callable[..., Policy]
ROW = {"score": 0.9, "age": 30}
Row = Mapping[str, Any] | None


def past(
    *,
    late: bool = False,
    facts: Mapping[str, Any] | None = None,
    seen: Mapping[str, Any] | None = ROW,
    **more: str | bool,
) -> PastLead:
    """A lead held by rule r1 two days after it was put into quarantine, a year ago."""
    at = NOW - timedelta(days=365)
    usual: dict[str, Any] = {"policy_version": "v1", "verdict": "hold", "rule": "r1", "capped": False}
    return PastLead(
        lead_id="7",
        quarantined_at=at - timedelta(days=2),
        arrived_at=at,
        data_hash=None if seen is None else fingerprint(seen),
        decided_at=at,
        late=late,
        facts=facts or {},
        **usual | more,
    )


@pytest.fixture
def rejudge(columns: Columns) -> Callable[..., Verdicts]:
    """What other rules make of one past lead, with the rows that the source has now."""

    def rejudge_(
        policy: Policy,
        lead: PastLead,
        row: Mapping[str, Any] | None = ROW,
        own: Mapping[str, Any] | None = None,
    ) -> Verdicts:
        judge = Rejudge(policy, columns)
        enrichment = None if row is None else Enrichment("7", None, row)
        then = None if own is None else Lead("7", lead.quarantined_at, own)
        judge.add(Evidence(lead, then, enrichment, None if row is None else fingerprint(row)))
        return judge.verdicts

    return rejudge_


@pytest.mark.parametrize(
    ("when", "late", "verdict"),
    [
        ("late", True, "process"),
        ("late", False, "hold"),
        ("waited == days(2)", False, "process"),
        ("now < timestamp('2024-01-01T00:00:00Z')", False, "process"),
        ("enrichment.score > 0.5", False, "process"),
    ],
)
def test_a_lead_is_decided_as_at_its_time(
    compile_rules: Compile, rejudge: Callable[..., Verdicts], when: str, late: bool, verdict: str
) -> None:
    """Late if it was late, and with the time it had waited then."""
    found = rejudge(compile_rules({"name": "new", "when": when}), past(late=late))
    flip = Flip("7", "hold", "r1", "process", "new", "Because.", "row")
    assert (dict(found.new), found.flips) == ({verdict: 1}, [flip] if verdict == "process" else [])


@pytest.mark.parametrize(
    ("row", "facts", "known", "verdict"),
    [
        (ROW, {"score": 0.1}, "row", "process"),
        ({"score": 0.1}, {}, "changed", "hold"),
        ({"score": 0.1}, {"score": 0.9}, "facts", "process"),
        (None, {"score": 0.9}, "facts", "process"),
        (None, {"age": 30}, "gone", None),
    ],
)
def test_the_row_counts_where_it_is_the_one_of_then(
    compile_rules: Compile, rejudge: Callable[..., Verdicts], row: Row, facts: Row, known: str, verdict: str | None
) -> None:
    """Else the kept facts do, where the rules read nothing else; a lead nobody knows anything of is not decided."""
    found = rejudge(compile_rules("enrichment.score > 0.5"), past(facts=facts), row)
    assert (dict(found.known), dict(found.new)) == ({known: 1}, {verdict: 1} if verdict else {})


def test_a_lead_that_never_had_enrichment_is_known(compile_rules: Compile, rejudge: Callable[..., Verdicts]) -> None:
    """There was no row then, and there is none now."""
    found = rejudge(compile_rules("missing.score && late"), past(late=True, seen=None), None)
    assert (dict(found.known), dict(found.new)) == ({"row": 1}, {"process": 1})


@pytest.mark.parametrize(
    ("own", "facts", "known"),
    [
        ({"campaign": "a"}, {}, "row"),
        (None, {"campaign": "a"}, "facts"),
        (None, {}, "gone"),
    ],
)
def test_a_lead_whose_own_row_is_gone_needs_facts_too(
    compile_rules: Compile, rejudge: Callable[..., Verdicts], own: Row, facts: Row, known: str
) -> None:
    """Sources often drop a lead's row once it has left quarantine."""
    found = rejudge(compile_rules("lead.campaign == 'a'"), past(facts=facts), ROW, own)
    assert dict(found.known) == {known: 1}


def test_a_fact_is_the_enrichments_where_both_have_the_column(
    compile_rules: Compile, rejudge: Callable[..., Verdicts]
) -> None:
    """It says nothing of the lead's own."""
    found = rejudge(compile_rules("lead.id == 3"), past(facts={"id": 3}))
    assert dict(found.known) == {"gone": 1}


@pytest.mark.parametrize(("capped", "old"), [(True, "reject"), (False, "review")])
def test_one_reject_too_many_counts_as_the_reject_that_it_was(
    compile_rules: Compile, rejudge: Callable[..., Verdicts], old: str, *, capped: bool
) -> None:
    """A rule with on_missing: review sends leads to people by itself."""
    policy = compile_rules({"when": "enrichment.score > 0.5", "then": "reject", "on_missing": "review"})
    found = rejudge(policy, past(verdict="review", capped=capped))
    assert (dict(found.old), found.capped) == ({old: 1}, int(capped))
