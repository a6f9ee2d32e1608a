"""The verbs of the command, each in a file of its own that is loaded when it is typed, and not before."""

import importlib
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from cli.output import WRONG, complain, stop
from leadgate.errors import ConfigError
from leadgate.extras import require_extra
from leadgate.sign_of_life import begin_sign, end_sign


class Verb(NamedTuple):
    """Where a verb is, and what it does in one line."""

    module: str
    name: str
    does: str
    extra: str | None = None
    """The extra of the package that it needs."""
    may_be_slow: bool = False
    """Whether it shows on standard error what it is doing until it prints its result."""


VERBS = {
    "demo": Verb("cli.demo", "demo", "the whole way on a practice LeadByte, with a UI to look at", "sandbox"),
    "init": Verb("cli.init", "init", "write a commented pipeline file"),
    "ledger": Verb("cli.ledger", "ledger", "make the ledger, once; say what happened to it"),
    "check": Verb("cli.check", "check", "try file, rules, source and LeadByte, and name every fault", may_be_slow=True),
    "plan": Verb("cli.plan", "plan", "what a run would do now; nothing is sent", may_be_slow=True),
    "run": Verb("cli.run", "run", "release or reject every lead whose enrichment has arrived"),
    "status": Verb("cli.status", "status", "where the leads are, the oldest wait, the last reading"),
    "explain": Verb("cli.explain", "explain", "everything about one lead, in order"),
    "report": Verb("cli.report", "report", "the same for all leads, as one HTML page", "report", may_be_slow=True),
    "review": Verb("cli.review", "review", "the leads that a person must decide"),
    "failed": Verb("cli.failed", "failed", "the leads that LeadByte refused for good, by its words"),
    "retry": Verb("cli.retry", "retry", "retry parked leads"),
    "discard": Verb("cli.failed", "discard", "give up parked leads"),
    "forget": Verb("cli.forget", "forget", "erase what is kept of leads, and never act on them again"),
    "pause": Verb("cli.pause", "pause", "process and reject nothing from now on"),
    "resume": Verb("cli.pause", "resume", "end the pause"),
    "test": Verb("cli.examples", "examples", "decide the file's examples by its rules"),
    "backtest": Verb("cli.backtest", "backtest", "decide past leads by the rules of another file", may_be_slow=True),
    "waits": Verb("cli.waits", "waits", "what the deadline and the required columns cost", may_be_slow=True),
    "schema": Verb("cli.schema", "schema", "the JSON Schema of the pipeline file, for editors"),
    "sandbox": Verb("cli.sandbox", "sandbox", "a LeadByte to practise on, with fault switches", "sandbox"),
}


class Verbs(TyperGroup):
    """Loads only the verb that is typed; listing the verbs loads none."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002
        """Name every verb, those of a first day first."""
        return list(VERBS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Find the verb that was typed; end with what to install if one of its packages is missing."""
        verb = VERBS.get(args[0]) if args else None
        if verb and verb.may_be_slow and not {"--help", "-h"} & {*args} and not ctx.resilient_parsing:
            begin_sign("Starting ...")  # before the verb is loaded, which is slow on a busy machine
            ctx.call_on_close(end_sign)
        try:
            return super().resolve_command(ctx, args)
        except ConfigError as error:
            complain(error, as_json="--json" in args)
            stop(WRONG)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        """Load a verb; None if there is none of that name."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        if verb.extra:
            require_extra(verb.extra, cmd_name)
        app = getattr(importlib.import_module(verb.module), verb.name)
        if not isinstance(app, typer.Typer):
            function, app = app, typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(cmd_name)(function)
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        """List the verbs with what each does."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.does) for name, verb in VERBS.items()])
