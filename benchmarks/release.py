"""What is measured: `release_leads`, run by the real Prefect engine on the server that PREFECT_API_URL names.

Run as a process of its own: `python -m benchmarks.release PIPELINE_FILE LEADS`.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measured import Instant, Measured, Span, peak_mib, watching
from cli.flow_run import run_flow
from cli.prefect_server import quiet_prefect
from leadgate.leadbyte import LeadByteClient
from leadgate.ledger import Ledger


def measure(run: Callable[[], object]) -> Measured:
    """Run the main job by whatever calls it, and say when what happened."""
    with (
        watching(Ledger, "write", _is("record")) as record,
        watching(LeadByteClient, "put") as put,
    ):
        begun = Instant.now()
        run()
        ended = Instant.now()
    return Measured(put.first, Span(put.first, record.last), Span(begun, ended), peak_mib())


def _is(name: str) -> Callable[[Ledger, "partial[Any]"], bool]:
    """Whether a step of the ledger has this name."""
    return lambda _, step: step.func.__name__ == name


def main(config: Path, leads: int) -> None:
    """Release every lead of a pipeline, and fail unless each was acted on."""
    quiet_prefect(verbose=False)
    import flows.release_leads  # noqa: F401, PLC0415 - takes seconds, which are no part of the flow run

    def release() -> None:
        result = run_flow(config, on_own_server=False)
        if result.trouble or result.summary.processed + result.summary.rejected != leads:
            raise RuntimeError(f"Not every lead was released: {result}")

    measure(release).tell()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
