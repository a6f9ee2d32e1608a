"""`leadgate demo`: the whole way on the practice LeadByte, with enrichment arriving while it runs."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.demo_source import DemoSource
from cli.flow_run import run_flow
from cli.output import clock_time, reports_errors, say, say_each
from cli.prefect_server import as_typed, prefect_api, quiet_prefect
from cli.progress import live_progress
from cli.run import print_result
from leadgate.clock import utc_now
from leadgate.errors import ConfigError
from leadgate.files import write_whole
from leadgate.ledger.history import read_history
from leadgate.sandbox import Sandbox, sandbox_thread
from leadgate.story import tell as tell_story
from leadgate.wiring.identity import create_ledger
from leadgate.wiring.ledger import ledger_of

_MARK = ".leadgate-demo"
"""The file that marks a folder as a demo's, which the next demo empties."""

_PIPELINE = """\
# The demo's pipeline. `leadgate init` writes one with every setting explained.
pipeline: demo
leadbyte:
  base_url: {base_url}
  api_key: {key}
  requests_per_second: 30
source:
  url: sqlite:///source.db
  leads: {{table: quarantined_leads, id: quarantine_id, quarantined_at: quarantined_at}}
  enrichment: {{table: lead_enrichment, id: quarantine_id, updated_at: updated_at}}
wait:
  require: [postcode, phone_verified, score]
  deadline: 24h
update: {{postcode: postcode, phone1: mobile}}
delivery: {{queue_time: 1m}}
policy:
  rules:
    - name: opted-out
      when: enrichment.opted_out
      then: reject
      because: The person opted out.
    - name: verified
      when: enrichment.phone_verified && enrichment.score >= 0.5
      then: process
      because: Phone verified and a score of {{score}}.
    - name: poor
      when: enrichment.score < 0.2
      then: reject
      because: A score of {{score}} is below 0.2.
    - name: never-enriched
      when: late
      then: reject
      because: Not complete within the deadline.
  otherwise: review
  keep_facts: [score]
"""


@reports_errors
def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Where the demo's files go; emptied first.")] = Path("leadgate-demo"),
    seconds: Annotated[int, typer.Option(help="How long enrichment keeps arriving.", min=5, max=600)] = 40,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the Prefect UI up until Ctrl-C.")] = False,
) -> None:
    """Show the whole way: 2,000 leads, a practice LeadByte, and enrichment that keeps arriving while it runs.

    Nothing leaves this machine, and nothing is left running.
    """
    quiet_prefect(verbose=False)
    _empty(folder)
    source = DemoSource(folder / "source.db")
    source.create(now=utc_now())
    config = folder / "leadgate.yaml"
    say(f"A source database with {source.leads:,} quarantined leads: {folder / 'source.db'}")
    with sandbox_thread(Sandbox(lag=timedelta(seconds=1), latency=timedelta(milliseconds=20))) as sandbox:
        write_whole(config, _PIPELINE.format(base_url=sandbox.url, key=sandbox.key))
        create_ledger(config, first_time=True)
        say(f"A practice LeadByte: {sandbox.url}    A pipeline file: {config}")
        with prefect_api(folder.resolve() / "prefect") as api:
            say(f"The Prefect UI, while this runs: {api.ui_url}")
            say(f"Running `leadgate run --watch {seconds + 10}s`; enrichment arrives for {seconds} s:")
            with _arriving(source, seconds), live_progress(config):
                result = run_flow(config, on_own_server=api.is_own, watch_for=f"{seconds + 10}s")
            say()
            say("What became of them:")
            print_result(result)
            acts, twice = sandbox.quarantine.acts, sandbox.quarantine.acted_twice()
            say(f"The practice LeadByte took {len(acts):,} acts; leads acted on twice: {len(twice)}.")
            say()
            _explain_one(config, max(acts, default=None))
            say()
            command = as_typed("leadgate")
            say(f"Next: cd {folder} && {command} status, {command} review list; `{command} init` starts your own.")
            say(api.where(result.run_id))
            if stay:
                say(f"The Prefect UI stays up until Ctrl-C: {api.ui_url}/runs/flow-run/{result.run_id}")
                with suppress(KeyboardInterrupt):
                    threading.Event().wait()
                say()


def _empty(folder: Path) -> None:
    """Remove what an earlier demo left; ConfigError for a folder that holds anything else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = list(folder.iterdir())
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be used ({error.strerror}). Name another folder with --folder.") from None
    if files and folder / _MARK not in files:
        raise ConfigError(f"{folder}: is not empty and holds no earlier demo. Name another folder with --folder.")
    for path in files:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (folder / _MARK).touch()


@contextmanager
def _arriving(source: DemoSource, seconds: int) -> Iterator[None]:
    """Let enrichment arrive in the background, second by second."""
    ended = threading.Event()

    def feed() -> None:
        for batch in source.batches(seconds):
            source.enrich(batch, now=utc_now())
            if ended.wait(1):
                return

    thread = threading.Thread(target=feed, name="demo-enrichment", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _explain_one(config: Path, lead_id: str | None) -> None:
    with ledger_of(config) as (settings, ledger):
        history = read_history(ledger, lead_id) if lead_id else None
    if history:
        story = tell_story(history, settings)
        say(f"One of them, by `leadgate explain {lead_id}`:")
        say_each(f"  {clock_time(event.at)}  {event.what}" for event in story.events)
        say(f"  {story.now}")
