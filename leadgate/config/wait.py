"""The shape of `wait:`: when a lead is complete, and how long that may take."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from leadgate.config.policy import ConditionText
from leadgate.config.section import LONGEST_SHOWN, Duration, Section, Unfit, shortened


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a lead waits for: how messages name it, and what its arrivals are kept under.

    Those are a column, the columns of which any will do, or a condition.
    """

    label: str
    keys: Sequence[str]


def keys_of(needs: Iterable[Need]) -> list[str]:
    """What the arrivals of some needs are kept under, each once."""
    return list(dict.fromkeys(key for need in needs for key in need.keys))


class RequireConfig(Section):
    """One thing that a lead waits for: a column, one of several columns (`any`), or a condition (`when`)."""

    column: str | None = None
    any: list[str] | None = None
    when: ConditionText | None = None

    @field_validator("any")
    @classmethod
    def _has_a_choice(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and len(set(value)) < 2:  # noqa: PLR2004
            raise ValueError("leaves no choice: name two columns at least, or write the one alone")
        return value

    @model_validator(mode="after")
    def _one_of_three(self) -> "RequireConfig":
        chosen = sum(part is not None for part in (self.column, self.any, self.when))
        if chosen > 1:
            raise ValueError(
                "needs only one of `any: [COLUMN, COLUMN]` and `when: CONDITION`: write each as an item of its own"
            )
        if not chosen:
            raise ValueError("needs a column's name, or one of `any: [COLUMN, COLUMN]` and `when: CONDITION`")
        return self

    def label(self, hide: Callable[[str], str] = str) -> str:
        """What is said to be missing while it is; `hide` takes out what may be a secret."""
        if self.when:
            return f"`{shortened(hide(self.when))}`"
        return self.column or f"one of {', '.join(self.any or ())}"


def _as_requirement(value: object) -> object:
    """Read a column's name alone."""
    if isinstance(value, str) and not value:
        raise ValueError("is empty: fill it in")
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, dict | RequireConfig):
        raise Unfit("is no column: write its name, {any: [COLUMN, COLUMN]} or {when: CONDITION}")
    return value


class DeadlineConfig(Section):
    """How long the leads may take for which a condition holds."""

    when: ConditionText
    after: Duration


class WaitConfig(Section):
    """When a lead's data is complete, and how long it may take: by the first of `deadlines` that matches.

    Where none does it is `deadline`.
    """

    require: list[
        Annotated[RequireConfig, BeforeValidator(_as_requirement, json_schema_input_type=str | RequireConfig)]
    ] = Field(min_length=1)
    deadline: Duration
    deadlines: list[DeadlineConfig] = Field([])
    source_fresh_within: Duration | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that every complete lead has: COLUMN of the enrichment, or lead.COLUMN."""
        return [need.column.removeprefix("enrichment.") for need in self.require if need.column]

    def needs(self, hide: Callable[[str], str] = str) -> list[Need]:
        """What a lead waits for, in the order of the file; `hide` as for `RequireConfig.label`."""
        needs = []
        for number, need in enumerate(self.require, 1):
            label = need.label(hide)
            keys = [name.removeprefix("enrichment.") for name in need.any or [need.column or label]]
            if need.when and len(need.when) > LONGEST_SHOWN:
                keys = [f"{label} ({number})"]  # another one may begin with the same words
            needs.append(Need(label, keys))
        return needs

    @property
    def spans(self) -> set[timedelta | None]:
        """Every deadline that a lead may have; None is that of the pipeline."""
        return {None, *(each.after for each in self.deadlines)}
