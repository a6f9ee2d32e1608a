"""The main job: reconcile, then register -> wait -> decide -> update -> act -> report, in waves of leads.

Two runs of it at once are safe: exclusion lives in the ledger's leases, not in Prefect's limits. Of those that a
schedule or an event starts, one works and one waits at most; the others end at once (tasks/seat.py).
"""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Failed
from pydantic import Field

from leadgate.config import read_duration
from leadgate.delivery import PlanKeeper, raise_foremost
from leadgate.delivery.outage import PATIENCE
from leadgate.errors import LeadByteError, LeadByteUnavailable
from leadgate.ledger.status import read_next_due
from leadgate.model import Wave
from leadgate.plan import read_plan
from leadgate.summary import Account, Summary
from leadgate.unexpected import guarded
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import Run, open_run
from tasks.act import act
from tasks.alarms import sound_all
from tasks.blocks import read_block
from tasks.decide import decide
from tasks.failing import count_failures
from tasks.observed import observe
from tasks.outlast import outlast
from tasks.page import Page, leave_in_time, note_end
from tasks.reconcile import reconcile
from tasks.register import register
from tasks.report import Progress, name_run, report
from tasks.seat import seated
from tasks.update import update
from tasks.wait import compare, wait, watch

observe()  # here and not in the flow: Prefect opens a run's span before its first line

WAVE = 1000
"""Leads a task run takes: large enough that Prefect's cost vanishes, small enough to show progress."""


@flow(name="release-leads", persist_result=False, on_completion=[count_failures], on_failure=[count_failures])
@guarded
async def release_leads(
    config: str = "leadgate.yaml",
    limit: Annotated[int, Field(ge=1)] | None = None,
    watch_for: str | None = None,
    plan: str | None = None,
) -> Summary | State[Summary]:
    """Release or reject every lead of a pipeline whose enrichment has arrived.

    Args:
        config: the pipeline file.
        limit: decide at most this many leads in this run.
        watch_for: stay this long (90s, 15m, 24h) and take arrivals as they come.
        plan: keep to this file of `leadgate plan --out`: its leads alone, where they are still as planned.

    """
    path = Path(config)
    async with seated(path, is_asked_for=bool(limit or watch_for or plan)) as ending:
        return ending or await release(path, limit=limit, watch_for=watch_for, plan=plan)


async def release(
    path: Path, *, limit: int | None, watch_for: str | None, plan: str | None
) -> Summary | State[Summary]:
    """Do the work of a run that has its seat, or needs none."""
    with open_pipeline(path, read_block) as pipeline:
        account = Account(started_at=pipeline.clock())
        until = account.started_at + read_duration(watch_for, "watch_for") if watch_for else account.started_at
        await name_run(pipeline.config.pipeline, account.started_at)
        page = Page()
        progress = Progress(pipeline, page)
        names = {"pipeline": pipeline.config.pipeline, "policy_version": pipeline.policy.version}
        keeper = read_plan(Path(plan), **names, limit=limit, watch_for=watch_for) if plan else None
        async with open_run(pipeline, account) as run:
            await register(run)
            await wait(run)
            if keeper:
                await keep_to_plan(run, progress, keeper)
            else:
                await go_on(run, progress, limit=limit, until=until)
        await progress.show()
        summary = await report(pipeline, account, page)
        note_end(summary, account.trouble, page)
        await sound_all(run, summary, page)
    leave_in_time(page)
    if run.stop:
        return Cancelled(message=stopped(run.stop.signal_name, pipeline.config.pipeline), data=summary)
    return Failed(message=account.trouble, data=summary) if account.trouble else summary


def stopped(signal_name: str | None, pipeline: str) -> str:
    """Say what a stopped run leaves, and how to stop those to come as well."""
    message = (
        f"Stopped by {signal_name}; what was in flight is recorded. The next run goes on with the rest: to stop that"
    )
    return f"{message} as well, type `leadgate pause` or run pause-pipeline-{pipeline}."


async def go_on(run: Run, progress: Progress, *, limit: int | None, until: datetime) -> None:
    """Send what is due, and what falls due until the time is over, the limit reached or the run to stop.

    When the time is over it stays for what falls due within a quarter of a minute, such as what LeadByte put off.
    """
    pipeline, account = run.pipeline, run.account
    is_down, is_compared = False, False
    stays_until = datetime.max.replace(tzinfo=UTC)
    while not run.stop:
        round_at = pipeline.clock()
        try:
            if is_down and not await outlast(run, until):
                return
            await send_what_is_due(run, progress, limit=limit, gently=is_down)
            is_down = False
            if not is_compared and account.decided != limit:
                is_compared = True
                if account.compared(compare(pipeline, account.started_at)):
                    continue
        except LeadByteUnavailable as error:
            account.trouble, is_down = str(error), True
            continue
        except LeadByteError as error:
            account.stopped_by(error)
            return
        if account.decided == limit:
            return
        if pipeline.clock() >= until:
            stays_until = min(stays_until, pipeline.clock() + PATIENCE)
            if not await fall_due(run, round_at, stays_until):
                return
            continue
        await take_arrivals(run, until)


async def take_arrivals(run: Run, until: datetime) -> None:
    """Watch the source until a lead is due, and note what was found."""
    await run.learn_their_time(until)
    for registered, looked in await watch(run.pipeline, run.stop, until):
        run.account.registered(registered)
        run.account.looked(looked)


async def fall_due(run: Run, after: datetime, until: datetime) -> bool:
    """Stay for the first lead that falls due after one instant; False if none does by another."""
    due_at = await asyncio.to_thread(read_next_due, run.pipeline.ledger, after=after, until=until)
    if due_at is None:
        return False
    await run.stop.sleep(max(due_at - run.pipeline.clock(), timedelta(0)))
    return True


async def keep_to_plan(run: Run, progress: Progress, keeper: PlanKeeper) -> None:
    """Send the leads of a plan that are still as planned, once, and nothing else: not even a probe."""
    account = run.account
    while not run.taking_in.is_done:
        if not run.taking_in.is_registered:
            await register(run)
        await wait(run)
    account.compared(compare(run.pipeline, account.started_at))
    account.skipped = keeper.skipped
    run.preparation.follow(keeper)
    try:
        await send_waves(run, progress, size=WAVE, limit=None)
    except LeadByteError as error:
        account.stopped_by(error)
    keeper.skip_rest("the run ended before its turn")


async def send_what_is_due(run: Run, progress: Progress, *, limit: int | None, gently: bool) -> None:
    """Settle the open answers that can be settled, then send in waves until nothing is due."""
    run.account.reconciled(await reconcile(run))
    size = run.pipeline.config.leadbyte.batch_size if gently else WAVE
    await send_waves(run, progress, size=size, limit=limit)


async def send_waves(run: Run, progress: Progress, *, size: int, limit: int | None) -> None:
    """Decide, update and act in waves, the first of `size` leads and then larger ones.

    Whole waves overlap: while two are sent the next is decided, and begun before the last answers to them have come.
    """
    account, waves = run.account, list[asyncio.Task[None]]()
    try:
        while wave := await decide(run, min(size, WAVE if limit is None else limit - account.decided)):
            account.noted(wave.leads)
            waves.append(asyncio.create_task(send_wave(run, wave, progress)))
            await until_sent(waves[0], run.exchange.has_sent.wait())
            # A small one asks whether LeadByte answers at all: nothing goes beside it.
            await asyncio.gather(*(waves[-1:] if size < WAVE else waves[-3:-2]))
            size = min(WAVE, 4 * size)
    finally:
        raise_foremost(await asyncio.gather(*waves, return_exceptions=True))
    account.trouble = run.exchange.breaker.outage


async def until_sent(wave: asyncio.Task[None], sent: Coroutine[None, None, object]) -> None:
    """Wait until a wave is done, or a request of it is on the wire: what else there is to do would hold it up."""
    sending = asyncio.create_task(sent)
    await asyncio.wait([wave, sending], return_when=asyncio.FIRST_COMPLETED)
    sending.cancel()


async def send_wave(run: Run, wave: Wave, progress: Progress) -> None:
    """Write the enrichment onto the leads of a wave, and process or reject them."""
    await act(run, await update(run, wave))
    await progress.show_now_and_then()
