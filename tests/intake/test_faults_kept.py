"""What is known of faults in rows from run to run: kept until everything was compared again, and forgotten then."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadgate.intake import compare_all
from leadgate.ledger.source_progress import read_faults
from leadgate.summary import Account
from tests.delivery.world import NOON
from tests.intake.pipeline import Pipeline, open_pipeline

SECTIONS: dict[str, dict[str, Any]] = {"wait": {"require": ["score"], "deadline": "24h"}}
MANY = 2_100


@pytest.fixture
def pipeline(sqlite_url: str, tmp_path: Path) -> Iterator[Pipeline]:
    """SQLite keeps text in a column of numbers."""
    with open_pipeline(sqlite_url, tmp_path) as opened:
        yield opened


def waits_in_vain(pipeline: Pipeline, leads: int) -> None:
    """Let lead 1 wait for a score that cannot be read, among others that wait for one."""
    pipeline.quarantine(*range(1, leads + 1))
    pipeline.arrive(1, score="high")
    pipeline.look(**SECTIONS)


def known(pipeline: Pipeline) -> list[list[str]]:
    """The leads that the ledger knows to be held back."""
    return [fault["ids"] for fault in read_faults(pipeline.ledger).as_json() if fault["holds_back"]]


def compare(pipeline: Pipeline, pages: int | None) -> None:
    """Go on with a comparison of everything, as a process that has seen nothing yet."""
    pipeline.reopen_source()
    compare_all(pipeline.source, pipeline.ledger, pipeline.config(**SECTIONS), now=pipeline.clock(), pages=pages)


def test_a_run_that_compares_nothing_reports_what_the_last_comparison_found(pipeline: Pipeline) -> None:
    """A lead that waits in vain is held back whoever looks."""
    waits_in_vain(pipeline, 3)
    pipeline.reopen_source()
    account = Account(NOON + timedelta(minutes=1))
    account.found_in(pipeline.source, pipeline.ledger)
    assert [fault["ids"] for fault in account.faults.as_json()] == [["1"]]
    assert account.faults.hold_back


def test_a_run_that_has_compared_everything_reports_what_it_has_seen_itself(pipeline: Pipeline) -> None:
    """What was put right while it ran is no fault any more, nor one of a row that is gone."""
    account = Account(NOON - timedelta(minutes=1))
    waits_in_vain(pipeline, 3)
    pipeline.arrive(1)
    pipeline.look_forward(**SECTIONS)
    account.found_in(pipeline.source, pipeline.ledger)
    assert len(account.faults) == 0
    pipeline.arrive(2, score="low")
    pipeline.look_forward(**SECTIONS)
    pipeline.run_sql("DELETE FROM enrichment WHERE id = 2")
    assert len(pipeline.source.faults()) == 1
    pipeline.look(**SECTIONS)
    assert len(pipeline.source.faults()) == 0


def test_a_row_that_cannot_be_registered_is_reported_until_everything_was_compared(pipeline: Pipeline) -> None:
    """However many looks pass it by, since it was read forward once."""
    account = Account(NOON)
    pipeline.quarantine(1)
    pipeline.look(**SECTIONS)
    pipeline.clock.advance(minutes=5)
    at = pipeline.clock().replace(tzinfo=None).isoformat(" ")
    pipeline.run_sql(f"INSERT INTO leads VALUES ('  ', '{at}')")  # noqa: S608 - constants
    for _ in range(3):
        account.registered(pipeline.register())
        pipeline.clock.advance(minutes=2)
        assert account.faults.hold_back
    pipeline.run_sql("DELETE FROM leads WHERE id = '  '")
    now = pipeline.clock() + timedelta(hours=1)
    compared = compare_all(pipeline.source, pipeline.ledger, pipeline.config(**SECTIONS), now=now)
    assert compared.registered
    account.registered(compared.registered)
    assert len(account.faults) == 0


def test_a_comparison_under_way_forgets_nothing(pipeline: Pipeline) -> None:
    """Broken off and ended by other processes, it knows what each of them has found."""
    waits_in_vain(pipeline, MANY)
    assert known(pipeline) == [["1"]]
    pipeline.clock.advance(minutes=20)
    for pages in (1, 1, None):
        compare(pipeline, pages)
        assert known(pipeline) == [["1"]]


def test_what_was_put_right_is_forgotten_by_the_next_comparison(pipeline: Pipeline) -> None:
    """Not sooner, and not later."""
    waits_in_vain(pipeline, MANY)
    pipeline.arrive(1, score=None)
    pipeline.clock.advance(minutes=20)
    compare(pipeline, 1)
    assert known(pipeline) == [["1"]]
    compare(pipeline, None)
    assert known(pipeline) == []


def test_leads_without_an_id_are_counted_over_all_pages(pipeline: Pipeline) -> None:
    """Also those that are read forward, a page at a time."""
    pipeline.quarantine(*range(1, 4))
    pipeline.look(**SECTIONS)
    pipeline.clock.advance(minutes=5)
    at = (pipeline.clock() - timedelta(seconds=1)).replace(tzinfo=None).isoformat(" ")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"  # noqa: S608
    too_long = f"i || '{'x' * 200}'"
    pipeline.run_sql(f"INSERT INTO leads {numbers} SELECT {too_long}, '{at}' FROM n")  # noqa: S608 - constants
    registered = pipeline.register()
    assert [fault["rows"] for fault in registered.faults.as_json()] == [MANY]
