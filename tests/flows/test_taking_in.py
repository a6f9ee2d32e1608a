"""Very many new leads: the first are sent while others are still being registered, and none is left out."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from flows.release_leads import WAVE, release_leads
from leadgate.ledger.schema import attempts, entries
from leadgate.sandbox import Sandbox
from leadgate.wiring.ledger import ledger_of
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
LEADS = 3 * WAVE


async def release(pipeline: Practice, **parameters: Any) -> Any:  # noqa: ANN401 - a summary
    """Run the flow to its end; return what it came to."""
    return await release_leads(str(pipeline.file), **parameters)


def instants(pipeline: Practice) -> tuple[datetime, datetime]:
    """When the first request was sent, and when the last lead was registered."""
    with ledger_of(pipeline.file) as (_, ledger), ledger.reading() as connection:
        first = connection.scalar(select(func.min(attempts.c.sent_at)))
        last = connection.scalar(select(func.max(entries.c.registered_at)))
    assert first
    assert last
    return first, last


@pytest.mark.parametrize("is_first_run", [True, False])
async def test_the_first_request_leaves_before_the_last_lead_is_registered(
    pipeline: Practice, leadbyte: Sandbox, is_first_run: bool
) -> None:
    """On the first run the source is gone through by id, on others by when rows were written."""
    pipeline.edit("policy:\n", "safety: {budgets: {reject: none}}\npolicy:\n")
    pipeline.trust_leadbyte()
    if not is_first_run:
        pipeline.quarantine(1)
        await release(pipeline)
    pipeline.quarantine(*range(10, 10 + LEADS))
    pipeline.enrich(*range(10, 10 + LEADS), **COMPLETE)
    summary = await release(pipeline)
    assert (summary.registered, summary.arrived, summary.processed) == (LEADS, LEADS, LEADS)
    first, last = instants(pipeline)
    assert first < last
    assert len(leadbyte.quarantine.acts) == LEADS


async def test_a_limit_ends_the_run_whatever_is_still_to_be_taken_in(pipeline: Practice) -> None:
    """The first page has as many new leads as are registered at once; the next run goes on behind them."""
    pipeline.quarantine(*range(10, 10 + WAVE))
    pipeline.enrich(*range(10, 10 + WAVE), **COMPLETE)
    assert (await release(pipeline, limit=1)).processed == 1
    assert (await release(pipeline)).processed == WAVE - 1


async def test_late_leads_behind_the_first_pages_are_found_by_the_same_run(
    pipeline: Practice, leadbyte: Sandbox
) -> None:
    """Which leads are late is seen when all are registered: a lead's deadline goes by no page."""
    pipeline.edit("policy:\n", "safety: {budgets: {reject: none}}\npolicy:\n")
    pipeline.trust_leadbyte()
    pipeline.quarantine(*range(10, 10 + LEADS))
    pipeline.enrich(*range(10, 10 + LEADS), **COMPLETE)
    pipeline.quarantine(*range(90_000, 90_010), hours_ago=48)
    summary = await release(pipeline)
    assert (summary.processed, summary.rejected, summary.waiting) == (LEADS, 10, 0)


async def test_a_row_that_cannot_be_registered_is_told_of_once(pipeline: Practice) -> None:
    """Its fault comes with the page it is on, and stays to the end of the run."""
    pipeline.quarantine(*range(10, 10 + LEADS))
    pipeline.add_leads([{"quarantine_id": 99_999, "quarantined_at": None}])
    summary = await release(pipeline)
    assert (summary.registered, summary.waiting, summary.faults) == (LEADS, LEADS, 1)
    assert "99999" in "".join(summary.named_faults.lines())


async def test_few_that_are_due_among_very_many_fill_whole_requests(pipeline: Practice, leadbyte: Sandbox) -> None:
    """A lead in twenty is complete: they are gathered, and not sent by the page."""
    pipeline.trust_leadbyte()
    pipeline.quarantine(*range(10, 10 + LEADS))
    pipeline.enrich(*range(10, 10 + LEADS, 20), **COMPLETE)
    summary = await release(pipeline)
    assert (summary.registered, summary.processed, summary.waiting) == (LEADS, LEADS // 20, LEADS - LEADS // 20)
