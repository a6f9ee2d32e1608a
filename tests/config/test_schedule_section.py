"""`schedule:` in the pipeline file: what stands there, and what each fault is told."""

import pytest
from prefect.client.schemas.schedules import CronSchedule

from leadgate.config.load import parse_config
from leadgate.errors import ConfigError
from tests.support.pipelines import PIPELINE

FILE = PIPELINE.format(leadbyte="http://127.0.0.1:9", key="k", source="sqlite:///s.db", ledger="sqlite:///l.db")
ONE_OF_THEM = "write one of them, such as {every: 5m} or {cron: '*/5 8-18 * * 1-5'}"
FIVE = "write five fields: minute, hour, day, month and day of the week, such as */5 8-18 * * 1-5"
FAULTS = {
    "{}": f"schedule: neither `every` nor `cron` is given: {ONE_OF_THEM}",
    "{every: 5m, cron: '0 * * * *'}": f"schedule: `every` and `cron` are both given: {ONE_OF_THEM}",
    "{every: 5s}": (
        "schedule.every: must be 10s to 7d: a run takes seconds to start, and leads should not wait for weeks"
    ),
    "{every: 5m, time_zone: Europe/London}": "schedule: `time_zone` goes with `cron`, not with `every`: leave it out",
    "{cron: '* * * *'}": f"schedule.cron: '* * * *' is no cron expression (wrong number of fields): {FIVE}",
    "{cron: '@daily'}": f"schedule.cron: '@daily' is no cron expression (wrong number of fields): {FIVE}",
    "{cron: '60 * * * *'}": f"schedule.cron: '60 * * * *' is no cron expression (bad minute): {FIVE}",
    "{cron: '0 8 * * sun-day'}": f"schedule.cron: '0 8 * * sun-day' is no cron expression (bad day-of-week): {FIVE}",
    "{cron: '*/0 * * * *'}": f"schedule.cron: '*/0 * * * *' is no cron expression (bad minute): {FIVE}",
    "{cron: '0 18-8 * * *'}": f"schedule.cron: '0 18-8 * * *' is no cron expression (bad hour): {FIVE}",
    "{cron: '0 0 30 feb *'}": f"schedule.cron: '0 0 30 feb *' is no cron expression (bad day-of-month): {FIVE}",
    "{cron: '0 8 * * *', time_zone: London}": (
        "schedule.time_zone: 'London' is no time zone: write a name such as UTC, Europe/London or America/New_York"
    ),
    "{evry: 5m}": "schedule.evry: there is no such key; did you mean every?",
}


@pytest.mark.parametrize("section", FAULTS)
def test_each_fault_is_told_at_its_place(section: str) -> None:
    """With what to write; nothing else is said."""
    with pytest.raises(ConfigError) as error:
        parse_config(f"{FILE}schedule: {section}\n", "file", {})
    assert error.value.problems == [f"file: {FAULTS[section]}"]


@pytest.mark.parametrize(
    "cron", ["*/5 8-18 * * 1-5", "0 8,12-14/2 1 jan,JUL mon-fri", "5/10 * 29 2 *", "0 0 31 feb mon", "0 0 * * 0-7"]
)
def test_what_the_file_takes_the_server_takes(cron: str) -> None:
    """Prefect checks it once more, after apply has begun to write."""
    schedule = parse_config(f"{FILE}schedule: {{cron: '{cron}', time_zone: Europe/London}}\n", "file", {}).schedule
    assert schedule
    assert CronSchedule(cron=schedule.cron or "", timezone=schedule.time_zone).cron == cron
