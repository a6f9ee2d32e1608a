"""When LeadByte is down: give the wave back, and wait until it answers, with one small request now and then."""

from datetime import datetime

from prefect import get_run_logger, task

from leadgate.clock import utc_now
from leadgate.delivery.outage import PATIENCE, wait_for_leadbyte
from leadgate.ledger.alarms import Alarm
from leadgate.wiring.pipeline import Pipeline
from leadgate.wiring.run import Run
from tasks.alarms import sound
from tasks.outside import STAGE


@task(name="outlast", **STAGE)
async def outlast(pipeline: Pipeline, run: Run, until: datetime) -> bool:
    """Wait until LeadByte answers again; False where it did not.

    It waits till the end of a run that watches, and a quarter of a minute at least.
    """
    began_at = utc_now()
    pipeline.ledger.release(now=began_at)
    sound(pipeline, Alarm.LEADBYTE, is_raised=True)
    answered = await wait_for_leadbyte(run.client, until=max(until, began_at + PATIENCE), clock=utc_now, stop=run.stop)
    if answered:
        run.delivery.exchange.breaker.close()
        sound(pipeline, Alarm.LEADBYTE, is_raised=False)
    seconds = (utc_now() - began_at).total_seconds()
    get_run_logger().warning("event=outage answered=%s waited_seconds=%.0f", answered, seconds)
    return answered
