"""What must hold of every ledger at any moment, and of a practice LeadByte: asked after each test, whatever it did."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine, select
from sqlalchemy.engine import RowMapping

from leadgate.ledger.engine import reading
from leadgate.ledger.schema import attempts, decisions, entries, overrides, settled
from leadgate.model import FINAL_STATES, Action, RequestKind, Result, State
from leadgate.sandbox import Act

_SETTLED_BY = {Action.PROCESS: State.PROCESSED, Action.REJECT: State.REJECTED}
_ACTED = frozenset(_SETTLED_BY.values())
_FINAL = FINAL_STATES
_OPEN_ENDED = frozenset({State.SENDING, State.UNKNOWN, State.REVIEW})
"""Where a lead may be whose act was taken without the ledger's having been told."""

_PERHAPS_TAKEN = frozenset({None, Result.IN_DOUBT, Result.TAKEN})
"""The outcomes of an act that may have been taken."""

_Key = tuple[str, str]


def audit_ledger(engine: Engine, now: datetime, *, finished: bool = False) -> None:
    """Fail, naming every lead at fault, unless each is acted on at most once, explained, and sure to be looked at.

    `finished` says that no run is under way: then no lead is held and no request is in flight either.
    """
    with reading(engine) as connection:
        found = list(connection.execute(select(entries)).mappings())
        sent = list(connection.execute(select(attempts)).mappings())
        decided = list(connection.execute(select(decisions)).mappings())
        people = Counter(map(_key, connection.execute(select(overrides)).mappings()))
        counted = {(row.pipeline, row.state, row.inferred): row.leads for row in connection.execute(select(settled))}
    by_lead: dict[_Key, list[RowMapping]] = {_key(entry): [] for entry in found}
    faults = [f"{'/'.join(_key(row))}: belongs to no entry" for row in (*sent, *decided) if _key(row) not in by_lead]
    for attempt in sent:
        by_lead.setdefault(_key(attempt), []).append(attempt)
    verdicts = {(*_key(row), row["token"]): row["verdict"] for row in decided}
    for entry in found:
        mine = by_lead[_key(entry)]
        told = [*_of_state(entry, now), *_of_acts(entry, mine), *_of_requests(entry, mine, verdicts)]
        told += _of_doubt(entry, mine, people[_key(entry)])
        if finished:
            told += _of_the_end(entry, mine, now)
        faults += [f"{entry['pipeline']}/{entry['lead_id']}, {entry['state']}: {fault}" for fault in told]
    there = Counter((one["pipeline"], one["state"], one["inferred"]) for one in found if one["settled_at"])
    wrong = [key for key in {*counted, *there} if counted.get(key, 0) != there[key]]
    faults += [f"leadgate_settled has {counted.get(key, 0)} of {key}, not {there[key]}" for key in wrong]
    _demand_none(faults)


class Acted(Protocol):
    """A practice LeadByte, in this process or not: every act it saw, by lead."""

    @property
    def acts(self) -> Mapping[str, Sequence[Act]]:
        """The acts."""
        ...


def audit_sandbox(sandbox: Acted, engine: Engine | None = None) -> None:
    """Fail if a lead was acted on twice, or, given the ledger's engine, if the ledger says what did not happen."""
    _demand_none([f"{lead_id}: acted on {len(acts)} times" for lead_id, acts in sandbox.acts.items() if len(acts) > 1])
    if engine is None:
        return
    with reading(engine) as connection:
        states = {row.lead_id: row for row in connection.execute(select(entries))}
    acted = {lead_id: _SETTLED_BY[acts[0].action] for lead_id, acts in sandbox.acts.items()}
    false = [
        f"{lead_id}: {row.state}, but LeadByte took {acted.get(lead_id, 'no act')}"
        for lead_id, row in states.items()
        if not _agree(State(row.state), acted.get(lead_id), inferred=row.inferred)
    ]
    _demand_none(false + [f"{lead_id}: acted on, and not in the ledger" for lead_id in acted.keys() - states.keys()])


def _demand_none(faults: Sequence[str]) -> None:
    if faults:
        raise AssertionError("\n".join(sorted(faults)))


def _agree(state: State, taken: State | None, *, inferred: bool) -> bool:
    if taken is None:
        return state not in _ACTED or inferred  # what is inferred may have been done by someone else
    return state is taken or state in _OPEN_ENDED


def _key(row: RowMapping) -> _Key:
    return row["pipeline"], row["lead_id"]


def _of_state(entry: RowMapping, now: datetime) -> Iterator[str]:
    """No lead is forgotten, and what is settled is final."""
    state = State(entry["state"])
    if (state in _FINAL) != (entry["settled_at"] is not None):
        yield "settled_at must be set where the state is final, and only there"
    if entry["settled_at"] and entry["settled_at"] > now:
        yield "was settled in the future"
    if state in {State.READY, State.UNKNOWN} and entry["due_at"] is None:
        yield "would never be looked at again"
    if (entry["lease_owner"] is None) != (entry["lease_until"] is None):
        yield "a lease belongs to nobody, or never ends"
    if entry["lease_owner"] and state not in {State.READY, State.SENDING, State.UNKNOWN}:
        yield "is held, but there is nothing to do for it"
    if state is State.SENDING and not entry["lease_owner"]:
        yield "is being sent by nobody"
    if state in {State.REVIEW, State.FAILED} and not entry["note"]:
        yield "a person is not told why"


def _of_acts(entry: RowMapping, mine: Sequence[RowMapping]) -> Iterator[str]:
    """At most one process or reject, and the entry says which."""
    taken = [attempt["action"] for attempt in mine if attempt["action"] and attempt["outcome"] == Result.TAKEN]
    if len(taken) > 1:
        yield f"was acted on {len(taken)} times"
    settled = _SETTLED_BY[Action(taken[0])] if taken else None
    if settled and entry["state"] != settled:
        yield f"{taken[0]} was taken, so it must be {settled.value}"
    if entry["state"] in _ACTED and not settled and not entry["inferred"]:
        yield "no act was taken, and it is not inferred"


def _of_doubt(entry: RowMapping, mine: Sequence[RowMapping], people: int) -> Iterator[str]:
    """No act is sent while one may have been taken: but for one by evidence, and one each time a person said so."""
    perhaps = [attempt for attempt in mine if attempt["action"] and attempt["outcome"] in _PERHAPS_TAKEN]
    allowed = 1 + entry["acted_again"] + people
    if len(perhaps) > allowed:
        yield f"may have been acted on {len(perhaps)} times, where {allowed} are allowed"
    if any(each["outcome"] is None and each["action"] != entry["doubt_action"] for each in perhaps):
        yield "is being acted on, and not in doubt"


def _of_requests(entry: RowMapping, mine: Sequence[RowMapping], verdicts: Mapping[Any, str]) -> Iterator[str]:
    """Whatever was sent had been decided, and one request at most is in flight."""
    key = _key(entry)
    awaited = [attempt for attempt in mine if attempt["outcome"] is None]
    if len(awaited) > 1:
        yield "has several requests in flight"
    asked = State.UNKNOWN if awaited and awaited[0]["kind"] == RequestKind.PROBE else State.SENDING
    if awaited and (entry["state"] != asked or awaited[0]["token"] != entry["token"]):
        yield "nobody waits for the answer to its request"
    for attempt in mine:
        verdict = verdicts.get((*key, attempt["token"]))
        if verdict is None and attempt["kind"] != RequestKind.PROBE:
            yield f"request {attempt['request_id']} was sent without a decision"
        if attempt["action"] and attempt["action"] != verdict:
            yield f"request {attempt['request_id']} asked to {attempt['action']}, the decision was {verdict}"
    if entry["decided_token"] and (*key, entry["decided_token"]) not in verdicts:
        yield "its decision is missing"


def _of_the_end(entry: RowMapping, mine: Sequence[RowMapping], now: datetime) -> Iterator[str]:
    if entry["lease_owner"]:
        over = "a lease that is over" if entry["lease_until"] < now else "a lease"
        yield f"{entry['lease_owner']} left {over}"
    if Counter(attempt["outcome"] for attempt in mine)[None]:
        yield "a request was left without an outcome"
