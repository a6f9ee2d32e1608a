"""`schedule:` in the pipeline file: what stands there, and what each fault is told."""

import pytest
from prefect.client.schemas.schedules import CronSchedule

from leadgate.config.load import parse_config
from leadgate.errors import ConfigError
from tests.support.pipelines import PIPELINE

FILE = PIPELINE.format(leadbyte="http://127.0.0.1:9", key="k", source="sqlite:///s.db", ledger="sqlite:///l.db")
ONE_OF_THEM = "write one of them, such as {every: 5m} or {cron: '*/5 8-18 * * 1-5'}"
FIVE = "has not five fields: minute, hour, day, month and day of the week, such as */5 8-18 * * 1-5"
FAULTS = {
    "{}": f"schedule: neither `every` nor `cron` is given: {ONE_OF_THEM}",
    "{every: 5m, cron: '0 * * * *'}": f"schedule: `every` and `cron` are both given: {ONE_OF_THEM}",
    "{every: 5s}": (
        "schedule.every: must be 10s to 7d: a run takes seconds to start, and leads should not wait for weeks"
    ),
    "{every: 5m, time_zone: Europe/London}": "schedule: `time_zone` goes with `cron`, not with `every`: leave it out",
    "{cron: '* * * *'}": f"schedule.cron: '* * * *' {FIVE}",
    "{cron: '@daily'}": f"schedule.cron: '@daily' {FIVE}",
    "{cron: '60 * * * *'}": (
        "schedule.cron: '60 * * * *' has a wrong minute: write *, or 0 to 59, with , - and / between"
    ),
    "{cron: '0 8 * * mon-sunday'}": (
        "schedule.cron: '0 8 * * mon-sunday' has a wrong day of the week: write *, or 0 to 7 or sun to sat, with , - "
        "and / between"
    ),
    "{cron: '*/0 * * * *'}": (
        "schedule.cron: '*/0 * * * *' has a wrong minute: write *, or 0 to 59, with , - and / between"
    ),
    "{cron: '0 18-8 * * *'}": (
        "schedule.cron: '0 18-8 * * *' has a wrong hour: write *, or 0 to 23, with , - and / between"
    ),
    "{cron: '0 0 30 feb *'}": (
        "schedule.cron: '0 0 30 feb *' names a day that its months do not have: no run would ever begin"
    ),
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
