"""Whose leads a pipeline file is about: the LeadByte account, and the source. A ledger keeps both for each pipeline.

Neither names a user, a password or the database's host.
"""

import re
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from sqlalchemy.exc import ArgumentError

from leadgate.addresses import parse_address
from leadgate.config import PipelineConfig, SourceConfig
from leadgate.model import fingerprint

_LEADBYTE = re.compile(r"(.+)\.leadbyte\.(?:com|co\.uk)")
_USUAL_PORTS = {"http": 80, "https": 443}


class Identity(NamedTuple):
    """The account and the source of a pipeline; None where the file alone does not say it, but a Prefect block."""

    account: str | None
    source: str | None


def identity_of(config: PipelineConfig) -> Identity:
    """Give the account and the source that a pipeline file names."""
    return Identity(account_of(config.leadbyte.base_url) or None, source_of(config.source))


def account_of(base_url: str) -> str:
    """Name the account of an address: `acme` of acme.leadbyte.com and acme.leadbyte.co.uk, else host and port."""
    parts = urlsplit(base_url)
    try:
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:  # no port there is
        return parts.netloc.rpartition("@")[2]
    if port not in {None, _USUAL_PORTS.get(parts.scheme)}:
        return f"{host}:{port}"
    ours = _LEADBYTE.fullmatch(host)
    return ours[1] if ours else host


def source_of(source: SourceConfig) -> str | None:
    """Name the database and the leads' table, as `crm: public.leads`; for SQLite the file's name, without its folder.

    A query is named by its fingerprint. None where the address is in a block, or is none.
    """
    if not isinstance(source.url, SecretStr):
        return None
    try:
        url = parse_address(source.url.get_secret_value())
    except (ArgumentError, ValueError):
        return None
    database = url.database or ""
    if "${" in database:
        return None  # a variable that is not set
    if url.get_backend_name() == "sqlite":
        database = PurePath(unquote(urlsplit(database).path) if database.startswith("file:") else database).name
    if source.leads.table:
        return f"{database}: {source.leads.table}"
    words = " ".join((source.leads.query or "").split())
    return f"{database}: query {fingerprint({'query': words})}"
