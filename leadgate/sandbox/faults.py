"""What can go wrong on purpose: the fault switches, how they are written, and when each of them fires.

Nothing here knows HTTP or the quarantine. docs/sandbox.md has a table of every switch; a test compares the two.
"""

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from leadgate.config import parse_duration
from leadgate.errors import ConfigError
from leadgate.suggest import suggest


class Permission(StrEnum):
    """What an API key may do."""

    FULL = "full"
    UPDATE_ONLY = "update-only"
    PROCESS_ONLY = "process-only"
    READ_ONLY = "read-only"

    @property
    def may_update(self) -> bool:
        """Whether the key has Leads > Update."""
        return self in {Permission.FULL, Permission.UPDATE_ONLY}

    @property
    def may_process(self) -> bool:
        """Whether the key has Quarantine > Process."""
        return self in {Permission.FULL, Permission.PROCESS_ONLY}


class FaultName(StrEnum):
    """The switches. `-before` applies nothing; `-after` applies everything and spoils the answer."""

    SLOW = "slow"
    SLOW_AFTER = "slow-after"
    REFUSE = "refuse"
    KEY_REFUSED = "401"
    TOO_MANY = "429"
    UNAVAILABLE = "503"
    ERROR_BEFORE = "5xx-before"
    ERROR_AFTER = "5xx-after"
    DROP_BEFORE = "drop-before"
    DROP_AFTER = "drop-after"
    NOT_JSON_BEFORE = "not-json-before"
    NOT_JSON_AFTER = "not-json-after"
    STATUS_ERROR = "status-error"
    POISON = "poison"
    MISSING_BEFORE = "missing-before"
    MISSING_AFTER = "missing-after"
    NOT_SUCCESS = "not-success"
    MOVED = "moved"
    MOVED_AFTER = "moved-after"
    RELEASE_REFUSED = "release-refused"
    RELEASE_ANYWAY = "release-anyway"
    RELEASE_UNSAID = "release-unsaid"


class RetryAfterForm(StrEnum):
    """How a Retry-After header is written; HTTP allows the first two."""

    SECONDS = "seconds"
    DATE = "date"
    NONE = "none"


@pydantic_dataclass(slots=True, config=ConfigDict(extra="forbid", coerce_numbers_to_str=True))
class Switch:
    """When a fault fires: where the lead is one of `leads`, by chance, at most `count` times. All given must hold."""

    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    count: Annotated[int, Field(ge=0)] | None = None
    leads: frozenset[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The switch as the control API shows it, with the count that is left."""
        shown = {"probability": self.probability, "count": self.count, "leads": sorted(self.leads or ()) or None}
        return {name: value for name, value in shown.items() if value is not None}


_LONGEST = 1e9
"""Seconds, which are thirty years."""


def read_span(value: object) -> timedelta:
    """Read seconds (2, 0.25, "0.25"), milliseconds ("250ms") or a duration of the pipeline file ("15m")."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST:
        return timedelta(seconds=value)
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms)?", value)):
        return timedelta(seconds=float(match[1]) / (1000 if match[2] else 1))
    return parse_duration(value)


def _shown_name(attribute: str) -> str:
    return attribute.replace("_", "-")


Span = Annotated[timedelta, BeforeValidator(read_span)]


class Settings(BaseModel):
    """What the switches use: spans, the status of `5xx-*`, and a permission that overrides every key's."""

    model_config = ConfigDict(frozen=True, alias_generator=_shown_name, ser_json_timedelta="float")

    slow_for: Span = timedelta(seconds=2)
    refuse_for: Span = timedelta(seconds=2)
    retry_after: Span = timedelta(seconds=1)
    retry_after_as: RetryAfterForm = RetryAfterForm.SECONDS
    error_status: Annotated[int, Field(ge=500, le=599, alias="5xx-status")] = 502
    permission: Annotated[Permission | None, BeforeValidator(lambda value: None if value == "off" else value)] = None

    def change(self, name: str, value: object) -> "Settings":
        """The same with another value for one; ValueError says what is wrong with it."""
        try:
            return Settings.model_validate(self.model_dump(by_alias=True) | {name: value})
        except ValidationError as error:
            text = error.errors()[0]["msg"]
            own = text.removeprefix("Value error, ")
            raise ValueError(own if own != text else f"{value!r}: {text}") from None


_SETTINGS = [field.alias or name for name, field in Settings.model_fields.items()]
SWITCH_NAMES = [*FaultName, *_SETTINGS]
"""Every name that `--fault` and POST /sandbox/faults accept."""


def read_switch(value: object) -> Switch | None:
    """Read a probability (0.05), a count (3), lead ids, or an object of these; None is off; ValueError says how."""
    if isinstance(value, str):
        value = _read_text(value)
    if value is None or value is False:
        return None
    parts: object = value
    if isinstance(value, Switch):
        parts = value.as_dict()
    elif value is True:
        parts = {}
    elif isinstance(value, int):
        parts = {"count": value}
    elif isinstance(value, float):
        parts = {"probability": value}
    elif isinstance(value, list | tuple | set | frozenset):
        parts = {"leads": value}
    try:
        return TypeAdapter(Switch).validate_python(parts)
    except ValidationError:
        raise ValueError(
            f"{value!r} is not a switch: write a probability (0.05), a count (3), lead:ID,ID, always or off"
        ) from None


def _read_text(text: str) -> object:
    """Turn what is written on a command line into what JSON would hold."""
    if text.startswith("lead:"):
        return [lead_id.strip() for lead_id in text.removeprefix("lead:").split(",")]
    try:
        return {"always": True, "off": None}[text] if text in {"always", "off"} else json.loads(text)
    except json.JSONDecodeError:
        return text


@dataclass
class Faults:
    """The switches that are on. The same seed and the same requests in the same order give the same faults."""

    switches: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        """Put every switch where it was at the start."""
        self.reset()

    def reset(self) -> None:
        """Forget every change since the start, spent counts and drawn chances included."""
        self.settings = Settings()
        self._on: dict[str, Switch] = {}
        # One generator a fault, so that switching one on does not shift the others.
        self._random = {fault: Random(f"{self.seed}:{fault}") for fault in FaultName}  # noqa: S311
        self.change(self.switches)

    def change(self, switches: Mapping[str, object]) -> None:
        """Set these switches and settings, and leave the others; all of them, or none where one is wrong."""
        on, settings, problems = dict(self._on), self.settings, []
        for name, value in switches.items():
            try:
                if name in _SETTINGS:
                    settings = settings.change(name, value)
                elif name in self._random:
                    switch = read_switch(value)
                    on.pop(name, None)
                    on |= {name: switch} if switch else {}
                else:
                    problems.append(f"fault {name}: there is no such switch; {suggest(name, SWITCH_NAMES)}")
            except (ValueError, TypeError) as error:
                problems.append(f"fault {name}: {error}")
        if problems:
            raise ConfigError(problems)
        self._on, self.settings = on, settings

    def fires(self, fault: FaultName, lead_ids: Iterable[str], fired: list[str]) -> bool:
        """Whether this fault strikes now, for a request about these leads; if so, it is noted in `fired`."""
        switch = self._on.get(fault)
        if switch is None or switch.count == 0:
            return False
        ids = list(lead_ids)
        if switch.leads is not None and switch.leads.isdisjoint(ids):
            return False
        if switch.probability < 1 and self._draw(fault, ids) >= switch.probability:
            return False
        if switch.count is not None:
            switch.count -= 1
        fired.append(fault.value)
        return True

    def __bool__(self) -> bool:
        """Whether any switch is on."""
        return bool(self._on)

    def as_dict(self) -> dict[str, Any]:
        """The switches that are on and every setting, as the control API shows them."""
        return {name: switch.as_dict() for name, switch in self._on.items()} | self.settings.model_dump(
            mode="json", by_alias=True
        )

    def _draw(self, fault: FaultName, lead_ids: list[str]) -> float:
        if fault is FaultName.POISON:
            # A poison lead stays one, or a batch could not be bisected down to it.
            return zlib.crc32(f"{self.seed}:{lead_ids[0]}".encode()) / 2**32
        return self._random[fault].random()
