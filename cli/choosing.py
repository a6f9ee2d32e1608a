"""Which leads a verb is about: named by ids, as arguments or on standard input, or all of a rule, or all."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from cli.options import parse_id
from cli.output import warn
from leadgate.errors import ConfigError
from leadgate.model import Chosen, read_ids
from leadgate.readable import counted
from leadgate.wiring.reviews import told_refused

IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Quarantine ids; - reads them from standard input."),
]
RuleOption = Annotated[
    str | None,
    typer.Option(
        "--rule", metavar="NAME", help="The leads that this rule sent to a person; `otherwise`: no rule matched."
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Every lead that the verb can be about.")]
YesOption = Annotated[
    int | None,
    typer.Option("--yes", metavar="COUNT", help="With --rule or --all: how many leads you mean; asked for otherwise."),
]


def choose(  # noqa: PLR0913
    ids: Sequence[str] | None,
    rule: str | None = None,
    *,
    every: bool = False,
    yes: int | None = None,
    count: Callable[[], int] = int,
    doing: str = "",
    by_id: bool = False,
) -> Chosen:
    """Give the leads that are meant, and have their count confirmed unless they are named; ConfigError for wrong use.

    `count` counts the leads that are not named; `doing` says what would become of them, such as `be processed`.
    `by_id`: the verb takes ids alone.
    """
    if sum((bool(ids), rule is not None, every)) > 1:
        raise ConfigError("give one of these: ids, --rule NAME, or --all")
    if not ids and rule is None and not every:
        others = "" if by_id else ", or --rule NAME, or --all"
        raise ConfigError(f"say which leads: their ids (- reads them from standard input){others}")
    if ids:
        if yes is not None:
            raise ConfigError("--yes COUNT goes with --rule or --all: leads that are named need no count")
        return Chosen(ids=_read_named(ids))
    return Chosen(rule=rule, count=_confirm(count(), rule, doing) if yes is None else yes)


def _read_named(arguments: Sequence[str]) -> list[str]:
    if "-" not in arguments:
        named = (read_ids(text) if "," in text else [parse_id(text)] for text in arguments)
        return list(dict.fromkeys(lead_id for ids in named for lead_id in ids))
    if list(arguments) != ["-"]:
        raise ConfigError("- reads all ids from standard input: name no others beside it")
    ids = read_ids(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))
    if not ids:
        raise ConfigError("there is no id on standard input")
    return ids


def _confirm(count: int, rule: str | None, doing: str) -> int:
    """Have the number of leads typed, which a person who has looked at the list knows."""
    if count == 0:
        return 0
    leads = f"{counted(count, 'lead')}{f' by {rule}' if rule else ''} would {doing}"
    if not sys.stdin.isatty():
        raise ConfigError(f"{leads}: say that you mean so many with --yes {count}. Nothing was done")
    answer: str = typer.prompt(f"{leads}. Type {count} to go on", default="", err=True)
    if answer.strip() != str(count):
        raise ConfigError("that is another number, and nothing was done")
    return count


def warn_refused(refused: Mapping[str, str]) -> None:
    """Warn of the leads that were refused and why: leads with the same reason on one line, and not too many."""
    lines, more = told_refused(refused)
    for line in lines:
        warn(f"leadgate: {line}")
    if more:
        warn(f"leadgate: ... and {more} more; --json names all.")
