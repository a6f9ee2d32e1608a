"""`leadgate install-outbox`: shown first, run when asked, taken out again; wrong use is one clear line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import leadgate
from tests.support.pipelines import Practice


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """A pipeline whose LeadByte is never asked."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    yield practice
    practice.close()


def outbox_names(practice: Practice) -> list[str]:
    """What the source holds of the outbox."""
    with practice.source.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name LIKE 'leadgate_%'")
        return sorted(rows.scalars())


def test_without_options_the_sql_is_printed_and_nothing_changed(practice: Practice) -> None:
    """With a header that says what it is and who may run it."""
    printed = leadgate("install-outbox", config=practice.file)
    assert (printed.code, printed.stderr) == (0, "")
    assert printed.stdout.startswith("-- The outbox of the leadgate pipeline acme, see docs/outbox.md.\n-- Run this as")
    assert 'CREATE TRIGGER "leadgate_outbox_acme_enrichment_insert" AFTER INSERT ON "lead_enrichment"' in printed.stdout
    assert leadgate("install-outbox", "--print", config=practice.file) == printed
    assert outbox_names(practice) == []


def test_it_is_applied_and_removed(practice: Practice) -> None:
    """It says what it did; a second time there is nothing to do; the table stays for others."""
    applied = leadgate("install-outbox", "--apply", config=practice.file)
    assert applied.stdout.startswith('The outbox of pipeline acme is installed: table "leadgate_outbox", triggers ')
    installed = outbox_names(practice)
    assert len(installed) == 2 + 4
    again = leadgate("install-outbox", "--apply", "--json", config=practice.file)
    assert again.json() == {"pipeline": "acme", "did": "applied", "statements": [], "grants": []}
    shown = leadgate("install-outbox", "--remove", "--print", config=practice.file)
    assert 'DROP TRIGGER IF EXISTS "leadgate_outbox_acme_leads_insert";' in shown.stdout
    assert outbox_names(practice) == installed
    removed = leadgate("install-outbox", "--remove", config=practice.file)
    assert removed.code == 0
    assert removed.stdout.endswith('When none fills it: DROP TABLE "leadgate_outbox";\n')
    assert outbox_names(practice) == ["leadgate_outbox", "leadgate_outbox_pipeline"]


@pytest.mark.parametrize("other", ["--remove", "--print"])
def test_applying_goes_with_nothing_else(practice: Practice, other: str) -> None:
    """Wrong use: 2, and nothing is changed."""
    done = leadgate("install-outbox", "--apply", other, config=practice.file)
    assert done.code == 2
    assert done.stderr.startswith("leadgate: install-outbox: --apply goes with neither --print nor --remove")
    assert outbox_names(practice) == []


def test_a_query_is_refused_with_what_to_do(practice: Practice) -> None:
    """Under --json too, with the exit code of a wrong file."""
    practice.edit("{table: lead_enrichment,", "{query: SELECT * FROM lead_enrichment,")
    done = leadgate("install-outbox", "--apply", "--json", config=practice.file)
    assert done.code == 2
    (problem,) = done.json()["problems"]
    assert problem.startswith("source.enrichment (its query): is a query, and a trigger stands on a table. Name the")


def test_the_right_to_take_is_told_with_the_sql(tmp_path: Path, postgres_url: str) -> None:
    """On a server the printed SQL ends with the GRANT, and applying it names the GRANT that others need."""
    practice = Practice(tmp_path, "http://127.0.0.1:9", database_url=postgres_url)
    printed = leadgate("install-outbox", config=practice.file)
    assert printed.stdout.endswith('GRANT SELECT, DELETE ON "public"."leadgate_outbox" TO postgres;\nCOMMIT;\n')
    applied = leadgate("install-outbox", "--apply", config=practice.file)
    last = applied.stdout.splitlines()[-1]
    assert last.startswith("A run that connects as another user needs: GRANT SELECT, DELETE ON ")
    practice.close()
