"""A newcomer's tutorial: what becomes of a lead. One concept a test; read it from the top.

The pipeline `acme` waits for `postcode`, `phone_verified` and `score`, for 24 hours at most. Its rules, of which the
first that matches decides:

    opted-out        enrichment.opted_out                                     reject
    verified         enrichment.phone_verified && enrichment.score >= 0.6     process
    not-sure-yet     enrichment.score >= 0.4                                  hold
    never-enriched   late                                                     reject
    otherwise                                                                 review
"""

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice


def run(pipeline: Practice) -> dict[str, int]:
    """Run a pipeline once, as `leadgate run` does; return what its summary counts, without the zeros."""
    finished = leadgate("run", "--json", config=pipeline.file)
    assert finished.code == 0, finished.stderr
    return {key: value for key, value in finished.json().items() if isinstance(value, int) and value}


def sent(leadbyte: Sandbox) -> list[tuple[str, object]]:
    """Every request LeadByte got about leads, as its method and its body; one about none asks what time it is."""
    return [(exchange.method, exchange.body) for exchange in leadbyte.requests if exchange.asked]


def test_a_lead_whose_enrichment_is_there_is_processed(acme: Practice, leadbyte: Sandbox) -> None:
    """The enrichment is written onto the quarantined lead; when LeadByte has taken it, the lead is queued as well."""
    acme.quarantine(2932682)
    acme.enrich(2932682, postcode="TN25 6QD", phone_verified=True, score=0.8, mobile="07700900001")

    assert run(acme) == {"registered": 1, "arrived": 1, "processed": 1}
    lead = {"quarantineId": "2932682", "update": {"postcode": "TN25 6QD", "phone1": "07700900001"}}
    assert sent(leadbyte) == [("PUT", {"leads": [lead]}), ("PUT", {"leads": [lead | {"action": "process"}]})]


def test_a_second_run_sends_nothing(acme: Practice, leadbyte: Sandbox) -> None:
    """What was done once is not done again, however often the pipeline runs."""
    acme.quarantine(1)
    acme.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.8)
    run(acme)

    requests = len(leadbyte.requests)
    assert run(acme) == {}
    assert len(leadbyte.requests) == requests


def test_a_lead_without_enrichment_waits(acme: Practice, leadbyte: Sandbox) -> None:
    """Nothing is sent for a lead whose data has not come, until its deadline."""
    acme.quarantine(1, hours_ago=23)
    acme.enrich(7)  # a source that holds nothing at all is one that was emptied

    assert run(acme) == {"registered": 1, "waiting": 1}
    assert sent(leadbyte) == []


def test_a_partial_arrival_waits_for_the_rest(acme: Practice, leadbyte: Sandbox) -> None:
    """Some columns are not enough; the lead is complete once none that is required is null."""
    acme.quarantine(1)
    acme.enrich(1, postcode="TN25 6QD")
    assert run(acme) == {"registered": 1, "waiting": 1}
    assert "waits for phone_verified, score" in leadgate("explain", "1", config=acme.file).stdout

    acme.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.8)
    assert run(acme) == {"arrived": 1, "processed": 1}
    assert len(leadbyte.quarantine.acts["1"]) == 1


def test_a_lead_that_is_quarantined_later_is_taken_up_by_the_next_run(acme: Practice, leadbyte: Sandbox) -> None:
    """Each run registers what is new in the source, beside the leads it knows."""
    acme.quarantine(1)
    acme.enrich(7)
    run(acme)
    acme.quarantine(2)
    acme.enrich(2, postcode="TN25 6QD", phone_verified=True, score=0.8)

    assert run(acme) == {"registered": 1, "arrived": 1, "processed": 1, "waiting": 1}
    assert list(leadbyte.quarantine.acts) == ["2"]


def test_a_late_lead_is_rejected_without_an_update(acme: Practice, leadbyte: Sandbox) -> None:
    """With nothing to write, the act goes alone, by LeadByte's other call, where the id is a number."""
    acme.quarantine(2932682, hours_ago=25)
    acme.enrich(1)  # an empty source makes nobody late

    assert run(acme) == {"registered": 1, "rejected": 1}
    assert sent(leadbyte) == [("POST", {"quarantineId": 2932682, "action": "reject"})]


def test_a_late_lead_is_rejected_with_what_has_come(acme: Practice, leadbyte: Sandbox) -> None:
    """What is there is written all the same; what is missing is left out, so that it overwrites nothing."""
    acme.quarantine(1, hours_ago=25)
    acme.enrich(1, postcode="TN25 6QD")

    assert run(acme) == {"registered": 1, "rejected": 1}
    lead = {"quarantineId": "1", "update": {"postcode": "TN25 6QD"}}
    assert sent(leadbyte) == [("PUT", {"leads": [lead]}), ("PUT", {"leads": [lead | {"action": "reject"}]})]


def test_a_held_lead_is_decided_again_when_its_data_changes(acme: Practice, leadbyte: Sandbox) -> None:
    """A hold writes the enrichment and acts on nothing; new data ends it."""
    acme.quarantine(1)
    acme.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.5)
    assert run(acme) == {"registered": 1, "arrived": 1, "held": 1, "waiting": 1}
    lead = {"quarantineId": "1", "update": {"postcode": "TN25 6QD"}}
    assert sent(leadbyte) == [("PUT", {"leads": [lead]})]
    assert run(acme) == {"waiting": 1}
    assert "       1  waiting, held by a rule or a person\n" in leadgate("status", config=acme.file).stdout

    acme.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.7)
    assert run(acme) == {"arrived": 1, "processed": 1}
    # The postcode is there already, and goes again: that it can be written shows that the lead is in quarantine.
    assert sent(leadbyte)[1:] == [("PUT", {"leads": [lead]}), ("PUT", {"leads": [lead | {"action": "process"}]})]


def test_a_lead_in_review_waits_for_a_person(acme: Practice, leadbyte: Sandbox) -> None:
    """Where no rule matches, the lead is updated, and then left alone until its data changes, or a person decides."""
    acme.quarantine(1, 2)
    acme.enrich(1, 2, postcode="TN25 6QD", phone_verified=False, score=0.3)
    assert run(acme) == {"registered": 2, "arrived": 2, "review": 2}
    assert run(acme) == {}
    assert leadbyte.quarantine.acts == {}
    assert "a person must decide" in leadgate("explain", "1", config=acme.file).stdout

    leadgate("review", "reject", "2", "--reason", "They asked for it.", "--by", "Ann", config=acme.file)
    acme.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9)
    assert run(acme) == {"again": 1, "arrived": 1, "processed": 1, "rejected": 1}


def test_a_plan_says_what_a_run_does(acme: Practice, leadbyte: Sandbox) -> None:
    """`leadgate plan` decides by the same code and sends nothing; the run then does exactly that."""
    complete = {"postcode": "TN25 6QD", "phone_verified": True}
    postcode = {"field": "postcode", "made": "from postcode", "written_like": "aa99 9aa"}
    acme.quarantine(1, 2, 3)
    acme.quarantine(4, hours_ago=25)
    acme.enrich(1, **complete, score=0.9)
    acme.enrich(2, **complete, score=0.9, opted_out=True)

    plan = leadgate("plan", "--json", config=acme.file).json()
    told = {lead["lead_id"]: (lead["verdict"], lead["rule"], lead["route"], lead["fields"]) for lead in plan["leads"]}
    assert told == {
        "1": ("process", "verified", "update, then update and act in one request", [postcode]),
        "2": ("reject", "opted-out", "update, then update and act in one request", [postcode]),
        "4": ("reject", "never-enriched", "act", []),
    }
    assert plan["waiting"] == 1
    assert leadbyte.requests == []

    run(acme)
    assert {lead_id: acts[0].action.value for lead_id, acts in leadbyte.quarantine.acts.items()} == {
        lead_id: verdict for lead_id, (verdict, *_) in told.items()
    }


def test_the_story_of_a_lead_can_be_told(acme: Practice) -> None:
    """`leadgate explain` names the rule, its reason and facts, what was sent and what came back, and no values."""
    acme.quarantine(1)
    acme.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.8, mobile="07700900001")
    run(acme)

    story = leadgate("explain", "1", config=acme.file).stdout.splitlines()
    assert story[0] == "lead 1: processed"
    told = [line.split("Z  ", 1)[1] for line in story[1:-1]]
    assert told[:3] == ["put into quarantine", "registered", "enrichment seen complete"]
    assert told[3] == "rule 'opted-out' did not match: no answer: enrichment.opted_out is missing"
    assert told[4].startswith(
        "decided process by rule 'verified': Phone verified and a score of 0.8. Facts: score=0.8."
    )
    writing = "writing postcode (from postcode), phone1 (from mobile) (request "
    assert told[5].startswith(f"sent: update {writing}")
    assert told[6].startswith("LeadByte took it, HTTP 200: Quarantine lead updated")
    assert told[7].startswith(
        "sent: update and process writing postcode (from postcode), phone1 (from mobile) (request "
    )
    assert told[8].startswith("LeadByte took it, HTTP 200: Quarantine lead updated; Quarantine ID '1' queued for")
    assert story[-1] == "Now: queued for processing by LeadByte, which goes on with it."
    assert "TN25" not in "".join(story)
    assert "0770" not in "".join(story)
