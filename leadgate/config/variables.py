"""`${NAME}` in a pipeline file: filled in from the environment, and which values must never be shown for it."""

import re
from collections.abc import Mapping
from typing import Any

Path = tuple[object, ...]
"""A place in the file: keys, and numbers of items from 0."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_SECRETS = (("leadbyte", "api_key"), ("leadbyte", "base_url"), ("source", "url"), ("ledger", "url"))
"""Never quoted, even where they stand in the file itself: people paste keys into the wrong one of them."""


class Filled:
    """A document with its variables filled in, and which of its values came from there."""

    def __init__(
        self, document: Mapping[str, Any], environ: Mapping[str, str], optional: tuple[Path, ...] = ()
    ) -> None:
        self._environ = environ
        self._optional = optional
        self._names: dict[Path, str] = {}
        self.absent: dict[Path, str] = {}
        """What to say of each place that could not be filled in."""
        self.document = self._fill(document, ())

    def variable_at(self, place: Path) -> str | None:
        """The variable that a value at this place, below it or above it came from; None if none."""
        return next((name for path, name in self._names.items() if _overlap(path, place)), None)

    def is_absent(self, place: Path) -> bool:
        """Whether a value here could not be filled in."""
        return any(_overlap(path, place) for path in self.absent)

    def show(self, value: object, place: Path) -> str:
        """Write a value for a message; what must not be shown is named instead, or left out."""
        variable = self.variable_at(place)
        if variable:
            return f"the value of ${{{variable}}}"
        if any(place[: len(secret)] == secret for secret in _SECRETS) or isinstance(value, dict | list):
            return ""
        written = repr(value)
        return written if len(written) <= _LONGEST_SHOWN else f"{written[:_LONGEST_SHOWN]}..."

    def _fill(self, value: object, path: Path) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return {key: self._fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, (*path, index)) for index, item in enumerate(value)]
        return _VARIABLE.sub(lambda match: self._look_up(match, path), value) if isinstance(value, str) else value

    def _look_up(self, match: re.Match[str], path: Path) -> str:
        name = match[1]
        known = _NAME.fullmatch(name) is not None
        self._names.setdefault(path, name if known else "...")
        if known and name in self._environ:
            return self._environ[name]
        if path[:2] not in self._optional:
            self.absent[path] = (
                f"the environment variable {name} is not set: export {name}=..."
                if known
                else "${ } holds the name of an environment variable: letters, digits and _ only"
            )
        return match[0]


_LONGEST_SHOWN = 80


def _overlap(one: Path, other: Path) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
