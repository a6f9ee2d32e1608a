"""How messages about an unknown name end: with the name that was meant, or with the names there are."""

import difflib
from collections.abc import Callable, Iterable

_NAMES_SHOWN = 40


def suggest(name: str, known: Iterable[str], written: Callable[[str], str] = str) -> str:
    """End a message about an unknown name; `written` is how the user has to write a known one."""
    names = list(known)
    near = close_to(name, names)
    return f"did you mean {written(near)}?" if near else known_here(map(written, names))


def known_here(known: Iterable[str]) -> str:
    """List the names there are, no more than one wants to read."""
    names = list(known)
    shown = ", ".join(names[:_NAMES_SHOWN]) or "none"
    return f"known here: {shown}{', ...' if len(names) > _NAMES_SHOWN else ''}"


def if_it_is_new(known_from: str | None) -> str:
    """Go on from what was suggested, where columns are known from a file: the source may have others by now."""
    if known_from is None:
        return ""
    return (
        f" (it is not among the types of {known_from}: if the source has it, write them anew with "
        "`leadgate check --write-types FILE`)"
    )


def close_to(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one, whatever its case; None when none is."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None
