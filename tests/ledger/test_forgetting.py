"""Pruned and forgotten leads: nothing of them stays but a hash, and they are never registered again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, select

from leadgate.errors import LedgerError
from leadgate.identity import Identity
from leadgate.ledger import Ledger, absent, claims, sending, waiting
from leadgate.ledger.forgotten import forget, read_forgotten
from leadgate.ledger.history import read_history
from leadgate.ledger.people import resolve
from leadgate.ledger.pipelines import check_pipeline, rebind_pipeline
from leadgate.ledger.pruning import prune
from leadgate.ledger.schema import attempts, forgotten, metadata, pipelines
from leadgate.ledger.source_progress import Mark, Relation, keep_mark, read_mark
from leadgate.ledger.unknown import note_control
from leadgate.model import (
    Action,
    Chosen,
    Claim,
    Conclusion,
    Control,
    Fault,
    Faults,
    RequestKind,
    Resolution,
    Result,
    State,
    Verdict,
)
from tests.ledger.steps import HOLD, LEASE, NOW, attempt, claim, entry, intend, leads, make_ready, outcome, send, taken
from tests.ledger.together import together

LATER = NOW + timedelta(days=40)
KEEP = timedelta(days=30)
ID = "lead-4711"


def settle(ledger: Ledger, *ids: str) -> None:
    """Let LeadByte have taken the act of these leads."""
    for lead_id in ids:
        sending.record(ledger, [taken(send(ledger, claim(ledger, lead_id)))], now=NOW)


def everything(engine: Engine) -> str:
    """All that is in all tables, as text."""
    with engine.connect() as connection:
        tables = [repr(connection.execute(select(table)).all()) for table in metadata.sorted_tables]
    return "\n".join(tables)


def pruned(ledger: Ledger) -> int:
    """Prune as 40 days later; return how many leads were."""
    return sum(prune(ledger, before=LATER - KEEP))


def register_again(ledger: Ledger, ids: Sequence[str]) -> int:
    """Register leads again and again; return how many were new."""
    return sum(waiting.register(ledger, leads(*ids), now=LATER).new for _ in range(5))


def known(ledger: Ledger, *ids: str) -> Sequence[str]:
    """Those of the ids that have an entry."""
    return sorted(waiting.read_known(ledger, ids))


def test_a_settled_lead_is_pruned_and_never_registered_again(ledger: Ledger, engine: Engine) -> None:
    """Its id is in no table any more; the source may say what it wants."""
    settle(ledger, ID)
    assert ID in everything(engine)
    assert pruned(ledger) == 1
    assert ID not in everything(engine)
    assert read_history(ledger, ID) is None
    assert waiting.register(ledger, leads(ID, "18"), now=LATER).new == 1
    assert known(ledger, ID, "18") == ["18"]
    assert read_forgotten(ledger, [ID, "18"]) == {ID}


def test_what_is_open_or_young_is_not_pruned(ledger: Ledger) -> None:
    """Only leads that were settled before the instant are."""
    settle(ledger, "1")
    make_ready(ledger, "2")
    send(ledger, claim(ledger, "3"))
    assert sum(prune(ledger, before=NOW)) == 0
    assert pruned(ledger) == 1
    assert known(ledger, "1", "2", "3") == ["2", "3"]


def test_many_leads_are_pruned_in_pieces(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two of them others may write."""
    monkeypatch.setattr("leadgate.ledger.pruning._AT_ONCE", 2)
    settle(ledger, *map(str, range(5)))
    pieces = prune(ledger, before=LATER - KEEP)
    assert next(pieces) == 2
    assert waiting.register(ledger, leads("new"), now=NOW).new == 1
    assert list(pieces) == [2, 1]
    assert known(ledger, *map(str, range(5))) == []


def test_a_withdrawn_lead_that_was_never_acted_on_is_new_when_it_comes_back(ledger: Ledger) -> None:
    """It leaves no hash; one with an act in its history is kept, and comes back with it."""
    make_ready(ledger, "1")
    tried = send(ledger, claim(ledger, "2"))
    sending.record(ledger, [outcome(tried, Result.REFUSED, State.FAILED, note="No.")], now=NOW)
    claims.release(ledger, now=NOW)
    for after in (timedelta(), absent.AWAY_FOR):
        absent.note_presence(ledger, present=[], absent=["1", "2"], now=NOW + after)
    assert absent.withdraw(ledger, left="withdraw", now=NOW + absent.AWAY_FOR).leads == 2
    assert pruned(ledger) == 1
    assert known(ledger, "1", "2") == ["2"]
    assert read_forgotten(ledger, ["1", "2"]) == set()
    assert waiting.register(ledger, leads("1", "2"), now=LATER).new == 1


def test_another_pipeline_of_the_account_does_not_register_it_either(ledger: Ledger, engine: Engine) -> None:
    """The hash is found by any of them; a pipeline of another account has leads of its own."""
    settle(ledger, ID)
    assert pruned(ledger) == 1
    with engine.begin() as connection:
        connection.execute(pipelines.update().where(pipelines.c.pipeline == "other").values(account="acme"))
    for name, new in (("other", 0), ("another", 1)):
        assert waiting.register(Ledger(engine, pipeline=name, owner="x"), leads(ID), now=LATER).new == new


def test_forgetting_leaves_a_hash_and_nothing_else(ledger: Ledger, engine: Engine) -> None:
    """Whatever the ledger says of it: requests, decisions, words of people, faults of the source."""
    held = claim(ledger, ID)
    sending.conclude(ledger, [reviewed(held)], now=NOW)
    resolve(ledger, Chosen(ids=[ID]), Resolution.PROCESS, reason="Called.", by="eva", now=NOW)
    faults = Faults()
    faults.add(Fault("source.leads", "are odd", "Look."), [ID, "18"], detail=f" such as {ID}")
    keep_mark(ledger, Relation.LEADS, Mark(NOW, compared_to=ID, faults=faults, growing=faults))
    assert everything(engine).count(ID) > 5
    assert forget(ledger, ID) is None
    assert ID not in everything(engine)
    mark = read_mark(ledger, Relation.LEADS)
    assert mark
    assert "18" in mark.faults.lines()[0]
    assert mark.compared_to is None
    assert waiting.register(ledger, leads(ID), now=LATER).new == 0
    assert claims.claim(ledger, limit=9, lease=LEASE, now=LATER) == []


def reviewed(held: Claim) -> Conclusion:
    """A conclusion that sends a lead to a person."""
    return Conclusion(held, replace(HOLD, verdict=Verdict.REVIEW), State.REVIEW, note="Look.", seen=None)


def test_a_lead_that_may_have_been_acted_on_is_not_forgotten_yet(ledger: Ledger, engine: Engine) -> None:
    """Nor one that a run holds; each once it is settled."""
    held = claim(ledger, ID)
    assert "a run holds it right now" in str(forget(ledger, ID))
    sent = send(ledger, held)
    assert "its process may have been taken" in str(forget(ledger, ID))
    sending.record(ledger, [outcome(sent, Result.IN_DOUBT, State.UNKNOWN, due_at=NOW)], now=NOW)
    assert "`leadgate explain lead-4711`" in str(forget(ledger, ID))
    assert entry(engine, ID)["state"] == State.UNKNOWN
    sending.record(ledger, [taken(sent)], now=NOW)
    assert forget(ledger, ID) is None


def test_a_doubt_in_review_is_settled_by_a_person_first(ledger: Ledger) -> None:
    """The sentence says how."""
    sent = send(ledger, claim(ledger, ID))
    sending.record(ledger, [outcome(sent, Result.IN_DOUBT, State.REVIEW, note="Look.")], now=NOW)
    assert f"`leadgate review settle {ID} --was" in str(forget(ledger, ID))


def test_what_comes_late_leaves_no_trace_of_a_forgotten_lead(ledger: Ledger, engine: Engine) -> None:
    """An answer, a control and an intent of a run that still thinks it has the lead."""
    sent = send(ledger, claim(ledger, ID))
    sending.record(ledger, [taken(sent)], now=NOW)
    assert forget(ledger, ID) is None
    sending.record(ledger, [taken(sent)], now=NOW)
    words = {"message": "", "shape": ""}
    note_control(ledger, Control(ID, 1, NOW), Result.TAKEN, request_id="r9", **words, now=NOW)
    assert intend(ledger, attempt(sent.claim, RequestKind.ACT, action=Action.PROCESS, request="r2")) == set()
    assert ID not in everything(engine)
    with engine.connect() as connection:
        assert connection.execute(select(attempts)).all() == []


def test_a_lead_without_an_entry_is_never_registered(ledger: Ledger, engine: Engine) -> None:
    """Its hash is kept before it has come; once more changes nothing."""
    for _ in range(2):
        assert forget(ledger, ID) is None
    with engine.connect() as connection:
        assert len(connection.execute(select(forgotten)).all()) == 1
    assert ID not in everything(engine)
    assert waiting.register(ledger, leads(ID, "18"), now=NOW).new == 1
    assert known(ledger, ID, "18") == ["18"]


def test_a_lead_of_another_pipeline_of_the_account_is_forgotten_there(ledger: Ledger, engine: Engine) -> None:
    """That one would go on to act on it."""
    other = Ledger(engine, pipeline="other", owner="x")
    with engine.begin() as connection:
        connection.execute(pipelines.update().where(pipelines.c.pipeline == "other").values(account="acme"))
    make_ready(ledger, ID)
    assert "belongs to the pipeline" in str(forget(other, ID))
    assert known(ledger, ID) == [ID]
    assert read_forgotten(other, [ID]) == set()
    assert forget(ledger, ID) is None
    assert waiting.register(other, leads(ID), now=NOW).new == 0


def test_an_account_that_turns_out_to_be_the_same_frees_no_forgotten_lead(ledger: Ledger, engine: Engine) -> None:
    """Two pipelines had different addresses of it: what one has acted on and pruned is open in the other."""
    other, moved = Ledger(engine, pipeline="other", owner="first"), Identity("leads.acme.com", "here")
    check_pipeline(ledger, Identity("acme", "here"))
    check_pipeline(other, Identity("leads.acme.com", "there"))
    settle(ledger, "1")
    settle(other, "2")
    assert (pruned(ledger), pruned(other)) == (1, 1)
    make_ready(ledger, "2")
    make_ready(other, "1")
    with pytest.raises(
        LedgerError, match=r"'2' is open in the pipeline 'acme'.* leads\.acme\.com has forgotten it.*the old address"
    ):
        rebind_pipeline(ledger, moved, now=LATER)
    assert forget(ledger, "2") is None
    with pytest.raises(LedgerError, match="'1' is open in the pipeline 'other'"):
        rebind_pipeline(ledger, moved, now=LATER)
    assert forget(other, "1") is None
    make_ready(other, "3")
    assert rebind_pipeline(ledger, moved, now=LATER).account == "acme"
    check_pipeline(ledger, moved)
    assert register_again(ledger, ["1", "2"]) == register_again(other, ["1", "2"]) == 0


def test_two_runs_cannot_register_a_lead_while_it_is_pruned(ledger: Ledger, engine: Engine) -> None:
    """Whoever comes first: it has either its entry or its hash."""
    other = Ledger(engine, pipeline="other", owner="x")
    other.identity = Identity("acme", "source.db: leads")
    with engine.begin() as connection:
        connection.execute(pipelines.update().where(pipelines.c.pipeline == "other").values(account="acme"))
    ids = [str(number) for number in range(30)]
    settle(ledger, *ids)
    together(
        lambda: pruned(ledger),
        *(partial(register_again, one, ids) for one in (ledger, other)),
    )
    assert known(ledger, *ids) == known(other, *ids) == []
