"""What Prefect runs again by itself: stages that only read and claim, and only while a database is down."""

from collections.abc import Callable
from typing import Any

import pytest
from prefect import Task, flow, task

from leadgate.errors import LeadByteUnavailable, LedgerUnavailable, SourceError, SourceUnavailable
from tasks.act import act
from tasks.decide import decide
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.register import register
from tasks.report import report
from tasks.update import update
from tasks.wait import compare, wait, watch

AT_ONCE = AGAIN_WHEN_DOWN | {"retry_delay_seconds": 0, "retry_jitter_factor": None}


@pytest.fixture
def tried(prefect_server: str) -> Callable[[Exception, int], int]:
    """Run a stage that fails so many times with this error, in a flow; say how often Prefect ran it."""

    def run(error: Exception, failures: int) -> int:
        runs: list[int] = []

        @task(**AT_ONCE)
        def stage() -> None:
            runs.append(1)
            if len(runs) <= failures:
                raise error

        @flow(name="retries", persist_result=False)
        def stages() -> None:
            stage()

        stages(return_state=True)
        return len(runs)

    return run


@pytest.mark.parametrize(
    ("error", "failures", "runs"),
    [
        (SourceUnavailable("down"), 2, 3),
        (LedgerUnavailable("down"), 1, 2),
        (SourceUnavailable("down"), 99, 5),
        (SourceError("no such table"), 99, 1),
        (LeadByteUnavailable("down"), 99, 1),
        (ValueError("a defect"), 99, 1),
    ],
)
def test_a_stage_is_run_again_only_while_a_database_is_down(
    tried: Callable[[Exception, int], int], error: Exception, failures: int, runs: int
) -> None:
    """Five times at most; what will not pass by itself fails at once."""
    assert tried(error, failures) == runs


@pytest.mark.parametrize("stage", [register, wait, compare, watch, decide], ids=lambda stage: stage.name)
def test_stages_that_send_nothing_may_be_run_again(stage: Task[..., Any]) -> None:
    """They have the retries of `AGAIN_WHEN_DOWN`, with growing pauses."""
    assert stage.retries == 4
    assert stage.retry_condition_fn is AGAIN_WHEN_DOWN["retry_condition_fn"]
    assert stage.retry_delay_seconds == [2, 4, 8, 8]


@pytest.mark.parametrize("stage", [update, act, report], ids=lambda stage: stage.name)
def test_stages_that_send_are_never_run_again(stage: Task[..., Any]) -> None:
    """What may be sent again is known to the ledger alone, lead by lead."""
    assert stage.retries == 0


@pytest.mark.parametrize(
    "stage", [register, wait, compare, watch, decide, update, act, report], ids=lambda stage: stage.name
)
def test_no_stage_leaves_its_result_in_prefects_storage(stage: Task[..., Any]) -> None:
    """People's data stays home."""
    assert stage.persist_result is False
