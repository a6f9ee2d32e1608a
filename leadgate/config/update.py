"""The shape of `update:`: what is written to LeadByte's fields. Columns and CEL are checked in leadgate/policy."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from leadgate.config.policy import ConditionText
from leadgate.config.section import Section, Unfit, shortened

LONGEST_TEXT = 255
"""Characters: LeadByte publishes no limit, and databases of its kind keep so much of a field."""


class FieldConfig(Section):
    """What is written to one field: a column (`from`), a calculation (`value`), or the same text for all (`text`).

    `when_null` says what becomes of a lead for which there is no value: the field is left out (`omit`), emptied
    (`blank`), or a lead that would be processed is held until there is one (`hold`).
    """

    column: str | None = Field(None, alias="from", min_length=1)
    value: ConditionText | None = None
    text: str | None = None
    when_null: Literal["omit", "blank", "hold"] = "omit"

    @field_validator("text")
    @classmethod
    def _is_short(cls, value: str | None) -> str | None:
        if value is not None and len(value) > LONGEST_TEXT:
            raise ValueError(
                f"has {len(value)} characters, and LeadByte is likely to keep {LONGEST_TEXT} at most: shorten it"
            )
        return value

    @model_validator(mode="after")
    def _one_of_three(self) -> "FieldConfig":
        chosen = [name for name in ("column", "value", "text") if getattr(self, name) is not None]
        if len(chosen) != 1:
            more = "only one" if chosen else "one"
            raise ValueError(f"needs {more} of `from: COLUMN`, `value: CALCULATION` and `text: TEXT`")
        if chosen == ["text"]:
            if "when_null" in self.model_fields_set:
                raise ValueError("a text is the same for all, and never null: leave `when_null` out")
            if not (self.text or "").strip():
                raise ValueError("is blank: to empty a field write `{from: COLUMN, when_null: blank}`")
        return self

    def made(self, hide: Callable[[str], str] = str) -> str:
        """Where the value comes from, without it; `hide` takes out what may be a secret."""
        if self.value is not None:
            return f"calculated: {shortened(hide(self.value))}"
        return f"from {self.column}" if self.column else "the same text for all"


def _as_field(value: object) -> object:
    """Read a column's name alone like `{from: COLUMN}`."""
    if isinstance(value, str):
        return {"from": value}
    if not isinstance(value, dict | FieldConfig):
        raise Unfit("is no column: write its name, or one of {from: COLUMN}, {value: CALCULATION} and {text: TEXT}")
    return value


UpdateConfig = dict[str, Annotated[FieldConfig, BeforeValidator(_as_field, json_schema_input_type=str | FieldConfig)]]
