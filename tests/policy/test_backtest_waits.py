"""Another wait, tried on past leads: what follows from when they were seen complete, and what nobody can tell."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from leadgate.backtest.verdicts import Evidence
from leadgate.backtest.waits import Rewait, WaitChange
from leadgate.config import WaitConfig
from leadgate.ledger.past_decisions import PastLead
from leadgate.ledger.source_health import Standstill
from leadgate.model import Columns, ColumnType, Enrichment, fingerprint
from leadgate.waits import Watch
from leadgate.waits.clock import DeadlineClock
from tests.policy.conftest import NOW

START = NOW - timedelta(days=10)
COLUMNS = Columns(lead={}, enrichment=dict.fromkeys(("postcode", "mobile"), ColumnType.STRING))


def waits(require: list[str], hours: float = 24, **more: Any) -> WaitConfig:  # noqa: ANN401
    """A wait for these columns."""
    return WaitConfig.model_validate({"require": require, "deadline": timedelta(hours=hours), **more})


ROW = {"postcode": "N1", "mobile": None}


def at(hours: float) -> datetime:
    """An instant after the lead was put into quarantine."""
    return START + timedelta(hours=hours)


def lead(
    *, arrived: float | None = None, row: dict[str, Any] | None = None, seen: bool = True, updated: float | None = None
) -> Evidence:
    """A lead seen complete after so many hours, or decided late after 24; `seen`: its row is the one of then."""
    late = arrived is None
    past = PastLead(
        lead_id="7",
        quarantined_at=START,
        arrived_at=None if arrived is None else at(arrived),
        data_hash=(fingerprint(row) if row else None) if seen else "another",
        decided_at=at(24 if arrived is None else arrived),
        policy_version="v1",
        capped=False,
        verdict="process",
        rule=None,
        late=late,
        facts={},
    )
    enrichment = Enrichment("7", None if updated is None else at(updated), row) if row else None
    return Evidence(past, None, enrichment, fingerprint(enrichment.columns) if enrichment else None)


def rewait(
    evidence: Evidence,
    *,
    standstills: list[Standstill] | None = None,
    old: list[str] | None = None,
    **wait: Any,  # noqa: ANN401
) -> WaitChange:
    """What another wait makes of one lead; before, it was a day for the columns `old`."""
    new = waits(wait.get("require", ["postcode"]), wait.get("deadline", 24))
    watch = Watch(DeadlineClock(standstills or [], NOW), NOW.timestamp(), sees_later=True)
    counting = Rewait(waits(old or ["postcode"]), new, COLUMNS, watch, NOW)
    counting.add(evidence)
    return counting.change


_SPANS = ("sooner", "later")


def counts(change: WaitChange) -> dict[str, Any]:
    """What is not zero."""
    names = (
        *("late_before", "newly_late", "no_longer_late", "sooner", "later"),
        *("sooner_unmeasured", "later_unmeasured", "open"),
    )
    found = {name: value for name in names if (value := getattr(change, name))}
    spans = {name: [timedelta(seconds=each) for each in value] for name, value in found.items() if name in _SPANS}
    return found | spans


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (lead(arrived=3, row=ROW), {}),
        (lead(arrived=12, row=ROW), {}),
        # It goes at the deadline, without its data.
        (lead(arrived=20, row=ROW), {"newly_late": 1, "sooner": [timedelta(hours=8)]}),
        # Seen after 20 hours, but it had been there: a run would not have found it late.
        (lead(arrived=20, row=ROW, updated=3), {}),
        (lead(), {"late_before": 1, "sooner": [timedelta(hours=12)]}),
    ],
)
def test_a_shorter_deadline(evidence: Evidence, expected: dict[str, Any]) -> None:
    """Twelve hours in place of twenty-four."""
    assert counts(rewait(evidence, deadline=12)) == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (lead(arrived=20, row=ROW), {}),
        # To this day nothing has come.
        (lead(), {"late_before": 1, "later": [timedelta(hours=24)]}),
        (lead(row={"postcode": None}), {"late_before": 1, "later": [timedelta(hours=24)]}),
        # It has come since, in time or too late by its own stamp.
        (
            lead(row=ROW, seen=False, updated=30),
            {"late_before": 1, "no_longer_late": 1, "later_unmeasured": 1},
        ),
        (lead(row=ROW, seen=False, updated=60), {"late_before": 1, "open": 1}),
        # A row without a stamp, and one that is gone, tell nothing.
        (lead(row=ROW, seen=False), {"late_before": 1, "open": 1}),
        (lead(seen=False), {"late_before": 1, "open": 1}),
    ],
)
def test_a_longer_deadline(evidence: Evidence, expected: dict[str, Any]) -> None:
    """Forty-eight hours in place of twenty-four."""
    assert counts(rewait(evidence, deadline=48)) == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        # Complete when it was decided: at what hour the mobile came is not known, but by then.
        (lead(arrived=3, row=ROW | {"mobile": "07"}), {"later_unmeasured": 1}),
        (lead(arrived=3, row=ROW), {"newly_late": 1, "later": [timedelta(hours=21)]}),
        (lead(arrived=3, row=ROW | {"mobile": "07"}, seen=False), {"open": 1}),
        (lead(), {"late_before": 1}),
    ],
)
def test_a_column_more(evidence: Evidence, expected: dict[str, Any]) -> None:
    """The mobile is required too."""
    assert counts(rewait(evidence, require=["postcode", "mobile"])) == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (lead(arrived=3, row=ROW | {"mobile": "07"}), {"sooner_unmeasured": 1}),
        (
            lead(row={"postcode": None, "mobile": "07"}, updated=5),
            {"late_before": 1, "no_longer_late": 1, "sooner_unmeasured": 1},
        ),
        (lead(row={"postcode": "N1", "mobile": None}), {"late_before": 1}),
    ],
)
def test_a_column_less(evidence: Evidence, expected: dict[str, Any]) -> None:
    """The postcode and the mobile were required; the mobile alone would do."""
    assert counts(rewait(evidence, old=["postcode", "mobile"], require=["mobile"])) == expected


def test_a_deadline_that_has_not_come_yet_leaves_it_open() -> None:
    """A lead that would wait to this day is neither late nor in time."""
    assert counts(rewait(lead(), deadline=24 * 30)) == {"late_before": 1, "open": 1}


def test_outages_stop_the_clock_here_too() -> None:
    """Twelve hours end after sixteen where the source was down for four of them, and not before one that lasts."""
    assert counts(rewait(lead(arrived=10, row=ROW), deadline=12, standstills=[Standstill(at(-5), at(-4))])) == {}
    down = Standstill(at(2), at(6))
    assert counts(rewait(lead(arrived=15, row=ROW), deadline=12, standstills=[down])) == {}
    assert counts(rewait(lead(arrived=17, row=ROW), deadline=12, standstills=[down])) == {
        "newly_late": 1,
        "sooner": [timedelta(hours=1)],
    }
    assert counts(rewait(lead(arrived=15, row=ROW), deadline=12, standstills=[Standstill(at(13), None)])) == {
        "newly_late": 1,
        "sooner": [timedelta(hours=3)],
    }
    assert counts(rewait(lead(arrived=15, row=ROW), deadline=12, standstills=[Standstill(at(11), None)])) == {}


def test_a_lead_quarantined_on_the_last_day_is_never_late() -> None:
    """Databases write "never" so."""
    evidence = lead(arrived=3, row=ROW)
    last = datetime.max.replace(tzinfo=NOW.tzinfo)
    past = {name: getattr(evidence.past, name) for name in PastLead.__slots__} | {"quarantined_at": last}
    assert counts(rewait(Evidence(PastLead(**past), None, evidence.enrichment, evidence.data_hash), deadline=12)) == {}
