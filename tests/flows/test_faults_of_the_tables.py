"""A table that is not as the file says while runs go on: what people see of it, and what it does to the leads."""

import logging

import pytest
from sqlalchemy import text

from flows.release_leads import release_leads
from flows.watch_enrichment import watch_enrichment
from leadgate.errors import ConfigError, SourceError
from leadgate.sandbox import Sandbox
from tasks.observed import without_traceback
from tests.support.command import leadgate
from tests.support.pipelines import Practice
from tests.support.prefect_records import PrefectRecords

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
DEADLINE = "Deadlines stand still since "


@pytest.mark.parametrize(
    ("relation", "old", "new", "told"),
    [
        ("lead_enrichment", "updated_at", "updated", "source.enrichment.updated_at: "),
        ("lead_enrichment", "score", "rating", "source.enrichment has no column `score`"),
    ],
    ids=["a column of the tables' section", "a column of the rules"],
)
async def test_deadlines_stand_still_and_status_says_why(
    pipeline: Practice, leadbyte: Sandbox, records: PrefectRecords, relation: str, old: str, new: str, told: str
) -> None:
    """From the first run that cannot begin, until one finds the source healthy; then leads are taken as ever."""
    pipeline.quarantine(1)
    await release_leads(str(pipeline.file))

    def rename(name: str, to: str) -> None:
        with pipeline.source.begin() as connection:
            connection.execute(text(f"alter table {relation} rename column {name} to {to}"))

    rename(old, new)
    for flow in (release_leads, watch_enrichment):
        state = await flow(str(pipeline.file), return_state=True)
        assert state.is_failed()
        with pytest.raises((ConfigError, SourceError)):
            await state.aresult()
    status = leadgate("status", config=pipeline.file)
    (line,) = (line for line in status.stdout.splitlines() if DEADLINE in line)
    assert (status.code, told in line, "as the last run found: " in line) == (1, True, True)
    rename(new, old)
    pipeline.enrich(1, **COMPLETE)
    await release_leads(str(pipeline.file))
    assert (pipeline.states(), leadgate("status", config=pipeline.file).code) == ({"1": "processed"}, 0)


@pytest.mark.parametrize("shows", [False, True])
def test_an_error_of_ours_is_logged_by_its_message(monkeypatch: pytest.MonkeyPatch, *, shows: bool) -> None:
    """Unless LEADGATE_TRACEBACK asks for more; what is not ours keeps its traceback."""
    monkeypatch.setenv("LEADGATE_TRACEBACK", "1" if shows else "")

    def logged(error: Exception) -> bool:
        record = logging.LogRecord("prefect.flow_runs", logging.ERROR, "", 0, "failed", (), (type(error), error, None))
        assert without_traceback(record)
        return record.exc_info is not None

    assert logged(SourceError("source.leads: nothing is there")) is shows
    assert logged(ValueError("a defect"))


async def test_a_failed_run_has_no_traceback_in_its_log(pipeline: Practice, caplog: pytest.LogCaptureFixture) -> None:
    """The sentence that says what to do stands alone."""
    pipeline.edit("table: lead_enrichment", "table: nowhere")
    caplog.set_level(logging.INFO, "prefect")
    state = await release_leads(str(pipeline.file), return_state=True)
    assert state.is_failed()
    assert "source.enrichment.table: " in caplog.text
    assert "Traceback" not in caplog.text
