"""What one document says otherwise than another, line by line, for a person to read."""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

_LONGEST = 60


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Name each key of `wanted` that `found` has otherwise; what only `found` has counts below the first level."""
    return [line for key, value in wanted.items() for line in _compare(key, value, found.get(key))]


def _compare(path: str, wanted: Any, found: Any) -> Iterator[str]:  # noqa: ANN401 - documents
    if wanted == found:
        return
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys([*wanted, *found]):
            if key not in wanted:
                yield f"{path}.{key}: on the server, not in the file: {_short(found[key])} goes"
            elif key not in found:
                yield f"{path}.{key}: new: {_short(wanted[key])}"
            else:
                yield from _compare(f"{path}.{key}", wanted[key], found[key])
    else:
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(str(found), str(wanted), strict=False)))
        start = max(0, alike - _LONGEST // 2)
        yield f"{path}: {_short(found, start)} becomes {_short(wanted, start)}"


def _short(value: Any, start: int = 0) -> str:  # noqa: ANN401
    """A part of a value: from `start`, which lies before the place where it differs from another."""
    text = str(value)
    shown = text[start:] if len(text) > _LONGEST else text
    before = "..." if len(shown) < len(text) else ""
    return before + (shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}...")
