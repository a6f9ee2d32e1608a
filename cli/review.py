"""`leadgate review`: the leads that a person must decide, and what the person says."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.choosing import AllOption, IdsArgument, RuleOption, YesOption, choose, warn_refused
from cli.options import ByOption, at_keyboard, parse_id, whoever
from cli.output import WRONG, ConfigOption, JsonOption, reports_errors, say, say_json, stop
from cli.review_examples import list_examples
from cli.review_list import list_reviews
from leadgate.ledger.reviews import count_meant, read_left
from leadgate.model import Resolution, Resolved, SentBy
from leadgate.wiring.ledger import ledger_of
from leadgate.wiring.reviews import DONE, check_rule, decide_leads, named

review = typer.Typer(
    name="review",
    help="The leads that a person must decide: list and show them, then process, reject, wait, again, undo or settle.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

_WHY = "Why; `leadgate explain` reports it."
Reason = Annotated[str, typer.Option(help=_WHY)]
OptionalReason = Annotated[str, typer.Option(help=_WHY, show_default=False)]
StillThere = Annotated[
    bool,
    typer.Option(
        "--still-in-quarantine",
        help="You have looked: leads whose last act was never answered are still in LeadByte's quarantine.",
    ),
]
_DOING = {
    Resolution.PROCESS: "be processed",
    Resolution.REJECT: "be rejected",
    Resolution.WAIT: "wait again",
    Resolution.AGAIN: "be decided anew by today's rules",
    Resolution.UNDO: "be in review again",
    Resolution.WAS_PROCESSED: "be settled as processed",
    Resolution.WAS_REJECTED: "be settled as rejected",
    Resolution.NOT_TAKEN: "be sent again, since their act was not taken",
}

_CAN_BE_UNDONE = {Resolution.PROCESS, Resolution.REJECT, Resolution.WAIT, Resolution.AGAIN}

review.command("list", short_help="the leads in review: counts by rule and reason, then leads")(list_reviews)


@review.command("show", short_help="one lead's row as the source has it now, with the rules; nothing is kept")
@reports_errors
def show(
    lead_id: Annotated[str, typer.Argument(metavar="ID", parser=parse_id, help="The lead's quarantine id.")],
    *,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Show one lead as the source has it now: its row, the rules and why each fails, and what would be written.

    Nothing of it is kept, by the ledger or by Prefect.
    """
    from cli.review_show import print_lead  # noqa: PLC0415 - the source and CEL, which the other verbs do without

    print_lead(config, lead_id, as_json=as_json)


def _command(verdict: Resolution) -> Callable[..., None]:
    @reports_errors
    def decide(  # noqa: PLR0913
        ids: IdsArgument = None,
        *,
        reason: Reason,
        rule: RuleOption = None,
        every: AllOption = False,
        yes: YesOption = None,
        by: ByOption = None,
        still_in_quarantine: StillThere = False,
        config: ConfigOption = Path("leadgate.yaml"),
        as_json: JsonOption = False,
    ) -> None:
        chosen = ids, rule, every, yes
        _decide(config, chosen, verdict, reason, by, looked=still_in_quarantine, as_json=as_json)

    return decide


def _command_without_reason(verdict: Resolution) -> Callable[..., None]:
    @reports_errors
    def decide(  # noqa: PLR0913
        ids: IdsArgument = None,
        *,
        rule: RuleOption = None,
        every: AllOption = False,
        yes: YesOption = None,
        reason: OptionalReason = "",
        by: ByOption = None,
        config: ConfigOption = Path("leadgate.yaml"),
        as_json: JsonOption = False,
    ) -> None:
        _decide(config, (ids, rule, every, yes), verdict, reason, by, as_json=as_json)

    return decide


for _verdict, _short, _help in (
    (
        Resolution.PROCESS,
        "have the next run process them",
        "Have leads in review processed by the next run, once, in place of what the rules say.",
    ),
    (
        Resolution.REJECT,
        "have the next run reject them",
        "Have leads in review rejected by the next run, once, in place of what the rules say.",
    ),
    (
        Resolution.WAIT,
        "let the rules decide again, later",
        "Let leads in review wait: the rules decide again when their data changes, or after policy.hold_for.",
    ),
    (
        Resolution.AGAIN,
        "let today's rules decide them, by the next run",
        (
            "Have leads in review decided anew by the next run, by the rules and the data of then.\n\n"
            "Leads that a person, the cap of rejects, or an act in doubt sent there are left, and named."
        ),
    ),
    (
        Resolution.UNDO,
        "take back what a person decided, until a run has sent it",
        (
            "Take back process, reject, wait or again: the leads are in review again, as before.\n\n"
            "It can be taken back until a run sends the lead; while the pipeline is paused that does not happen."
        ),
    ),
):
    _make = _command_without_reason if _verdict in {Resolution.AGAIN, Resolution.UNDO} else _command
    review.command(_verdict.value, help=_help, short_help=_short)(_make(_verdict))


@review.command("settle", short_help="say what became of acts in doubt")
@reports_errors
def settle(  # noqa: PLR0913
    ids: IdsArgument = None,
    *,
    was: Annotated[
        Literal["processed", "rejected", "not-taken"],
        typer.Option(help="What you found in LeadByte; not-taken: the lead is still in quarantine."),
    ],
    every: AllOption = False,
    yes: YesOption = None,
    reason: OptionalReason = "",
    by: ByOption = None,
    config: ConfigOption = Path("leadgate.yaml"),
    as_json: JsonOption = False,
) -> None:
    """Say what became of acts that may have been taken, as you found in LeadByte.

    The first two settle the leads for good, and cannot be taken back. After not-taken, which is accepted when the act
    is old enough, the next run decides them anew.
    """
    verdict = Resolution.NOT_TAKEN if was == "not-taken" else Resolution(f"was-{was}")
    _decide(config, (ids, None, every, yes), verdict, reason, by, as_json=as_json)


def _decide(  # noqa: PLR0913
    config: Path,
    given: tuple[list[str] | None, str | None, bool, int | None],
    verdict: Resolution,
    reason: str,
    by: str | None,
    *,
    looked: bool = False,
    as_json: bool,
) -> None:
    ids, rule, every, yes = given
    with ledger_of(config) as (settings, ledger):
        check_rule(settings, ledger, rule)

        def count() -> int:
            return count_meant(ledger, verdict, rule)

        chosen = choose(ids, rule, every=every, yes=yes, count=count, doing=_DOING[verdict])
        words = {"reason": reason, "by": whoever(by), "where": at_keyboard()}
        resolved = decide_leads(settings, ledger, chosen, verdict, **words, still_in_quarantine=looked)
        left = read_left(ledger, rule) if verdict is Resolution.AGAIN and not ids else {}
    _report(resolved, verdict, left, as_json=as_json)


def _report(resolved: Resolved, verdict: Resolution, left: dict[SentBy, list[str]], *, as_json: bool) -> None:
    if as_json:
        more = {"left": left} if verdict is Resolution.AGAIN else {}
        say_json({"verdict": verdict, "resolved": resolved.ids, "refused": resolved.refused} | more)
    else:
        if resolved.ids or not resolved.refused:
            say(f"{DONE[verdict]}: {len(resolved.ids)}.")
        if resolved.ids and verdict in _CAN_BE_UNDONE:
            which = resolved.ids[0] if len(resolved.ids) == 1 else "ID"
            say(f"Until a run has done it, `leadgate review undo {which}` takes it back.")
        for sent_by, ids in left.items():
            say(f"Left, since {_LEFT[sent_by]}: {named(ids)}.")
        warn_refused(resolved.refused)
    if resolved.refused:
        stop(WRONG)


_LEFT = {
    SentBy.DOUBT: "their act may have been taken (`leadgate review settle`)",
    SentBy.CAP: "rules had rejected too many leads (process, reject or wait)",
    SentBy.OTHER: "a person had decided them (process, reject or wait)",
}

review.command("examples", short_help="what people have decided, as `examples:` to paste")(list_examples)
