"""One lead's history told in order, in sentences, from the ledger alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import RowMapping

from leadgate.config import PipelineConfig
from leadgate.config.section import in_largest_unit, shortened
from leadgate.ledger.absent import AWAY_FOR
from leadgate.ledger.history import History
from leadgate.model import Result, State, Verdict
from leadgate.policy.trace import explain_tried_rules, unfit_values
from leadgate.printable import on_one_line
from leadgate.readable import span


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a lead."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, oldest first, and what holds now."""

    events: Sequence[Event]
    now: str


def tell(history: History, config: PipelineConfig) -> Story:
    """Put a lead's entry, decisions and attempts into one order of time and into words."""
    events = [*_of_entry(history.entry)]
    events += [Event(said["decided_at"], _said(said)) for said in history.overrides]
    before: list[str] = []
    for decision in history.decisions:
        stands = decision["token"] == history.entry["decided_token"]
        missing = history.entry["missing"] if stands else None
        new = list(_of_decision(decision, history.policies.get(decision["policy_version"]), missing))
        texts = [event.what for event in new]
        same = [Event(decision["decided_at"], f"tried again, still: {decision['verdict']}")]
        events.extend(same if texts == before else new)
        before = texts
    for attempt in history.attempts:
        events.extend(_of_attempt(attempt, config))
    events += _of_inference(history)
    # Sorting keeps the order of events that share an instant: seen, decided, sent, answered, inferred.
    in_order = [Event(event.at, on_one_line(event.what)) for event in sorted(events, key=lambda event: event.at)]
    return Story(_folded(in_order), on_one_line(_now(history, config)))


def _folded(events: Sequence[Event]) -> list[Event]:
    """Tell steps that come again and again, whatever their requests' numbers, a few times and then in one line."""
    texts = [_REQUEST.sub("", event.what) for event in events]
    told: list[Event] = []
    at = 0
    while at < len(events):
        size, times = max(((size, _times_in_a_row(texts, at, size)) for size in (1, 2, 3)), key=lambda found: found[1])
        if times <= _TOLD:
            size, times = 1, 1
        told += events[at : at + min(times, _TOLD) * size]
        at += times * size
        if times > _TOLD:
            more = "once" if times - _TOLD == 1 else f"{times - _TOLD} times"
            told.append(Event(events[at - 1].at, f"the same {more} more, the last one at this time"))
    return told


def _times_in_a_row(texts: Sequence[str], at: int, size: int) -> int:
    """How often the `size` texts from a place on stand there one after the other."""
    times = 1
    while texts[at : at + size] == texts[at + times * size : at + (times + 1) * size]:
        times += 1
    return times


_TOLD = 3
_REQUEST = re.compile(r" \(request \w+\)")


def _of_entry(entry: RowMapping) -> Iterator[Event]:
    yield Event(entry["quarantined_at"], "put into quarantine")
    yield Event(entry["registered_at"], "registered")
    if entry["arrived_at"]:
        yield Event(entry["arrived_at"], "enrichment seen complete")


def _of_inference(history: History) -> Iterator[Event]:
    entry = history.entry
    if entry["inferred"] and not _is_by_person(history):
        yield Event(entry["settled_at"], f"settled as {entry['state']}, {entry['note']}")


def _said(override: RowMapping) -> str:
    words = _WORDS.get(override["verdict"], f"decided {override['verdict']}")
    return f"{override['decided_by']} {words}" + (f": {override['reason']}" if override["reason"] else "")


_WORDS = {
    "again": "asked for a new decision",
    "undo": "took that back, before it was processed or rejected",
    "was-processed": "found in LeadByte that it was processed",
    "was-rejected": "found in LeadByte that it was rejected",
    "not-taken": "found it still in quarantine: its act was not taken",
    "discard": "gave it up",
}


def _of_decision(decision: RowMapping, policy: str | None, missing: Sequence[str] | None) -> Iterator[Event]:
    """The rules that were tried first, where their text is known, and the verdict."""
    unanswered = decision["unanswered"]
    if policy and decision["trace"] is not None:
        trace = decision["trace"]
        for rule, why in explain_tried_rules(policy, trace, unanswered, decision["facts"]):
            yield Event(decision["decided_at"], f"rule {rule!r} did not match: {why}")
        unanswered = unfit_values(trace, unanswered)
    yield Event(decision["decided_at"], _decided(decision, unanswered, missing))


def _decided(decision: RowMapping, unanswered: Sequence[str], missing: Sequence[str] | None) -> str:
    if decision["paused"] or (decision["capped"] and decision["verdict"] == Verdict.HOLD):
        return f"not acted on: {decision['reason']}"
    observed = "observed, nothing was sent: " if decision["observed"] else ""
    if decision["decided_by"]:
        return f"{observed}sending {decision['verdict']}, as {decision['decided_by']} decided: {decision['reason']}"
    rule = f"rule {decision['rule']!r}" if decision["rule"] else "otherwise"
    text = f"{observed}decided {decision['verdict']} by {rule}: {decision['reason']}"
    if decision["late"]:
        text += f" Late: the deadline had passed{f' without {_listed(missing)}' if missing else ''}."
    facts = [f"{name}={value}" for name, value in decision["facts"].items() if value is not None]
    if facts:
        text += f" Facts: {', '.join(facts)}."
    if unanswered:
        text += f" Not answered: {'; '.join(unanswered)}."
    text += f" (policy {decision['policy_version']})"
    if other := decision["shadow"]:
        rule = f"rule {other['rule']!r}" if other["rule"] else "otherwise"
        text += f" The shadow rules would: {other['verdict']} by {rule} (policy {other['policy_version']})."
    return text


_ASKED = {
    "update": "update",
    "update_and_act": "update and {action}",
    "act": "{action}",
    "probe": "probe (update alone)",
    "control": "control (update alone, to see what LeadByte says of a lead that it queued)",
}
_ENDED = {
    "taken": "LeadByte took it",
    "refused": "LeadByte refused it",
    "in_doubt": "no answer that can be trusted",
    "gone": "LeadByte no longer has it in quarantine",
}


def _of_attempt(attempt: RowMapping, config: PipelineConfig) -> Iterator[Event]:
    asked = _ASKED[attempt["kind"]].format(action=attempt["action"])
    made = {name: f" ({field.made(config.without_values)})" for name, field in config.update.items()}
    fields = ", ".join(f"{name}{made.get(name, '')}" for name in attempt["fields"])
    fields = f" writing {fields}" if fields else ""
    request = f"{asked}{fields} (request {attempt['request_id']})"
    message = f": {attempt['message']}" if attempt["message"] else ""
    if attempt["outcome"] == Result.REFUSED and not attempt["http_status"]:
        # LeadByte has not answered, and yet it is certain that it took nothing: it was never asked.
        yield Event(attempt["answered_at"], f"not delivered: {request}{message}")
        return
    yield Event(attempt["sent_at"], f"sent: {request}")
    if attempt["answered_at"]:
        status = f", HTTP {attempt['http_status']}" if attempt["http_status"] else ""
        yield Event(attempt["answered_at"], f"{_ENDED[attempt['outcome']]}{status}{message}")


def _now(history: History, config: PipelineConfig) -> str:
    entry = history.entry
    state = State(entry["state"])
    if state is State.WAITING and entry["due_at"] and _is_observed(history):
        return (
            "Now: observed, and nothing was sent (delivery.observe); decided anew when its data or the rules change, "
            "or by the first run without delivery.observe."
        )
    if state is State.WAITING:
        return f"Now: {_waits(entry, config, history.stopped)}{_away(entry, config)}"
    note = f" ({entry['note'].rstrip('.')})" if entry["note"] else ""
    inferred = " No answer says so: it is inferred from a probe." if entry["inferred"] else ""
    inferred = " No answer says so: a person does." if entry["inferred"] and _is_by_person(history) else inferred
    return f"Now: {_NOW[state].format(note=note, **_times(entry))}{inferred}{_away(entry, config)}"


def _away(entry: RowMapping, config: PipelineConfig) -> str:
    """Say what becomes of an open lead whose row is not there."""
    if not entry["absent_since"] or entry["settled_at"] or entry["state"] == State.WITHDRAWN:
        return ""
    ends = "goes to a person" if config.source.leads.left == "review" else "is withdrawn"
    at = _short(entry["absent_since"] + AWAY_FOR)
    return f" Its row has not been in source.leads since {_short(entry['absent_since'])}: from {at} on the lead {ends}."


def _is_by_person(history: History) -> bool:
    """Whether a person has said what became of the act."""
    return any(each["token"] == history.entry["token"] for each in history.overrides)


def _is_observed(history: History) -> bool:
    """Whether the decision that stands was made with nothing sent."""
    token = history.entry["decided_token"]
    return any(each["observed"] for each in history.decisions if each["token"] == token)


def _waits(entry: RowMapping, config: PipelineConfig, stopped: timedelta) -> str:
    if entry["due_at"]:
        return f"held; decided again when its enrichment changes, or at {_short(entry['due_at'])}."
    known = entry["missing"]
    missing = _listed([need.label(config.without_values) for need in config.wait.require] if known is None else known)
    own = timedelta(seconds=entry["deadline"])
    try:
        until = _short(entry["quarantined_at"] + (own or config.wait.deadline) + stopped)
    except OverflowError:  # quarantined on the last day there is, as databases write "never"
        return f"waits for {missing}, and is never late."
    rules = [config.without_values(rule.when) for rule in config.wait.deadlines if rule.after == own]
    which = f" for {' or '.join(f'`{shortened(when)}`' for when in rules)}" if rules else ""
    by = f", by the deadline of {in_largest_unit(own)}{which}" if own else ""
    still = f" The source was not healthy for {span(stopped)}, which does not count." if stopped else ""
    return f"waits for {missing} until {until}{by}; then it is late, and the rules decide it with `late` = true.{still}"


def _listed(missing: Sequence[str]) -> str:
    """Put what a lead waits for into one line: columns, and more than columns."""
    is_plain = not any(" " in each or each.startswith("`") for each in missing)
    return ", ".join(missing) if is_plain else f"{'; '.join(missing)};"


def _times(entry: RowMapping) -> dict[str, str]:
    return {"lead_id": entry["lead_id"]} | {name: _short(entry[name]) for name in ("due_at", "lease_until")}


def _short(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z" if instant else "-"


_NOW = {
    State.READY: "due for a decision at {due_at}{note}.",
    State.SENDING: "a request is in flight; its lease ends at {lease_until}.",
    State.UNKNOWN: (
        "sent, and nobody knows if it was taken{note}. Once you have looked in LeadByte: "
        "`leadgate review settle {lead_id}`."
    ),
    State.REVIEW: "a person must decide{note}: `leadgate review show {lead_id}`.",
    State.PROCESSED: "queued for processing by LeadByte, which goes on with it.",
    State.REJECTED: "queued for rejection by LeadByte.",
    State.GONE: "someone else moved it out of quarantine; nothing more is done.",
    State.WITHDRAWN: "its row has left the source; it waits again when the row is back.",
    State.FAILED: "parked{note}; decided anew when its data changes, or by `leadgate retry`.",
    State.DISCARDED: "given up{note}; nothing more is done.",
}
