"""Who is measured, in what order, and what each run came to."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.leads import BATCH_SIZE, fill_source, request_bodies, write_pipeline
from benchmarks.measured import Span
from benchmarks.peers.environments import NotInstalled, environment_in, make_environment
from benchmarks.peers.job import CREATE_VIEW, Job
from benchmarks.rounds import Databases, Timed, bare_loop, databases_of, run_measured
from benchmarks.servers import check_and_forget, forget, prefect_server, sandbox_process
from leadgate.sandbox import PRACTICE_KEY

BARE = "bare loop: the limit"
WORK = "leadgate, first claim to last record"
WHOLE = "leadgate, the whole flow run"
PREFECT = "Prefect, a task run a lead"
AFTER_A_CRASH = {
    BARE: "nothing is remembered: all again",
    WORK: "never a second act: what was in flight is probed",
    WHOLE: "never a second act: what was in flight is probed",
    PREFECT: "a new run sends all again",
    "DBOS, a step a batch": "at least once: batches in flight are sent again",
    "dlt, a custom destination": "at least once: batches in flight are sent again",
    "drt, the REST destination": "at least once: the whole run is sent again",
}
"""Each one that is measured, and what it does about leads that were sent when its process is killed."""

OTHERS = {"dbos": "DBOS, a step a batch", "dlt": "dlt, a custom destination", "drt": "drt, the REST destination"}
"""The peers that have an environment of their own, by the name of their module."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one way came to in one combination of database and latency; `not_run` says why there are no figures."""

    database: str
    latency: str
    way: str
    leads: int
    span: Span | None = None
    first_request_after: float = 0
    peak_mib: float = 0
    not_run: str = ""

    @property
    def leads_per_second(self) -> float:
        """How many leads were released a second."""
        return self.leads / self.span.seconds if self.span else 0


@dataclass(frozen=True, slots=True)
class Place:
    """One combination of database and latency, and what every way needs in it."""

    database: str
    latency: str
    databases: Databases
    sandbox_url: str
    folder: Path
    leads: int
    in_flight: int

    def measure_bare(self, environment: Mapping[str, str]) -> Entry:
        """Send the bodies with nothing but httpx."""
        timed = run_measured(bare_loop(self.sandbox_url, self.folder / "bodies", self.in_flight), environment)
        return self._entry(BARE, timed, timed.measured.whole)

    def measure_leadgate(self, environment: Mapping[str, str]) -> list[Entry]:
        """Release the leads with the flow, counted in both ways."""
        pipeline = self.folder / "leadgate.yaml"
        write_pipeline(
            pipeline,
            base_url=self.sandbox_url,
            source_url=self.databases.source_url,
            ledger_url=self.databases.new_ledger(),
            leads=self.leads,
            in_flight=self.in_flight,
        )
        timed = run_measured(["benchmarks.release", str(pipeline), str(self.leads)], environment)
        work = self._entry(WORK, timed, timed.measured.work)
        return [work, replace(work, way=WHOLE, span=timed.measured.whole)]

    def measure_mapped(self, leads: int) -> Entry:
        """Release a few leads with a task run each, on a Prefect server that has nothing else to do."""
        with prefect_server() as environment:
            timed = run_measured(self._argv("prefect", leads), environment)
        return self._entry(PREFECT, timed, timed.measured.whole, leads)

    def measure_other(self, name: str, python: str) -> Entry:
        """Release the leads with a peer; one that cannot do it says so in its line."""
        argv = self._argv(name, self.leads)
        try:
            timed = run_measured(argv, environment_in(Path(argv[-1]).parent), python)
            return self._entry(OTHERS[name], timed, timed.measured.whole)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            forget(self.sandbox_url)
            print(error, file=sys.stderr)
            return self.not_run(name, str(error).strip().splitlines()[-1])

    def not_run(self, name: str, why: str) -> Entry:
        """A line that says why it holds no figures."""
        return Entry(self.database, self.latency, OTHERS[name], self.leads, not_run=why)

    def _entry(self, way: str, timed: Timed, span: Span, leads: int | None = None) -> Entry:
        check_and_forget(self.sandbox_url, leads or self.leads)
        first, peak = timed.first_request_after, timed.measured.peak_mib
        return Entry(self.database, self.latency, way, leads or self.leads, span, first, peak)

    def _argv(self, name: str, leads: int) -> list[str]:
        job = Job(
            sandbox_url=self.sandbox_url,
            key=PRACTICE_KEY,
            source_url=self.databases.source_url,
            state_url=self.databases.new_database(),
            folder=tempfile.mkdtemp(dir=self.folder),
            leads=leads,
            batch_size=BATCH_SIZE,
            in_flight=self.in_flight,
        )
        return [f"benchmarks.peers.with_{name}", str(job.write())]


def contest(  # noqa: PLR0913
    databases: Sequence[str],
    latencies: Sequence[str],
    peers: Sequence[str],
    *,
    leads: int,
    mapped_leads: int,
    in_flight: int,
) -> Iterator[Entry]:
    """Measure every way in every combination, one after the other."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-peers-")))
        pythons = {name: make_environment(name, folder) for name in OTHERS if name in peers}
        environment = stack.enter_context(prefect_server())
        (folder / "bodies").write_bytes(b"\n".join(request_bodies(leads)))
        for database in databases:
            kept = stack.enter_context(databases_of(database, folder))
            fill_source(kept.source_url, leads)
            _create_view(kept.source_url)
            for latency in latencies:
                with sandbox_process(latency) as sandbox_url:
                    place = Place(database, latency, kept, sandbox_url, folder, leads, in_flight)
                    yield place.measure_bare(environment)
                    yield from place.measure_leadgate(environment)
                    if "prefect" in peers:
                        yield place.measure_mapped(min(mapped_leads, leads))
                    for name, python in pythons.items():
                        if isinstance(python, NotInstalled):
                            yield place.not_run(name, str(python))
                        else:
                            yield place.measure_other(name, python)


def _create_view(source_url: str) -> None:
    engine = create_engine(source_url)
    try:
        with engine.begin() as connection:
            connection.execute(text(CREATE_VIEW))
    finally:
        engine.dispose()
