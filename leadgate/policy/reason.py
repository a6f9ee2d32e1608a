"""The `because` of a rule: plain text that may name {COLUMN} of the columns whose values may be kept."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from leadgate.suggest import close_to

_NAME = re.compile(r"\{([^{}]*)\}")


def faults_of(because: str, keep_facts: Collection[str]) -> Iterator[str]:
    """Say of every {NAME} that is not a kept column what to do about it."""
    for name in dict.fromkeys(_NAME.findall(because)):
        if name in keep_facts:
            continue
        near = close_to(name, keep_facts)
        hint = (
            f"did you mean {{{near}}}?" if near else f"add {name or 'a column'} to policy.keep_facts, or leave it out"
        )
        yield (f"{{{name}}}: only columns in keep_facts may be named in `because`: values of others stay home; {hint}")


def render(because: str, kept: Mapping[str, Any]) -> str:
    """Write the reason with the values of this lead; a missing one reads `missing`."""
    return _NAME.sub(lambda match: in_words(kept[match[1]]), because)


def fact(value: Any) -> str | int | float | bool | None:  # noqa: ANN401
    """Give a value that fitted as JSON can hold it; times in ISO 8601."""
    kept: str | int | float | bool | None = value.isoformat() if isinstance(value, datetime) else value
    return kept


def in_words(value: Any) -> str:  # noqa: ANN401
    """Write a value that fitted, or None, into a reason."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(fact(value))
