"""The shape of `schedule:`: when release-leads runs on a server, in place of every 5 minutes."""

from datetime import timedelta

from cronsim import CronSim, CronSimError
from pydantic import field_validator, model_validator

from leadgate.clock import utc_now
from leadgate.config.section import Duration, Section, Unfit
from leadgate.config.zone import checked_zone

_SHORTEST = timedelta(seconds=10)
_LONGEST = timedelta(days=7)
_FIELDS = "write five fields: minute, hour, day, month and day of the week, such as */5 8-18 * * 1-5"


class ScheduleConfig(Section):
    """When the deployment release-leads runs by the clock: `every` so long, or by `cron` in a time zone."""

    every: Duration | None = None
    cron: str | None = None
    time_zone: str = "UTC"

    _is_a_zone = field_validator("time_zone")(checked_zone)

    @field_validator("every")
    @classmethod
    def _is_bearable(cls, every: timedelta | None) -> timedelta | None:
        if every is not None and not _SHORTEST <= every <= _LONGEST:
            raise ValueError("must be 10s to 7d: a run takes seconds to start, and leads should not wait for weeks")
        return every

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, cron: str | None) -> str | None:
        if cron is None:
            return None
        text = " ".join(cron.split())
        try:
            CronSim(text, utc_now())
        except CronSimError as error:
            raise Unfit(f"is no cron expression ({str(error).lower()}): {_FIELDS}") from None
        return text

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "ScheduleConfig":
        if (self.every is None) == (self.cron is None):
            how_many = "neither `every` nor `cron` is" if self.every is None else "`every` and `cron` are both"
            raise ValueError(
                f"{how_many} given: write one of them, such as {{every: 5m}} or {{cron: '*/5 8-18 * * 1-5'}}"
            )
        if self.every is not None and "time_zone" in self.model_fields_set:
            raise ValueError("`time_zone` goes with `cron`, not with `every`: leave it out")
        return self
