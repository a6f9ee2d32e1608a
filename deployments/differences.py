"""What one document says otherwise than another, line by line, for a person to read."""

from collections.abc import Iterator, Mapping
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
        yield f"{path}: {_short(found)} becomes {_short(wanted)}"


def _short(value: Any) -> str:  # noqa: ANN401
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
