"""Time zones as the file names them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadgate.config.section import Unfit


def checked_zone(name: str) -> str:
    """Give the name of a time zone as it is; raise where this machine knows none of the name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unfit("is no time zone: write a name such as UTC, Europe/London or America/New_York") from None
    return name
