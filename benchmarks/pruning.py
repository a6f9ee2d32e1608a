"""`python -m benchmarks.pruning`: how long a run waits for the ledger while old leads are pruned, and the memory taken.

A writer in a process of its own registers leads, fifty in each transaction, and measures how long each one takes.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import text

from benchmarks.__main__ import Database
from benchmarks.figures import RESULTS, align, write_json
from benchmarks.measured import peak_mib
from benchmarks.rounds import databases_of
from leadgate.ledger import Ledger, open_engine, waiting
from leadgate.ledger.pruning import PAUSE, prune
from leadgate.model import Lead
from tests.support.ledgers import new_engine

_KEEP = timedelta(days=400)
_AT_ONCE = 250_000
_NUMBERS = {
    "sqlite": "(with recursive counted(n) as (select :first union all select n + 1 from counted where n < :last) "
    "select n from counted) as numbers",
    "postgresql": "generate_series(cast(:first as bigint), cast(:last as bigint)) as numbers(n)",
}
# In no order: leads that were settled one after the other are no neighbours in the tables and indexes. And above those
# of nine digits that other benchmarks register.
_ID = {
    "sqlite": "printf('%d', 1000000000 + n * 7919 % 999999937)",
    "postgresql": "(1000000000 + n * 7919 % 999999937)::text",
}
_FILL = (
    """insert into leadgate_entries (pipeline, lead_id, state, quarantined_at, registered_at, arrived_at, token,
    decided_token, settled_at, updated_hash, data_hash, note, account)
    select 'benchmark', {id}, case when n % 3 = 0 then 'rejected' else 'processed' end, {at}, {at}, {at}, 1, 1, {at},
    '0123456789abcdef', '0123456789abcdef', 'Lead has been queued for processing.', 'benchmark' from {numbers}""",
    """insert into leadgate_entry_decisions
    (pipeline, lead_id, token, decided_at, policy_version, verdict, rule, reason, late, facts, unanswered)
    select 'benchmark', {id}, 1, {at}, '0123456789ab', 'process', 'verified',
    'Phone verified and a score of 0.7.', false, '{{"score"\\: 0.7}}', '[]' from {numbers}""",
    """insert into leadgate_attempts (pipeline, lead_id, request_id, token, kind, action, fields, payload_hash, owner,
    sent_at, answered_at, outcome, http_status, message) select 'benchmark', {id}, 'r' || (n / 50), 1,
    'update_and_act', 'process', '["postcode", "phone1"]', '0123456789abcdef', 'run', {at}, {at}, 'taken', 200,
    'Lead has been queued for processing.' from {numbers}""",
)
_COUNT = "select count(*) from leadgate_entries where settled_at is not null"


def fill_settled(ledger: Ledger, leads: int, old: int) -> None:
    """Fill in settled leads, each with a decision and a request; the first `old` of them are due to be pruned."""
    recent = datetime.now(UTC) - timedelta(days=1)
    starts = [*range(0, old, _AT_ONCE), *range(old, leads, _AT_ONCE)]
    for start in starts:
        last = min(start + _AT_ONCE, old if start < old else leads)
        day = datetime(2020, 1, 1, tzinfo=UTC) if start < old else recent
        at = f"'{day:%Y-%m-%d} 12\\:00\\:00.000000'"
        at = f"cast({at} as timestamp) at time zone 'UTC'" if ledger.dialect == "postgresql" else at
        for statement in _FILL:
            written = statement.format(id=_ID[ledger.dialect], at=at, numbers=_NUMBERS[ledger.dialect])
            with ledger.engine.begin() as connection:
                connection.execute(text(written.replace("::", "\\:\\:")), {"first": start + 1, "last": last})


def _write(url: str, folder: Path) -> None:
    """Register leads until a file says stop, and print how long the transactions took."""
    ledger = Ledger(open_engine(url, base_dir=folder), pipeline="benchmark", owner="writer")
    taken: list[float] = []
    while not (folder / "stop").exists():
        first = len(taken) * 50
        page = [Lead(f"new-{number:09d}", datetime.now(UTC)) for number in range(first, first + 50)]
        began = time.monotonic()
        waiting.register(ledger, page, now=datetime.now(UTC))
        taken.append(time.monotonic() - began)
        (folder / "writes").touch()
        time.sleep(0.005)
    taken.sort()
    found = {"writes": len(taken), "median": taken[len(taken) // 2], "longest": taken[-1]}
    sys.stdout.write(json.dumps(found) + "\n")


def _measure(url: str, folder: Path, leads: int, old: int) -> Mapping[str, Any]:
    """Fill a ledger, and prune it while another process writes to it."""
    ledger = Ledger(new_engine(url, base_dir=folder, pipelines=["benchmark"]), pipeline="benchmark", owner="one")
    fill_settled(ledger, leads, old)
    for name in ("stop", "writes"):
        (folder / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.pruning", "--write", url, "--folder", str(folder)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - a module of ours
    try:
        while not (folder / "writes").exists() and writer.poll() is None:
            time.sleep(0.01)
        before, began, pieces = peak_mib(), time.monotonic(), []
        pruned, last = 0, began
        for count in prune(ledger, before=ledger.now() - _KEEP):
            pruned += count
            pieces.append(time.monotonic() - last)
            time.sleep(PAUSE)
            last = time.monotonic()
        seconds = time.monotonic() - began
    finally:
        (folder / "stop").touch()
        told, _ = writer.communicate(timeout=120)
    with ledger.reading() as connection:
        left = connection.scalar(text(_COUNT))
    ledger.close()
    if (pruned, left) != (old, leads - old):
        raise RuntimeError(f"{pruned} of {old} leads were pruned, and {left} are left")
    memory = {"peak_mib": peak_mib(), "peak_mib_before": before}
    return {"seconds": seconds, "longest_piece": max(pieces), "writer": json.loads(told), **memory}


def run(
    *,
    leads: Annotated[int, typer.Option(help="Settled leads in the ledger.", min=1)] = 500_000,
    old: Annotated[int, typer.Option(help="How many of them are to be pruned.", min=1)] = 100_000,
    database: Annotated[list[Database] | None, typer.Option(help="Where the ledger is; repeatable.")] = None,
    write: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print, for each database, how long pruning takes, how long others waited, and the memory."""
    if write and folder:
        _write(write, folder)
        return
    found: dict[str, Mapping[str, Any]] = {}
    for name in [one.value for one in database or Database]:
        with ExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadgate-pruning-")))
            found[name] = _measure(stack.enter_context(databases_of(name, place)).new_ledger(), place, leads, old)
    print(f"{leads:,} settled leads, {old:,} of them pruned, while a writer registers leads, 50 in each transaction")
    print(align(_HEADERS, [_row(name, one) for name, one in found.items()]))
    where = write_json(RESULTS, {"leads": leads, "old": old, **found}, name="pruning-", now=datetime.now(UTC))
    print(f"All of it: {where}")


_HEADERS = ("database", "seconds", "longest piece s", "writer: writes", "median s", "longest s", "peak MiB", "before")


def _row(name: str, found: Mapping[str, Any]) -> Sequence[str]:
    writer = found["writer"]
    waited = (f"{writer['writes']:,}", f"{writer['median']:.4f}", f"{writer['longest']:.2f}")
    memory = (f"{found['peak_mib']:.0f}", f"{found['peak_mib_before']:.0f}")
    return (name, f"{found['seconds']:.0f}", f"{found['longest_piece']:.2f}", *waited, *memory)


if __name__ == "__main__":
    typer.run(run)
