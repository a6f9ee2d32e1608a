"""`${NAME}` in a pipeline file: filled in from the environment, and which values must never be shown for it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Path = tuple[object, ...]
"""A place in the file: keys, and numbers of items from 0."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
SECRETS = (("leadbyte", "api_key"), ("leadbyte", "base_url"), ("source", "url"), ("ledger", "url"))
"""Never quoted, even where they stand in the file itself: people paste keys into the wrong one of them."""


class Filled:
    """A document with its variables filled in, and which of its values came from there."""

    def __init__(
        self, document: Mapping[str, Any], environ: Mapping[str, str], optional: tuple[Path, ...] = ()
    ) -> None:
        self._environ = environ
        self._optional = optional
        self._names: dict[Path, str] = {}
        self.values: dict[str, str] = {}
        """The variables' names by what they hold."""
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
        if any(place[: len(secret)] == secret for secret in SECRETS) or isinstance(value, dict | list):
            return ""
        if isinstance(value, int) and abs(value) > _LARGEST_SHOWN:
            return "so large a number"
        written = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
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
            self.values[self._environ[name]] = name
            return self._environ[name]
        if path[:2] not in self._optional:
            self.absent[path] = (
                f"the environment variable {name} is not set: export {name}=..."
                if known
                else "${ } holds the name of an environment variable: letters, digits and _ only"
            )
        return match[0]


_LONGEST_SHOWN = 80
_LARGEST_SHOWN = 10**_LONGEST_SHOWN
_SHORTEST_WORD, _SHORTEST_SECRET = 4, 8
"""Characters; a shorter value stands in other words by chance, and a shorter one yet in other places."""


def passwords_of(address: str) -> set[str]:
    """The password of an address, as it is written there and as it is."""
    found = re.findall(r"^[^:/]+://[^:/@]*:([^@]*)@|[?&]password=([^&]*)", address)
    written = {password for pair in found for password in pair if password}
    return written | set(map(unquote, written))


def hide_values(text: str, names: Mapping[str, str]) -> str:
    """Write `${NAME}` for every variable's value in a text."""
    for value, name in sorted(names.items(), key=lambda item: -len(item[0])):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, f"${{{name}}}")
        elif len(value) >= _SHORTEST_WORD:
            text = re.sub(rf"(?<![\w.]){re.escape(value)}(?!\w)", f"${{{name}}}", text)
    return text


def _overlap(one: Path, other: Path) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
