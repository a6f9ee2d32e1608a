"""How long a lead waits that is complete: from its row's INSERT into a PostgreSQL source to the request at LeadByte.

`python -m benchmarks.wakeups`: one row at a time, for a run that watches (with notifications and without), and for
`on-arrival`, which the event of `watch-enrichment` starts on a real Prefect worker. The same worker starts a flow that
does nothing by the same kind of event: what that takes is Prefect's own.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated
from uuid import uuid4

import httpx
import typer

from benchmarks.leads import write_pipeline
from benchmarks.servers import postgres_server, prefect_server
from leadgate.sandbox import Sandbox, sandbox_thread
from tests.support.postgres import PostgresServer
from tests.support.process import Supervised, new_folder
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[1]
_LONGEST_SECONDS = 120
_MORE_WAITING = 10_000
_SCRIPTS = ("source_postgresql.sql", "notify_postgresql.sql")
_WATCH = """\
import asyncio, sys
from flows.watch_enrichment import watch_enrichment
asyncio.run(watch_enrichment(sys.argv[1], '1h'))
"""

_EMPTY_FLOW = """\
import time
from pathlib import Path
from prefect import flow

@flow
def empty(told_in: str) -> None:
    Path(told_in).write_text(str(time.time()))
"""
_DEPLOY_EMPTY = """\
import sys
from prefect import flow
from prefect.events import DeploymentEventTrigger
match, event = {"prefect.resource.id": "leadgate.pipeline.empty"}, "leadgate.enrichment.arrived"
flow.from_source(sys.argv[1], "empty.py:empty").deploy(
    "on-arrival", work_pool_name="leadgate", build=False, push=False, parameters={"told_in": sys.argv[2]},
    triggers=[DeploymentEventTrigger(match=match, expect=[event])],
)
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Arrivals:
    """A source in which many leads wait, and a LeadByte that says when it was asked about each."""

    def __init__(self, server: PostgresServer, name: str, sandbox: Sandbox, folder: Path) -> None:
        server.create_database(name)
        self.pipeline = folder / f"{name}.yaml"
        self._sandbox = sandbox
        self._owner = server.connect(name)
        for script in _SCRIPTS:
            self._owner.execute((_ROOT / "examples" / script).read_text("utf-8").encode())
        self._owner.execute(f"INSERT INTO quarantined_leads SELECT generate_series(1, {_MORE_WAITING})")
        server.create_database(f"{name}_ledger")
        source_url, ledger_url = server.url(name), server.url(f"{name}_ledger")
        write_pipeline(self.pipeline, base_url=sandbox.url, source_url=source_url, ledger_url=ledger_url, leads=1)
        self._next = 0

    def without_notifications(self) -> None:
        """Take the triggers away."""
        self._owner.execute("DROP FUNCTION leadgate_notify CASCADE")

    def seconds(self) -> float:
        """Let the enrichment of one more lead arrive, and say how long after that LeadByte was asked."""
        self._next += 1
        lead_id = str(self._next)
        began_at = datetime.now(UTC)
        values = "(quarantine_id, postcode, mobile, phone_verified, score) VALUES (%s, 'TN25 6QD', '07', true, 0.9)"
        self._owner.execute(f"INSERT INTO lead_enrichment {values}".encode(), [lead_id])
        acted = self._sandbox.quarantine
        wait_until(lambda: lead_id in acted.acts, what=f"lead {lead_id} is acted on", seconds=_LONGEST_SECONDS)
        at = next(one.at for one in self._sandbox.requests if any(lead.lead_id == lead_id for lead in one.asked))
        return (at - began_at).total_seconds()

    def close(self) -> None:
        """Give the connection back."""
        self._owner.close()


def measure(arrivals: "Arrivals | EmptyFlow", count: int, *, apart: tuple[float, float]) -> list[float]:
    """Let leads arrive, each so many seconds after the one before was acted on; the first is not counted."""
    chance = random.Random(7)
    arrivals.seconds()
    found = []
    for _ in range(count):
        time.sleep(chance.uniform(*apart))
        found.append(arrivals.seconds())
    return found


@contextmanager
def process(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """Run a program of ours while the body runs."""
    running = Supervised(argv, folder=new_folder("wakeups", {}), env={**environment, "PYTHONPATH": str(_ROOT)})
    try:
        yield
    except AssertionError:
        print(running.log()[-3000:], file=sys.stderr)
        raise
    finally:
        running.stop()


def deploy_on_arrival(pipeline: Path, environment: Mapping[str, str]) -> None:
    """Deploy what the event starts, as people do."""
    _run_python(["-m", "deployments.apply", str(pipeline)], environment)


def _run_python(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, *arguments],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


class EmptyFlow:
    """A flow that does nothing, which an event starts on the worker of the benchmark."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._api_url = environment["PREFECT_API_URL"]
        self._told_in = folder / "begun"
        (folder / "empty.py").write_text(_EMPTY_FLOW, "utf-8")
        _run_python(["-c", _DEPLOY_EMPTY, str(folder), str(self._told_in)], environment)

    def seconds(self) -> float:
        """Send the event, and say how long after that the flow has begun."""
        began_at = datetime.now(UTC)
        event = {
            "id": str(uuid4()),
            "occurred": began_at.isoformat(),
            "event": "leadgate.enrichment.arrived",
            "resource": {"prefect.resource.id": "leadgate.pipeline.empty"},
        }
        httpx.post(f"{self._api_url}/events", json=[event], timeout=30).raise_for_status()
        wait_until(self._told_in.exists, what="the empty flow begins", seconds=_LONGEST_SECONDS)
        time.sleep(0.1)  # until what it says is written
        at = float(self._told_in.read_text("utf-8"))
        self._told_in.unlink()
        return at - began_at.timestamp()


def as_line(what: str, seconds: Sequence[float]) -> str:
    """Write the median and the 95th percentile."""
    high = quantiles(seconds, n=20, method="inclusive")[-1]
    return f"| {what} | {len(seconds)} | {median(seconds):.3f} | {high:.3f} | {min(seconds):.3f} | {max(seconds):.3f} |"


@app.command()
def bench(
    *,
    inserts: Annotated[int, typer.Option(help="Rows for each run that watches.", min=0)] = 50,
    events: Annotated[int, typer.Option(help="Rows for the deployment that an event starts.", min=0)] = 10,
    query_seconds: Annotated[float, typer.Option(help="How often the worker asks for runs.")] = 10,
) -> None:
    """Measure each way in turn, and print one table."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-wakeups-")))
        server = stack.enter_context(postgres_server())
        environment = stack.enter_context(prefect_server()) | {"PREFECT_WORKER_QUERY_SECONDS": str(query_seconds)}
        print("| way | rows | median s | p95 s | least | most |\n|---|---:|---:|---:|---:|---:|")
        for name in ("notified", "polled") if inserts else ():
            with sandbox_thread() as sandbox:
                arrivals = Arrivals(server, name, sandbox, folder)
                if name == "polled":
                    arrivals.without_notifications()
                argv = [sys.executable, "-m", "leadgate", "run", "--watch", "1h", "--config", str(arrivals.pipeline)]
                with process(argv, environment):
                    print(as_line(f"run --watch, {name}", measure(arrivals, inserts, apart=(0.3, 1.5))), flush=True)
                arrivals.close()
        if not events:
            return
        with sandbox_thread() as sandbox:
            arrivals = Arrivals(server, "on_arrival", sandbox, folder)
            deploy_on_arrival(arrivals.pipeline, environment)
            worker = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "leadgate"]
            watch = [sys.executable, "-c", _WATCH, str(arrivals.pipeline)]
            with process(worker, environment), process(watch, environment):
                empty = EmptyFlow(folder, environment)
                for what, started in (("event", arrivals), ("event, a flow that does nothing", empty)):
                    found = measure(started, events, apart=(10, 20))
                    print(as_line(f"{what}, worker asks every {query_seconds:g} s", found), flush=True)
            arrivals.close()


if __name__ == "__main__":
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
    app()
