"""The shape of `source:`: the user's database, and the two relations of it that are read."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, SecretStr, Tag, field_validator, model_validator

from leadgate.config.section import Block, Duration, Section, Unfit
from leadgate.config.zone import checked_zone
from leadgate.model import ColumnType
from leadgate.model.times import TimeForm


class TimestampConfig(Section):
    """A date and time that is text or a number: its form in Python's codes, or `epoch_s` or `epoch_ms`."""

    timestamp: str = Field(min_length=1, max_length=100)

    @field_validator("timestamp")
    @classmethod
    def _is_a_form(cls, value: str) -> str:
        if fault := TimeForm(value).fault():
            raise Unfit(fault)
        return value


# The tags stand in the paths of pydantic's errors, and load.py takes them out again.
TypeConfig = Annotated[
    Annotated[ColumnType, Tag("[type]")] | Annotated[TimestampConfig, Tag("[form]")],
    Discriminator(lambda value: "[form]" if isinstance(value, dict | TimestampConfig) else "[type]"),
]


class RelationConfig(Section):
    """A table, view or query of the source, and which of its columns is the lead's id."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["table"]}, {"required": ["query"]}]})
    table: str | None = None
    query: str | None = None
    id: str
    types: dict[str, TypeConfig] = Field({})

    @property
    def column_types(self) -> dict[str, ColumnType]:
        """What the file says columns are to be read as."""
        return {
            name: ColumnType.TIMESTAMP if isinstance(form, TimestampConfig) else form
            for name, form in self.types.items()
        }

    @property
    def time_forms(self) -> dict[str, TimeForm]:
        """The forms of the dates and times that are text or milliseconds, by column."""
        return {
            name: TimeForm(form.timestamp) for name, form in self.types.items() if isinstance(form, TimestampConfig)
        }

    @model_validator(mode="after")
    def _one_of_both(self) -> "RelationConfig":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either `table:` or `query:`, one of them")
        return self


class LeadsConfig(RelationConfig):
    """Who waits: one row a quarantined lead. `updated_at` says when the row was written, where a column tells.

    `left` says what becomes of a lead whose row has left: it is withdrawn, given to a person, or kept as it is.
    """

    quarantined_at: str
    updated_at: str | None = None
    left: Literal["withdraw", "review", "keep"] = "withdraw"


class EnrichmentConfig(RelationConfig):
    """What arrives for them."""

    updated_at: str | None = None


class SourceConfig(Section):
    """The user's database. `url` may hold a password and is never shown.

    Texts of `null_values` mean no value, and so does one of blanks alone.
    `time_zone` is that of dates and times which name none. `overlap` is how long after its stamp a row may be
    committed and still be found by reading forward; `compare_every` is how often everything is compared.
    """

    url: SecretStr | Block
    leads: LeadsConfig
    enrichment: EnrichmentConfig
    null_values: list[str] = Field([""])
    time_zone: str = "UTC"
    overlap: Duration = timedelta(minutes=1)
    compare_every: Duration = timedelta(minutes=15)

    _is_a_zone = field_validator("time_zone")(checked_zone)

    @property
    def nulls(self) -> frozenset[str]:
        """The texts that mean no value, trimmed."""
        return frozenset({"", *(text.strip() for text in self.null_values)})
