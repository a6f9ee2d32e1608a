"""`python -m benchmarks.sample`: what the sample of `leadgate check` takes of a small source and of a large one."""

import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from benchmarks.__main__ import Database
from benchmarks.leads import fill_source
from benchmarks.rounds import databases_of
from leadgate.config import EnrichmentConfig, LeadsConfig, SourceConfig
from leadgate.source import Source

_INDEXES = (
    "CREATE INDEX leads_at ON quarantined_leads (quarantined_at, quarantine_id)",
    "CREATE INDEX enrichment_at ON lead_enrichment (updated_at, quarantine_id)",
)


def _seconds(url: str, leads: int, repeats: int) -> float:
    """Fill a source, and take the median of some samples of it."""
    fill_source(url, leads)
    engine = create_engine(url)
    with engine.begin() as connection:
        for index in _INDEXES:
            connection.execute(text(index))
    engine.dispose()
    config = SourceConfig(
        url=SecretStr(url),
        leads=LeadsConfig(table="quarantined_leads", id="quarantine_id", quarantined_at="quarantined_at"),
        enrichment=EnrichmentConfig(table="lead_enrichment", id="quarantine_id", updated_at="updated_at"),
    )
    taken = []
    with closing(Source.open(config, base_dir=Path())) as source:
        for _ in range(repeats):
            began = time.monotonic()
            source.sample()
            taken.append(time.monotonic() - began)
    return median(taken)


def run(
    *,
    small: Annotated[int, typer.Option(help="Leads of the small source.", min=1)] = 10_000,
    large: Annotated[int, typer.Option(help="Leads of the large source.", min=1)] = 1_000_000,
    repeats: Annotated[int, typer.Option(help="Samples of each.", min=1)] = 5,
    database: Annotated[list[Database] | None, typer.Option(help="Where the source is; repeatable.")] = None,
) -> None:
    """Print the seconds of both, and how many times as long the large one takes."""
    for name in database or [Database.SQLITE]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="leadgate-sample-")))
            places = stack.enter_context(databases_of(name.value, folder))
            one, other = (_seconds(places.new_database(), leads, repeats) for leads in (small, large))
        print(f"{name.value}: {small:,} leads {one:.3f} s, {large:,} leads {other:.3f} s: {other / one:.2f} times")


if __name__ == "__main__":
    typer.run(run)
