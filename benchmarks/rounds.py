"""The rounds: in each, the bare loop and the release flow one after the other, each in a process of its own."""

import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path

from benchmarks.leads import IN_FLIGHT, fill_source, request_bodies, take_in, write_pipeline
from benchmarks.measured import Measured
from benchmarks.servers import check_and_forget, postgres_server, prefect_server, sandbox_process
from leadgate.ledger import open_engine
from leadgate.sandbox import PRACTICE_KEY
from tests.support.postgres import PostgresServer

_ROOT = Path(__file__).parents[1]
_LONGEST_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Timed:
    """What a process measured, and how long after its start its first request left."""

    measured: Measured
    first_request_after: float


@dataclass(frozen=True, slots=True)
class Round:
    """One run of each, side by side."""

    database: str
    latency: str
    """And, behind a comma, `delivery.mode`."""
    bare: Timed
    release: Timed
    """Of leads that an earlier run has registered and found complete."""
    fresh: Timed
    """Of leads that are new."""


class Databases(ABC):
    """Where the source is, and a new database for whatever a run remembers."""

    source_url: str

    @abstractmethod
    def new_database(self) -> str:
        """The address of a database with nothing in it."""

    def new_ledger(self) -> str:
        """The address of a ledger that has its tables and no rows."""
        url = self.new_database()
        open_engine(url, base_dir=Path(), create=True).dispose()
        return url


class SqliteDatabases(Databases):
    """A SQLite file for the source, and one for each run."""

    def __init__(self, folder: Path) -> None:
        self.source_url = f"sqlite:///{folder / 'source.db'}"
        self._folder = folder
        self._numbers = count()

    def new_database(self) -> str:
        """The address of a file that is not there yet."""
        return f"sqlite:///{self._folder / f'run-{next(self._numbers)}.db'}"


class PostgresDatabases(Databases):
    """A database for the source, and one for each run, on one server."""

    def __init__(self, server: PostgresServer) -> None:
        server.create_database("source")
        self.source_url = server.url("source")
        self._server = server
        self._numbers = count()

    def new_database(self) -> str:
        """The address of a database with nothing in it."""
        name = f"run_{next(self._numbers)}"
        self._server.create_database(name)
        return self._server.url(name)


def run_rounds(  # noqa: PLR0913
    databases: Sequence[str],
    latencies: Sequence[str],
    modes: Sequence[str],
    *,
    leads: int,
    repeats: int,
    in_flight: int = IN_FLIGHT,
) -> Iterator[Round]:
    """Run every round, the combinations in turn, so that a slow minute of the machine hits all of them."""
    with ExitStack() as servers:
        folder = Path(servers.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-benchmark-")))
        environment = servers.enter_context(prefect_server())
        places = {name: servers.enter_context(databases_of(name, folder)) for name in databases}
        sandboxes = {latency: servers.enter_context(sandbox_process(latency)) for latency in latencies}
        for place in places.values():
            fill_source(place.source_url, leads)
        for mode in modes:
            (folder / mode).write_bytes(b"\n".join(request_bodies(leads, mode)))
        for _ in range(repeats):
            for latency, sandbox_url in sandboxes.items():
                for (name, place), mode in product(places.items(), modes):
                    runs = [run_measured(bare_loop(sandbox_url, folder / mode, in_flight), environment)]
                    check_and_forget(sandbox_url, leads)
                    for are_new in (False, True):
                        pipeline = folder / "leadgate.yaml"
                        write_pipeline(
                            pipeline,
                            base_url=sandbox_url,
                            source_url=place.source_url,
                            ledger_url=place.new_ledger(),
                            leads=leads,
                            in_flight=in_flight,
                            mode=mode,
                        )
                        if not are_new:
                            take_in(pipeline)
                        runs.append(run_measured(["benchmarks.release", str(pipeline), str(leads)], environment))
                        check_and_forget(sandbox_url, leads)
                    yield Round(name, f"{latency}, {mode}", *runs)


@contextmanager
def databases_of(name: str, folder: Path) -> Iterator[Databases]:
    """Give a place for source and ledgers of one kind, which is gone when the body ends."""
    if name == "sqlite":
        yield SqliteDatabases(folder)
        return
    with postgres_server() as server:
        yield PostgresDatabases(server)


def bare_loop(sandbox_url: str, bodies: Path, in_flight: int = IN_FLIGHT) -> list[str]:
    """The module that sends the bodies of a file, one a line, and its arguments."""
    return ["benchmarks.bare", sandbox_url, PRACTICE_KEY, str(in_flight), str(bodies)]


def run_measured(module: Sequence[str], environment: Mapping[str, str], python: str = sys.executable) -> Timed:
    """Run a module of ours that tells what it measured; raise RuntimeError with its own words if it fails."""
    started_at = time.monotonic()
    ended = subprocess.run(  # noqa: S603 - a module of ours
        [python, "-m", *module],
        cwd=_ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(module)} ended with {ended.returncode}:\n{ended.stderr}")
    measured = Measured.read(ended.stdout)
    return Timed(measured, measured.first_request.at - started_at)
