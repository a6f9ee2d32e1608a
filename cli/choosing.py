"""Which leads a verb is about: named by id, one after the other or on standard input, or all of a rule, or all."""

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

FROM_INPUT = "-"

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
    rule: str | None,
    *,
    every: bool,
    yes: int | None,
    count: Callable[[], int],
    doing: str,
) -> Chosen:
    """Find out which leads are meant, and have the count said where none is named; raise ConfigError for wrong use.

    `count` counts the leads that are not named; `doing` says what would become of them, such as `be processed`.
    """
    if sum((bool(ids), rule is not None, every)) != 1:
        msg = "say which leads: their ids (- reads them from standard input), or --rule NAME, or --all"
        raise ConfigError(msg)
    if ids:
        if yes is not None:
            msg = "--yes COUNT goes with --rule or --all: leads that are named need no count"
            raise ConfigError(msg)
        return Chosen(ids=_named(ids))
    return Chosen(rule=rule, count=_agreed(count(), rule, doing) if yes is None else yes)


def _named(ids: Sequence[str]) -> list[str]:
    if FROM_INPUT not in ids:
        return [parse_id(each) for each in ids]
    if list(ids) != [FROM_INPUT]:
        msg = "- reads all ids from standard input: name no others beside it"
        raise ConfigError(msg)
    found = read_ids(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))
    if not found:
        msg = "there is no id on standard input"
        raise ConfigError(msg)
    return found


def _agreed(found: int, rule: str | None, doing: str) -> int:
    """Ask for the number of leads, which whoever has looked at the list knows."""
    which = f" by {rule}" if rule else ""
    if found == 0:
        return 0
    leads = counted(found, "lead")
    if not sys.stdin.isatty():
        msg = f"{leads}{which} would {doing}: say that you mean so many with --yes {found}. Nothing was done"
        raise ConfigError(msg)
    said: str = typer.prompt(f"{leads}{which} would {doing}. Type {found} to go on", default="", err=True)
    if said.strip() != str(found):
        msg = "that is another number, and nothing was done"
        raise ConfigError(msg)
    return found


def warn_refused(refused: Mapping[str, str]) -> None:
    """Say of which leads a word was not heard and why: leads with the same reason on one line, and not too many."""
    lines, more = told_refused(refused)
    for line in lines:
        warn(f"leadgate: {line}")
    if more:
        warn(f"leadgate: ... and {more} more; --json names all.")
