"""The shape of `safety:`: how many leads may be processed and rejected by rules in a span of time."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SkipValidation, WithJsonSchema, field_validator

from leadgate.config.section import DURATION, Section, Unfit, parse_duration
from leadgate.model import Action

_SPANS = {"minute": "1m", "hour": "1h", "day": "1d", "week": "7d"}
_PATTERN = f"[0-9]{{1,9}}/({'|'.join(_SPANS)}|{DURATION})"
_BUDGET = re.compile(_PATTERN)
_LONGEST = timedelta(days=7)
_MOST = 8
_HOW = "write a number of leads and a span of time, such as 1000/hour, 5000/day or 100/15m"


@dataclass(frozen=True, slots=True)
class Budget:
    """So many acts in any span of such a length."""

    leads: int
    span: timedelta
    text: str
    """As the file has it."""

    def __str__(self) -> str:
        return self.text


def _read_budgets(written: object) -> tuple[Budget, ...]:
    if isinstance(written, tuple):
        return written
    if written == "none":
        return ()
    parts = written if isinstance(written, list) else [written]
    if not 0 < len(parts) <= _MOST:
        raise ValueError(f"needs 1 to {_MOST} budgets, or none without a list: {_HOW}")
    return tuple(map(_read_budget, parts))


def _read_budget(written: object) -> Budget:
    text = "".join(written.split()) if isinstance(written, str) else ""
    if not _BUDGET.fullmatch(text):
        raise Unfit(f"is no budget: {_HOW}, or none")
    leads, span = text.split("/")
    length = parse_duration(_SPANS.get(span, span))
    if not timedelta(seconds=1) <= length <= _LONGEST:
        raise Unfit("has a span that is shorter than a second or longer than a week: write 1s to 7d")
    return Budget(int(leads), length, text)


_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^({_PATTERN}|none)$|\\$\\{{[A-Za-z_][A-Za-z0-9_]*\\}}"}
Budgets = Annotated[
    SkipValidation[tuple[Budget, ...]],
    BeforeValidator(_read_budgets),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "array", "items": _SCHEMA, "minItems": 1, "maxItems": _MOST}]}),
]


class BudgetsConfig(Section):
    """How many leads rules may reject, and process, in any span of time, over all runs; each also as a list.

    Beyond it a lead to be processed waits, and one to be rejected goes to a person. What people decide counts too, and
    is not stopped.
    """

    reject: Budgets = Field("1000/hour", validate_default=True)
    process: Budgets = Field("none", validate_default=True)

    @field_validator("process")
    @classmethod
    def _lets_some_through(cls, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
        if any(not budget.leads for budget in budgets):
            raise ValueError("would let no lead through, ever: write a larger number, or type `leadgate pause`")
        return budgets

    def text_of(self, action: Action) -> str:
        """Write the budgets of an act as the file has them."""
        return ", ".join(map(str, self.of(action))) or "none"

    def of(self, action: Action) -> tuple[Budget, ...]:
        """Give the budgets of an act; none where it has no limit."""
        return self.reject if action is Action.REJECT else self.process


class SafetyConfig(Section):
    """Brakes on what rules may do."""

    budgets: BudgetsConfig = BudgetsConfig()
