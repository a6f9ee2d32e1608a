"""Stage 1, register: every lead of the source gets an entry in the ledger."""

from prefect import get_run_logger, task

from leadgate.intake import Registered, register_leads
from leadgate.unexpected import guarded
from leadgate.wiring.pipeline import Pipeline
from tasks.observed import quoted
from tasks.outside import AGAIN_WHEN_DOWN


@task(name="register", **AGAIN_WHEN_DOWN)
@guarded
def register(pipeline: Pipeline) -> Registered:
    """Start to wait for the leads that are new; rows that cannot be leads are named in the log."""
    registered = register_leads(pipeline.source, pipeline.ledger, pipeline.config, now=pipeline.clock())
    logger = get_run_logger()
    for fault in registered.faults.lines():
        logger.warning("event=lead_fault problem=%s", quoted(fault))
    logger.info("event=registered count=%d faults=%d", registered.count, len(registered.faults))
    return registered
