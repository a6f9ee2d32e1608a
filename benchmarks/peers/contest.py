"""Who is measured, in what order, and what each run came to."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.leads import BATCH_SIZE, fill_source, request_bodies, write_pipeline
from benchmarks.measured import Span
from benchmarks.peers.duties import LeadRecords
from benchmarks.peers.environments import NotInstalled, environment_in, make_environment
from benchmarks.peers.job import CREATE_VIEW, Job
from benchmarks.rounds import Databases, Timed, bare_loop, databases_of, run_measured
from benchmarks.servers import check_and_forget, forget, prefect_server, sandbox_process
from leadgate.sandbox import PRACTICE_KEY

BARE = "bare loop: the limit"
WHOLE = "leadgate, the whole flow run"
PREFECT = "Prefect, a task run a lead"


class Duties(StrEnum):
    """What the peers do: what each is meant for, or all that leadgate does about a lead's decision and its act."""

    AS_MEANT = "as-meant"
    SAME = "same"


WAYS = {
    Duties.AS_MEANT: {
        "prefect": PREFECT,
        "dbos": "DBOS, a step a batch",
        "dlt": "dlt, a custom destination",
        "drt": "drt, the REST destination",
    },
    Duties.SAME: {
        "prefect": "Prefect, a task run a lead, with records",
        "dbos": "DBOS, a step a batch, with records",
        "dlt": "dlt, a custom destination with records",
        "drt": "drt, a plugged-in destination with records",
    },
}
"""What each peer is called in each comparison, by the name of its module."""

AFTER_A_CRASH = {
    BARE: "nothing is remembered: all again",
    WHOLE: "never a second act: what was in flight is probed",
    PREFECT: "a new run sends all again",
    "DBOS, a step a batch": "at least once: batches in flight are sent again",
    "dlt, a custom destination": "at least once: batches in flight are sent again",
    "drt, the REST destination": "at least once: the whole run is sent again",
    **dict.fromkeys(WAYS[Duties.SAME].values(), "never a second act: what was in flight stays in doubt"),
}
"""Each one that is measured, and what it does about leads that were sent when its process is killed."""

OTHERS = ("dbos", "dlt", "drt")
"""The peers that have an environment of their own."""


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

    def measure_leadgate(self, environment: Mapping[str, str]) -> Entry:
        """Release the leads with the flow."""
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
        return self._entry(WHOLE, timed, timed.measured.whole)

    def measure_mapped(self, duties: Duties, leads: int) -> Entry:
        """Release a few leads with a task run each, on a Prefect server that has nothing else to do."""
        job = self._job(duties, leads)
        with prefect_server() as environment:
            timed = run_measured(_argv("prefect", job), environment)
        _check_records(job)
        return self._entry(WAYS[duties]["prefect"], timed, timed.measured.whole, leads)

    def measure_other(self, duties: Duties, name: str, python: str) -> Entry:
        """Release the leads with a peer; one that cannot do it says so in its line."""
        job = self._job(duties, self.leads)
        try:
            timed = run_measured(_argv(name, job), environment_in(Path(job.folder)), python)
            _check_records(job)
            return self._entry(WAYS[duties][name], timed, timed.measured.whole)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            forget(self.sandbox_url)
            print(error, file=sys.stderr)
            return self.not_run(duties, name, str(error).strip().splitlines()[-1])

    def not_run(self, duties: Duties, name: str, why: str) -> Entry:
        """A line that says why it holds no figures."""
        return Entry(self.database, self.latency, WAYS[duties][name], self.leads, not_run=why)

    def _entry(self, way: str, timed: Timed, span: Span, leads: int | None = None) -> Entry:
        check_and_forget(self.sandbox_url, leads or self.leads)
        first, peak = timed.first_request_after, timed.measured.peak_mib
        return Entry(self.database, self.latency, way, leads or self.leads, span, first, peak)

    def _job(self, duties: Duties, leads: int) -> Job:
        return Job(
            sandbox_url=self.sandbox_url,
            key=PRACTICE_KEY,
            source_url=self.databases.source_url,
            state_url=self.databases.new_database(),
            folder=tempfile.mkdtemp(dir=self.folder),
            leads=leads,
            batch_size=BATCH_SIZE,
            in_flight=self.in_flight,
            same_duties=duties is Duties.SAME,
        )


def contest(  # noqa: PLR0913
    databases: Sequence[str],
    latencies: Sequence[str],
    peers: Sequence[str],
    comparisons: Sequence[Duties],
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
                    yield place.measure_leadgate(environment)
                    for duties in comparisons:
                        if "prefect" in peers:
                            yield place.measure_mapped(duties, min(mapped_leads, leads))
                        for name, python in pythons.items():
                            if isinstance(python, NotInstalled):
                                yield place.not_run(duties, name, str(python))
                            else:
                                yield place.measure_other(duties, name, python)


def _argv(name: str, job: Job) -> list[str]:
    return [f"benchmarks.peers.with_{name}", str(job.write())]


def _check_records(job: Job) -> None:
    """Fail unless a peer with leadgate's duties left an outcome for each lead."""
    if not job.same_duties:
        return
    records = LeadRecords(job.state_url)
    try:
        answered, in_doubt = records.count()
    finally:
        records.engine.dispose()
    if (answered, in_doubt) != (job.leads, 0):
        raise RuntimeError(f"Of {job.leads} leads {answered} have an outcome and {in_doubt} are in doubt")


def _create_view(source_url: str) -> None:
    engine = create_engine(source_url)
    try:
        with engine.begin() as connection:
            connection.execute(text(CREATE_VIEW))
    finally:
        engine.dispose()
