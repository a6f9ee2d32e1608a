"""Record what a person decides of leads in review; the form is drawn by the Prefect UI. The next run sends."""

from pathlib import Path
from typing import Annotated, Literal

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import Field

from leadgate.model import Resolution
from leadgate.unexpected import guarded
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import DONE, decide_leads
from tasks.forms import checked_reason, chosen_leads, ends_in_a_sentence, message_of
from tasks.observed import observe
from tasks.report import name_run

observe()  # here and not in the flow: Prefect opens a run's span before its first line

TITLES = {
    "ids": "Lead ids",
    "rule": "A rule, in place of ids",
    "count": "How many leads the rule has sent to people",
    "verdict": "What should become of them",
    "reason": "Why",
    "by": "Your name",
    "still_in_quarantine": "They are still in quarantine",
    "config": "Pipeline file",
}
"""What the form calls each parameter."""


@flow(name="resolve-reviews", persist_result=False)
@ends_in_a_sentence
@guarded
async def resolve_reviews(  # noqa: PLR0913 - the fields of the form
    *,
    ids: str = "",
    rule: str = "",
    count: Annotated[int, Field(ge=0)] = 0,
    verdict: Literal["process", "reject", "wait", "again", "undo", "was-processed", "was-rejected", "not-taken"],
    reason: Annotated[str, Field(max_length=2000)] = "",
    by: Annotated[str, Field(min_length=1, max_length=100)],
    still_in_quarantine: bool = False,
    config: str = "leadgate.yaml",
) -> State[dict[str, str]]:
    """Record a person's decision of leads; give those that it was not heard of, and why. Nothing is sent.

    Args:
        ids: Between commas, blanks or line breaks. Leave it empty to decide all leads of a rule.
        rule: Decides all leads that this rule has sent to people. The word otherwise means that no rule matched.
        count: Only with a rule. If it is not right any more, nothing is done.
        verdict: With process and reject, the next run does it, once. With wait, the rules decide again later. With
            again, today's rules decide in the next run. With undo, what somebody decided is taken back, if no run has
            sent it yet. The other words say what you found in LeadByte of an act that
            was never answered.
        reason: One sentence. It is needed for process, reject and wait.
        by: Who decides. It is kept with the name of this run.
        still_in_quarantine: You have looked. The leads whose last act was never answered are still in quarantine.
        config: Leave it as it is.

    """
    word = Resolution(verdict)
    why = checked_reason(reason, word)
    chosen = chosen_leads(ids, rule, count)
    with ledger_of(Path(config)) as (settings, ledger):
        where = f"flow run {await name_run(settings.pipeline, ledger.now())}"
        words = {"reason": why, "by": by, "where": where}
        resolved = decide_leads(settings, ledger, chosen, word, **words, still_in_quarantine=still_in_quarantine)
    get_run_logger().info("event=resolved verdict=%s count=%d", verdict, len(resolved.ids))
    message = f"{DONE[word]}: {len(resolved.ids):,}."
    if resolved.refused:
        return Failed(message=f"{message} {message_of(resolved.refused)}", data=resolved.refused)
    return Completed(message=message, data={})
