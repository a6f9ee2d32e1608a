"""`leadgate explain`: everything about one lead, in order, from the ledger alone."""

from pathlib import Path

from cli.options import LeadIdArgument
from cli.output import (
    ATTENTION,
    FINE,
    ConfigOption,
    JsonOption,
    clock_time,
    reports_errors,
    say,
    say_each,
    say_json,
    stop,
)
from leadgate.attention import attention, clock_problem
from leadgate.ledger.doubts import read_doubts
from leadgate.ledger.pauses import read_pause
from leadgate.story import tell
from leadgate.wiring.ledger import history_of, ledger_of


@reports_errors
def explain(
    lead_id: LeadIdArgument, *, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False
) -> None:
    """Show everything about one lead, in order, with times: arrival, decisions, what was sent and answered.

    Of a lead that is not settled also what holds the pipeline up, with exit 1: doubts, acts held back, deadlines that
    stand still.
    """
    with ledger_of(config) as (settings, ledger):
        history = history_of(config, settings, ledger, lead_id)
        pause = read_pause(ledger)
        doubts = None if history.entry["settled_at"] else read_doubts(ledger)
        to_know = attention(doubts, settings.delivery, ledger.now(), clock_problem(ledger)) if doubts else []
    story, link = tell(history, settings), settings.review.link_to(lead_id)
    if as_json:
        say_json(
            {
                "lead_id": lead_id,
                "state": history.entry["state"],
                "link": link,
                "entry": dict(history.entry),
                "overrides": [dict(row) for row in history.overrides],
                "decisions": [dict(row) for row in history.decisions],
                "attempts": [dict(row) for row in history.attempts],
                "story": [{"at": event.at, "what": event.what} for event in story.events],
                "now": story.now,
                "attention": to_know,
            }
        )
    else:
        say(f"lead {lead_id}: {history.entry['state']}")
        if link:
            say(f"  {link}")
        say_each(f"  {clock_time(event.at)}  {event.what}" for event in story.events)
        say(story.now)
        if pause and history.entry["settled_at"] is None:
            say(f"The pipeline has been {pause}")
            say("Nothing is processed or rejected until `leadgate resume`.")
        say_each(f"Of the pipeline as a whole: {sentence}" for sentence in to_know)
    stop(ATTENTION if to_know else FINE)
