"""The shape of `delivery:`: how updates and acts are sent."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from leadgate.config.section import Duration, Section, Unfit


class DeliveryConfig(Section):
    """How updates and acts are sent, and what happens to acts of which nobody knows whether they were taken.

    A request is taken to be applied within `unknown_after`, or never; a taken act to have left quarantine within
    `queue_time` after that. `patience` is how long evidence is looked for before a person is asked. No act is sent
    while `in_doubt_at_most` leads are in doubt. Of LeadByte's words `messages` keeps those that are no values
    (`masked`), or the shapes of sentences alone (`withheld`). With `observe` leads are decided and recorded,
    and nothing at all is sent.
    """

    mode: Literal["update_first", "combined", "separate"] = "update_first"
    attempts: int = Field(5, ge=1, le=100)
    lease: Duration = timedelta(minutes=5)
    unknown: Literal["probe", "review"] = "probe"
    unknown_after: Duration = timedelta(minutes=5)
    queue_time: Duration = timedelta(hours=1)
    patience: Duration = timedelta(hours=24)
    in_doubt_at_most: int = Field(200, ge=1)
    messages: Literal["masked", "withheld"] = "masked"
    observe: bool = False

    @field_validator("queue_time")
    @classmethod
    def _a_day_at_most(cls, value: timedelta) -> timedelta:
        if value > timedelta(days=1):
            raise Unfit("is longer than a day: write 24h at most")
        return value

    @property
    def proven_after(self) -> timedelta:
        """How old an act is when it has left quarantine, or was never taken."""
        return self.unknown_after + self.queue_time
