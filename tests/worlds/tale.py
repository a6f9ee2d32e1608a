"""What happened in one world, in order: to each lead and to all of them. It is printed where a world fails."""

import asyncio


class Tale:
    """Lines with their instants; those under no lead concern every lead."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, str]] = []

    def tell(self, about: str, line: str) -> None:
        """Add a line about a lead; about a run, which concerns those it sends; about all where `about` is empty."""
        self._lines.append((asyncio.get_running_loop().time(), about, line))

    def of(self, lead_id: str) -> str:
        """Everything that has to do with one lead."""
        runs = {line.split()[0] for _, about, line in self._lines if about == lead_id}
        concerns = {"", lead_id, *runs}
        return "\n".join(f"  {_clock(at)}  {line}" for at, about, line in self._lines if about in concerns)


def _clock(seconds: float) -> str:
    days, rest = divmod(seconds, 86_400)
    minutes, seconds = divmod(rest, 60)
    return f"{days:.0f}d {minutes // 60:02.0f}:{minutes % 60:02.0f}:{seconds:04.1f}"
