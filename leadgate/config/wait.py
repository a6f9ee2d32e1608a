"""The shape of `wait:`: when a lead is complete, and how long that may take."""

from pydantic import Field

from leadgate.config.section import Duration, Section


class WaitConfig(Section):
    """When a lead's data is complete, and how long it may take."""

    require: list[str] = Field(min_length=1)
    deadline: Duration
    source_fresh_within: Duration | None = None
