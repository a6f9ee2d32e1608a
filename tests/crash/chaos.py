"""`make chaos`: kill workers over one pipeline until there were enough kills, and tell what came of it.

See docs/proof.md. It exits with 1 if a lead was acted on twice, is stuck, or is not where the rules say.
"""

import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.support.chaos import Plan, chaos
from tests.support.chaos_figures import gather

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Database(StrEnum):
    """Where source and ledger are kept."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@app.command()
def main(
    *,
    database: Annotated[list[Database] | None, typer.Option(help="Where source and ledger are; repeatable.")] = None,
    workers: Annotated[int, typer.Option(help="Workers at once.", min=1)] = 3,
    leads: Annotated[int, typer.Option(help="Leads, arriving as the kills go on.", min=20)] = 2000,
    kills: Annotated[int, typer.Option(help="Kills after which it ends.", min=1)] = 200,
    seconds: Annotated[float, typer.Option(help="Seconds after which it ends, whatever the kills.")] = 300,
    restarts: Annotated[int, typer.Option(help="Restarts of PostgreSQL meanwhile.", min=0)] = 3,
    command: Annotated[bool, typer.Option("--command", help="Kill `leadgate run --watch` itself.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed draws the same moments, leads and faults.")] = 1,
) -> None:
    """Kill workers until there were enough kills, let the last one finish, and print what came of it."""
    broken = False
    for one in database or Database:
        plan = Plan(one.value, workers, leads, kills, seconds, restarts, command, seed)
        with TemporaryDirectory(prefix="leadgate-chaos-") as folder, chaos(plan, Path(folder), _say) as ended:
            figures = gather(ended)
        typer.echo(figures.as_text() + "\n")
        _say("\n".join(figures.broken))
        broken = broken or bool(figures.broken)
    sys.exit(broken)


def _say(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    app()
