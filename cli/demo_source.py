"""The demo's source database: made-up leads in SQLite, and enrichment that arrives for most of them."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from leadgate.files import make_empty

_TABLES = """
create table quarantined_leads (
    quarantine_id integer primary key, quarantined_at timestamp not null, campaign text not null
);
create table lead_enrichment (
    quarantine_id integer primary key, postcode text, phone_verified boolean, opted_out boolean,
    score real, mobile text, updated_at timestamp not null
);
"""
_FIRST_ID = 2_932_000
_PAST_THE_DEADLINE = 25


class DemoSource:
    """Leads of which half are enriched at the start, most in the course of the demo, and some never."""

    def __init__(self, path: Path, leads: int = 2000) -> None:
        self.leads = leads
        self._path = path
        self._random = random.Random(7)  # noqa: S311 - made-up people need no secrets
        self._enriched = [number for number in range(leads) if number % 20]  # one in twenty never is

    def create(self, *, now: datetime) -> None:
        """Write the tables, the leads and the enrichment that is there already."""
        make_empty(self._path)
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.executescript(_TABLES)
            for number in range(self.leads):
                hours = self._random.uniform(0, 20) if number % 40 else _PAST_THE_DEADLINE
                row = (_FIRST_ID + number, _text(now - timedelta(hours=hours)), "solar-spring")
                connection.execute("insert into quarantined_leads values (?, ?, ?)", row)
        self.enrich([number for number in self._enriched if number < self.leads // 2], now=now)

    def batches(self, seconds: int) -> Iterator[Sequence[int]]:
        """The leads whose enrichment arrives in each second of the demo."""
        later = [number for number in self._enriched if number >= self.leads // 2]
        self._random.shuffle(later)
        size = -(-len(later) // seconds)
        for start in range(0, len(later), size):
            yield later[start : start + size]

    def enrich(self, numbers: Sequence[int], *, now: datetime) -> None:
        """Write the enrichment of some leads."""
        rows = [self._enrichment(number, now) for number in numbers]
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            connection.executemany("insert into lead_enrichment values (?, ?, ?, ?, ?, ?, ?)", rows)

    def _enrichment(self, number: int, now: datetime) -> tuple[object, ...]:
        chance = self._random
        return (
            _FIRST_ID + number,
            f"TN{chance.randint(1, 40)} {chance.randint(1, 9)}QD",
            chance.random() < 0.8,  # noqa: PLR2004 - four in five answer the phone
            chance.random() < 0.05,  # noqa: PLR2004 - one in twenty opts out
            round(chance.random(), 2),
            f"07{chance.randint(0, 999_999_999):09d}",
            _text(now),
        )


def _text(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="milliseconds")
