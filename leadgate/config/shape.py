"""The pipeline file's shape and defaults: one class a section.

Only text is checked here. Whether tables, columns and rules fit the real source is checked where those are known.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from leadgate.config.example import ExampleConfig
from leadgate.config.leadbyte import check_base_url, checked_key, longest_exchange
from leadgate.config.section import Block, Duration, Section, Unfit
from leadgate.config.sentences import SentencesConfig
from leadgate.config.variables import hide_values
from leadgate.model import ColumnType, Verdict

ConditionText = Annotated[str, Field(min_length=1, max_length=2000)]


class LeadByteConfig(Section):
    """Where LeadByte is and how modestly it is asked. `base_url` may be left to the block that holds the key."""

    api_key: SecretStr | Block
    insecure_http: bool = False
    base_url: str = Field("", validate_default=True)
    batch_size: int = Field(50, ge=1, le=1000)
    concurrency: int = Field(4, ge=1, le=64)
    requests_per_second: float = Field(5, ge=0, allow_inf_nan=False)
    timeout: Duration = timedelta(seconds=30)
    sentences: SentencesConfig = SentencesConfig()

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            if isinstance(info.data.get("api_key"), Block):
                return value
            raise PydanticCustomError("missing", "is missing")  # noqa: EM101 - pydantic's own kind of fault
        check_base_url(value, insecure_http=info.data.get("insecure_http", False))
        return value.rstrip("/").removesuffix("/restapi/v1.3")

    @field_validator("api_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | Block, info: ValidationInfo) -> SecretStr | Block:
        if isinstance(value, Block) or not _needs_secrets(info):
            return value
        return SecretStr(checked_key(value.get_secret_value()))


def _needs_secrets(info: ValidationInfo) -> bool:
    """Whether what a file is read for needs LeadByte's key and the source's address."""
    return not info.context or info.context["needs_secrets"]


class RelationConfig(Section):
    """A table, view or query of the source, and which of its columns is the lead's id."""

    table: str | None = None
    query: str | None = None
    id: str
    types: dict[str, ColumnType] = Field({})

    @model_validator(mode="after")
    def _one_of_both(self) -> "RelationConfig":
        if (self.table is None) == (self.query is None):
            msg = "give either `table:` or `query:`, one of them"
            raise ValueError(msg)
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

    `time_zone` is that of dates and times which name none. `overlap` is how long after its stamp a row may be
    committed and still be found by reading forward; `compare_every` is how often everything is compared.
    """

    url: SecretStr | Block
    leads: LeadsConfig
    enrichment: EnrichmentConfig
    time_zone: str = "UTC"
    overlap: Duration = timedelta(minutes=1)
    compare_every: Duration = timedelta(minutes=15)

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = "is no time zone: write a name such as UTC, Europe/London or America/New_York"
            raise Unfit(msg) from None
        return value


class LedgerConfig(Section):
    """Where leadgate keeps its own rows."""

    url: SecretStr = SecretStr("sqlite:///leadgate.db")


class WaitConfig(Section):
    """When a lead's data is complete, and how long it may take."""

    require: list[str] = Field(min_length=1)
    deadline: Duration
    source_fresh_within: Duration | None = None


class Conditions(Section):
    """Lists of conditions: all must hold, at least one of any, none of none."""

    all: list[ConditionText] = Field([])
    any: list[ConditionText] = Field([])
    none: list[ConditionText] = Field([])

    @model_validator(mode="after")
    def _not_empty(self) -> "Conditions":
        if not (self.all or self.any or self.none):
            msg = "needs at least one condition under `all:`, `any:` or `none:`"
            raise ValueError(msg)
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

    @field_validator("rules")
    @classmethod
    def _names_are_unique(cls, rules: list[RuleConfig]) -> list[RuleConfig]:
        seen: dict[str, int] = {}
        for number, rule in enumerate(rules, 1):
            before = seen.setdefault(rule.name, number)
            if before != number:
                msg = f"rules {before} and {number} have one name: rename one, since reasons and counts go by the name"
                raise ValueError(msg)
        return rules


class DeliveryConfig(Section):
    """How updates and acts are sent, and what happens to acts of which nobody knows whether they were taken.

    A request is taken to be applied within `unknown_after`, or never; a taken act to have left quarantine within
    `queue_time` after that. `patience` is how long evidence is looked for before a person is asked. No act is sent
    while `in_doubt_at_most` leads are in doubt. Of LeadByte's words `messages` keeps those that are no values
    (`masked`), or the shapes of sentences alone (`withheld`).
    """

    mode: Literal["update_first", "combined", "separate"] = "update_first"
    attempts: int = Field(5, ge=1, le=100)
    lease: Duration = timedelta(minutes=5)
    unknown: Literal["probe", "review"] = "probe"
    unknown_after: Duration = timedelta(minutes=5)
    queue_time: Duration = timedelta(hours=1)
    patience: Duration = timedelta(hours=24)
    in_doubt_at_most: int = Field(200, ge=1)
    probe_with: dict[str, str] | None = Field(None, max_length=1)
    messages: Literal["masked", "withheld"] = "masked"

    @field_validator("queue_time")
    @classmethod
    def _a_day_at_most(cls, value: timedelta) -> timedelta:
        if value > timedelta(days=1):
            msg = "is longer than a day: write 24h at most"
            raise Unfit(msg)
        return value

    @property
    def proven_after(self) -> timedelta:
        """How old an act is when it has left quarantine, or was never taken."""
        return self.unknown_after + self.queue_time


class SafetyConfig(Section):
    """Brakes. `review_within` is how long a person may take over a review before it counts as overdue."""

    max_rejects_per_run: int = Field(1000, ge=0)
    review_within: Duration | None = None


class ReportConfig(Section):
    """Where the flow maintain-ledger keeps the page of `leadgate report`, and where people open it."""

    path: str
    url: str | None = Field(None, pattern=r"^https?://\S+$")


class PipelineConfig(Section):
    """A whole pipeline file."""

    _variables: dict[str, str] = PrivateAttr(default_factory=dict)
    pipeline: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
    leadbyte: LeadByteConfig
    source: SourceConfig
    ledger: LedgerConfig = LedgerConfig()
    wait: WaitConfig
    update: dict[str, str] = Field({})
    policy: PolicyConfig
    examples: list[ExampleConfig] = Field([])
    delivery: DeliveryConfig = DeliveryConfig()
    safety: SafetyConfig = SafetyConfig()
    report: ReportConfig | None = None

    def note_variables(self, values: Mapping[str, str]) -> None:
        """Note the names of the variables that the file was filled in from, by what they hold."""
        self._variables = dict(values)

    def without_values(self, text: str) -> str:
        """Write `${NAME}` in place of what a variable holds: it may be a secret that stands in a wrong place."""
        return hide_values(text, self._variables)

    @field_validator("update")
    @classmethod
    def _fields_have_a_shape(cls, update: dict[str, str]) -> dict[str, str]:
        for name in update:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name):
                msg = f"{name!r} cannot be a LeadByte field: letters, digits and _ only, such as phone1 or data13"
                raise ValueError(msg)
        return update

    @model_validator(mode="after")
    def _an_answer_comes_before_it_is_missed(self) -> "PipelineConfig":
        # A probe must not overtake the act it asks about, nor another run a request that is under way.
        longest = longest_exchange(self.leadbyte.timeout)
        follows = {}
        for name in ("unknown_after", "lease"):
            if getattr(self.delivery, name) >= longest:
                continue
            if name in self.delivery.model_fields_set:
                msg = (
                    f"delivery.{name}: must be {longest.total_seconds():.0f}s at least, the longest that a request "
                    f"may be under way with leadbyte.timeout: {self.leadbyte.timeout.total_seconds():.0f}s"
                )
                raise ValueError(msg)
            follows[name] = longest
        if follows:
            self.__dict__["delivery"] = self.delivery.model_copy(update=follows)
        return self

    @model_validator(mode="after")
    def _patience_lasts_until_there_is_evidence(self) -> "PipelineConfig":
        if self.delivery.patience < self.delivery.proven_after:
            msg = (
                "delivery.patience: must be unknown_after and queue_time together at least "
                f"({self.delivery.proven_after}): there is no evidence before"
            )
            raise ValueError(msg)
        return self
