"""Arrivals are found by reading forward: nothing is missed, and what waits costs nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.engine import Engine

from leadgate.intake import compare_all, forward
from leadgate.intake.forward import advance, read_from
from leadgate.ledger.source_progress import Mark, Relation, read_mark
from leadgate.model import State
from tests.intake.pipeline import NOON, Pipeline, open_pipeline, small_pages

MINUTE = timedelta(minutes=1)
ROW = "INSERT INTO enrichment VALUES (:id, now(), 'TN25 6QD', '07700 900123', 0.9)"
NOBODY = (
    "CREATE ROLE {name} LOGIN PASSWORD 'x'",
    "GRANT USAGE ON SCHEMA public TO {name}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
)


@pytest.fixture
def statements(pipeline: Pipeline) -> Iterator[list[str]]:
    """Every statement sent to any database from now on."""
    sent: list[str] = []

    def note(*given: object) -> None:
        sent.append(str(given[2]))

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


class LateRow:
    """Lead 1's enrichment, stamped before lead 2's and not committed yet."""

    def __init__(self, pipeline: Pipeline, url: str) -> None:
        self._engine = create_engine(url)
        self._connection: Connection | None = None
        pipeline.clock.now = datetime.now(UTC)
        pipeline.run_sql("ALTER TABLE enrichment ALTER updated_at TYPE timestamptz")
        pipeline.quarantine(1, 2)
        pipeline.look()
        self._pipeline = pipeline

    def __enter__(self) -> Self:
        self._connection = self._engine.connect()
        self._connection.execute(text(ROW), {"id": 1})
        self._pipeline.run_sql(ROW.replace(":id", "2"))
        self._pipeline.clock.now = datetime.now(UTC)
        return self

    def commit(self) -> None:
        """Let it be seen."""
        assert self._connection
        self._connection.commit()

    def __exit__(self, *_: object) -> None:
        assert self._connection
        self._connection.close()
        self._engine.dispose()


def test_what_is_written_is_found_without_a_comparison(pipeline: Pipeline) -> None:
    """New leads, new enrichment, and a later piece of it; each in the next look."""
    pipeline.quarantine(1, 2)
    pipeline.look()
    pipeline.clock.advance(minutes=5)
    pipeline.quarantine(3)
    pipeline.arrive(1, postcode=None)
    pipeline.arrive(3)
    assert pipeline.look_forward().arrived == 1
    assert pipeline.entry("1")["missing"] == ["postcode"]
    pipeline.clock.advance(minutes=5)
    pipeline.arrive(1)
    assert pipeline.look_forward().arrived == 1
    assert pipeline.states() == {"1": State.READY, "2": State.WAITING, "3": State.READY}


def test_a_lead_finds_the_enrichment_that_came_before_it(pipeline: Pipeline) -> None:
    """However long ago that was: what is registered is looked up once."""
    pipeline.arrive(1)
    pipeline.quarantine(99)
    pipeline.look()
    pipeline.clock.advance(days=3)
    pipeline.quarantine(1)
    assert pipeline.look_forward().arrived == 1


@pytest.mark.parametrize("waiting", [5, 1500])
def test_a_look_at_nothing_new_costs_the_same_however_many_wait(
    pipeline: Pipeline, statements: list[str], waiting: int
) -> None:
    """The statements are as many, and none of them looks leads up."""
    pipeline.arrive(99_999)
    pipeline.quarantine(*range(waiting))
    pipeline.look()
    for _ in range(2):
        pipeline.clock.advance(minutes=2)
        pipeline.look_forward()
    pipeline.clock.advance(minutes=2)
    statements.clear()
    pipeline.look_forward()
    assert len([statement for statement in statements if statement.lstrip()[:6].upper() in {"SELECT", "UPDATE"}]) <= 16
    assert not any(" IN (" in statement for statement in statements)


def test_a_row_that_commits_late_is_found(postgres_url: str, tmp_path: Path) -> None:
    """A plain watermark passes it by: its stamp lies before one that was seen."""
    with open_pipeline(postgres_url, tmp_path) as pipeline, LateRow(pipeline, postgres_url) as late:
        newest = pipeline.source.reading(pipeline.clock(), None).newest_at
        assert newest is not None
        assert pipeline.look_forward().arrived == 1
        late.commit()
        plain = [lead_id for page in pipeline.source.changed(newest) or () for lead_id, at in page if at > newest]
        assert plain == []
        pipeline.clock.now = datetime.now(UTC) + timedelta(minutes=10)
        pipeline.look_forward()
        assert pipeline.states() == dict.fromkeys(("1", "2"), State.READY)


@pytest.mark.parametrize(("minutes", "found"), [(0.5, True), (10, False)])
def test_without_the_right_to_see_transactions_an_overlap_finds_it(
    postgres_url: str, tmp_path: Path, minutes: float, found: bool
) -> None:
    """One that is open for longer than the overlap is found by the comparison of everything."""
    with open_pipeline(postgres_url, tmp_path) as pipeline, LateRow(pipeline, postgres_url) as late:
        name = f"reader_{tmp_path.parent.name}_{found}".lower().replace("-", "_")
        pipeline.run_sql(*(statement.format(name=name) for statement in NOBODY))
        pipeline.reopen_source(make_url(postgres_url).set(username=name, password="x").render_as_string(False))
        assert pipeline.source.horizon() is None
        pipeline.look_forward()
        pipeline.clock.now += timedelta(minutes=minutes)
        pipeline.look_forward()
        late.commit()
        pipeline.clock.now += timedelta(seconds=1)
        pipeline.look_forward()
        assert (pipeline.states()["1"] is State.READY) == found
        pipeline.clock.now += timedelta(minutes=15)
        compare_all(pipeline.source, pipeline.ledger, pipeline.config(), now=pipeline.clock(), pages=10)
        assert pipeline.states()["1"] is State.READY
        pipeline.run_sql(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_row_with_an_odd_stamp_is_found_by_the_comparison(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the next run where all is small, and else when the comparison is due."""
    monkeypatch.setattr("leadgate.intake.compare._SMALL", 0)
    pipeline.quarantine(1)
    pipeline.arrive(99)
    pipeline.look()
    pipeline.clock.advance(minutes=5)
    pipeline.quarantine(2, at=NOON - timedelta(days=3))
    pipeline.run_sql("INSERT INTO enrichment VALUES (1, '2020-01-01 00:00:00', 'TN25 6QD', NULL, 0.9)")
    pipeline.run_sql("INSERT INTO enrichment VALUES (2, NULL, 'TN25 6QD', NULL, 0.9)")
    assert pipeline.look().arrived == 0
    pipeline.clock.advance(minutes=10)
    assert pipeline.look().arrived == 2
    monkeypatch.setattr("leadgate.intake.compare._SMALL", 10)
    pipeline.quarantine(3, at=NOON - timedelta(days=3))
    pipeline.arrive(3)
    assert pipeline.look().arrived == 1


def test_a_comparison_goes_on_where_it_was_broken_off(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of each at a time; every lead is seen once."""
    small_pages(monkeypatch, 2)
    pipeline.quarantine(*range(1, 8))
    pipeline.arrive(99)
    pipeline.look()
    pipeline.quarantine(2_000, 2_001, at=datetime(2020, 1, 1, tzinfo=UTC))
    pipeline.run_sql("INSERT INTO enrichment VALUES (7, '2020-01-01 00:00:00', 'TN25 6QD', NULL, 0.9)")
    pipeline.clock.advance(hours=1)
    steps = 0
    while steps < 20:
        compare_all(pipeline.source, pipeline.ledger, pipeline.config(), now=pipeline.clock(), pages=1)
        steps += 1
        marks = [read_mark(pipeline.ledger, relation) for relation in Relation]
        if all(mark and mark.compared_to is None for mark in marks):
            break
    assert 4 <= steps < 20
    assert pipeline.states()["7"] is State.READY
    assert {"2000", "2001"} <= pipeline.states().keys()
    assert [mark.compared_rows for mark in marks if mark] == [9, 7]


def test_a_comparison_ends_though_the_rows_that_were_left_are_gone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be under way for ever, and no other would begin."""
    small_pages(monkeypatch, 2)
    pipeline.quarantine(*range(1, 8))
    pipeline.arrive(99)
    pipeline.look()
    for statement in ("", "DELETE FROM leads WHERE id > 2"):
        pipeline.clock.advance(hours=1)
        pipeline.run_sql(*filter(None, [statement]))
        compare_all(pipeline.source, pipeline.ledger, pipeline.config(), now=pipeline.clock(), pages=1)
        mark = read_mark(pipeline.ledger, Relation.LEADS)
        assert mark
        assert (mark.compared_to is None, mark.compared_at == pipeline.clock()) == (bool(statement), bool(statement))


def test_a_source_without_stamps_is_compared_at_every_look(pipeline: Pipeline, tmp_path: Path) -> None:
    """There is nothing to read forward by."""
    del tmp_path
    pipeline.reopen_source(source={"enrichment": {"table": "enrichment", "id": "id"}})
    pipeline.quarantine(1)
    pipeline.look()
    pipeline.clock.advance(seconds=2)
    pipeline.arrive(1)
    assert pipeline.look_forward().arrived == 0
    compared = compare_all(pipeline.source, pipeline.ledger, pipeline.config(), now=pipeline.clock(), pages=5)
    assert compared.looked
    assert compared.looked.arrived == 1


@pytest.mark.parametrize(
    "stamp",
    ["2026-03-01T12:05:00Z", "2026-03-01T12:05:00.123456", "2026-03-01 13:05:00+01:00", "2026-03-01 12:05", 1772366700],
)
def test_stamps_of_any_shape_that_sorts_are_read_forward(tmp_path: Path, sqlite_url: str, stamp: object) -> None:
    """SQLite has no type of its own for them."""
    with open_pipeline(sqlite_url, tmp_path) as pipeline:
        pipeline.run_sql(
            "DROP TABLE enrichment", "CREATE TABLE enrichment (id, updated_at, postcode TEXT, mobile TEXT, score REAL)"
        )
        pipeline.reopen_source(
            source={
                "enrichment": {"table": "enrichment", "id": "id", "updated_at": "u", "types": {"u": "timestamp"}}
                | {"updated_at": "updated_at", "types": {"updated_at": "timestamp"}}
            }
        )
        pipeline.quarantine(1, 2)
        pipeline.run_sql("INSERT INTO enrichment VALUES (99, :at, 'TN25 6QD', NULL, 0.9)", at=stamp)
        pipeline.clock.advance(minutes=6)
        pipeline.look()
        pipeline.run_sql("INSERT INTO enrichment VALUES (1, :at, 'TN25 6QD', NULL, 0.9)", at=stamp)
        later = stamp + 60 if isinstance(stamp, int) else str(stamp).replace(":05", ":06", 1)
        pipeline.run_sql("INSERT INTO enrichment VALUES (2, :at, 'TN25 6QD', NULL, 0.9)", at=later)
        pipeline.clock.advance(seconds=30)
        pipeline.look_forward()
        assert pipeline.states() == dict.fromkeys(("1", "2"), State.READY)


def at(minutes: float) -> datetime:
    """An instant after noon."""
    return NOON + minutes * MINUTE


def test_a_reading_begins_an_overlap_before_the_mark_until_one_has_passed() -> None:
    """Then what was under way when the mark moved has been committed, and nothing is read twice any more."""
    mark = advance(Mark(read_at=at(0)), at(0), None, at(1))
    assert (mark.position, mark.moved_at) == (at(0), at(1))
    assert read_from(mark, at(0), MINUTE) == at(-1)
    mark = advance(mark, at(0), None, at(1.5))
    assert read_from(mark, at(0), MINUTE) == at(-1)
    mark = advance(mark, at(0), None, at(2))
    assert read_from(mark, at(0), MINUTE) is None
    assert read_from(mark, at(3), MINUTE) == at(0)


def test_a_mark_stays_before_what_is_not_certain() -> None:
    """Before an open transaction, and before the present where stamps lie in the future; back where rows are gone."""
    mark = Mark(read_at=at(0), position=at(0), moved_at=at(0))
    assert advance(mark, at(5), at(2), at(6)).position == at(2)
    assert advance(mark, at(500), None, at(6)).position == at(6)
    assert advance(mark, at(5), at(-3), at(6)).position == at(0)
    assert advance(mark, at(-5), None, at(6)).position == at(-5)
    assert advance(mark, None, None, at(6)).position == at(0)
    assert read_from(Mark(read_at=at(0)), None, MINUTE) == forward.BEGINNING
