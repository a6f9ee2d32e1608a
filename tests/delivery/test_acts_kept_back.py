"""Which acts get no intent: those that the brake keeps, and those of leads that may have been acted on before."""

from datetime import datetime, timedelta

import pytest

from leadgate.ledger import Ledger, brakes, claims, sending
from leadgate.ledger.schema import ENTRY, entries
from leadgate.model import Action, Attempt, Decided, LeadRequest, Outcome, Result, State
from tests.delivery.world import NOON, POSTCODE, World, renew_account

LEASE = timedelta(minutes=5)


def attempt_of(lead: Decided, *, acts: bool = True, request: str = "r1") -> Attempt:
    """The intent to send one lead."""
    asked = LeadRequest(lead.claim.lead_id, lead.update, Action.PROCESS if acts else None)
    return Attempt(lead.claim, asked, lead.decision, lead.payload_hash, request)


def intend(ledger: Ledger, *attempts: Attempt) -> sending.Intended:
    """Commit intents at noon."""
    return sending.intend(ledger, attempts, lease=LEASE, now=NOON)


def test_an_act_that_was_to_go_alone_and_cannot_gives_way(world: World) -> None:
    """Another run has taken its lead over: the next act need not wait for an answer that never comes."""
    renew_account(world.ledger)
    one, two = world.wave("1", "2")
    claims.release(world.ledger, now=NOON, ids=["1"])
    first = intend(world.ledger, attempt_of(one), attempt_of(two))
    assert (first.may_go, first.admitted.lone, first.admitted.kept) == (set(), "1", {"2"})
    assert world.history("1").attempts == []
    second = intend(world.ledger, attempt_of(two))
    assert (second.may_go, second.admitted.lone) == ({"2"}, "2")


async def test_a_lead_that_its_run_has_claimed_twice_is_sent_once(world: World) -> None:
    """A run that was held up for longer than its hold lasts meets its own lead again, while the first still waits."""
    (early,) = world.wave("1")
    world.clock.advance(minutes=6)
    (late,) = world.claim()
    assert (early.claim.lead_id, early.claim.token < late.claim.token) == ("1", True)
    intended = sending.intend(
        world.ledger, [attempt_of(late), attempt_of(early, request="r2")], lease=LEASE, now=world.clock()
    )
    assert [intended.lets(attempt_of(each)) for each in (late, early)] == [True, False]
    assert [(each["token"], each["request_id"]) for each in world.history("1").attempts] == [(late.claim.token, "r1")]
    claims.release(world.ledger, now=world.clock())


async def test_both_claims_of_a_run_together_act_once(world: World) -> None:
    """Their intents are committed in one transaction."""
    (early,) = world.wave("1")
    world.clock.advance(minutes=6)
    (late,) = world.claim()
    await world.deliver([late, early], leadbyte={"batch_size": 1}, delivery={"mode": "combined"})
    assert [act.action.value for act in world.sandbox.quarantine.acts["1"]] == ["process"]
    assert world.states(["1"]) == {"1": State.PROCESSED}
    assert len(world.history("1").attempts) == 1


@pytest.mark.parametrize("lone", [Result.TAKEN, Result.IN_DOUBT])
def test_an_act_that_went_alone_is_over_though_another_is_in_doubt(world: World, lone: Result) -> None:
    """One that was sent before is recorded with it: the next may go alone without waiting for the end of a lease."""
    one, two, three = world.wave("1", "2", "3")
    early = attempt_of(one)
    assert intend(world.ledger, early).may_go == {"1"}
    with world.ledger.transaction() as connection:
        brakes.put_on(world.ledger, connection, now=NOON, lone_in_vain=False)
    late = attempt_of(two, request="r2")
    assert intend(world.ledger, late).admitted.lone == "2"
    assert intend(world.ledger, attempt_of(three)).admitted.kept == {"3"}
    late = Attempt(late.claim, late.request, late.decision, late.payload_hash, "r2", goes_alone=True)
    ends = {Result.TAKEN: State.PROCESSED, Result.IN_DOUBT: State.UNKNOWN}
    due_at = {Result.TAKEN: None, Result.IN_DOUBT: NOON}
    outcomes = [
        Outcome(early, Result.IN_DOUBT, State.UNKNOWN, due_at=NOON),
        Outcome(late, lone, ends[lone], due_at=due_at[lone]),
    ]
    sending.record(world.ledger, outcomes, now=NOON)
    now = NOON + timedelta(minutes=1)
    held = sending.intend(world.ledger, [attempt_of(three)], lease=LEASE, now=now)
    assert (held.may_go, held.admitted.lone) == ({"3"}, "3")


def doubt(world: World, *ids: str, since: datetime = NOON) -> None:
    """Let acts of these leads be possible that this ledger does not know of, as after a backup was put back."""
    with world.ledger.transaction() as connection:
        connection.execute(entries.update().where(ENTRY.lead_id.in_(ids)).values(doubt_since=since))


@pytest.mark.parametrize("update", [POSTCODE, {}], ids=["put", "post"])
def test_a_lead_in_doubt_gets_no_intent_of_an_act(world: World, update: dict[str, str]) -> None:
    """However it was claimed; its update may go, and so may the acts beside it."""
    one, two = world.wave("1", "2", update=update)
    doubt(world, "1")
    assert intend(world.ledger, attempt_of(one), attempt_of(two)).may_go == {"2"}
    assert world.history("1").attempts == []
    assert world.history("1").decisions == []
    if update:
        assert intend(world.ledger, attempt_of(one, acts=False)).may_go == {"1"}
        assert world.entry("1")["doubt_since"] == NOON


@pytest.mark.parametrize("mode", ["update_first", "combined", "separate"])
@pytest.mark.parametrize("verdict", ["process", "reject"])
async def test_a_lead_in_doubt_goes_to_unknown_instead_of_being_acted_on(world: World, mode: str, verdict: str) -> None:
    """It is decided, nothing is sent, and it is probed when a request that may have been sent is applied or lost."""
    world.seed(["1", "2"])
    doubt(world, "1", since=NOON - timedelta(minutes=2))
    doubt(world, "2", since=NOON - timedelta(days=2))
    tally = await world.deliver(world.claim(verdict), delivery={"mode": mode, "unknown_after": "7m"})
    assert world.asked() == []
    assert world.states(["1", "2"]) == {"1": State.UNKNOWN, "2": State.UNKNOWN}
    assert [world.entry(lead_id)["due_at"] for lead_id in "12"] == [NOON + timedelta(minutes=5), NOON]
    assert [decision["verdict"] for decision in world.history("1").decisions] == [verdict]
    assert (world.entry("1")["doubt_since"], world.entry("1")["doubt_action"]) == (NOON - timedelta(minutes=2), None)
    assert tally.went == {State.UNKNOWN: 2}


async def test_a_lead_in_doubt_that_is_not_to_be_acted_on_is_written(world: World) -> None:
    """The doubt stays with it until there is evidence."""
    world.seed(["1"])
    doubt(world, "1")
    await world.deliver(world.claim("review"))
    assert [method for method, _ in world.asked()] == ["PUT"]
    assert (world.states(["1"]), world.entry("1")["doubt_since"]) == ({"1": State.REVIEW}, NOON)
