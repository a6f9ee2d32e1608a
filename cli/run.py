"""`leadgate run`: the main job here and now, as a Prefect flow run."""

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.blocks import read_block
from cli.flow_run import RunResult, run_flow
from cli.options import duration
from cli.output import (
    ATTENTION,
    FINE,
    ConfigOption,
    JsonOption,
    end_at_once,
    reports_errors,
    say,
    say_each,
    say_json,
    stop,
    warn,
    warn_in_the_clear,
)
from cli.prefect_server import prefect_api, quiet_prefect
from cli.progress import live_progress
from leadgate.errors import ConfigError
from leadgate.ledger.observed import would_have
from leadgate.metrics import EVERYWHERE, serve_metrics
from leadgate.model import WHILE_PAUSED
from leadgate.plan import read_plan
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import build_client


def _check_duration(text: str | None) -> str | None:
    if text is not None:
        duration(text)
    return text


@reports_errors
def run(  # noqa: PLR0913
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    watch: Annotated[
        str | None,
        typer.Option(help="Stay this long (90s, 15m, 24h) and take arrivals as they come.", callback=_check_duration),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Decide at most this many leads.", min=1)] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Send only the leads of this saved plan (`leadgate plan --out`), as planned.")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="With --watch: serve Prometheus metrics on this port.", min=1, max=65535)
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="The address that --metrics-port listens on, such as 127.0.0.1; all by default.")
    ] = EVERYWHERE,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's log too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Release or reject every lead whose enrichment has arrived, once, and report what became of them.

    Runs as a Prefect flow run: on the server that PREFECT_API_URL or the profile names, or else on one that is
    started for the run. Exits with 1 if a lead was refused or parked, an answer is open, a review is overdue, a
    planned lead was skipped, leads are held back by faults of their rows, or LeadByte could not be reached.
    """
    if metrics_port and not watch:
        raise ConfigError("--metrics-port goes with --watch: a run that ends at once is not there to be asked")
    quiet_prefect(verbose=verbose)
    metrics = serve_metrics(config, metrics_port, metrics_host) if metrics_port else nullcontext()
    with open_pipeline(config, read_block) as pipeline:
        if plan:
            names = {"pipeline": pipeline.config.pipeline, "policy_version": pipeline.policy.version}
            read_plan(plan, **names, limit=limit, watch_for=watch)
        # What is wrong with the file is said at once, before a server is started.
        build_client(pipeline.config.leadbyte)
        warn_in_the_clear(pipeline.config.leadbyte.base_url)
    with metrics, prefect_api(quiet=as_json) as api, nullcontext() if as_json or verbose else live_progress(config):
        result = run_flow(config, on_own_server=api.is_own, limit=limit, watch_for=watch, plan=plan)
    if as_json:
        say_json(_document(result))
    else:
        print_result(result)
        say(api.where(result.run_id))
    if result.trouble:
        warn(f"leadgate: {result.trouble}")
    if result.is_server_gone:
        end_at_once(ATTENTION)  # at exit, Prefect's threads would try for a minute to reach it
    stop(ATTENTION if result.trouble or result.summary.needs_attention else FINE)


def _document(result: RunResult) -> dict[str, Any]:
    summary = result.summary
    return summary.as_dict() | {
        "paused": asdict(summary.pause) if summary.pause else None,
        "skipped": summary.skipped,
        "observed": summary.observed,
        "notes": list(summary.notes),
        "faults": summary.named_faults.as_json(),
        "error": result.trouble,
        "flow_run_id": result.run_id,
    }


def print_result(result: RunResult) -> None:
    """Print a run's summary for people; what did not happen is left out."""
    summary = result.summary
    counts = {key: count for key, count in summary.as_dict().items() if count}
    if not summary.observed and not counts.keys() - {"waiting", "overdue", "older_rules", "faults", "changed"}:
        say("Nothing was due.")
    say_each(f"{count:>8}  {_MEANING[key]}" for key, count in counts.items())
    if summary.observed:
        say(f"Observed: {would_have(summary.observed)}. Nothing was sent (delivery.observe).")
    if summary.pause:
        say(f"The pipeline has been {summary.pause}")
        say(WHILE_PAUSED)
    say_each(summary.notes)
    say_each(f"not sent: {lead_id}: {why}" for lead_id, why in summary.skipped.items())
    say_each(f"fault: {fault}" for fault in summary.named_faults.lines())


_MEANING = {
    "registered": "registered: new leads",
    "arrived": "arrived: their enrichment is complete",
    "processed": "processed: queued for processing by LeadByte",
    "rejected": "rejected: queued for rejection by LeadByte",
    "held": "held: decided again later",
    "review": "review: a person must decide",
    "unknown": "unknown: an act was sent, or may have been before, and runs look for evidence (`leadgate review list`)",
    "refused": "refused: not taken by LeadByte, and sent again later (`leadgate explain ID` has its words)",
    "unanswered": "unanswered: LeadByte did not say that it took their update, which is sent again later",
    "failed": "failed: refused by LeadByte and parked",
    "gone": "gone: someone else moved them out of quarantine",
    "inferred": "inferred: of those processed or rejected, concluded from a probe; LeadByte's own answer was lost",
    "changed": "changed: settled leads whose enrichment changed afterwards; nothing is done about it",
    "again": "again: in review or parked till now, and decided anew, since their data or the rules have changed",
    "disagreed": "disagreed: the shadow rules would have said otherwise",
    "waiting": "waiting: their enrichment is still to come, or they are held or observed",
    "ready": "ready: due for a decision, now or later (`leadgate explain ID` says why)",
    "overdue": "overdue: in review for longer than review.within: `leadgate review list`",
    "older_rules": "older_rules: reviews by older rules; `leadgate review again --all` has today's decide them",
    "faults": "faults of rows in the source, by kind: named below",
}
