"""While a pipeline is observed, what was begun before it waits, and what people decide waits too."""

from leadgate.attention import attention
from leadgate.ledger.doubts import read_doubts
from leadgate.ledger.observed import decide_anew
from leadgate.model import State
from leadgate.plan import plan_run
from tests.people.runs import Runs, Sections

OBSERVE: Sections = {"delivery": {"observe": True}}


def test_acts_in_doubt_wait(runs: Runs) -> None:
    """No probe is sent however old they are, and the status says so; afterwards evidence is looked for."""
    runs.pipeline.complete(1)
    runs.sandbox.faults.change({"drop-after": "always"})
    runs.run()
    runs.sandbox.faults.change({"drop-after": None})
    runs.pipeline.clock.advance(hours=3)
    sent = len(runs.sandbox.requests)
    runs.run(sections=OBSERVE)
    assert (len(runs.sandbox.requests), runs.pipeline.states()) == (sent, {"1": State.UNKNOWN})
    doubts, now = read_doubts(runs.pipeline.ledger), runs.pipeline.clock()
    told, *_ = attention(doubts, runs.pipeline.config(**OBSERVE).delivery, now)
    assert told.endswith("They wait: while delivery.observe is true no request looks for evidence.")
    runs.run()
    assert len(runs.sandbox.requests) > sent


def test_what_a_person_decides_is_done_afterwards(runs: Runs) -> None:
    """It is recorded as observed; no lead is acted on before observing is over, and then once."""
    runs.review(1)
    runs.resolve(1, verdict="reject")
    sent = len(runs.sandbox.requests)
    runs.run(sections=OBSERVE)
    # Its data may go meanwhile: a person knows the lead.
    runs.pipeline.run_sql("UPDATE enrichment SET postcode = NULL")
    runs.pipeline.look()
    runs.run(sections=OBSERVE)
    assert (len(runs.sandbox.requests), runs.acted()) == (sent, {})
    assert "observed, nothing was sent: sending reject, as ann decided" in runs.story("1")
    config, policy = runs.pipeline.config(), runs.pipeline.policy()
    plan = plan_run(config, runs.pipeline.source, runs.pipeline.ledger, policy, now=runs.pipeline.clock())
    assert [(lead.lead_id, lead.verdict) for lead in plan.leads] == [("1", "reject")]
    assert decide_anew(runs.pipeline.ledger, rules=None, now=runs.pipeline.clock()) == 1
    assert runs.pipeline.states() == {"1": State.READY}
    runs.run()
    runs.run()
    assert runs.acted() == {"1": ["reject"]}
