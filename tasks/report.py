"""Stage 6, report: what the run did, as artifacts on the Prefect UI. Ids, names and counts; never a person's data."""

import asyncio
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

from leadgate.attention import about_backlog, attention
from leadgate.config import about_the_clear
from leadgate.ledger.again import count_older
from leadgate.ledger.doubts import read_doubts
from leadgate.ledger.observed import would_have
from leadgate.ledger.pauses import read_pause
from leadgate.ledger.report_counts import read_decision_counts
from leadgate.ledger.reviews import FOR_PEOPLE, count_overdue, count_reviews, read_for_people
from leadgate.ledger.status import read_status
from leadgate.model import FINAL_STATES, WHILE_PAUSED, State
from leadgate.printable import in_markdown
from leadgate.readable import counted
from leadgate.summary import Account, Summary
from leadgate.unexpected import guarded
from leadgate.wiring.pipeline import Pipeline
from tasks.links import Forms
from tasks.observed import quoted
from tasks.outside import STAGE
from tasks.page import Page
from tasks.people import LISTED, People

_NOW = {"waiting", "ready", "overdue", "older_rules", "faults"}
"""What a summary counts that is no event of the run."""
_SHOWN = 20
_PROGRESS_EVERY = timedelta(seconds=5)
_PROGRESS_SHARE = 0.05
"""How much of a run may go by between two moves of the bar, and how much of it counting all leads may take."""
_DONE = FINAL_STATES | {State.REVIEW, State.FAILED}


async def name_run(pipeline: str, started_at: datetime) -> str:
    """Name and tag the present flow run by its pipeline, however it was started; return the name."""
    name = f"{pipeline}-{started_at:%Y-%m-%d-%H:%M:%S}"
    await Page().show(_rename_run(name, {*flow_run.get_tags(), "leadgate", f"pipeline:{pipeline}"}))
    return name


async def _rename_run(name: str, tags: set[str]) -> None:
    async with get_client() as client:
        await client.update_flow_run(UUID(str(flow_run.get_id())), name=name, tags=tags)


class Progress:
    """A progress bar on the run's page: the share of all known leads that are done with."""

    def __init__(self, pipeline: Pipeline, page: Page) -> None:
        self._pipeline = pipeline
        self._page = page
        self._artifact_id: UUID | None = None
        self._drawing = asyncio.Lock()
        self._began_at = self._due_at = pipeline.clock()

    async def show_now_and_then(self) -> None:
        """Move the bar, where that is due: a few times in a short run, ever more rarely in a long one."""
        if self._pipeline.clock() >= self._due_at:
            await self.show()

    async def show(self) -> None:
        """Draw the bar, or move it."""
        async with self._drawing:
            await self._show()

    async def _show(self) -> None:
        asked_at = self._pipeline.clock()
        share = _share_done(read_status(self._pipeline.ledger).counts)
        if self._artifact_id is None:
            key = artifact_key(self._pipeline.config.pipeline, "progress")
            description = "Leads that are done with, of all known."
            made = acreate_progress_artifact(share, key=key, description=description)
            self._artifact_id = await self._page.show(made)
        else:
            await self._page.show(aupdate_progress_artifact(self._artifact_id, share))
        now = self._pipeline.clock()
        rest = max((now - self._began_at) * _PROGRESS_SHARE, (now - asked_at) / _PROGRESS_SHARE)
        self._due_at = now + max(_PROGRESS_EVERY, rest)


@task(name="report", **STAGE)
@guarded
async def report(pipeline: Pipeline, account: Account, page: Page) -> Summary:
    """Store the summary and the table of decisions as artifacts, and return the summary."""
    ledger, name = pipeline.ledger, pipeline.config.pipeline
    account.found_in(pipeline.source, ledger)
    remaining = read_status(ledger).counts
    pause = read_pause(ledger)
    backlog = about_backlog(ledger, pipeline.config.safety.budgets, ledger.now())
    for sentence in attention(read_doubts(ledger), pipeline.config.delivery, ledger.now(), backlog):
        account.tally.note(sentence)
    overdue = count_overdue(ledger, within=pipeline.config.review.within, now=ledger.now())
    older = count_older(ledger, pipeline.policy.version)
    summary = account.summarize(remaining=remaining, overdue=overdue, older_rules=older, pause=pause)
    page.try_again()
    await page.show(
        acreate_markdown_artifact(
            as_markdown(name, account, summary, remaining),
            key=artifact_key(name, "summary"),
            description=f"What this run of {name} did.",
        )
    )
    rules = [
        {"verdict": found.verdict, "rule": found.decider, "decisions": found.decisions}
        for found in read_decision_counts(ledger, account.started_at)
    ]
    await page.show(
        acreate_table_artifact(
            rules,
            key=artifact_key(name, "decisions"),
            description=f"Which rules of {name}, and which people, decided in this run.",
        )
    )
    await page.show(_show_people(pipeline, remaining))
    if pipeline.shadow:
        await page.show(
            acreate_table_artifact(
                [{**asdict(row), "leads": count} for row, count in account.shadowed.most_common()],
                key=artifact_key(name, "shadow"),
                description=f"What the rules of {name} said in this run, and what those of policy.shadow would have.",
            )
        )
    logger = get_run_logger()
    if in_the_clear := about_the_clear(pipeline.config.leadbyte.base_url):
        logger.warning("event=in_the_clear problem=%s", quoted(in_the_clear))
    for fault in account.data_faults.lines():
        logger.warning("event=source_fault problem=%s", quoted(fault))
    if account.tally.capped or account.tally.put_off:
        logger.warning("event=budget_used_up to_review=%d waiting=%d", account.tally.capped, account.tally.put_off)
    logger.info("event=finished %s", " ".join(f"{key}={count}" for key, count in summary.as_dict().items()))
    if pipeline.config.delivery.observe:
        logger.info("event=observed %s", " ".join(f"{verdict}={n}" for verdict, n in summary.observed.items()))
    if pause:
        logger.warning("event=paused pipeline=%s since=%s", name, pause.paused_at.isoformat(timespec="seconds"))
    for note in summary.notes:
        logger.warning("event=note text=%s", quoted(note))
    if account.trouble:
        logger.error("event=stopped_early problem=%s", quoted(account.trouble))
    return summary


def as_markdown(name: str, account: Account, summary: Summary, remaining: Mapping[State, int]) -> str:
    """Write the summary for a person: what happened, what is open, what to do next."""
    lines = [f"# {name}", ""]
    if account.trouble:
        lines += [f"**Stopped early.** {in_markdown(account.trouble)}", ""]
    lines += [line for note in summary.notes for line in (f"**To know.** {in_markdown(note)}", "")]
    if summary.observed:
        lines += [f"**Observed.** This run {would_have(summary.observed)}. Nothing was sent (`delivery.observe`).", ""]
    if summary.pause:
        lines += [f"**Paused.** {name} has been {in_markdown(str(summary.pause))}", ""]
        lines += [WHILE_PAUSED, ""]
    if account.tally.capped:
        leads = counted(account.tally.capped, "lead")
        lines += [f"**Too many rejects.** {leads} that rules reject went to a person instead, who sees why:"]
        lines += ["`safety.budgets.reject` is used up, or no lead is complete any more. Look at the rules first.", ""]
    lines += _for_people(name, summary, remaining)
    counts = {key: count for key, count in summary.as_dict().items() if count and key not in _NOW}
    lines += ["| in this run | leads |", "|---|---:|"] if counts else ["Nothing was due.", ""]
    lines += [f"| {key} | {count} |" for key, count in counts.items()]
    lines += ["", "| in the ledger now | leads |", "|---|---:|"]
    lines += [f"| {state.value} | {count} |" for state, count in remaining.items() if count]
    lines += _listed("Settled by inference: LeadByte no longer has them, so the lost act was taken.", account.inferred)
    skipped = [f"{lead_id}: {why}" for lead_id, why in summary.skipped.items()]
    lines += _listed("Not sent, since they are not as planned any more:", skipped)
    lines += _listed("To be put right in the source:", account.faults.lines())
    return "\n".join(lines)


def _for_people(name: str, summary: Summary, remaining: Mapping[State, int]) -> list[str]:
    """Say what wants a person, and what to type; nothing where all is well."""
    lines = []
    if count := remaining.get(State.REVIEW):
        overdue = f", {summary.overdue} of them for longer than `review.within`" if summary.overdue else ""
        where = (
            f"the artifact `{artifact_key(name, 'people')}` links each to its form, `leadgate review list` lists them"
        )
        lines += [f"- **{count} in review**: a person must decide{overdue}; {where}."]
        if summary.older_rules:
            lines += [
                f"- {summary.older_rules} of them by older rules: `leadgate review again --all` decides them anew."
            ]
    if count := remaining.get(State.FAILED):
        lines += [f"- **{count} parked**: `leadgate failed list` has LeadByte's words, `leadgate retry` sends again."]
    if count := remaining.get(State.UNKNOWN):
        lines += [
            f"- **{count} unknown**: their act may have been taken, and runs look for evidence; `leadgate review list`."
        ]
    return [*lines, ""] if lines else []


def _listed(title: str, items: Sequence[str]) -> list[str]:
    """A titled list of some items; nothing where there are none."""
    more = len(items) - _SHOWN
    shown = [f"- {in_markdown(item)}" for item in items[:_SHOWN]] + ([f"- ... and {more} more"] if more > 0 else [])
    return ["", title, "", *shown] if items else []


def _share_done(counts: Mapping[State, int]) -> float:
    total = sum(counts.values())
    return round(100 * sum(counts.get(state, 0) for state in _DONE) / total, 1) if total else 100.0


async def _show_people(pipeline: Pipeline, remaining: Mapping[State, int]) -> None:
    """List the leads that need a person; the page is made when it is empty too, or an old one would stand."""
    name, ledger = pipeline.config.pipeline, pipeline.ledger
    found, groups = read_for_people(ledger, limit=LISTED), count_reviews(ledger)
    counts = {state: remaining.get(state, 0) for state in FOR_PEOPLE}
    config, forms = pipeline.config, await Forms.of(name)
    page = People(counts, groups, found, config.review, forms, ledger.now(), config.policy.rejecting)
    total = sum(counts.values())
    description = (
        f"{counted(total, 'lead')} of {name} may need a person." if total else f"No lead of {name} needs a person."
    )
    await acreate_markdown_artifact(page.as_markdown(), key=artifact_key(name, "people"), description=description)


def artifact_key(pipeline: str, what: str) -> str:
    """Give a key that is the same in every run; Prefect takes small letters, digits and dashes only."""
    return re.sub(r"[^a-z0-9-]", "-", f"leadgate-{pipeline}-{what}".lower())
