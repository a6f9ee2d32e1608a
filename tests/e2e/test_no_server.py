"""Where no Prefect server is configured: one is started for the command, and ends with it, however that ends."""

import os
from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.command import Finished, start_leadgate, wait_for
from tests.support.pipelines import Practice
from tests.support.waiting import wait_until

SECONDS = 200
"""A new Prefect database takes its time on a busy machine."""
pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found through /proc"),
    pytest.mark.timeout(2 * SECONDS),
]


@pytest.fixture
def pipeline(lone_lead: Practice) -> Practice:
    """A pipeline with one lead whose enrichment is there; no Prefect server is running for it."""
    return lone_lead


def without_server(home: Path) -> dict[str, str]:
    """The environment of someone who has never configured Prefect."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {"PREFECT_HOME": str(home)}


def processes_of(home: Path) -> list[str]:
    """The commands of all processes that have this folder as Prefect's home."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and str(home).encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return [command for command in found if command]


def assert_quiet(finished: Finished) -> None:
    """Check that nothing on standard error looks like a warning or a traceback."""
    for word in ("Traceback", "Warning", "warning", "Error", "error", "Exception"):
        assert word not in finished.stderr, finished.stderr


def test_a_run_brings_its_own_server_and_takes_it_away(tmp_path: Path, pipeline: Practice, leadbyte: Sandbox) -> None:
    """A run without a configured server prints its JSON and nothing else, and leaves no process behind."""
    home = tmp_path / "prefect-home"
    finished = wait_for(start_leadgate("run", "--json", config=pipeline.file, env=without_server(home)), SECONDS)
    assert (finished.code, finished.stderr) == (0, "")
    assert finished.json()["processed"] == 1
    assert leadbyte.quarantine.acts.keys() == {"1"}
    assert (home / "prefect.db").exists(), "it was that home"
    assert processes_of(home) == []


def test_the_demo_shows_the_whole_way(tmp_path: Path) -> None:
    """`leadgate demo` ends by itself, tells what became of the leads, and leaves nothing running."""
    folder = tmp_path / "demo"
    env = without_server(tmp_path / "unused")
    finished = wait_for(start_leadgate("demo", "--seconds", 5, "--folder", folder, env=env), SECONDS)

    assert finished.code == 0, finished.stderr
    assert_quiet(finished)
    told = finished.stdout
    for part in (
        "A source database with 2,000 quarantined leads",
        "A practice LeadByte: http://127.0.0.1:",
        "The Prefect UI, while this runs: http://127.0.0.1:",
        "2000  registered: new leads",
        "processed: queued for processing by LeadByte",
        "rejected: queued for rejection by LeadByte",
        "review: a person must decide",
        "50  waiting: their enrichment is still to come",
        "leads acted on twice: 0.",
        "One of them, by `leadgate explain ",
        "Now: queued for",
    ):
        assert part in told
    assert processes_of(tmp_path) == []


def test_the_server_ends_when_its_run_is_killed(tmp_path: Path, pipeline: Practice, leadbyte: Sandbox) -> None:
    """A run that was killed can stop nothing: its server sees that it is gone, and ends with all it has started."""
    home = tmp_path / "prefect-home"
    run = start_leadgate("run", "--watch", "10m", config=pipeline.file, env=without_server(home))
    wait_until(lambda: bool(leadbyte.quarantine.acts), what="the run is under way", seconds=SECONDS)
    assert len(processes_of(home)) > 1
    run.kill()
    run.communicate()
    wait_until(lambda: processes_of(home) == [], what="the server has ended", seconds=30)
