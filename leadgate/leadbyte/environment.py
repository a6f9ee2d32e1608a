"""What the environment may do to a client of HTTP: proxies and certificates. Faults name the variable, never its value.

httpx reads these variables when a client is made, and fails in many ways on what it cannot use.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from leadgate.errors import ConfigError
from leadgate.hosts import LARGEST_PORT

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@contextmanager
def client_errors() -> Iterator[None]:
    """Turn what goes wrong when a client is made into a ConfigError."""
    wrong = [name for name in _both_cases(_PROXIES) if os.environ.get(name) and not _is_proxy(os.environ[name])]
    if wrong:
        raise ConfigError(f"{', '.join(wrong)}: is no proxy that leadgate can use: write http://HOST:PORT, or unset it")
    try:
        yield
    except OSError:
        raise ConfigError(
            f"{_set_of(_CERTIFICATES)}: names no file with certificates that can be read: correct it, or unset it"
        ) from None
    except (httpx.InvalidURL, ImportError, ValueError):
        raise ConfigError(
            f"{_set_of(('NO_PROXY', *_PROXIES))}: cannot be used: write names of hosts in NO_PROXY, without ranges and "
            "addresses of IPv6, or unset it"
        ) from None


def _is_proxy(address: str) -> bool:
    try:
        url = httpx.URL(address if "://" in address else f"http://{address}")
    except (httpx.InvalidURL, ValueError):
        return False
    return url.scheme in {"http", "https"} and bool(url.host) and 0 < (url.port or 1) <= LARGEST_PORT


def _both_cases(names: tuple[str, ...]) -> list[str]:
    return [each for name in names for each in (name, name.lower())]


def _set_of(names: tuple[str, ...]) -> str:
    return ", ".join(name for name in _both_cases(names) if os.environ.get(name)) or names[0]
