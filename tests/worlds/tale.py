"""What happened in one world, in order: to each lead and to all of them. It is printed where a world fails."""

import asyncio


class Tale:
    """Lines with their instants; those under no lead concern every lead."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, str]] = []

    def tell(self, lead_id: str, line: str) -> None:
        """Add a line about a lead; about all of them where `lead_id` is empty."""
        self._lines.append((asyncio.get_running_loop().time(), lead_id, line))

    def of(self, lead_id: str) -> str:
        """Everything that has to do with one lead."""
        return "\n".join(f"  {_clock(at)}  {line}" for at, about, line in self._lines if about in {lead_id, ""})


def _clock(seconds: float) -> str:
    days, rest = divmod(seconds, 86_400)
    minutes, seconds = divmod(rest, 60)
    return f"{days:.0f}d {minutes // 60:02.0f}:{minutes % 60:02.0f}:{seconds:04.1f}"
