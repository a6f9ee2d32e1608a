"""`python -m benchmarks.reviews`: what listing and deciding reviews takes, of few and of many (docs/performance.md).

No source, rules, requests or Prefect: the leads are put into review, listed as `leadgate review list` reads them, and
decided all at once. Processor time is this process's: PostgreSQL's own is in the seconds alone.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.__main__ import Database
from benchmarks.figures import align
from benchmarks.measured import Taken, measure_step
from benchmarks.rounds import databases_of
from leadgate.ledger import Ledger, claims, sending, waiting
from leadgate.ledger.again import count_older
from leadgate.ledger.people import resolve
from leadgate.ledger.reviews import count_reviews, read_reviews
from leadgate.ledger.schema import entries
from leadgate.model import Chosen, Conclusion, Decision, Lead, Look, Resolution, Seen, State, Verdict
from tests.support.ledgers import new_engine

_WAVE = 1000
_RULE = "low"
_DECISION = Decision(Verdict.REVIEW, _RULE, "The score is low.", "v1", facts={"score": 0.1})
_SEEN = Seen(["enrichment.score", "enrichment.postcode", "lead.campaign"], "0123456789abcdef")


def _fill(ledger: Ledger, reviews: int, now: datetime) -> None:
    ids = [f"{number:09d}" for number in range(reviews)]
    for start in range(0, reviews, _WAVE):
        page = ids[start : start + _WAVE]
        waiting.register(ledger, [Lead(lead_id, now - timedelta(hours=6)) for lead_id in page], now=now)
        waiting.note_looks(ledger, [Look(lead_id, [], "hash", due=True) for lead_id in page], now=now)
        wave = claims.claim(ledger, limit=_WAVE, lease=timedelta(minutes=5), now=now)
        concluded = [Conclusion(held, _DECISION, State.REVIEW, note=_DECISION.reason, seen=_SEEN) for held in wave]
        sending.conclude(ledger, concluded, now=now)


def _steps(ledger: Ledger, reviews: int, now: datetime) -> Iterator[tuple[str, Taken]]:
    def show() -> None:
        count_reviews(ledger)
        read_reviews(ledger, limit=20)
        count_older(ledger, "v1")

    def decide() -> None:
        resolved = resolve(
            ledger, Chosen(rule=_RULE, count=reviews), Resolution.PROCESS, reason="Seen.", by="bench", now=now
        )
        if len(resolved.ids) != reviews:
            raise RuntimeError(f"{len(resolved.ids)} of {reviews} reviews were decided")

    def put_back() -> None:
        with ledger.transaction() as connection:
            connection.execute(entries.update().values(state=State.REVIEW, override_token=None))

    show()  # statements are compiled once in a process
    yield "list 20", measure_step(show)
    yield "list all", measure_step(lambda: read_reviews(ledger))
    yield "decide all", measure_step(decide, put_back)


def _measure(databases: Sequence[str], sizes: Sequence[int]) -> Iterator[tuple[str, int, str, Taken]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-reviews-")))
        for database in databases:
            places = stack.enter_context(databases_of(database, folder))
            for reviews in sizes:
                engine = new_engine(places.new_ledger(), base_dir=folder, pipelines=["benchmark"])
                ledger = Ledger(engine, pipeline="benchmark", owner="one")
                stack.callback(ledger.close)
                now = datetime.now(UTC)
                _fill(ledger, reviews, now)
                for step, taken in _steps(ledger, reviews, now):
                    yield database, reviews, step, taken


def run(
    *,
    reviews: Annotated[list[int] | None, typer.Option(help="Leads in review; repeatable.", min=1)] = None,
    database: Annotated[list[Database] | None, typer.Option(help="Where the ledger is; repeatable.")] = None,
) -> None:
    """Print, for each database and number of reviews, what each step takes."""
    rows = [
        (name, f"{count:,}", step, f"{taken.seconds:.2f}", f"{taken.processor:.2f}", f"{taken.mebibytes:.1f}")
        for name, count, step, taken in _measure([one.value for one in database or Database], reviews or [1000, 10_000])
    ]
    print(align(("database", "reviews", "step", "s", "processor s", "MiB"), rows))


if __name__ == "__main__":
    typer.run(run)
