"""Secrets that a Prefect server keeps: LeadByte's credentials, and the address of a source, both named by a block.

`prefect block register -m tasks.blocks` makes the type known to a server, so that its UI can ask for the fields.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
from prefect.blocks.abstract import CredentialsBlock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL
from prefect.utilities.asyncutils import run_coro_as_sync
from pydantic import Field, SecretStr, ValidationError, field_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from leadgate.addresses import DRIVERS
from leadgate.clock import utc_now
from leadgate.config import LeadByteConfig
from leadgate.config.blocks import CREDENTIALS
from leadgate.errors import BlockUnavailable, ConfigError
from leadgate.leadbyte import LeadByteClient

_HIDDEN = re.compile(r"\*{4,}")
"""How Prefect writes a secret for somebody who may not read it."""
_REFUSED = (401, 403)


class LeadByteCredentials(CredentialsBlock):
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
        return LeadByteConfig(api_key=SecretStr("unused"), base_url=value).base_url

    def get_client(
        self,
        *,
        timeout: timedelta = timedelta(seconds=30),
        concurrency: int = 4,
        requests_per_second: float = 5,
    ) -> LeadByteClient:
        """Give a client of the account, to be used as an async context manager; nothing is sent until it is used."""
        return LeadByteClient(
            base_url=self.base_url,
            api_key=self.api_key,
            timeout=timeout,
            concurrency=concurrency,
            requests_per_second=requests_per_second,
            clock=utc_now,
        )

    def test_connection(self) -> None:
        """Ask LeadByte to update an empty list of leads; raise KeyRefused or LeadByteUnavailable if it will not."""
        run_coro_as_sync(self.atest_connection())

    async def atest_connection(self) -> None:
        """Do as `test_connection`, where an event loop is running."""
        async with self.get_client() as client:
            await client.check()


def read_block(kind: str, name: str) -> Mapping[str, Any]:
    """What a block holds for a pipeline, secrets hidden from logs: `base_url` and `api_key`, or `url`.

    Raises ConfigError for a block that is missing, is withheld or does not hold what it should, and BlockUnavailable
    where the Prefect server cannot be reached; the messages go on after the block's name.
    """
    if not PREFECT_API_URL.value():
        msg = "is kept by a Prefect server, and none is configured: set PREFECT_API_URL"
        raise ConfigError(msg)
    with get_client(sync_client=True) as client:
        data = _data(client, kind, name)
    return _credentials(data) if kind == CREDENTIALS else {"url": SecretStr(address_of(data))}


def address_of(data: Mapping[str, Any]) -> str:
    """The address in the data of a prefect-sqlalchemy block, password and all, under a driver that leadgate has."""
    try:
        from prefect_sqlalchemy import ConnectionComponents  # noqa: PLC0415 - an extra
    except ImportError:
        msg = "needs prefect-sqlalchemy: pip install 'leadgate[sqlalchemy]', or write source.url: ${SOURCE_URL}"
        raise ConfigError(msg) from None
    info = data.get("connection_info")
    try:
        is_text = isinstance(info, str)
        url = make_url(str(info)) if is_text else ConnectionComponents.model_validate(info).create_url()
    except (ValidationError, ArgumentError):
        msg = "holds no address that SQLAlchemy knows: correct its connection_info"
        raise ConfigError(msg) from None
    if _HIDDEN.fullmatch(url.password or ""):
        raise ConfigError(_WITHHELD)
    url = url.set(drivername=DRIVERS.get(url.get_backend_name(), url.drivername))
    return _with_arguments(url, data.get("connect_args") or {}).render_as_string(hide_password=False)


def _with_arguments(url: URL, arguments: Mapping[str, Any]) -> URL:
    """Carry connect_args in the address, so that what a block says of TLS is not lost."""
    query = dict(url.query)
    for name, value in arguments.items():
        if not isinstance(value, str | int | float):
            msg = f"has connect_args that no address can carry ({name}): give plain values, such as sslmode: require"
            raise ConfigError(msg)
        query[name] = str(value)
    if url.get_backend_name() == "postgresql" and "ssl" in query:
        query["sslmode"] = query.pop("ssl")  # asyncpg's word for it
    return url.set(query=query)


def _credentials(data: Mapping[str, Any]) -> dict[str, Any]:
    try:
        block = LeadByteCredentials.model_validate(data)
    except ValidationError as error:
        fields = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}))
        msg = f"does not hold what leadgate needs of it: correct {fields}"
        raise ConfigError(msg) from None
    if _HIDDEN.fullmatch(block.api_key.get_secret_value()):
        raise ConfigError(_WITHHELD)
    return {"base_url": block.base_url, "api_key": block.api_key}


_WITHHELD = "is shown to this process without its secret: run as somebody who may read blocks' secrets"


def _data(client: SyncPrefectClient, kind: str, name: str) -> dict[str, Any]:
    where = PREFECT_API_URL.value()
    if client.api_healthcheck():
        msg = f"is kept by the Prefect server at {where}, which does not answer: start it, or correct PREFECT_API_URL"
        raise BlockUnavailable(msg)
    try:
        return client.read_block_document_by_name(name, kind, include_secrets=True).data
    except ObjectNotFound:
        msg = f"is not known to the Prefect server at {where}: `prefect block ls` lists those that are"
        raise ConfigError(msg) from None
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        if status in _REFUSED:
            msg = f"may not be read by this process (HTTP {status} of {where}): set PREFECT_API_AUTH_STRING or its like"
            raise ConfigError(msg) from None
        msg = f"could not be read: the Prefect server at {where} answered with HTTP {status}. Try again"
        raise BlockUnavailable(msg) from None
    except httpx.HTTPError as error:
        msg = f"could not be read from the Prefect server at {where} ({type(error).__name__}). Try again"
        raise BlockUnavailable(msg) from None
