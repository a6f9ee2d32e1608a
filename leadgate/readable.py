"""How numbers, spans and instants are written for people."""

from datetime import datetime, timedelta

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def span(length: timedelta) -> str:
    """Write a span in its two largest units, such as 3 d 4 h; 0 s for none."""
    seconds = max(0, int(length.total_seconds()))
    parts = []
    for unit, size in _UNITS:
        if seconds >= size:
            parts.append(f"{seconds // size:,} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Write a number and what it counts: `1 lead`, `2 leads`; with `things` what else goes with them, `2 leads are`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def share(part: int, whole: int) -> str:
    """Write a share in percent, and never all or nothing where it is not."""
    if part in {0, whole}:
        return f"{100 * part // whole} %"
    percent = 100 * part / whole
    return f"{min(99.9, max(0.1, percent)):.1f} %" if not 1 <= percent <= 99 else f"{percent:.0f} %"  # noqa: PLR2004


def instant(at: datetime) -> str:
    """Write an instant to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
