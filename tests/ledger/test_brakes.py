"""The brake of an account: after an act in doubt the next one goes alone, and beyond so many in doubt none goes."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine

from leadgate.ledger import Ledger, brakes, claims, sending
from leadgate.ledger.brakes import Admitted, Brake, read_brake
from leadgate.ledger.sending import Intended
from leadgate.model import Attempt, Outcome, RequestKind, Result, State
from tests.ledger.steps import (
    AFTER_LEASE,
    LEASE,
    NOW,
    PIPELINE,
    UNKNOWN_AFTER,
    attempt,
    entry,
    make_ready,
    outcome,
    rescue,
    states,
    taken,
)
from tests.ledger.together import together

MINUTE = timedelta(minutes=1)


def wave(ledger: Ledger, *ids: str, now: datetime = NOW, kind: RequestKind = RequestKind.ACT) -> list[Attempt]:
    """Claim leads that are to be acted on."""
    make_ready(ledger, *ids, now=now)
    found = claims.claim(ledger, limit=1000, lease=LEASE, now=now)
    return [attempt(held, kind, request=f"r{held.token}") for held in found if held.lead_id in ids]


def ask(ledger: Ledger, acts: list[Attempt], *, now: datetime = NOW, at_most: int = 200) -> Intended:
    """Commit their intents, as far as the brake allows it."""
    return sending.intend(ledger, acts, lease=LEASE, now=now, in_doubt_at_most=at_most)


def went_freely(intended: Intended) -> AbstractSet[str]:
    """The leads that may go, where the brake keeps none of them back, and none goes alone."""
    assert intended.admitted == Admitted()
    return intended.may_go


def lone_of(acts: list[Attempt], intended: Intended) -> Attempt:
    """The one that goes alone."""
    return next(replace(a, goes_alone=True) for a in acts if a.claim.lead_id == intended.admitted.lone)


def in_doubt(act: Attempt, state: State = State.UNKNOWN) -> Outcome:
    """Nobody knows what became of it."""
    return outcome(act, Result.IN_DOUBT, state, due_at=NOW + UNKNOWN_AFTER, note="no answer")


def put_on(ledger: Ledger, *, now: datetime = NOW) -> None:
    """Put the brake on."""
    brakes.note_doubts(ledger, now=now)


def test_an_account_that_was_never_acted_on_begins_with_one_act(engine: Engine) -> None:
    """Of a wave one act goes, whose answer opens the way for the others; until then there is no row of it."""
    ledger = Ledger(engine, pipeline=PIPELINE, owner="first", account="new")
    assert read_brake(ledger) == Brake(is_on=True, since=None, in_vain=0, closed_until=None, in_doubt=0)
    acts = wave(ledger, "1", "2", "3")
    intended = ask(ledger, acts)
    assert intended.admitted.kept == {"2", "3"}
    assert (intended.may_go, intended.admitted.lone, intended.admitted.until) == ({"1"}, "1", None)
    assert states(engine, "1", "2", "3") == [State.SENDING, State.READY, State.READY]
    sending.record(ledger, [taken(lone_of(acts, intended))], now=NOW)
    assert not read_brake(ledger).is_on
    assert went_freely(ask(ledger, acts[1:])) == {"2", "3"}
    sending.record(ledger, [taken(act) for act in acts[1:]], now=NOW)


def test_updates_know_no_brake(ledger: Ledger) -> None:
    """They do no harm, however often they are sent."""
    put_on(ledger)
    updates = wave(ledger, "1", "2", kind=RequestKind.UPDATE)
    assert went_freely(ask(ledger, updates, at_most=1)) == {"1", "2"}


def test_an_act_in_doubt_puts_the_brake_on(ledger: Ledger, engine: Engine) -> None:
    """Also where it went with others that were answered, and where a person is asked about it at once."""
    for number, state in enumerate((State.UNKNOWN, State.REVIEW)):
        acts = wave(ledger, f"{number}-1", f"{number}-2")
        intended = ask(ledger, acts)
        assert went_freely(intended) == {f"{number}-1", f"{number}-2"}
        sending.record(ledger, [taken(acts[0]), in_doubt(acts[1], state)], now=NOW)
        found = read_brake(ledger)
        assert (found.is_on, found.since, found.in_vain, found.closed_until) == (True, NOW, 0, None)
        assert found.in_doubt == number + 1
        acts = wave(ledger, f"{number}-3")
        sending.record(ledger, [taken(lone_of(acts, ask(ledger, acts)))], now=NOW)
        assert not read_brake(ledger).is_on


def test_while_one_act_goes_alone_no_other_run_sends_one(ledger: Ledger, rival: Ledger, engine: Engine) -> None:
    """Whoever comes meanwhile waits for its answer, but not longer than its lease."""
    put_on(ledger)
    first, others = wave(ledger, "1"), wave(rival, "2", "3")
    lone = lone_of(first, ask(ledger, first))
    waits = ask(rival, others)
    assert waits.may_go == set()
    assert (waits.admitted.kept, waits.admitted.lone, waits.admitted.until) == ({"2", "3"}, None, None)
    assert ask(rival, others, now=AFTER_LEASE).admitted.lone == "2"
    sending.record(ledger, [taken(lone)], now=AFTER_LEASE)


def test_of_runs_that_meet_one_sends(ledger: Ledger, rival: Ledger) -> None:
    """At the same moment, on either database."""
    for number in range(10):
        put_on(ledger)
        mine, others = wave(ledger, f"{number}-1"), wave(rival, f"{number}-2")
        both = together(partial(ask, ledger, mine), partial(ask, rival, others))
        assert sorted(len(intended.may_go) for intended in both) == [0, 1]
        for acts, run, intended in zip((mine, others), (ledger, rival), both, strict=True):
            if intended.may_go:
                sending.record(run, [taken(lone_of(acts, intended))], now=NOW)
            else:
                claims.release(run, now=NOW)


@pytest.mark.parametrize(
    ("result", "state"), [(Result.REFUSED, State.READY), (Result.GONE, State.GONE)], ids=["refused", "gone"]
)
def test_an_answer_that_is_no_proof_of_an_act_lets_the_next_one_go_alone(
    ledger: Ledger, result: Result, state: State
) -> None:
    """The brake stays on, and nobody waits."""
    put_on(ledger)
    acts = wave(ledger, "1", "2")
    lone = lone_of(acts, ask(ledger, acts))
    sending.record(ledger, [outcome(lone, result, state, due_at=NOW + LEASE)], now=NOW)
    assert read_brake(ledger).is_on
    assert ask(ledger, acts[1:]).admitted.lone == "2"


def test_an_act_beside_the_one_that_goes_alone_does_not_take_the_brake_off(ledger: Ledger) -> None:
    """It was sent before, with others: what its LeadByte said then is no answer to the one that went alone."""
    before = wave(ledger, "1")
    ask(ledger, before)
    put_on(ledger)
    acts = wave(ledger, "2")
    ask(ledger, acts)
    sending.record(ledger, [taken(before[0])], now=NOW)
    assert read_brake(ledger).is_on


def test_acts_that_went_alone_in_vain_make_the_next_one_wait_ever_longer(ledger: Ledger) -> None:
    """A minute, two, four, up to an hour; an answer forgets it."""
    put_on(ledger)
    now, waits = NOW, []
    for number in range(8):
        acts = wave(ledger, str(number), f"{number}-kept", now=now)
        lone = lone_of(acts, ask(ledger, acts, now=now))
        sending.record(ledger, [in_doubt(lone)], now=now)
        closed = ask(ledger, acts[1:], now=now)
        until = closed.admitted.until
        assert closed.may_go == set()
        assert until
        which = f"{number + 1} acts that went alone are" if number else "act that went alone is"
        assert closed.admitted.why == f"the last {which} in doubt too"
        waits.append((until - now) / MINUTE)
        claims.release(ledger, now=now)
        now = until
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    acts = wave(ledger, "last", now=now)
    sending.record(ledger, [taken(lone_of(acts, ask(ledger, acts, now=now)))], now=now)
    found = read_brake(ledger)
    assert (found.is_on, found.since, found.in_vain, found.closed_until) == (False, now, 0, None)


def test_a_wait_that_a_clock_has_put_far_ahead_is_over(ledger: Ledger) -> None:
    """It is never longer than an hour, so one that lies further ahead was written by a clock that was wrong."""
    put_on(ledger)
    ahead = NOW + timedelta(days=10)
    acts = wave(ledger, "1", "2")
    lone = lone_of(acts, ask(ledger, acts))
    sending.record(ledger, [in_doubt(lone)], now=ahead)
    assert ask(ledger, acts[1:]).admitted.lone == "2"


def test_no_act_is_sent_while_too_many_are_in_doubt(ledger: Ledger, engine: Engine) -> None:
    """Leads with people count too, until they are decided; it says how many, and when it is looked at again."""
    ids = [str(number) for number in range(4)]
    acts = wave(ledger, *ids)
    ask(ledger, acts)
    sending.record(ledger, [in_doubt(act, State.REVIEW if act == acts[0] else State.UNKNOWN) for act in acts], now=NOW)
    more = wave(ledger, "5")
    kept = ask(ledger, more, at_most=4)
    assert (kept.may_go, kept.admitted.kept) == (set(), {"5"})
    assert kept.admitted.until == NOW + 15 * MINUTE
    assert kept.admitted.why == "4 leads are in doubt, which is delivery.in_doubt_at_most: no act is sent"
    assert ask(ledger, more, at_most=5).may_go == {"5"}
    assert read_brake(ledger).in_doubt == 4
    assert entry(engine, "5")["state"] == State.SENDING


def test_the_doubts_of_one_account_stop_no_other(ledger: Ledger, engine: Engine) -> None:
    """Another LeadByte does not answer: this one does."""
    acts = wave(ledger, "1", "2")
    ask(ledger, acts)
    sending.record(ledger, [in_doubt(act) for act in acts], now=NOW)
    other = Ledger(engine, pipeline="other", owner="first")
    assert (read_brake(ledger).in_doubt, read_brake(other).in_doubt) == (2, 0)
    assert ask(other, wave(other, "8"), at_most=2).admitted.lone == "8"
    assert ask(ledger, wave(ledger, "3"), at_most=2).may_go == set()


def test_an_act_that_cannot_be_sent_lets_another_go_alone(ledger: Ledger, rival: Ledger) -> None:
    """Another run has taken over the lead that was chosen."""
    put_on(ledger)
    acts = wave(ledger, "1", "2")
    rescue(rival)
    (held,) = (each for each in claims.claim(rival, limit=9, lease=LEASE, now=AFTER_LEASE) if each.lead_id == "1")
    assert ask(ledger, acts, now=AFTER_LEASE).may_go == set()
    assert ask(rival, [attempt(held, RequestKind.ACT)], now=AFTER_LEASE).may_go == {"1"}


def test_a_run_that_died_puts_the_brake_on(ledger: Ledger, rival: Ledger) -> None:
    """Where it may have acted; not where its request was an update alone."""
    ask(ledger, wave(ledger, "1", kind=RequestKind.UPDATE))
    rescue(rival)
    assert not read_brake(rival).is_on
    ask(ledger, wave(ledger, "2", now=AFTER_LEASE), now=AFTER_LEASE)
    claims.rescue(rival, unknown_after=UNKNOWN_AFTER, now=AFTER_LEASE + 2 * LEASE)
    assert read_brake(rival).is_on


def test_accounts_do_not_brake_each_other(engine: Engine, ledger: Ledger) -> None:
    """Two pipelines of one account do: it is LeadByte that is not understood."""
    put_on(ledger)
    same = Ledger(engine, pipeline="other", owner="second")
    other = Ledger(engine, pipeline="another", owner="third", account="other")
    assert read_brake(same).is_on
    put_on(other)
    acts = wave(same, "7")
    sending.record(same, [taken(lone_of(acts, ask(same, acts)))], now=NOW)
    assert (read_brake(ledger).is_on, read_brake(other).is_on) == (False, True)
