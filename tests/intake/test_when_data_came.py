"""The ledger keeps when each required column of a lead was first seen, and since when it had not been there."""

import json
from datetime import timedelta
from typing import Any

from leadgate.delivery.prepare import Preparation
from leadgate.intake import compare_all
from leadgate.ledger import sending
from leadgate.ledger.forgotten import forget
from leadgate.model import Conclusion, State, note_arrivals
from tests.intake.pipeline import NOON, Pipeline

WAIT = {"require": ["postcode", {"any": ["mobile", "score"]}], "deadline": "24h"}


def at(minutes: int) -> int:
    """An instant, as it is kept."""
    return int((NOON + timedelta(minutes=minutes)).timestamp())


def arrivals(pipeline: Pipeline, lead_id: str = "1") -> Any:  # noqa: ANN401 - as JSON has it
    """What is kept of a lead, as the database has it: lists and numbers."""
    return json.loads(json.dumps(pipeline.entry(lead_id)["arrivals"]))


def later(pipeline: Pipeline, minutes: int, **wait: Any) -> None:  # noqa: ANN401
    """Look again so many minutes after noon."""
    pipeline.clock.now = NOON + timedelta(minutes=minutes)
    pipeline.look(wait=WAIT | wait)


def set_columns(pipeline: Pipeline, minutes: int, **columns: object) -> None:
    """Let enrichment be as given, written so many minutes after noon."""
    pipeline.clock.now = NOON + timedelta(minutes=minutes)
    pipeline.arrive(1, **({"postcode": None, "mobile": None, "score": None} | columns))


def test_each_column_came_between_two_looks(pipeline: Pipeline) -> None:
    """The last that did not find it, and the first that did, which no later one replaces."""
    pipeline.quarantine(1)
    later(pipeline, 0)
    assert arrivals(pipeline) == {"postcode": None, "mobile": None, "score": None}
    later(pipeline, 5)
    set_columns(pipeline, 7, mobile="07")
    later(pipeline, 10)
    assert arrivals(pipeline) == {"postcode": None, "mobile": [at(5), at(10)], "score": None}
    set_columns(pipeline, 12)
    later(pipeline, 15)
    set_columns(pipeline, 17, mobile="08", postcode="N1")
    later(pipeline, 20)
    assert arrivals(pipeline) == {"postcode": [at(15), at(20)], "mobile": [at(5), at(10)], "score": None}
    assert pipeline.entry("1")["state"] == State.READY


def test_what_is_there_at_the_first_look_was_there_by_its_stamp(pipeline: Pipeline) -> None:
    """Nobody had looked before; a stamp of the future says nothing."""
    set_columns(pipeline, 1, postcode="N1")
    pipeline.quarantine(1, at=NOON)
    later(pipeline, 30)
    assert arrivals(pipeline) == {"postcode": [None, at(1)], "mobile": None, "score": None}
    future = NOON + timedelta(minutes=90)
    assert note_arrivals(None, ["a"], {"a": future}, after=None, by=at(0)) == {"a": (None, at(0))}


def test_a_column_that_is_required_later_was_not_looked_for_before(pipeline: Pipeline) -> None:
    """It may have been there all the time."""
    pipeline.quarantine(1)
    set_columns(pipeline, 0, score=0.9)
    later(pipeline, 5, require=["postcode"])
    assert arrivals(pipeline) == {"postcode": None}
    set_columns(pipeline, 7, score=0.9, postcode="N1")
    later(pipeline, 10, require=["postcode", "score", "mobile"])
    assert arrivals(pipeline) == {"postcode": [at(5), at(10)], "score": [None, at(7)], "mobile": None}


def test_conditions_and_columns_of_the_leads_row_are_kept_too(pipeline: Pipeline) -> None:
    """A condition by its words, without what it read; the lead's row has no stamp of when a column came."""
    wait = {"require": [{"when": "enrichment.score > 0.25"}, "lead.id", "mobile"]}
    pipeline.quarantine(1)
    later(pipeline, 5, **wait)
    set_columns(pipeline, 7, score=0.5)
    later(pipeline, 10, **wait)
    assert arrivals(pipeline) == {
        "`enrichment.score > 0.25`": [at(5), at(10)],
        "lead.id": [None, at(5)],
        "mobile": None,
    }


def reject_late(pipeline: Pipeline) -> None:
    """Let the lead be late, decided, and gone to a person; nothing waits any more."""
    config = pipeline.config(wait=WAIT)
    preparation = Preparation(
        config=config, source=pipeline.source, ledger=pipeline.ledger, policy=pipeline.policy(wait=WAIT)
    )
    (decided,) = preparation.claim_wave(10)
    assert decided.decision.late
    done = Conclusion(decided.claim, decided.decision, State.REVIEW, note="late")
    sending.conclude(pipeline.ledger, [done], now=pipeline.clock())


def test_what_comes_after_the_decision_is_noted_and_changes_nothing(pipeline: Pipeline) -> None:
    """The lead stays where it is; the next look with nothing new writes nothing."""
    pipeline.quarantine(1)
    pipeline.arrive(99)  # of no lead: a source without rows is not healthy
    later(pipeline, 0)
    later(pipeline, 25 * 60)
    reject_late(pipeline)
    set_columns(pipeline, 26 * 60, postcode="N1", score=0.9)
    pipeline.clock.now += timedelta(minutes=1)
    pipeline.look_forward(wait=WAIT, review={"again": "never"})
    came = [at(25 * 60), at(26 * 60 + 1)]
    assert arrivals(pipeline) == {"postcode": came, "mobile": None, "score": came}
    assert pipeline.entry("1")["state"] == State.REVIEW
    before = pipeline.rows()
    pipeline.clock.now += timedelta(minutes=1)
    pipeline.look_forward(wait=WAIT, review={"again": "never"})
    assert pipeline.rows() == before


def test_what_comes_while_a_lead_is_withdrawn_is_noted_then(pipeline: Pipeline) -> None:
    """Or it would seem to have come when the lead is back."""
    pipeline.quarantine(1, *range(100, 130))
    pipeline.arrive(99)
    later(pipeline, 0)
    pipeline.run_sql("DELETE FROM leads WHERE id = 1")
    for minutes in (5, 16):
        later(pipeline, minutes)
    assert pipeline.entry("1")["state"] == State.WITHDRAWN
    set_columns(pipeline, 17, postcode="N1")
    later(pipeline, 20)
    pipeline.quarantine(1, at=NOON)
    later(pipeline, 60)
    assert pipeline.entry("1")["state"] == State.WAITING
    assert arrivals(pipeline) == {"postcode": [at(16), at(20)], "mobile": None, "score": None}


def test_a_source_that_is_compared_as_a_whole_says_when_it_was_compared_before(pipeline: Pipeline) -> None:
    """Without stamps nothing is read forward."""
    source = {"enrichment": {"table": "enrichment", "id": "id", "updated_at": None}}
    pipeline.reopen_source(source=source)

    def look(minutes: int) -> None:
        pipeline.clock.now = now = NOON + timedelta(minutes=minutes)
        parts = pipeline.source, pipeline.ledger, pipeline.config(wait=WAIT, source=source)
        pipeline.look_forward(wait=WAIT, source=source)
        compare_all(*parts, now=now, begun_at=now + timedelta(microseconds=1))

    pipeline.quarantine(1)
    look(0)
    look(6)
    set_columns(pipeline, 7, postcode="N1")
    look(12)
    assert arrivals(pipeline) == {"postcode": [at(6), at(12)], "mobile": None, "score": None}


def test_a_run_with_nothing_new_writes_no_arrivals(pipeline: Pipeline) -> None:
    """Whatever waits: a look that finds what the last one found leaves every row as it is."""
    pipeline.quarantine(1, 2, 3)
    set_columns(pipeline, 0, postcode="N1")
    later(pipeline, 5)
    before = pipeline.rows()
    later(pipeline, 10)
    assert pipeline.rows() == before


def test_a_lead_that_is_forgotten_takes_its_arrivals_along(pipeline: Pipeline) -> None:
    """They are part of its row."""
    pipeline.quarantine(1, 2)
    set_columns(pipeline, 0, postcode="N1")
    later(pipeline, 5)
    assert forget(pipeline.ledger, "1") is None
    assert [row[1] for row in pipeline.rows()] == ["2"]


def test_a_clock_that_goes_back_makes_no_span_negative(pipeline: Pipeline) -> None:
    """The last look was not after this one."""
    pipeline.quarantine(1)
    later(pipeline, 60)
    set_columns(pipeline, 50, postcode="N1")
    later(pipeline, 55)
    assert arrivals(pipeline)["postcode"] == [at(55), at(55)]
