"""The shape of `examples:`, by which the rules are tested. Whether the columns exist is checked against the source."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from leadgate.config.section import Duration, Section, Unfit
from leadgate.model import Verdict

_ONE = ["string", "number", "boolean", "null"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _is_one_value(value: object) -> object:
    if isinstance(value, dict | list):
        raise Unfit("is no value of a column: write one text, number, bool, time or null")
    return value


Value = Annotated[Any, AfterValidator(_is_one_value), WithJsonSchema({"type": _ONE})]


class GivenConfig(BaseModel):
    """A lead to decide: values by enrichment column, those of the lead's own row under `lead`; null is missing.

    `waited` is how long it has been in quarantine by `now`, which is the present where it is left out.
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, Value]

    lead: dict[str, Value] = Field({})
    late: bool = False
    waited: Duration = timedelta()
    now: Annotated[AwareDatetime, Field(ge=_EPOCH)] | None = None

    @property
    def enrichment(self) -> dict[str, Any]:
        """The enrichment's values, by column."""
        return self.__pydantic_extra__


class ExpectConfig(Section):
    """What should be decided; `rule: otherwise` where none should match.

    `update` has fields that should be written, with their values; null for one that should not be.
    """

    verdict: Verdict
    rule: str | None = None
    update: dict[str, Value] = Field({})


class ExampleConfig(Section):
    """One example of what the rules should say."""

    name: str | None = Field(None, min_length=1, max_length=100)
    given: GivenConfig
    expect: ExpectConfig
