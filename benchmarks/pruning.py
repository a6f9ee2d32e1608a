"""`python -m benchmarks.pruning`: how long a run waits for the ledger while old leads are pruned, and the memory taken.

A writer in a process of its own registers leads without a pause, and measures how long each transaction takes.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from benchmarks.__main__ import Database
from benchmarks.figures import RESULTS, align, write_json
from benchmarks.measured import peak_mib
from benchmarks.rounds import databases_of
from leadgate.identity import Identity
from leadgate.ledger import Ledger, open_engine, waiting
from leadgate.ledger.pipelines import add_pipeline
from leadgate.ledger.pruning import PAUSE, prune
from leadgate.model import Lead

_NAME = "benchmark"
_KEEP = timedelta(days=400)
_NUMBERS = {
    "sqlite": "with recursive numbers(n) as (select {} union all select n + 1 from numbers where n < {}) ",
    "postgresql": "with numbers as (select generate_series({}, {}) as n) ",
}
# Ids in no order, as those of real leads mostly are: neighbours in time are none in the tables.
_ID = {"sqlite": "printf('%09d', n * 7919 % 999999937)", "postgresql": "lpad((n * 7919::bigint % 999999937)::text, 9, '0')"}
_FILL = (
    """insert into leadgate_entries (pipeline, lead_id, state, quarantined_at, registered_at, arrived_at, token,
    decided_token, settled_at, updated_hash, data_hash, note, account)
    select 'benchmark', {id}, case when n % 3 = 0 then 'rejected' else 'processed' end, {at}, {at}, {at}, 1, 1, {at},
    '0123456789abcdef', '0123456789abcdef', 'Lead has been queued for processing.', 'benchmark' from numbers""",
    """insert into leadgate_decisions (pipeline, lead_id, token, decided_at, policy_version, verdict, rule, reason, late,
    facts, unanswered) select 'benchmark', {id}, 1, {at}, '0123456789ab', 'process', 'verified',
    'Phone verified and a score of 0.7.', {false}, '{{"score": 0.7}}', '[]' from numbers""",
    """insert into leadgate_attempts (pipeline, lead_id, request_id, token, kind, action, fields, payload_hash, owner,
    sent_at, answered_at, outcome, http_status, message) select 'benchmark', {id}, 'r' || (n / 50), 1,
    'update_and_act', 'process', '["postcode", "phone1"]', '0123456789abcdef', 'run', {at}, {at}, 'taken', 200,
    'Lead has been queued for processing.' from numbers""",
)


def _fill(ledger: Ledger, leads: int, old: int) -> None:
    """Fill in settled leads, each with a decision and a request; the first `old` of them are due to be pruned."""
    dialect = ledger.dialect
    for begin, end, day in ((1, old, "2020-01-01"), (old + 1, leads, f"{datetime.now(UTC):%Y-%m-%d}")):
        for start in range(begin, end + 1, 250_000):
            numbers = _NUMBERS[dialect].format(start, min(start + 249_999, end))
            at = f"'{day} 00:00:00.000000'" if dialect == "sqlite" else f"timestamptz '{day} 00:00:00+00'"
            false = "0" if dialect == "sqlite" else "false"
            for statement in _FILL:
                filled = statement.format(id=_ID[dialect], at=at, false=false)
                sql = filled.replace("from numbers", "from numbers")
                into, select = sql.split("select ", 1)
                with ledger.engine.begin() as connection:
                    connection.exec_driver_sql(f"{into} {numbers} select {select}".replace("%", "%%") if dialect != "sqlite" else f"{into} {numbers} select {select}")


def _write(url: str, folder: str) -> None:
    """Register leads until standard input ends, and print how long each transaction took at most."""
    ledger = Ledger(open_engine(url, base_dir=Path(folder)), pipeline=_NAME, owner="writer")
    taken, number = [], 0
    Path(folder, "writes").touch()
    while not Path(folder, "stop").exists():
        page = [Lead(f"new-{number + more:09d}", datetime.now(UTC)) for more in range(50)]
        began = time.monotonic()
        waiting.register(ledger, page, now=datetime.now(UTC))
        taken.append(time.monotonic() - began)
        number += 50
        time.sleep(0.005)
    taken.sort()
    print(len(taken), taken[len(taken) // 2], taken[int(len(taken) * 0.99)], taken[-1])
