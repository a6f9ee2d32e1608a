"""Links into the Prefect UI: the form of resolve-reviews, filled in, for a person to read and submit.

Prefect 3 ships two UIs, and one form of the address fills in both. The first one, at the UI's root, undoes URL encoding
twice, the second, below `/v2`, once: the JSON is encoded once, and has no percent sign that could be undone again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import httpx
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_UI_URL

_FORM_OF = "resolve-reviews"
_SECOND_UI = "v2"


async def form_link(pipeline: str, parameters: Mapping[str, object]) -> str | None:
    """Give the address of a pipeline's form of resolve-reviews, filled in; None where there is no form to open."""
    return (await Forms.of(pipeline)).link(parameters)


@dataclass(frozen=True, slots=True)
class Forms:
    """The form of resolve-reviews for one pipeline. It is looked up once, for any number of links."""

    address: str | None
    """Where people open the empty form."""
    defaults: Mapping[str, object]
    """What the deployment itself fills in."""

    @classmethod
    async def of(cls, pipeline: str) -> Self:
        """Look up the form on the server of this run; without a server, deployment or UI it gives no links."""
        ui = PREFECT_UI_URL.value()
        if not ui:
            return cls(None, {})
        async with get_client() as client:
            try:
                deployment = await client.read_deployment_by_name(f"{_FORM_OF}/{_FORM_OF}-{pipeline}")
            except ObjectNotFound:
                return cls(None, {})
            root = _root_for_people(ui.rstrip("/"), await _read_ui_settings(client))
        return cls(root and f"{root}/deployments/deployment/{deployment.id}/run", deployment.parameters)

    def link(self, parameters: Mapping[str, object]) -> str | None:
        """Give the address of the form with these parameters filled in; None where there is no form to open."""
        if self.address is None:
            return None
        # The second UI forgets the deployment's own parameters when an address brings any.
        text = json.dumps({**self.defaults, **parameters}, separators=(",", ":"))
        return f"{self.address}?parameters={quote(text.replace('%', chr(92) + 'u0025'), safe='')}"


def _root_for_people(ui: str, settings: Mapping[str, Any] | None) -> str | None:
    """Give the root of the UI that the server shows to whoever has chosen none; None if it serves none."""
    if settings is None:
        return ui
    if not settings.get("available_uis"):
        return None
    is_second = settings.get("default_ui") == _SECOND_UI
    return f"{ui}/{_SECOND_UI}" if is_second and not ui.endswith(f"/{_SECOND_UI}") else ui


async def _read_ui_settings(client: PrefectClient) -> Mapping[str, Any] | None:
    """Read which UIs a server of one's own has; None where that cannot be known, as on Prefect Cloud."""
    api = str(client.api_url).rstrip("/")
    if not api.endswith("/api"):
        return None
    try:
        settings = (await client.request("GET", f"{api.removesuffix('/api')}/ui-settings")).json()  # type: ignore[arg-type]
    except (httpx.HTTPError, ValueError):
        return None
    # An older server does not say which UIs it has.
    return settings if isinstance(settings, dict) and "available_uis" in settings else None
