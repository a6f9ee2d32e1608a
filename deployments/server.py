"""A Prefect server as apply sees it: each kind of thing is looked for, compared, and written where it differs."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import DeploymentSchedule, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from deployments.automations import ALERTS
from deployments.differences import differences
from deployments.leftovers import Found, is_ours
from deployments.wanted import TAG, WantedDeployment

T = TypeVar("T")

_NOBODY = UUID(int=0)
_WHERE_SCHEDULES_STAND = (
    "Schedules stand in files: `schedule:` in the pipeline file for release-leads, "
    "deployments/prefect.yaml for the others"
)
_RESUME = "somebody did that, and switches {} on again in the UI (Deployments)"


class Server:
    """Writes what differs, unless it is only to look, and says each difference when it is done."""

    def __init__(self, client: PrefectClient, *, only_look: bool, say: Callable[[str], None] = lambda _: None) -> None:
        self._client = client
        self._only_look = only_look
        self._say = say
        self.differs = False
        """Whether anything is otherwise than the files say, put right or not."""

    async def block_type(self, block: type[Block]) -> None:
        """Let the UI ask for a block's fields."""
        checksum = block._calculate_schema_checksum()  # noqa: SLF001 - by which Prefect itself tells them apart
        try:
            await self._client.read_block_schema_by_checksum(checksum)
        except ObjectNotFound:
            await self._write(f"+ block type {block.get_block_type_slug()}", block.aregister_type_and_schema)

    async def work_pool(self, name: str) -> None:
        """Make the pool of processes that workers ask, unless there is one of the name, of whatever type."""
        try:
            await self._client.read_work_pool(name)
        except ObjectNotFound:
            pool = WorkPoolCreate(name=name, type="process")
            await self._write(f"+ work pool {name} (process)", lambda: self._client.create_work_pool(pool))

    async def deployment(self, wanted: WantedDeployment) -> UUID:
        """Make a deployment as the manifest has it, and return its id; schedules it has not are taken off.

        One that somebody has paused stays so, and that is said; one that was served is taken over and works.
        """
        full_name = f"{wanted.flow}/{wanted.name}"
        try:
            found = await self._client.read_deployment_by_name(full_name)
        except ObjectNotFound:
            found = None
        off = {schedule.slug for schedule in found.schedules if not schedule.active} if found else set()
        # Only what serves itself has no steps by which a worker finds the code; it paused what it served when it ended.
        was_served = found is not None and not found.pull_steps
        is_taken_over = found is not None and found.paused and was_served

        async def write() -> UUID:
            flow_id = await self._client.create_flow_from_name(wanted.flow)
            schedules = [
                schedule.model_copy(update={"active": False}) if schedule.slug in off else schedule
                for schedule in wanted.schedules
            ]
            paused = False if is_taken_over else None
            return await self._client.create_deployment(
                flow_id, wanted.name, schedules=schedules, paused=paused, **wanted.fields
            )

        if found is None:
            return await self._write(f"+ deployment {full_name}", write) or _NOBODY
        have = found.model_dump(mode="json") | {"tags": sorted(found.tags), "schedules": _by_slug(found.schedules)}
        lines = differences({**wanted.fields, "schedules": _by_slug(wanted.schedules)}, have)
        lines = [f"{line}. {_WHERE_SCHEDULES_STAND}" if _is_a_schedule_too_many(line) else line for line in lines]
        lines += ["paused: when it was served no more; it works again from now on"] if is_taken_over else []
        await self._change(f"deployment {full_name}", lines, write)
        if found.paused and not is_taken_over:
            self.leave(f"deployment {full_name} is paused, and stays so: {_RESUME.format('the deployment')}")
        for slug in sorted(off & {schedule.slug for schedule in wanted.schedules}, key=str):
            self.leave(f"schedule {slug} of {full_name} is off, and stays so: {_RESUME.format('the schedule')}")
        return found.id

    async def delete_deployment(self, deployment: DeploymentResponse) -> None:
        """Delete a deployment, and the runs that it has planned."""
        await self._write(f"- deployment {deployment.name}", lambda: self._client.delete_deployment(deployment.id))

    async def delete_automation(self, automation: Automation) -> None:
        """Delete an automation."""
        await self._write(f"- automation {automation.name}", lambda: self._client.delete_automation(automation.id))

    async def count_running(self, deployment_ids: list[UUID]) -> int:
        """How many runs of deployments have begun, or are about to."""
        under_way = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
        return await self._client.count_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=deployment_ids)),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=under_way))),
        )

    async def automation(self, wanted: AutomationCore) -> None:
        """Make an automation, or change the one of its name; one that somebody has switched off stays so."""
        same = await self._client.read_automations_by_name(wanted.name)
        if not same:
            await self._write(f"+ automation {wanted.name}", lambda: self._client.create_automation(wanted))
            return
        kept, *doubles = same
        for double in doubles:
            await self._write(
                f"- automation {wanted.name}: there are two of the name",
                lambda double=double: self._client.delete_automation(double.id),  # type: ignore[misc]
            )
        # An automation is owned from its creation on: whose it is cannot be changed, nor said again.
        document = wanted.model_dump(exclude={"owner_resource"}) | {"enabled": kept.enabled}
        changed = AutomationCore.model_validate(document)
        if not kept.enabled:
            self.leave(f"automation {wanted.name} is switched off, and stays so: switch it on in the UI (Automations)")
        lines = differences(_as_document(wanted), _as_document(kept))
        update = self._client.update_automation
        await self._change(f"automation {wanted.name}", lines, lambda: update(kept.id, changed))

    async def find_alerts(self) -> UUID | None:
        """The notification block of the name that automations use, of whatever type."""
        for document in await _all_pages(self._client.read_block_documents):
            schema = document.block_schema
            if document.name == ALERTS and schema and "notify" in schema.capabilities:
                return document.id
        return None

    async def find_ours(self) -> Found:
        """Everything of leadgate's, whoever made it: deployments by their tag, automations by tag or name."""
        ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
        deployments = await _all_pages(
            partial(self._client.read_deployments, deployment_filter=ours, sort=DeploymentSort.NAME_ASC)
        )
        automations = await _all_pages(self._client.read_automations)
        return Found(deployments, [each for each in automations if is_ours(each)])

    def leave(self, line: str) -> None:
        """Say what differs and is a person's to put right."""
        self.differs = True
        self._say(f"! {line}")

    async def _change(self, what: str, lines: list[str], write: Callable[[], Awaitable[Any]]) -> None:
        if lines:
            await self._write("\n".join([f"~ {what}", *(f"    {line}" for line in lines)]), write)

    async def _write(self, line: str, write: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        done = None if self._only_look else await write()
        self.differs = True
        self._say(line)
        return done


async def _all_pages(read: Callable[..., Awaitable[list[T]]]) -> list[T]:
    """Read on until a page is empty: a server gives 200 at a time."""
    found: list[T] = []
    while page := await read(offset=len(found)):
        found += page
    return found


def _is_a_schedule_too_many(line: str) -> bool:
    return line.startswith("schedules.") and line.endswith(" goes") and line.count(".", 0, line.index(":")) == 1


def _by_slug(schedules: Sequence[DeploymentSchedule | DeploymentScheduleCreate]) -> dict[str, Any]:
    """Schedules as they are compared: when they began to count is nobody's choice."""
    return {
        each.slug or "(without a slug)": each.schedule.model_dump(mode="json", exclude={"anchor_date"})
        for each in schedules
    }


def _as_document(automation: Automation | AutomationCore) -> dict[str, Any]:
    """An automation as it is compared: sets in order."""
    core = AutomationCore.model_validate(automation.model_dump(mode="json"))
    kept = core.model_dump(mode="json", include={"description", "trigger", "actions", "tags"})
    found: dict[str, Any] = _in_order(kept)
    return found


def _in_order(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {
            key: sorted(item) if key in {"expect", "after", "for_each"} else _in_order(item)
            for key, item in value.items()
        }
    return [_in_order(item) for item in value] if isinstance(value, list) else value
