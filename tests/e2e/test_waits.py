"""`leadgate waits`: what it prints of real runs, and what wrong use is answered with."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate.ledger import waiting
from leadgate.ledger.source_progress import Mark, Relation, keep_mark
from leadgate.model import Lead, Look
from leadgate.wiring.ledger import ledger_of
from tests.support.command import leadgate
from tests.support.pipelines import Practice


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """A pipeline that waits a day for a postcode, a verified phone and a score."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    yield practice
    practice.close()


def fill(practice: Practice, leads: int) -> None:
    """Let leads have come four days ago; the score of every fourth came after 20 hours, all else after 2."""
    with ledger_of(practice.file) as (_, ledger):
        now = ledger.now()
        began_at = now - timedelta(days=4)
        keep_mark(ledger, Relation.ENRICHMENT, Mark(read_at=now, position=now, moved_at=now))
        ids = [str(number) for number in range(leads)]
        waiting.register(ledger, [Lead(lead_id, began_at) for lead_id in ids], now=began_at)

        def spans(hours: float) -> tuple[int, int]:
            by = int((began_at + timedelta(hours=hours)).timestamp())
            return by - 300, by

        arrivals = {
            lead_id: {
                "postcode": spans(2),
                "phone_verified": spans(2),
                "score": spans(20 if int(lead_id) % 4 == 0 else 2),
            }
            for lead_id in ids
        }
        looks = [Look(lead_id, [], "hash", due=True) for lead_id in ids]
        waiting.note_looks(ledger, looks, now=now, arrivals=arrivals)


def test_before_the_first_run_there_is_nothing_to_tell(practice: Practice) -> None:
    """One line, and no table."""
    done = leadgate("waits", config=practice.file)
    assert (done.code, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("acme: 0 leads quarantined since ")


def test_it_says_what_other_deadlines_and_fewer_columns_would_have_meant(practice: Practice) -> None:
    """By the ledger alone: the API key is not set, and the source is gone."""
    fill(practice, 400)
    practice.source.dispose()
    practice.file.with_name("source.db").unlink(missing_ok=True)
    done = leadgate("waits", config=practice.file)
    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("acme: 400 leads quarantined since ")
    assert lines[2] == "6h keeps 75 %, 18h keeps 75 %, 24h (now) 100 %."
    assert [line.split() for line in lines[3:9]] == [
        ["within", "6h", "12h", "18h", "24h", "(now)", "36h", "48h", "72h"],
        ["all", "that", "is", "required", *(["75", "%"] * 3), *(["100", "%"] * 4)],
        ["postcode", *(["100", "%"] * 7)],
        ["phone_verified", *(["100", "%"] * 7)],
        ["score", *(["75", "%"] * 3), *(["100", "%"] * 4)],
        ["leads", "that", "old", *["400"] * 7],
    ]


def test_what_holds_leads_back_is_named(practice: Practice) -> None:
    """A shorter deadline: a quarter of the leads was late for the score alone."""
    fill(practice, 400)
    practice.edit("deadline: 24h", "deadline: 12h")
    lines = leadgate("waits", config=practice.file).stdout.splitlines()
    assert "3h keeps 75 %, 9h keeps 75 %, 12h (now) 75 %; score alone holds back 25 %." in lines
    assert "  without score 12h keeps 100 %: 100 leads, 25 %, were late for it alone" in lines
    found = leadgate("waits", "--json", config=practice.file).json()
    (group,) = found["deadlines"]
    (without,) = [each for each in group["without"] if each["need"] == "score"]
    assert without == {
        "need": "score",
        "alone": 100,
        "within_seconds": 43200,
        "leads": 400,
        "had": 400,
        "had_not": 0,
        "unknown": 0,
    }


def test_a_few_leads_are_too_few_to_tell(practice: Practice) -> None:
    """The counts are shown all the same."""
    fill(practice, 12)
    lines = leadgate("waits", config=practice.file).stdout.splitlines()
    assert "Too few leads are old enough to judge the deadline of 24h: 12, and 100 are needed." in lines
    assert lines[-1].split() == ["leads", "that", "old", *["12"] * 7]


def test_leads_of_an_older_ledger_are_left_out_and_said(practice: Practice) -> None:
    """When their data came was not kept."""
    fill(practice, 12)
    with ledger_of(practice.file) as (_, ledger), ledger.transaction() as connection:
        connection.execute(text("UPDATE leadgate_entries SET arrivals = NULL WHERE lead_id < '2'"))
    done = leadgate("waits", config=practice.file)
    told = "4 of them are not counted: when their data came was not kept, or no run has looked yet."
    assert told in done.stdout.splitlines()
    found = leadgate("waits", "--json", config=practice.file).json()
    assert (found["leads"], found["not_counted"], found["deadlines"][0]["leads"]) == (12, 4, 8)


def test_a_span_that_is_none_is_named(practice: Practice) -> None:
    """With what it should be."""
    done = leadgate("waits", "--since", "a while", config=practice.file)
    assert done.code == 2
    assert "such as 90s, 15m, 24h or 7d" in done.stderr
