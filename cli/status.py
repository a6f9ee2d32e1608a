"""`leadgate status`: where the leads are, and when the source was last read."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from cli.output import (
    ATTENTION,
    FINE,
    ConfigOption,
    JsonOption,
    ago,
    reports_errors,
    say,
    say_each,
    say_json,
    stop,
    warn_in_the_clear,
)
from leadgate.health import read_health
from leadgate.ledger.again import count_older
from leadgate.ledger.learned import Learned, read_learned
from leadgate.ledger.observed import count_observed, would_have
from leadgate.ledger.pauses import read_pause
from leadgate.ledger.source_progress import read_faults
from leadgate.ledger.status import Status, read_missing
from leadgate.model import WHILE_PAUSED, Result, State
from leadgate.policy.version import version_of
from leadgate.readable import counted, span
from leadgate.wiring.ledger import ledger_of


@reports_errors
def status(*, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False) -> None:
    """Count the leads by state, and show the oldest wait and the age of the last healthy reading of the source.

    Also reports if the pipeline is paused or observed. Exits with 1 if it is not healthy, and says why: a lead is
    parked or unknown, a review is overdue, an alarm is raised, acts are held back, deadlines stand still, or no run has
    found the source healthy for 30 minutes.
    """
    with ledger_of(config) as (settings, ledger):
        warn_in_the_clear(settings.leadbyte.base_url)
        now = ledger.now()
        missing = read_missing(ledger)
        pause = read_pause(ledger)
        observed = count_observed(ledger)
        older = count_older(ledger, version_of(settings.policy))
        faults = read_faults(ledger)
        learned, health = read_learned(ledger), read_health(ledger, settings)
    found, doubts = health.status, health.doubts
    if as_json:
        say_json(
            {"pipeline": settings.pipeline, "healthy": health.healthy, "reasons": health.reasons}
            | _as_dict(found, missing, now)
            | {
                "paused": asdict(pause) if pause else None,
                "overdue_reviews": health.overdue,
                "older_rules": older,
                "observe": settings.delivery.observe,
                "observed": observed,
                "alarms": [asdict(raised) for raised in health.alarms],
                "doubts": asdict(doubts),
                "learned": {
                    "gone": learned.gone,
                    "still_there_seconds": learned.still_there and learned.still_there.total_seconds(),
                    "had_left_seconds": learned.had_left and learned.had_left.total_seconds(),
                },
                "faults": faults.as_json(),
            }
        )
    else:
        _print(settings.pipeline, found, missing, found.held - sum(observed.values()), now)
        if settings.delivery.observe:
            say(f"observed: {would_have(observed)}; nothing is sent (delivery.observe)")
        elif observed:
            say(f"observed: {would_have(observed)}; nothing was sent, and the next run decides anew")
        if found.inferred:
            say(
                f"inferred: {found.inferred} of the settled leads, concluded from a probe or said by a person; "
                "LeadByte never confirmed it"
            )
        if doubts.control:
            control = doubts.control
            say(f"last control: lead {control.lead_id}, {_OF_CONTROL[control.result]}, {ago(control.at, now)}")
        _print_learned(learned)
        say_each(health.reasons)
        if found.counts[State.REVIEW] or found.counts[State.UNKNOWN]:
            say("`leadgate review list` shows the leads that wait for a person, and those that are unknown")
        if older:
            say(f"{older} of them were decided by older rules: `leadgate review again --all` has today's decide them")
        if found.counts[State.FAILED]:
            say("`leadgate failed list` shows the parked leads, by LeadByte's words")
        say_each(f"fault: {fault}" for fault in faults.lines())
        if pause:
            say(f"{settings.pipeline} has been {pause}")
            say(WHILE_PAUSED)
    stop(FINE if health.healthy else ATTENTION)


_OF_CONTROL = {
    Result.GONE: "which LeadByte no longer has in quarantine",
    Result.TAKEN: "which LeadByte still updated",
    Result.IN_DOUBT: "of which LeadByte's answer says nothing",
    Result.REFUSED: "which LeadByte refused to update, in words of its own",
}


def _print_learned(learned: Learned) -> None:
    """Print what controls have taught about LeadByte, with the lines to write in the pipeline file to keep it."""
    if learned.still_there or learned.had_left:
        seen = (("still there", learned.still_there), ("had left", learned.had_left))
        parts = [f"one {what} {round(after.total_seconds())} s after it was queued" for what, after in seen if after]
        say(f"LeadByte's queue, by controls: {', '.join(parts)} (delivery.queue_time)")
    for shape in learned.gone:
        say(f'learned: LeadByte says "{shape}" of leads that have left; leadbyte: sentences: {{gone: ["{shape}"]}}')


def _as_dict(found: Status, missing: Mapping[str, int], now: datetime) -> dict[str, object]:
    def seconds(instant: datetime | None) -> float | None:
        return None if instant is None else round((now - instant).total_seconds(), 3)

    return {
        "counts": {state.value: count for state, count in found.counts.items()},
        "inferred": found.inferred,
        "missing": missing,
        "held": found.held,
        "oldest_wait_seconds": seconds(found.oldest_waiting_since),
        "last_reading_at": found.read_at,
        "last_healthy_reading_at": found.healthy_at,
        "last_healthy_reading_age_seconds": seconds(found.healthy_at),
        "source_newest_at": found.newest_at,
        "source_lag_seconds": seconds(found.newest_at),
    }


def _print(name: str, found: Status, missing: Mapping[str, int], held: int, now: datetime) -> None:
    say(f"{name}: {counted(sum(found.counts.values()), 'lead')}")
    say_each(f"  {count:>8}  {state.value}" for state, count in found.counts.items())
    say_each(f"  {count:>8}  waiting, without {column}" for column, count in missing.items())
    if held > 0:
        say(f"  {held:>8}  waiting, held by a rule or a person")
    if found.oldest_waiting_since:
        say(f"oldest wait: {span(now - found.oldest_waiting_since)}")
    say(f"source last read: {ago(found.read_at, now)}, last found healthy {ago(found.healthy_at, now)}")
    if found.newest_at:
        say(f"newest enrichment in the source: {ago(found.newest_at, now)}")
