"""A step of taking in, for the stages that do it: the first two do as much as a first wave needs, `decide` the rest."""

from prefect import get_run_logger

from leadgate.intake import Looked
from leadgate.wiring.run import Run
from tasks.observed import quoted


async def register_some(run: Run) -> None:
    """Register leads that are new; rows that cannot be leads are named in the log once all are registered."""
    account, logger = run.account, get_run_logger()
    registered = await run.pipeline.ledger.aside(run.taking_in.register)
    account.registered(registered)
    if run.taking_in.is_registered:
        for fault in registered.faults.lines():
            logger.warning("event=lead_fault problem=%s", quoted(fault))
        logger.info("event=registered count=%d faults=%d", account.leads, len(registered.faults))


async def look_at_some(run: Run) -> Looked:
    """Look at what was registered; once all is, at all that is new in the source, and whose time is up."""
    account = run.account
    if run.taking_in.is_registered:
        await run.learn_their_time(account.started_at)
    looked = await run.pipeline.ledger.aside(run.taking_in.look)
    account.looked(looked)
    get_run_logger().info("event=looked arrived=%d late=%d again=%d healthy=%s", *counts_of(looked))
    return looked


def counts_of(looked: Looked) -> tuple[int, int, int, bool]:
    """What a look found, for its line in the log; its warnings get lines of their own."""
    for warning in looked.warnings:
        get_run_logger().warning("event=source_warning problem=%s", quoted(warning))
    return looked.arrived, looked.late, looked.again, looked.reading.healthy
