"""Stage 1, register: every lead of the source gets an entry in the ledger."""

from prefect import task

from leadgate.unexpected import guarded
from leadgate.wiring.run import Run
from tasks.outside import AGAIN_WHEN_DOWN
from tasks.taking_in import register_some


@task(name="register", **AGAIN_WHEN_DOWN)
@guarded
async def register(run: Run) -> None:
    """Start to wait for the leads that are new; of very many, for as many as a first wave takes."""
    await register_some(run)
