"""The SQL of docs/source.md for ids runs on the databases that it names, beside the tables of the examples."""

import re

from sqlalchemy import text

from tests.docs.pages import ROOT, blocks, prose
from tests.source.conftest import UserDatabase
from tests.source.test_examples import build


def test_the_page_s_upsert_may_be_repeated(database: UserDatabase) -> None:
    """The index can be made, and the lead stands there once, with the time of the first statement."""
    page = ROOT / "docs" / "source.md"
    others = next(each.text for each in blocks(page) if each.language == "sql")
    (index,) = re.findall(r"`(CREATE INDEX [^`]+)`", prose(page))
    (last,) = re.findall(r"`(ON DUPLICATE KEY [^`]+)`", prose(page))
    mariadb = re.sub("^ON CONFLICT .*", last, others, flags=re.MULTILINE)
    upsert = mariadb if database.dialect == "mysql" else others
    build(database)
    database.run(index, upsert, upsert.replace("2026-03-01", "2026-04-01"))
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT quarantine_id, quarantined_at FROM quarantined_leads")).all()
    assert [(row.quarantine_id, str(row.quarantined_at)[:7]) for row in rows] == [(2932682, "2026-03")]
