"""The shape of `policy:`: rules as written. Whether their conditions can be read is checked in leadgate/policy."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from leadgate.config.section import Duration, Section
from leadgate.model import OTHERWISE, Verdict


def _is_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank: fill it in")
    return text


ConditionText = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_is_not_blank)]


class Conditions(Section):
    """Lists of conditions: all must hold, at least one of any, none of none."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    all: list[ConditionText] = Field([])
    any: list[ConditionText] = Field([])
    none: list[ConditionText] = Field([])

    @model_validator(mode="after")
    def _not_empty(self) -> "Conditions":
        if not (self.all or self.any or self.none):
            raise ValueError("needs at least one condition under `all:`, `any:` or `none:`")
        return self


class RuleConfig(Section):
    """One rule as written; the first whose `when` holds decides."""

    name: str = Field(min_length=1, max_length=100)
    when: ConditionText | Conditions
    then: Verdict
    because: str = Field(min_length=1, max_length=500)
    on_missing: Literal["skip", "review"] = "skip"
    _variable: str | None = PrivateAttr(None)

    def note_variable(self, name: str | None) -> None:
        """Note that a part of the rule came from an environment variable, whose value is never shown."""
        self._variable = name

    @property
    def variable(self) -> str | None:
        """The environment variable that a part of the rule came from."""
        return self._variable


class PolicyConfig(Section):
    """The rules in order, and what happens when none matches."""

    rules: list[RuleConfig] = Field(min_length=1)
    otherwise: Verdict = Verdict.REVIEW
    keep_facts: list[str] = Field([])
    hold_for: Duration = timedelta(hours=1)
    shadow: str | None = None
    """Another pipeline file, whose rules decide beside these and are never acted on."""

    @property
    def rejecting(self) -> set[str]:
        """The names of the rules that reject, `otherwise` too: what they leave to a person was all but rejected."""
        verdicts = {rule.name: rule.then for rule in self.rules} | {OTHERWISE: self.otherwise}
        return {name for name, verdict in verdicts.items() if verdict is Verdict.REJECT}

    @field_validator("rules")
    @classmethod
    def _names_are_unique(cls, rules: list[RuleConfig]) -> list[RuleConfig]:
        seen: dict[str, int] = {}
        for number, rule in enumerate(rules, 1):
            before = seen.setdefault(rule.name, number)
            if before != number:
                raise ValueError(
                    f"rules {before} and {number} have one name: rename one, since reasons and counts go by the name"
                )
        return rules
