"""When LeadByte is down: give the wave back, and wait until it answers, with one small request now and then."""

from datetime import datetime

from prefect import get_run_logger, task

from leadgate.delivery.outage import PATIENCE, wait_for_leadbyte
from leadgate.ledger.alarms import Alarm
from leadgate.ledger.claims import release
from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.alarms import sound
from tasks.outside import STAGE


@task(name="outlast", **STAGE)
@guarded
async def outlast(run: Run, until: datetime) -> bool:
    """Wait until LeadByte answers again; False where it did not.

    It waits till the end of a run that watches, and a quarter of a minute at least.
    """
    pipeline, clock = run.pipeline, run.pipeline.clock
    began_at = clock()
    release(pipeline.ledger, now=began_at)
    sound(pipeline, Alarm.LEADBYTE, is_raised=True)
    answered = await wait_for_leadbyte(run.client, until=max(until, began_at + PATIENCE), clock=clock, stop=run.stop)
    if answered:
        run.exchange.breaker.close()
        sound(pipeline, Alarm.LEADBYTE, is_raised=False)
    seconds = (clock() - began_at).total_seconds()
    get_run_logger().warning("event=outage answered=%s waited_seconds=%.0f", answered, seconds)
    return answered
