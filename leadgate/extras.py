"""Packages that only one part of leadgate needs; they come with an extra of that part's name."""

from importlib.util import find_spec

from leadgate.errors import ConfigError

_MODULES = {"report": ("altair", "vl_convert"), "sandbox": ("aiohttp",)}


def require_extra(extra: str, wanted_by: str) -> None:
    """Raise ConfigError, with what to install, where the packages of an extra are not there."""
    if missing := [module for module in _MODULES[extra] if not find_spec(module)]:
        raise ConfigError(f"{wanted_by}: needs {' and '.join(missing)}: pip install 'leadgate[{extra}]'")
