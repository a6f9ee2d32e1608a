"""Addresses of databases, as providers and people write them."""

from collections.abc import Mapping

from sqlalchemy import URL, make_url

DRIVERS: Mapping[str, str] = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
"""The driver that comes with leadgate, by the name of a database."""


def parse_address(address: str) -> URL:
    """Take an address apart, under leadgate's driver where it names none; raise ArgumentError or ValueError.

    SQLAlchemy itself takes `postgresql://` to mean psycopg2, and does not know `postgres://`.
    """
    url = make_url(address)
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def holds_a_stray_at(url: URL) -> bool:
    """Whether an unescaped @ cut the address at the wrong place: shown, it would hold a part of the password."""
    return url.get_backend_name() != "sqlite" and "@" in f"{url.host}{url.database}"
