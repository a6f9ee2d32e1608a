"""How messages about an unknown name end: with the names that were meant."""

import difflib
from collections.abc import Iterable

_NAMES_SHOWN = 20


def suggest(name: str, known: Iterable[str]) -> str:
    """End a message about an unknown name: with the nearest ones, or with those there are."""
    names = {other.lower(): other for other in known}
    close = [names[near] for near in difflib.get_close_matches(name.lower(), names, n=3)]
    if close:
        return f"; did you mean {' or '.join(f'`{near}`' for near in close)}?"
    shown = sorted(names.values())[:_NAMES_SHOWN]
    return (
        f"; there are: {', '.join(shown)}{', ...' if len(names) > len(shown) else ''}" if shown else "; there are none."
    )
