"""`leadgate sandbox`: the practice LeadByte on a port, until Ctrl-C."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

import typer

from cli.output import reports_errors, say, say_json, warn
from leadgate.errors import ConfigError
from leadgate.readable import counted
from leadgate.sandbox import PRACTICE_KEY, SWITCH_NAMES, Faults, Permission, Sandbox, SandboxRequest, read_span


def _span(text: str) -> timedelta:
    try:
        return read_span(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@reports_errors
def sandbox(  # noqa: PLR0913 - one argument an option
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one and prints it.", min=0, max=65535)] = 0,
    key: Annotated[str, typer.Option(help="The API key to accept. Make one up: it is printed.")] = PRACTICE_KEY,
    permission: Annotated[Permission, typer.Option(help="What the key may do.")] = Permission.FULL,
    latency: Annotated[str, typer.Option(help="How long every answer takes: 0.2, 50ms or 2s.")] = "0",
    lag: Annotated[str, typer.Option(help="How long a queued process or reject takes: 0.2, 50ms or 2s.")] = "1s",
    strict: Annotated[bool, typer.Option("--strict", help="Know only leads added through /sandbox/leads.")] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help=f"A fault switch, as often as wanted: {', '.join(SWITCH_NAMES)}."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same faults.")] = 0,
    record: Annotated[Literal["full", "acts"], typer.Option(help="acts keeps no requests: for long runs.")] = "full",
    verbose: Annotated[bool, typer.Option("--verbose", help="One line a request, on standard error.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: url, key, pid.")] = False,
) -> None:
    """Run a LeadByte to practise on, with fault switches, until Ctrl-C."""
    if not key:
        raise ConfigError("sandbox: --key is empty: make one up")
    practice = Sandbox(
        keys={key: permission},
        lag=_span(lag),
        latency=_span(latency),
        faults=Faults(_read_faults(fault or []), seed),
        strict=strict,
        keep=10_000 if record == "full" else 0,
        on_request=_show if verbose else None,
    )
    asyncio.run(_serve(practice, host, port, as_json=as_json))


async def _serve(practice: Sandbox, host: str, port: int, *, as_json: bool) -> None:
    """Serve until the process is asked to end."""
    asked_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    await practice.start(host, port)
    if as_json:
        say_json({"url": practice.url, "key": practice.key, "pid": os.getpid()})
    else:
        say(f"The practice LeadByte answers at {practice.url} (put it into leadbyte.base_url).")
        say(f"Use the key {practice.key}. Ctrl-C stops it.")
        say("A rehearsal needs a ledger of its own: write another ledger.url,")
        say("then type `leadgate ledger create --first-time`.")
    await asked_to_end.wait()
    await practice.stop()


def _read_faults(written: Sequence[str]) -> dict[str, Any]:
    """Split each NAME=VALUE; raise ConfigError for one without a value, or given twice."""
    pairs = [text.partition("=") for text in written]
    problems = [f"--fault {name}: write --fault NAME=VALUE, such as drop-after=0.05" for name, _, v in pairs if not v]
    counts = Counter(name for name, _, _ in pairs)
    problems += [
        f"--fault {name}: is given {count} times; once is enough" for name, count in counts.items() if count > 1
    ]
    if problems:
        raise ConfigError(problems)
    return {name: value for name, _, value in pairs}


def _show(request: SandboxRequest) -> None:
    """Print one line about a request, without any value of a lead."""
    faults = f" [{', '.join(request.faults)}]" if request.faults else ""
    leads, status = counted(len(request.asked), "lead"), request.status or "dropped"
    warn(f"{request.at:%H:%M:%S} {request.key} {request.method} {request.path} {leads} {status}{faults}")
