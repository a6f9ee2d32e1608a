"""Parked leads and acts in doubt, as people end them between real runs."""

from flows.release_leads import release_leads
from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
REFUSED = "LeadByte refused the request (HTTP 400 Bad Request); Invalid request"
WORDS = ("--reason", "Ours.", "--by", "ann")


async def run(pipeline: Practice) -> None:
    """Run the main job, whatever it comes to."""
    await release_leads(str(pipeline.file), return_state=True)


async def test_parked_leads_are_listed_by_leadbytes_words_and_given_up(pipeline: Practice, leadbyte: Sandbox) -> None:
    """The others are decided anew by a retry, or when their data changes."""
    pipeline.edit("deadline: 24h", "deadline: 24h\ndelivery: {attempts: 1}\nreview: {link: 'https://crm.example/{id}'}")
    pipeline.quarantine(1, 2, 3)
    pipeline.enrich(1, 2, 3, **COMPLETE)
    leadbyte.faults.change({"poison": ["1", "2", "3"]})
    await run(pipeline)
    assert set(pipeline.states().values()) == {"failed"}
    lines = leadgate("failed", "list", "--limit", 1, config=pipeline.file).stdout.splitlines()
    assert lines[:2] == ["3 leads are parked:", f"        3  {REFUSED}"]
    assert (lines[2].startswith("1: since "), lines[2].endswith(f": {REFUSED} https://crm.example/1")) == (
        True,
        True,
    )
    assert lines[3:] == [
        "Shown are 1, the longest parked first: --limit shows more.",
        "",
        "A lead is decided anew when its data changes. At once: `leadgate retry 1`, or `leadgate retry --failed`.",
        "To give one up: `leadgate discard 1 --reason TEXT`.",
    ]
    found = leadgate("failed", "list", "--json", config=pipeline.file).json()
    assert (found["total"], found["counts"]) == (3, [{"words": REFUSED, "leads": 3}])
    given_up = leadgate("discard", 1, *WORDS, config=pipeline.file)
    assert (given_up.code, given_up.stdout) == (0, "Leads that are given up: 1.\n")
    again = leadgate("discard", 1, 2, *WORDS, config=pipeline.file)
    assert again.code == 2
    assert again.stderr.startswith("leadgate: 1: is not failed: it is discarded, since ann (login ")
    leadbyte.faults.change({"poison": ["nobody"]})
    pipeline.enrich(1, 3, **COMPLETE | {"postcode": "N1 9GU"})
    await run(pipeline)
    assert pipeline.states() == {"1": "discarded", "2": "discarded", "3": "processed"}
    assert "given up (ann (login " in leadgate("explain", 1, config=pipeline.file).stdout
    assert leadgate("failed", "list", config=pipeline.file).stdout == "No lead is parked.\n"


async def test_acts_in_doubt_are_settled_by_what_a_person_found(pipeline: Practice, leadbyte: Sandbox) -> None:
    """The list says what to look at in LeadByte, and since when; `not-taken` is heard later."""
    pipeline.edit("deadline: 24h", "deadline: 24h\ndelivery: {mode: combined, unknown: review}")
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)
    leadbyte.faults.change({"drop-after": 1})
    await run(pipeline)
    listed = leadgate("review", "list", config=pipeline.file).stdout
    assert "        1  an act that may have been taken\n" in listed
    assert " Its process may have been taken since " in listed
    assert "in quarantine 1 h 5 min after the act was sent. Then say what you found:" in listed
    early = leadgate("review", "settle", 1, "--was", "not-taken", "--by", "ann", config=pipeline.file)
    assert (early.code, "may still be in LeadByte's queue" in early.stderr) == (2, True)
    settled = leadgate("review", "settle", "--all", "--yes", 1, "--was", "processed", config=pipeline.file)
    assert (settled.code, settled.stdout) == (0, "Leads that are settled as processed: 1.\n")
    assert pipeline.states() == {"1": "processed"}
    await run(pipeline)
    assert len(leadbyte.quarantine.acts["1"]) == 1
