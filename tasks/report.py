"""Stage 6, report: what the run did, as artifacts on the Prefect UI. Ids, names and counts; never a person's data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from prefect import get_client, get_run_logger, task
from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.runtime import flow_run

from leadgate.ledger.pauses import read_pause
from leadgate.ledger.reads import read_decision_counts, read_status
from leadgate.model import FINAL_STATES, State, Verdict
from leadgate.summary import Account, Summary, overdue_reviews
from leadgate.wiring import Pipeline, utc_now
from tasks.events import tell
from tasks.outside import STAGE

_NOW = {"waiting", "ready", "overdue", "faults"}
"""What a summary counts that is no event of the run."""
CAPPED_EVENT = "leadgate.rejects.capped"
"""Sent once a run that has rejected as many leads as it may."""
_SHOWN = 20
_PROGRESS_EVERY = timedelta(seconds=2)
_DONE = FINAL_STATES | {State.REVIEW, State.FAILED}


async def name_run(pipeline: str, started_at: datetime) -> None:
    """Name and tag the present flow run by its pipeline, however it was started."""
    async with get_client() as client:
        tags = {*flow_run.get_tags(), "leadgate", f"pipeline:{pipeline}"}
        name = f"{pipeline}-{started_at:%Y-%m-%d-%H:%M:%S}"
        await client.update_flow_run(UUID(str(flow_run.get_id())), name=name, tags=tags)


class Progress:
    """A progress bar on the run's page: the share of all known leads that are done with."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._artifact_id: UUID | None = None
        self._shown_at: datetime | None = None

    async def show_now_and_then(self) -> None:
        """Move the bar, unless it was moved a moment ago: counting all leads costs more than sending a few."""
        if self._shown_at is None or utc_now() - self._shown_at >= _PROGRESS_EVERY:
            await self.show()

    async def show(self) -> None:
        """Draw the bar, or move it."""
        self._shown_at = utc_now()
        share = _share_done(read_status(self._pipeline.ledger.engine, self._pipeline.config.pipeline).counts)
        if self._artifact_id is None:
            self._artifact_id = await acreate_progress_artifact(
                share, key=_key(self._pipeline, "progress"), description="Leads that are done with, of all known."
            )
        else:
            await aupdate_progress_artifact(self._artifact_id, share)


@task(name="report", **STAGE)
async def report(pipeline: Pipeline, account: Account, went: Mapping[State, int]) -> Summary:
    """Store the summary and the table of decisions as artifacts, and return the summary."""
    engine, name = pipeline.ledger.engine, pipeline.config.pipeline
    remaining = read_status(engine, name).counts
    pause = read_pause(engine, name)
    overdue = overdue_reviews(pipeline.ledger, pipeline.config, utc_now())
    summary = account.summarize(went=went, remaining=remaining, overdue=overdue, pause=pause)
    await acreate_markdown_artifact(
        as_markdown(name, account, summary, remaining),
        key=_key(pipeline, "summary"),
        description=f"What this run of {name} did.",
    )
    rules = [
        {"verdict": verdict, "rule": rule or "(otherwise)", "leads": count}
        for verdict, rule, count in read_decision_counts(engine, name, account.started_at)
    ]
    await acreate_table_artifact(
        rules, key=_key(pipeline, "decisions"), description=f"Which rules of {name} decided in this run."
    )
    if pipeline.shadow:
        await acreate_table_artifact(
            [{**asdict(row), "leads": count} for row, count in account.shadowed.most_common()],
            key=_key(pipeline, "shadow"),
            description=f"What the rules of {name} said in this run, and what those of policy.shadow would have.",
        )
    logger = get_run_logger()
    if account.capped:
        most = pipeline.config.safety.max_rejects_per_run
        tell(CAPPED_EVENT, name, {"to_review": account.capped, "max_rejects_per_run": most})
        logger.warning("event=rejects_capped to_review=%d", account.capped)
    logger.info("event=finished %s", " ".join(f"{key}={count}" for key, count in summary.as_dict().items()))
    if pause:
        logger.warning("event=paused %s is %s", name, pause)
    if account.trouble:
        logger.error(account.trouble)
    return summary


def as_markdown(name: str, account: Account, summary: Summary, remaining: Mapping[State, int]) -> str:
    """Write the summary for a person: what happened, what is open, what to do next."""
    lines = [f"# {name}", ""]
    if account.trouble:
        lines += [f"**Stopped early.** {account.trouble}", ""]
    if summary.pause:
        lines += [f"**Paused.** {name} is {summary.pause}", ""]
        lines += ["Updates go on; nothing is processed or rejected until `leadgate resume`.", ""]
    if account.capped:
        lines += [f"**Too many rejects.** {account.capped} leads that rules reject went to a person instead:"]
        lines += ["this run had rejected as many as `safety.max_rejects_per_run` allows. Look at the rules first.", ""]
    lines += ["| in this run | leads |", "|---|---:|"]
    lines += [f"| {key} | {count} |" for key, count in summary.as_dict().items() if key not in _NOW]
    lines += ["", "| in the ledger now | leads |", "|---|---:|"]
    lines += [f"| {state.value} | {count} |" for state, count in remaining.items() if count]
    if remaining.get(State.REVIEW):
        lines += ["", f"{remaining[State.REVIEW]} leads need a person: rules sent them to **{Verdict.REVIEW}**."]
        lines += ["`leadgate review list` shows them."]
    if summary.overdue:
        lines += ["", f"{summary.overdue} of them have waited for longer than `safety.review_within`."]
    if remaining.get(State.FAILED):
        lines += ["", f"{remaining[State.FAILED]} leads are parked: `leadgate explain ID` says what LeadByte answered."]
    lines += _listed("Settled by inference: LeadByte no longer has them, so the lost act was taken.", account.inferred)
    skipped = [f"{lead_id}: {why}" for lead_id, why in summary.skipped.items()]
    lines += _listed("Not sent, since they are not as planned any more:", skipped)
    lines += _listed("To be put right in the source:", account.faults)
    return "\n".join(lines)


def _listed(title: str, items: Sequence[str]) -> list[str]:
    """A titled list of some items; nothing where there are none."""
    more = len(items) - _SHOWN
    shown = [f"- {item}" for item in items[:_SHOWN]] + ([f"- ... and {more} more"] if more > 0 else [])
    return ["", title, "", *shown] if items else []


def _share_done(counts: Mapping[State, int]) -> float:
    total = sum(counts.values())
    return round(100 * sum(counts.get(state, 0) for state in _DONE) / total, 1) if total else 100.0


def _key(pipeline: Pipeline, what: str) -> str:
    """An artifact's key that is the same in every run; Prefect takes small letters, digits and dashes only."""
    return re.sub(r"[^a-z0-9-]", "-", f"leadgate-{pipeline.config.pipeline}-{what}".lower())
