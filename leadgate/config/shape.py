"""The pipeline file's shape and defaults: one class a section.

Only text is checked here. Whether tables, columns and rules fit the real source is checked where those are known.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from leadgate.config.delivery import DeliveryConfig
from leadgate.config.example import ExampleConfig
from leadgate.config.leadbyte import check_base_url, checked_key, longest_exchange
from leadgate.config.policy import PolicyConfig
from leadgate.config.review import ReviewConfig
from leadgate.config.safety import SafetyConfig
from leadgate.config.schedule import ScheduleConfig
from leadgate.config.section import Block, Duration, Section, Unfit
from leadgate.config.sentences import SentencesConfig
from leadgate.config.source import SourceConfig
from leadgate.config.update import UpdateConfig
from leadgate.config.variables import hide_values
from leadgate.config.wait import WaitConfig


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
            raise PydanticCustomError("missing", "is missing")
        if "${" in value and not _needs_secrets(info):
            return value  # a variable that is not set here
        check_base_url(value, insecure_http=info.data.get("insecure_http", False))
        return value.rstrip("/").removesuffix("/restapi/v1.3")

    @field_validator("api_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | Block, info: ValidationInfo) -> SecretStr | Block:
        if isinstance(value, Block) or not _needs_secrets(info):
            return value
        return SecretStr(checked_key(value.get_secret_value()))


def _needs_secrets(info: ValidationInfo) -> bool:
    """Whether what a file is read for needs LeadByte's key."""
    return not info.context or info.context["needs_secrets"]


_SHORTEST_KEEP = timedelta(days=30)


class LedgerConfig(Section):
    """Where leadgate keeps its own rows, and for how long those of settled leads; without `keep`, for ever."""

    url: SecretStr = SecretStr("sqlite:///leadgate.db")
    keep: Duration | None = None

    @field_validator("keep")
    @classmethod
    def _a_month_at_least(cls, value: timedelta | None) -> timedelta | None:
        # Budgets and evidence look back a week at most.
        if value is not None and value < _SHORTEST_KEEP:
            raise Unfit("is shorter than 30 days: write 30d at least, such as 400d")
        return value


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
    update: UpdateConfig = Field({})
    policy: PolicyConfig
    examples: list[ExampleConfig] = Field([])
    delivery: DeliveryConfig = DeliveryConfig()
    review: ReviewConfig = ReviewConfig()
    safety: SafetyConfig = SafetyConfig()
    report: ReportConfig | None = None
    schedule: ScheduleConfig | None = None

    def note_variables(self, values: Mapping[str, str]) -> None:
        """Note the names of the variables that the file was filled in from, by what they hold."""
        self._variables = dict(values)

    def without_values(self, text: str) -> str:
        """Write `${NAME}` in place of what a variable holds: it may be a secret that stands in a wrong place."""
        return hide_values(text, self._variables)

    @field_validator("update")
    @classmethod
    def _fields_have_a_shape(cls, update: UpdateConfig) -> UpdateConfig:
        for name in update:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name):
                raise ValueError(
                    f"{name!r} cannot be a LeadByte field: a letter, then letters, digits and _ only, such as phone1"
                )
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
                raise ValueError(
                    f"delivery.{name}: must be {longest.total_seconds():.0f}s at least, the longest that a request "
                    f"may be under way with leadbyte.timeout: {self.leadbyte.timeout.total_seconds():.0f}s"
                )
            follows[name] = longest
        if follows:
            self.__dict__["delivery"] = self.delivery.model_copy(update=follows)
        return self

    @model_validator(mode="after")
    def _patience_lasts_until_there_is_evidence(self) -> "PipelineConfig":
        if self.delivery.patience < self.delivery.proven_after:
            raise ValueError(
                "delivery.patience: must be unknown_after and queue_time together at least "
                f"({self.delivery.proven_after}): there is no evidence before"
            )
        return self

    @model_validator(mode="after")
    def _evidence_is_kept(self) -> "PipelineConfig":
        longest = self.delivery.proven_after + self.delivery.patience
        if self.ledger.keep is not None and self.ledger.keep <= longest:
            raise ValueError(
                "ledger.keep: must be longer than delivery.unknown_after, queue_time and patience "
                f"together ({longest}): "
                "settled leads are evidence for those in doubt"
            )
        return self
