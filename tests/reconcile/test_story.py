"""`leadgate explain` tells of an inferred lead how anybody knows: every step, in order."""

from datetime import timedelta

from leadgate.sandbox import LeadState
from leadgate.story import Story, tell
from tests.delivery.world import config_with
from tests.reconcile.world import LATER, Reconciling


def story_of(world: Reconciling, lead_id: str) -> Story:
    """What is told of a lead."""
    return tell(world.history(lead_id), config_with())


def short(story: Story) -> list[str]:
    """What happened, without the ids of requests and the kind of break."""
    return [event.what.split(" (request ")[0].split(" (R")[0] for event in story.events]


async def test_the_story_of_an_inferred_lead_is_whole(world: Reconciling) -> None:
    """Intent, sent, no answer, probe, its answer, inferred; and the end says that no answer says so."""
    await world.lose("17")
    world.clock.advance(**LATER)
    await world.run()
    story = story_of(world, "17")
    assert short(story) == [
        "put into quarantine",
        "registered",
        "enrichment seen complete",
        "decided process by rule 'any': Because. (policy v1)",
        "sent: update and process writing postcode (from postcode)",
        "no answer that can be trusted: the request was sent, but its answer was lost",
        "sent: probe (update alone) writing postcode (from postcode)",
        "LeadByte no longer has it in quarantine, HTTP 200: Quarantine lead not found",
        "settled as processed, inferred: LeadByte no longer has it in quarantine, and our process may have been taken",
    ]
    assert [event.at for event in story.events] == sorted(event.at for event in story.events)
    assert story.now == (
        "Now: queued for processing by LeadByte, which goes on with it. No answer says so: it is inferred from a probe."
    )


async def test_the_story_of_a_lead_that_was_still_there_is_whole(world: Reconciling) -> None:
    """Evidence says that the act was not taken, so it was decided and sent once more, and answered."""
    control = await world.have_control()
    await world.lose("17", applied=False)
    await world.run_later(1)
    world.clock.advance(**LATER)
    world.clock.step = timedelta(seconds=1)
    await world.run()
    told = short(story_of(world, "17"))
    assert [line.split(" ")[0] for line in told[3:]] == [
        "decided",
        "sent:",
        "no",
        "sent:",
        "LeadByte",
        "sent:",
        "LeadByte",
        "tried",
        "sent:",
        "LeadByte",
    ]
    assert [told[6][:11], told[8][:11]] == ["sent: probe"] * 2
    asked = short(story_of(world, control))[-2:]
    assert asked[0].startswith("sent: control (update alone, to see what LeadByte says of a lead that it queued)")
    assert asked[1].startswith("LeadByte no longer has it in quarantine")


async def test_while_nobody_knows_the_story_says_so(world: Reconciling) -> None:
    """And why."""
    await world.lose("17")
    assert story_of(world, "17").now.startswith("Now: sent, and nobody knows if it was taken (the request was sent")


async def test_a_lead_that_someone_else_moved_is_told_as_gone(world: Reconciling) -> None:
    """Nothing is inferred."""
    world.arrive("17")
    world.sandbox.quarantine.move(["17"], LeadState.MOVED)
    await world.run()
    story = story_of(world, "17")
    assert "inferred" not in " ".join(event.what for event in story.events)
    assert story.now == "Now: someone else moved it out of quarantine; nothing more is done."
