"""What a Prefect server knows of the runs that tests made."""

from typing import Any

import httpx


class PrefectRecords:
    """What a Prefect server has kept of flow runs, asked as its own UI asks."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url

    def run(self, run_id: object) -> dict[str, Any]:
        """A flow run."""
        found: dict[str, Any] = httpx.get(f"{self._api_url}/flow_runs/{run_id}").raise_for_status().json()
        return found

    def of_run(self, what: str, run_id: object) -> list[dict[str, Any]]:
        """The task_runs, artifacts or logs of a flow run."""
        named = {"task_runs": {"flow_runs": {"id": {"any_": [str(run_id)]}}}}
        body = named.get(what, {what: {"flow_run_id": {"any_": [str(run_id)]}}})
        found: list[dict[str, Any]] = httpx.post(f"{self._api_url}/{what}/filter", json=body).raise_for_status().json()
        return found

    def events(self) -> list[dict[str, Any]]:
        """The newest events of all runs."""
        answer = httpx.post(f"{self._api_url}/events/filter", json={"limit": 50}).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["events"]
        return found
