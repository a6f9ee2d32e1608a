"""Alarms: each begins once and ends once, however many runs find it."""

from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from leadgate.ledger.alarms import Alarm, Raised, clear_alarm, raise_alarm, read_alarms
from tests.ledger.steps import NOW, PIPELINE
from tests.ledger.together import together


def test_an_alarm_is_news_once_until_it_is_over(engine: Engine) -> None:
    """The second run that finds it keeps the first one's instant, and ending what is not raised is no news."""
    raise_it = partial(raise_alarm, engine, PIPELINE, Alarm.LEADBYTE)
    assert [raise_it(now=NOW), raise_it(now=NOW + timedelta(minutes=5))] == [True, False]
    assert raise_alarm(engine, "another", Alarm.LEADBYTE, now=NOW), "pipelines have alarms of their own"
    assert read_alarms(engine, PIPELINE) == [Raised("leadbyte", NOW)]
    assert [clear_alarm(engine, PIPELINE, Alarm.LEADBYTE) for _ in range(2)] == [True, False]
    assert read_alarms(engine, PIPELINE) == []
    assert raise_it(now=NOW), "what comes back is news again"


def test_of_runs_that_find_it_at_once_one_tells(engine: Engine) -> None:
    """So it is when it is over."""
    runs = 4
    raised = together(*[partial(raise_alarm, engine, PIPELINE, Alarm.REVIEWS, now=NOW)] * runs)
    assert sorted(raised) == [False] * (runs - 1) + [True]
    cleared = together(*[partial(clear_alarm, engine, PIPELINE, Alarm.REVIEWS)] * runs)
    assert sorted(cleared) == [False] * (runs - 1) + [True]
