"""`python -m benchmarks.decisions`: how many leads the rules alone decide in a second, without any database."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.leads import fill_source, write_pipeline
from leadgate.config import load_config
from leadgate.source import Source
from leadgate.wiring.pipeline import build_policy


def run(leads: Annotated[int, typer.Option(help="Leads to decide.", min=1)] = 10_000) -> None:
    """Decide every lead of the release benchmark by its three rules, and print what that took."""
    with TemporaryDirectory(prefix="leadgate-decisions-") as folder:
        url, file = f"sqlite:///{folder}/source.db", Path(folder) / "leadgate.yaml"
        fill_source(url, leads)
        write_pipeline(file, base_url="http://127.0.0.1:9", source_url=url, ledger_url="sqlite:///l.db", leads=leads)
        config = load_config(file)
        source = Source.open(config.source, base_dir=Path(folder))
        policy = build_policy(file, config, source)
        known = [lead for page in source.lead_pages.all() for lead in page.leads]
        enrichments = source.enrichments([lead.lead_id for lead in known])
        source.close()
        now = datetime.now(UTC) + timedelta(minutes=1)
        began = time.process_time()
        for lead in known:
            policy.decide(lead, enrichments[lead.lead_id], late=False, now=now)
        spent = time.process_time() - began
    print(f"{leads:,} decisions by {len(policy.rules)} rules: {spent:.2f} s of CPU time, {leads / spent:,.0f} a second")


if __name__ == "__main__":
    typer.run(run)
