"""Taking from the outbox: every change of a lead is found once, however late it is committed, and none is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from leadgate.config import PipelineConfig
from leadgate.errors import SourceUnavailable
from leadgate.source.outbox import Batch, Outbox
from leadgate.source.outbox_install import run_installation
from tests.source.conftest import ENRICHMENT, OpenSource, UserDatabase
from tests.source.outboxes import CREATE, HERE, opened, pipeline, take, take_once


@pytest.fixture
def config(database: UserDatabase) -> PipelineConfig:
    """The usual pipeline, with an outbox that is empty."""
    database.run(*CREATE)
    config = pipeline(database.url)
    run_installation(config, base_dir=HERE)
    return config


@pytest.fixture
def outbox(config: PipelineConfig) -> Iterator[Outbox]:
    """Its outbox."""
    with opened(config) as outbox:
        yield outbox


def test_a_lead_is_found_once_however_often_it_changed(database: UserDatabase, outbox: Outbox) -> None:
    """Inserts and updates of both relations count, in their order; rows without an id do not."""
    database.run(
        "INSERT INTO leads (id) VALUES (3), (1), (NULL)",
        "INSERT INTO enrichment (id) VALUES (2), (1), (2), (NULL)",
        *["UPDATE enrichment SET score = 1 WHERE id = 1"] * 50,
    )
    batch = outbox.pending(1000)
    assert (batch.leads, batch.enrichment, len(batch.seqs)) == (["3", "1"], ["2", "1"], 2 + 3 + 50)
    outbox.delete(batch.seqs)
    assert outbox.pending(1000) == Batch([], [], [])
    database.run("UPDATE leads SET quarantined_at = NULL WHERE id = 3")
    assert take(outbox).leads == ["3"]


def test_a_batch_has_no_more_rows_than_asked_for(database: UserDatabase, outbox: Outbox) -> None:
    """The oldest come first; deleting again what is gone is no fault, and takes nothing else."""
    rows = ", ".join(f"({number})" for number in range(1, 1203))
    database.run(f"INSERT INTO enrichment (id) VALUES {rows}")  # noqa: S608 - made here
    first = take(outbox, 2)
    assert first.enrichment == ["1", "2"]
    outbox.delete(first.seqs)
    rest = take(outbox, 5000)
    assert len(rest.enrichment) == 1200
    # A number that was used again would be deleted unread.
    database.run("INSERT INTO enrichment (id) VALUES (1)")
    outbox.delete([*first.seqs, *rest.seqs])
    assert take(outbox).enrichment == ["1"]


@pytest.mark.parametrize("source_url", ["postgresql", "mariadb"], indirect=True)
def test_a_transaction_that_commits_late_is_found(database: UserDatabase, outbox: Outbox) -> None:
    """Its numbers are lower than those already taken, and taking those does not wait for it."""
    with database.engine.connect() as late:
        late.execute(text("INSERT INTO enrichment (id) VALUES (1)"))
        # So many that a database may think it cheaper to look at every row.
        others = [str(number) for number in range(2, 1002)]
        database.run(f"INSERT INTO enrichment (id) VALUES {', '.join(f'({other})' for other in others)}")  # noqa: S608
        assert take(outbox).enrichment == others
        assert outbox.pending(10).seqs == []
        late.commit()
    assert take(outbox).enrichment == ["1"]


def test_a_transaction_that_is_rolled_back_leaves_nothing(database: UserDatabase, outbox: Outbox) -> None:
    """A change that never was is not found."""
    with database.engine.connect() as connection:
        connection.execute(text("INSERT INTO enrichment (id) VALUES (1)"))
        connection.rollback()
    assert outbox.pending(10).seqs == []


def test_a_change_behind_the_reading_survives_the_delete(database: UserDatabase, outbox: Outbox) -> None:
    """Only what was read is deleted, not all that is known of the lead."""
    database.run("INSERT INTO enrichment (id) VALUES (1)")
    batch = outbox.pending(10)
    database.run("UPDATE enrichment SET score = 2 WHERE id = 1")
    outbox.delete(batch.seqs)
    assert take(outbox).enrichment == ["1"]


def test_no_change_is_lost_while_rows_are_taken(database: UserDatabase, outbox: Outbox) -> None:
    """Whoever reads the lead's row after the outbox and deletes then has seen the last of a hundred updates."""
    database.run("INSERT INTO enrichment (id, score) VALUES (1, 0)")

    def write() -> None:
        with database.engine.connect() as connection:
            for _ in range(100):
                connection.execute(text("UPDATE enrichment SET score = score + 1 WHERE id = 1"))
                connection.commit()

    seen = -1
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while True:
            finished = writing.done()
            batch = outbox.pending(7)
            if finished and not batch.seqs:
                break
            if batch.enrichment:
                with database.engine.connect() as connection:
                    seen = connection.execute(text("SELECT score FROM enrichment")).scalar_one()
            outbox.delete(batch.seqs)
        writing.result()
    assert seen == 100


@pytest.mark.parametrize(
    ("type_", "stored"),
    [
        ("INTEGER", ["123", "-5"]),
        ("BIGINT", ["9007199254740993"]),
        ("NUMERIC(20, 2)", ["123.00", "12.50", "100000000000000000.25"]),
        ("DOUBLE PRECISION", ["123", "12.5", "9007199254740992", "1e22"]),
        ("VARCHAR(250)", ["'0123'", "'a b'", "' x'", "''", "'  '", f"'{'x' * 200}'", f"'{'x' * 201}'", "'Ünï'"]),
        ("CHAR(8)", ["'a12'", "'B  '"]),
        ("UUID", ["'123E4567-e89b-12d3-a456-426655440000'"]),
    ],
)
def test_ids_come_out_as_the_source_gives_them(
    database: UserDatabase, open_source: OpenSource, type_: str, stored: list[str]
) -> None:
    """Of each type; what is no id is deleted with the rest, and never fails the user's write."""
    database.run(
        f"CREATE TABLE leads (id {type_}, quarantined_at TIMESTAMP NULL)",
        f"CREATE TABLE enrichment (id {type_}, updated_at TIMESTAMP NULL)",
    )
    config = pipeline(database.url)
    run_installation(config, base_dir=HERE)
    for value in stored:
        database.run(
            f"INSERT INTO leads VALUES ({value}, '2026-03-01 12:00:00')",  # noqa: S608 - made here
            f"INSERT INTO enrichment VALUES ({value}, '2026-03-01 12:00:00')",  # noqa: S608 - made here
        )
    batch = take_once(config)
    source = open_source()
    assert len(batch.seqs) == 2 * len(stored)
    assert set(batch.leads) == set(batch.enrichment) == set(source.enrichments(batch.enrichment))
    assert set(batch.leads) == {lead.lead_id for page in source.lead_pages() for lead in page.leads}


def test_sqlite_tells_ids_of_mixed_types(sqlite_url: str) -> None:
    """A column without a type may hold numbers, text and bytes at once."""
    database = UserDatabase(sqlite_url)
    database.run("CREATE TABLE leads (id, quarantined_at TIMESTAMP)", "CREATE TABLE enrichment (id REAL, updated_at)")
    config = pipeline(sqlite_url, enrichment=ENRICHMENT | {"types": {"updated_at": "timestamp"}})
    run_installation(config, base_dir=HERE)
    database.run(
        "INSERT INTO leads (id) VALUES (1), ('2'), (3.0), ('a'), (x'62'), ('1e3')",
        "INSERT INTO enrichment (id) VALUES (1), ('3'), (1e22), ('x')",
    )
    batch = take_once(config)
    assert batch.leads == ["1", "2", "3", "a", "1e3"]
    assert batch.enrichment == ["1", "3", "1" + "0" * 22, "x"]


def test_a_source_that_does_not_answer_is_no_missing_outbox() -> None:
    """That is worth another try, and is no answer to whether there is one."""
    with pytest.raises(SourceUnavailable):
        Outbox.find(pipeline("postgresql+psycopg://reader:s3cret@127.0.0.1:1/leads"), base_dir=HERE)
