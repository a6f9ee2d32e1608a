"""How a stage is run again when the outside world is down: with growing pauses, and only then."""

from typing import Any

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from leadgate.errors import LedgerUnavailable, SourceUnavailable
from leadgate.stopping import is_stopping

STAGE: dict[str, Any] = {
    "cache_policy": NO_CACHE,  # a stage is its effect; its inputs hold connections, which cannot be hashed
    "persist_result": False,  # people's data stays out of Prefect's storage
}


def is_worth_another_try(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a stage failed because a database could not be reached, and the run has time to try again."""
    error = state.data if isinstance(state.data, Exception) else getattr(state.data, "result", None)
    return isinstance(error, SourceUnavailable | LedgerUnavailable) and not is_stopping()


AGAIN_WHEN_DOWN: dict[str, Any] = STAGE | {
    "retries": 4,
    "retry_delay_seconds": [2, 4, 8, 8],  # a run that is asked to stop meanwhile ends in time all the same
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_worth_another_try,
}
