"""The parts of the benchmark that could rot unseen; how fast anything is, nobody asks here."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bare import send_all
from benchmarks.figures import Line, as_lines, as_table, write_json
from benchmarks.leads import BATCH_SIZE, IN_FLIGHT, fill_source, request_bodies, take_in, write_pipeline
from benchmarks.measured import Instant, Measured, Span
from benchmarks.release import measure
from benchmarks.rounds import Round, Timed, bare_loop, run_measured
from benchmarks.servers import check_and_forget, sandbox_process
from cli.blocks import read_block
from leadgate.delivery import Delivery, Exchange, Preparation
from leadgate.ledger import Ledger
from leadgate.sandbox import Sandbox, sandbox_thread
from leadgate.wiring.pipeline import open_pipeline
from leadgate.wiring.run import build_client
from tests.delivery.world import release_brake

LEADS = 2 * BATCH_SIZE + 20


def release(config: Path) -> None:
    """Do what the release flow does, without Prefect, which takes long to start."""
    take_in(config)
    with open_pipeline(config, read_block) as pipeline:
        release_brake(pipeline.ledger)
        preparation = Preparation(
            config=pipeline.config,
            source=pipeline.source,
            ledger=pipeline.ledger,
            policy=pipeline.policy,
        )

        async def deliver() -> None:
            async with build_client(pipeline.config.leadbyte) as client:
                exchange = Exchange(config=pipeline.config, ledger=pipeline.ledger, client=client)
                delivery = Delivery(pipeline.config, exchange)
                await delivery.act(await delivery.update(preparation.claim_wave(LEADS)))

        asyncio.run(deliver())


def pipeline_file(folder: Path, base_url: str, mode: str = "combined") -> Path:
    """A pipeline over a source with the benchmark's leads."""
    path, source_url = folder / "leadgate.yaml", f"sqlite:///{folder / 'source.db'}"
    fill_source(source_url, LEADS)
    ledger_url = f"sqlite:///{folder / 'ledger.db'}"
    write_pipeline(path, base_url=base_url, source_url=source_url, ledger_url=ledger_url, leads=LEADS, mode=mode)
    return path


def sent(sandbox: Sandbox) -> tuple[list[int], list[dict[str, Any]]]:
    """How many leads each request held, and all that was asked for any of them; the sandbox forgets it."""
    batches = [exchange.body["leads"] for exchange in sandbox.requests]
    sandbox.reset()
    return sorted(map(len, batches)), sorted((item for batch in batches for item in batch), key=str)


def timed(seconds: float) -> Timed:
    """A run that took so long."""
    begun = Instant(10, 1)
    span = Span(begun, Instant(10 + seconds, 1 + seconds / 2))
    return Timed(Measured(begun, span, span, peak_mib=50), 1.5)


@pytest.mark.parametrize(("mode", "rounds"), [("combined", 1), ("update_first", 2)])
def test_the_bare_loop_sends_what_leadgate_sends(tmp_path: Path, mode: str, rounds: int) -> None:
    """Both ask the same of the same leads, in batches of the same size; otherwise the ratio would mean nothing."""
    with sandbox_thread() as sandbox:
        release(pipeline_file(tmp_path, sandbox.url, mode))
        by_leadgate = sent(sandbox)
        asyncio.run(send_all(sandbox.url, sandbox.key, IN_FLIGHT, request_bodies(LEADS, mode)))
        assert sent(sandbox) == by_leadgate
    assert by_leadgate[0] == [20] * rounds + [BATCH_SIZE] * 2 * rounds
    assert {item["action"] for item in by_leadgate[1] if "action" in item} == {"process", "reject"}


def test_the_work_lies_within_the_run(tmp_path: Path) -> None:
    """The first request and the last record are found where they happen, in this order."""
    write = Ledger.write
    with sandbox_thread() as sandbox:
        config = pipeline_file(tmp_path, sandbox.url)
        measured = measure(lambda: release(config))
    (first_request, last_record), (begun, ended) = measured.work, measured.whole
    assert begun < measured.first_request == first_request < last_record < ended
    assert 0 < measured.work.cpu_seconds < measured.whole.cpu_seconds
    assert Ledger.write is write, "the ledger is no longer watched"


def test_a_process_tells_what_it_measured(tmp_path: Path) -> None:
    """The bare loop runs as a process beside a sandbox that is one too, and each lead is acted on once."""
    bodies = tmp_path / "bodies"
    bodies.write_bytes(b"\n".join(request_bodies(LEADS)))
    with sandbox_process("1ms") as url:
        bare = run_measured(bare_loop(url, bodies), os.environ)
        check_and_forget(url, LEADS)
        with pytest.raises(RuntimeError, match=f"each of {LEADS} leads"):
            check_and_forget(url, LEADS)
    assert bare.first_request_after > 0
    assert bare.measured.peak_mib > 1
    assert bare.measured.work.seconds > 0


def test_a_process_that_fails_stops_the_benchmark(tmp_path: Path) -> None:
    """What it said on standard error is told."""
    bodies = tmp_path / "bodies"
    bodies.write_bytes(b"{}")
    with pytest.raises(RuntimeError, match="ConnectError"):
        run_measured(bare_loop("http://127.0.0.1:1", bodies), os.environ)


def test_ratios_are_taken_within_a_round() -> None:
    """A slow minute of the machine slows both sides of its round, and leaves the ratio as it is."""
    slow_ones = (1.0, 3.0, 2.0)
    rounds = [Round("sqlite", "20ms", timed(slow), timed(slow * 2), timed(slow * 4)) for slow in slow_ones]
    bare, work, whole = as_lines(rounds, leads=600)
    assert (work.seconds.median, work.seconds.least, work.seconds.most) == (4, 2, 6)
    assert (bare.leads_per_second.median, work.leads_per_second.median, whole.leads_per_second.median) == (300, 150, 75)
    assert (bare.cpu_seconds.median, work.cpu_seconds.median, whole.cpu_seconds.median) == (1, 2, 4)
    ratio: Callable[[Line], set[float]] = lambda line: {line.of_the_limit.least, line.of_the_limit.most}  # noqa: E731
    assert (ratio(bare), ratio(work), ratio(whole)) == ({1.0}, {0.5}, {0.25})


def test_every_combination_has_its_lines_and_is_kept(tmp_path: Path) -> None:
    """Rounds of different databases or latencies are never mixed, and the file holds the table and the rounds."""
    rounds = [
        Round(name, "20ms", timed(1), timed(seconds), timed(9)) for name, seconds in (("sqlite", 2), ("postgresql", 4))
    ]
    lines = as_lines(rounds, leads=100)
    table = as_table(lines).splitlines()
    assert [line.database for line in lines] == ["sqlite"] * 3 + ["postgresql"] * 3
    assert len({len(row) for row in table}) == 1
    assert "0.25 (0.25-0.25)" in table[6]
    kept = write_json(tmp_path / "results", {"lines": lines, "rounds": rounds}, now=datetime(2026, 7, 1, tzinfo=UTC))
    assert kept.name == "2026-07-01-000000.json"
    assert '"least": 0.25' in kept.read_text(encoding="utf-8")
