"""Secrets that a Prefect server keeps: LeadByte's credentials in a block type of ours, a source's address in a Secret.

`prefect block register -m tasks.blocks` makes the type known to a server, so that its UI can ask for the fields.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL
from prefect.utilities.asyncutils import run_coro_as_sync
from pydantic import Field, SecretStr, ValidationError, field_validator

from leadgate.config import LeadByteConfig
from leadgate.config.blocks import CREDENTIALS
from leadgate.errors import BlockUnavailable, ConfigError
from leadgate.leadbyte.environment import client_errors
from leadgate.wiring.run import check_leadbyte

_HIDDEN = re.compile(r"\*{4,}")
"""How Prefect writes a secret for somebody who may not read it."""
_REFUSED = (401, 403)


class LeadByteCredentials(Block):
    """Where a LeadByte account is, and the API key that opens it.

    Attributes:
        base_url: the account's address; /restapi/v1.3 is added.
        api_key: a key with the permissions Leads > Update and Quarantine > Process.

    Example:
        Keep a key on the Prefect server, and see whether LeadByte takes it:
        ```python
        from tasks.blocks import LeadByteCredentials

        credentials = LeadByteCredentials(base_url="https://acme.leadbyte.com", api_key="...")
        credentials.save("acme")
        LeadByteCredentials.load("acme").test_connection()
        ```
        A pipeline file names it as `leadbyte.api_key: {block: leadbyte-credentials/acme}`.

    """

    _block_type_name = "LeadByte Credentials"
    _block_type_slug = CREDENTIALS
    _description = "The address of a LeadByte account and an API key for it, for leadgate's pipelines."

    base_url: str = Field(
        title="Base URL", description="The account's address, such as https://acme.leadbyte.com (or .co.uk)."
    )
    api_key: SecretStr = Field(
        title="API key", description="Needs the permissions Leads > Update and Quarantine > Process."
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        # In the clear or not is for the pipeline file to say.
        return LeadByteConfig(api_key=SecretStr("unused"), insecure_http=True, base_url=value).base_url

    def test_connection(self) -> None:
        """Ask LeadByte to update an empty list of leads; raise KeyRefused or LeadByteUnavailable if it will not."""
        config = LeadByteConfig(api_key=self.api_key, base_url=self.base_url)
        run_coro_as_sync(check_leadbyte(config))


def read_block(kind: str, name: str) -> Mapping[str, str | SecretStr]:
    """What a block holds for a pipeline, secrets hidden from logs: `base_url` and `api_key`, or `url`.

    Raises ConfigError for a block that is missing, is withheld or does not hold what it should, and BlockUnavailable
    where the Prefect server cannot be reached; the messages go on after the block's name.
    """
    where = PREFECT_API_URL.value()
    if not where:
        raise ConfigError("is kept by a Prefect server, and none is configured: set PREFECT_API_URL")
    with client_errors():
        made = get_client(sync_client=True)
    with made as client:
        fields = _held(kind, _data(client, where, kind, name))
    if any(isinstance(value, SecretStr) and _HIDDEN.fullmatch(value.get_secret_value()) for value in fields.values()):
        raise ConfigError("is shown to this process without its secret: run as somebody who may read blocks' secrets")
    return fields


def _held(kind: str, data: Mapping[str, Any]) -> dict[str, str | SecretStr]:
    if kind != CREDENTIALS:
        if not isinstance(data.get("value"), str):
            raise ConfigError("holds no text: give it the address of the source as its value")
        return {"url": SecretStr(data["value"])}
    try:
        block = LeadByteCredentials.model_validate(data)
    except ValidationError as error:
        fields = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}))
        raise ConfigError(f"does not hold what leadgate needs of it: correct {fields}") from None
    return {"base_url": block.base_url, "api_key": block.api_key}


def _data(client: SyncPrefectClient, where: str, kind: str, name: str) -> dict[str, Any]:
    if client.api_healthcheck():
        raise BlockUnavailable(
            f"is kept by the Prefect server at {where}, which does not answer: start it, or correct PREFECT_API_URL"
        )
    try:
        return client.read_block_document_by_name(name, kind, include_secrets=True).data
    except ObjectNotFound:
        raise ConfigError(
            f"is not known to the Prefect server at {where}: `prefect block ls` lists those that are"
        ) from None
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        if status in _REFUSED:
            raise ConfigError(
                f"may not be read by this process (HTTP {status} of {where}): set PREFECT_API_AUTH_STRING or its like"
            ) from None
        raise BlockUnavailable(
            f"could not be read: the Prefect server at {where} answered with HTTP {status}. Try again"
        ) from None
    except httpx.HTTPError as error:
        raise BlockUnavailable(
            f"could not be read from the Prefect server at {where} ({type(error).__name__}). Try again"
        ) from None
