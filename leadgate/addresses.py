"""Addresses of databases, as providers and people write them."""

import re
from collections.abc import Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from leadgate.hosts import LARGEST_PORT

DRIVERS: Mapping[str, str] = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
"""The driver that comes with leadgate, by the name of a database."""

POSTGRESQL_SETTINGS: Mapping[str, str] = {
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "quote_all_identifiers": "off",
}
"""What a session needs for psycopg to read all that is sent, and for numbers to be exact, and for types
to have their names, whatever its server sets."""


def parse_address(address: str) -> URL:
    """Take an address apart, under leadgate's driver where it names none; raise ArgumentError or ValueError.

    SQLAlchemy itself takes `postgresql://` to mean psycopg2, and does not know `postgres://`.
    """
    url = make_url(address)
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def holds_a_stray_at(address: str) -> bool:
    """Whether an unescaped @ cuts an address of a server at the wrong place: its parts would hold the password's."""
    return "@" in re.sub(r"^[^:/]*(:[^@]*)?@", "", address.partition("://")[2])


def shown(url: URL) -> str:
    """Name a database in a message: its file, or its host and name.

    Neither where no user is named: a password that lacks its @ would look like them.
    """
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.database or ""
    if url.username is None:
        return f"in {backend}"
    port = f":{url.port}" if url.port else ""
    return f"{backend} {url.host or ''}{port}/{url.database or ''}"


_ESCAPE = "in a password write @ as %40, / as %2F and : as %3A"
_WHOLE_NUMBERS = frozenset(
    {"connect_timeout", "read_timeout", "write_timeout", "tcp_user_timeout", "keepalives", "keepalives_idle"}
    | {"keepalives_interval", "keepalives_count", "port", "client_flag", "max_allowed_packet", "cached_statements"}
)
_OF_MYSQL = {
    "ssl": "write ssl_ca=FILE, or ssl_verify_cert=true",
    "password": "write it before the host",
    "passwd": "write it before the host",
}


def check_address(address: str) -> None:
    """Raise ValueError for an address whose parts cannot be used; its text quotes no part of the address.

    What is no address at all is left to whoever opens it.
    """
    if address.strip()[:1] in {'"', "'", "`"}:
        raise ValueError("stands in quotes, which are read as a part of it: delete the quotes")
    try:
        url = parse_address(address)
    except SQLAlchemyError:
        return
    except ValueError:
        raise ValueError(f"holds no whole number as its port; {_ESCAPE}") from None
    if url.get_backend_name() == "sqlite":
        _check_options(url)
        return
    if holds_a_stray_at(address):
        raise ValueError(f"holds more than one @: {_ESCAPE}")
    if url.port is not None and not 1 <= url.port <= LARGEST_PORT:
        raise ValueError(f"holds no port from 1 to {LARGEST_PORT}; {_ESCAPE}")
    if url.host and not re.fullmatch(r"[\w.:%-]+", url.host):
        raise ValueError(f"holds no host; {_ESCAPE}")
    if re.search(r"[\x00-\x20\x7f]", address):
        raise ValueError("holds a blank or a line break: delete it, or write a blank as %20")
    _check_options(url)


def _check_options(url: URL) -> None:
    for name, value in url.query.items():
        if name in _WHOLE_NUMBERS and not re.fullmatch(r"\d{1,9}", str(value)):
            raise ValueError(f"needs a whole number as the option {name}")
        if url.get_driver_name() == "pymysql":
            if name in _OF_MYSQL:
                raise ValueError(f"cannot have the option {name}: {_OF_MYSQL[name]}")
            if name == "charset" and not _is_charset(str(value)):
                raise ValueError("has an option charset that is not known: write utf8mb4, or leave it out")
        if (
            url.get_backend_name() == "sqlite"
            and name == "timeout"
            and not re.fullmatch(r"\d{1,6}(\.\d*)?", str(value))
        ):
            raise ValueError("needs a number of seconds as the option timeout")


def _is_charset(name: str) -> bool:
    from pymysql.charset import charset_by_name  # noqa: PLC0415 - for its databases alone

    return charset_by_name(name) is not None
