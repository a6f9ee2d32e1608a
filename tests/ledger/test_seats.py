"""The two seats of a pipeline: however many runs begin at once, one works and one waits."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine

from leadgate.ledger import Ledger
from leadgate.ledger.seats import LEASES, Seat, keep_seat, leave_seat, take_seat
from tests.ledger.steps import NOW, PIPELINE
from tests.ledger.together import together

SECOND = timedelta(seconds=1)
AFTER_WORK = NOW + LEASES[Seat.AT_WORK] + SECOND


def run(engine: Engine, owner: str, pipeline: str = PIPELINE) -> Ledger:
    """The ledger as one more run sees it."""
    return Ledger(engine, pipeline=pipeline, owner=owner)


def test_of_many_at_once_one_works_and_one_is_to_come(engine: Engine) -> None:
    """The others find both seats taken; another pipeline has seats of its own."""
    runs = [run(engine, f"run-{number}") for number in range(8)]
    found = Counter(together(*(lambda each=each: take_seat(each, now=NOW) for each in runs)))
    assert found == {Seat.AT_WORK: 1, Seat.TO_COME: 1, None: 6}
    assert take_seat(run(engine, "else", "other"), now=NOW) is Seat.AT_WORK


def test_who_is_to_come_works_when_the_seat_is_free(engine: Engine) -> None:
    """And nobody who begins later goes before it."""
    first, second, third = (run(engine, owner) for owner in ("first", "second", "third"))
    assert [take_seat(each, now=NOW) for each in (first, second, third)] == [Seat.AT_WORK, Seat.TO_COME, None]
    leave_seat(first)
    assert take_seat(third, now=NOW) is None
    assert take_seat(second, now=NOW) is Seat.AT_WORK
    assert take_seat(third, now=NOW) is Seat.TO_COME


def test_a_killed_run_keeps_its_seat_for_its_lease_alone(engine: Engine) -> None:
    """One that lives renews it; what another run has taken is not taken back."""
    first, second = run(engine, "first"), run(engine, "second")
    assert take_seat(first, now=NOW) is Seat.AT_WORK
    keep_seat(first, now=NOW + LEASES[Seat.AT_WORK] - SECOND)
    assert take_seat(second, now=AFTER_WORK) is Seat.TO_COME
    late = AFTER_WORK + LEASES[Seat.AT_WORK]
    assert take_seat(second, now=late) is Seat.AT_WORK
    keep_seat(first, now=late)
    leave_seat(first)
    assert take_seat(run(engine, "third"), now=late) is Seat.TO_COME


def test_one_that_was_to_come_and_is_gone_blocks_nobody(engine: Engine) -> None:
    """For longer than the lease of that seat."""
    first, second, third = (run(engine, owner) for owner in ("first", "second", "third"))
    assert [take_seat(each, now=NOW) for each in (first, second)] == [Seat.AT_WORK, Seat.TO_COME]
    later = NOW + LEASES[Seat.TO_COME] + SECOND
    keep_seat(first, now=later)
    assert take_seat(third, now=later) is Seat.TO_COME
    assert take_seat(second, now=later) is None


def test_a_lease_of_a_clock_that_was_ahead_is_over(engine: Engine) -> None:
    """Nobody knows how long it would last."""
    assert take_seat(run(engine, "ahead"), now=NOW + timedelta(days=1)) is Seat.AT_WORK
    assert take_seat(run(engine, "next"), now=NOW) is Seat.AT_WORK
