"""What the rules decided in the past: the last of each lead, without what people or pauses decided."""

from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy import Engine, text

from leadgate.ledger import Ledger, claims, past_decisions, sending
from leadgate.ledger.past_decisions import read_decided
from leadgate.ledger.schema import overrides
from leadgate.ledger.source_health import Standstill, keep_reading, read_standstills
from leadgate.model import Conclusion, SourceReading, State
from tests.ledger.steps import HOLD, LEASE, NOW, PROCESS, REJECT, claim, make_ready


def decide_twice(ledger: Ledger, *ids: str) -> None:
    """Each lead is held, and then rejected an hour later."""
    make_ready(ledger, *ids)
    for hours, decision, state in ((0, HOLD, State.READY), (1, REJECT, State.REVIEW)):
        at = NOW + timedelta(hours=hours)
        wave = claims.claim(ledger, limit=100, lease=LEASE, now=at)
        ended = [Conclusion(held, decision, state, due_at=at, note="a note") for held in wave]
        sending.conclude(ledger, ended, now=at)


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_each_lead_comes_once_with_its_last_decision(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """In pages of any size."""
    monkeypatch.setattr(past_decisions, "_PAGE", page)
    decide_twice(ledger, "1", "2", "3", "4")
    found = list(chain.from_iterable(read_decided(ledger, NOW - timedelta(days=1))))
    assert [(lead.lead_id, lead.verdict, lead.rule) for lead in found] == [
        (lead_id, "reject", "opted-out") for lead_id in "1234"
    ]
    assert {(lead.decided_at, lead.data_hash, lead.late) for lead in found} == {
        (NOW + timedelta(hours=1), "hash-1", False)
    }


def test_what_was_decided_before_is_left_out(ledger: Ledger, engine: Engine) -> None:
    """The instant itself is in."""
    decide_twice(ledger, "1")
    later = NOW + timedelta(hours=1)
    assert [len(page) for page in read_decided(ledger, later)] == [1]
    assert list(read_decided(ledger, later + timedelta(seconds=1))) == []
    assert list(read_decided(Ledger(engine, pipeline="another", owner="first"), NOW)) == []


@pytest.mark.parametrize("change", ["decided_by = 'ann'", "paused = true, verdict = 'hold'"])
def test_what_people_and_pauses_decided_is_left_out(ledger: Ledger, engine: Engine, change: str) -> None:
    """The last that the rules said counts in its place."""
    decide_twice(ledger, "1")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE leadgate_entry_decisions SET {change} WHERE verdict = 'reject'"))  # noqa: S608
    ((lead,),) = read_decided(ledger, NOW)
    assert (lead.verdict, lead.rule) == ("hold", None)


@pytest.mark.parametrize(
    ("said", "override"),
    [
        ([], None),
        ([(3, "process")], "process"),
        ([(3, "process"), (5, "reject")], "reject"),
        ([(3, "wait")], None),
        ([(1, "process")], None),
    ],
)
def test_what_a_person_made_of_it_comes_along(
    ledger: Ledger, engine: Engine, said: list[tuple[int, str]], override: str | None
) -> None:
    """The newest act that a person decided on after the decision; what was said before it, and a wait, is none."""
    decide_twice(ledger, "1", "2")
    with engine.begin() as connection:
        usual = {"pipeline": "acme", "lead_id": "1", "reason": "why", "decided_by": "ann", "decided_at": NOW}
        for token, verdict in said:
            connection.execute(overrides.insert(), usual | {"token": token, "verdict": verdict})
    (page,) = read_decided(ledger, NOW)
    assert [lead.override for lead in page] == [override, None]


def test_facts_texts_and_standstills_are_read_as_they_were_written(ledger: Ledger) -> None:
    """Standstills in their order, one that lasts without an end."""
    held = claim(ledger, "1")
    sending.conclude(ledger, [Conclusion(held, PROCESS, State.REVIEW, note="a note")], now=NOW)
    ((lead,),) = read_decided(ledger, NOW)
    assert (lead.facts, lead.policy_version, lead.arrived_at) == ({"score": 0.7}, "v1", NOW)
    instants = [NOW + timedelta(minutes=minutes) for minutes in range(3)]
    for instant, healthy in zip(instants, (False, True, False), strict=True):
        keep_reading(ledger, SourceReading(read_at=instant, newest_at=None, healthy=healthy))
    assert read_standstills(ledger) == [Standstill(instants[0], instants[1]), Standstill(instants[2], None)]
