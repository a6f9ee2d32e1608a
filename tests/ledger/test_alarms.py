"""Alarms: each begins once and ends once, however many runs find it."""

from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from leadgate.ledger import Ledger
from leadgate.ledger.alarms import Alarm, Raised, clear_alarm, raise_alarm, read_alarms
from tests.ledger.steps import NOW
from tests.ledger.together import together


def test_an_alarm_is_news_once_until_it_is_over(ledger: Ledger, engine: Engine) -> None:
    """The second run that finds it keeps the first one's instant, and ending what is not raised is no news."""
    raise_it = partial(raise_alarm, ledger, Alarm.LEADBYTE)
    assert [raise_it(now=NOW), raise_it(now=NOW + timedelta(minutes=5))] == [True, False]
    other = Ledger(engine, pipeline="another", owner="first")
    assert raise_alarm(other, Alarm.LEADBYTE, now=NOW), "pipelines have alarms of their own"
    assert read_alarms(ledger) == [Raised("leadbyte", NOW)]
    assert [clear_alarm(ledger, Alarm.LEADBYTE) for _ in range(2)] == [True, False]
    assert read_alarms(ledger) == []
    assert raise_it(now=NOW), "what comes back is news again"


def test_of_runs_that_find_it_at_once_one_tells(ledger: Ledger) -> None:
    """So it is when it is over."""
    runs = 4
    raised = together(*[partial(raise_alarm, ledger, Alarm.REVIEWS, now=NOW)] * runs)
    assert sorted(raised) == [False] * (runs - 1) + [True]
    cleared = together(*[partial(clear_alarm, ledger, Alarm.REVIEWS)] * runs)
    assert sorted(cleared) == [False] * (runs - 1) + [True]


def test_what_nobody_hears_is_left_to_a_run_that_is_heard(ledger: Ledger) -> None:
    """A run at a keyboard, on a server of its own, finds it first, and later finds first that it is over."""
    alarm = Alarm.LEADBYTE
    assert not raise_alarm(ledger, alarm, now=NOW, is_heard=False)
    assert read_alarms(ledger) == [Raised("leadbyte", NOW)], "status shows it all the same"
    later = NOW + timedelta(minutes=5)
    assert raise_alarm(ledger, alarm, now=later)
    assert not raise_alarm(ledger, alarm, now=later)
    assert read_alarms(ledger) == [Raised("leadbyte", NOW)]
    assert not clear_alarm(ledger, alarm, is_heard=False)
    assert read_alarms(ledger) == [Raised("leadbyte", NOW)]
    assert clear_alarm(ledger, alarm)
    assert not raise_alarm(ledger, alarm, now=NOW, is_heard=False)
    assert not clear_alarm(ledger, alarm, is_heard=False)
    assert read_alarms(ledger) == []
