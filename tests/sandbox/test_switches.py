"""How switches are written and when they strike, without a server."""

from datetime import timedelta

import pytest

from leadgate.errors import ConfigError
from leadgate.sandbox import FaultName, Faults, Switch, read_span


def strikes(faults: Faults, fault: FaultName, ids: tuple[str, ...] = ("1",), times: int = 100) -> list[bool]:
    """Whether the fault strikes, that many times in a row."""
    return [faults.fires(fault, ids, []) for _ in range(times)]


def test_a_probability_strikes_about_as_often_as_it_says() -> None:
    """Over a thousand requests 0.2 strikes near 200 times."""
    assert 150 < sum(strikes(Faults({"drop-after": 0.2}), FaultName.DROP_AFTER, times=1000)) < 250


def test_the_same_seed_gives_the_same_faults_whatever_else_is_on() -> None:
    """Another switch, drawn in between, does not shift the chances of this one."""
    alone, beside, other = Faults({"429": 0.5}, 7), Faults({"429": 0.5, "503": 0.5}, 7), Faults({"429": 0.5}, 8)
    expected = strikes(alone, FaultName.TOO_MANY)
    got = []
    for _ in range(100):
        beside.fires(FaultName.UNAVAILABLE, ("1",), [])
        got += strikes(beside, FaultName.TOO_MANY, times=1)
    assert got == expected
    assert strikes(other, FaultName.TOO_MANY) != expected


@pytest.mark.parametrize("written", [2, "2", {"count": 2}, '{"count": 2}', Switch(count=2)])
def test_a_count_strikes_that_often(written: object) -> None:
    """A whole number, in text or not, is how often."""
    assert strikes(Faults({"429": written}), FaultName.TOO_MANY, times=4) == [True, True, False, False]


@pytest.mark.parametrize("written", ["lead:1, 2", [1, 2], {"1", "2"}, {"leads": ["1", 2]}])
def test_leads_strike_where_one_of_them_is_concerned(written: object) -> None:
    """Ids may be text or numbers; any one in the request is enough."""
    faults = Faults({"429": written})
    assert strikes(faults, FaultName.TOO_MANY, ("3", "2"), 1) == [True]
    assert strikes(faults, FaultName.TOO_MANY, ("3",), 1) == [False]


@pytest.mark.parametrize("written", ["always", True, 1.0, "1.0", {"probability": 1}])
def test_always_strikes_every_time(written: object) -> None:
    """1.0 is a probability, not a count."""
    assert all(strikes(Faults({"429": written}), FaultName.TOO_MANY))


@pytest.mark.parametrize("written", ["off", None, False, 0, 0.0, "0"])
def test_off_never_strikes(written: object) -> None:
    """Every way to say never."""
    assert not any(strikes(Faults({"429": written}), FaultName.TOO_MANY))


def test_an_object_strikes_when_all_it_says_holds() -> None:
    """A count is spent only where the leads match."""
    faults = Faults({"429": {"count": 1, "leads": ["1"]}})
    assert strikes(faults, FaultName.TOO_MANY, ("2",), 3) == [False] * 3
    assert strikes(faults, FaultName.TOO_MANY, ("1",), 2) == [True, False]


@pytest.mark.parametrize("written", [1.5, -1, -0.1, "often", "5%", {"chance": 1}, {"probability": 2}, {"count": 0.5}])
def test_anything_else_is_an_error_that_names_the_switch(written: object) -> None:
    """The message says which switch and how to write one."""
    with pytest.raises(ConfigError, match=r"fault 429: .* is not a switch: write a probability"):
        Faults({"429": written})


def test_a_misspelt_switch_is_an_error_with_a_suggestion() -> None:
    """The nearest name is suggested; one that resembles none gets the list."""
    with pytest.raises(ConfigError, match="did you mean drop-after"):
        Faults({"drop-aftr": 1})
    with pytest.raises(ConfigError, match=r"known here: slow, .*permission"):
        Faults({"zzz": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("5xx-status", 404),
        ("retry-after-as", "hours"),
        ("slow-for", "soon"),
        ("permission", "root"),
        ("refuse-for", -1),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(name: str, value: object) -> None:
    """Settings are checked as switches are."""
    with pytest.raises(ConfigError, match=f"fault {name}: "):
        Faults({name: value})


def test_a_change_is_all_or_nothing_and_leaves_the_rest() -> None:
    """One wrong name changes nothing; a right change leaves the others; None switches one off."""
    faults = Faults({"429": 1, "slow": 0.5})
    before = faults.as_dict()
    with pytest.raises(ConfigError):
        faults.change({"503": 1, "nonsense": 1})
    assert faults.as_dict() == before
    faults.change({"429": None, "slow-for": 3})
    del before["429"]
    assert faults.as_dict() == before | {"slow-for": 3.0}


def test_a_reset_gives_back_spent_counts_and_the_same_chances() -> None:
    """After a reset the faults strike as they did at the start."""
    faults = Faults({"429": 2, "503": 0.5})
    first = strikes(faults, FaultName.TOO_MANY) + strikes(faults, FaultName.UNAVAILABLE)
    faults.change({"drop-after": 1})
    faults.reset()
    assert strikes(faults, FaultName.TOO_MANY) + strikes(faults, FaultName.UNAVAILABLE) == first
    assert "drop-after" not in faults.as_dict()


@pytest.mark.parametrize(
    ("written", "seconds"), [(2, 2), (0.25, 0.25), ("0.25", 0.25), ("250ms", 0.25), ("15m", 900), (timedelta(0), 0)]
)
def test_a_span_can_be_written_in_several_ways(written: object, seconds: float) -> None:
    """Seconds as a number or text, milliseconds, or a duration of the pipeline file."""
    assert read_span(written) == timedelta(seconds=seconds)
