"""`leadgate review show`: one lead's row, read live from the source, with the rules; nothing of it is kept."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

from cli.blocks import read_block
from cli.output import clock_time, say, say_json
from leadgate.printable import in_short
from leadgate.unexpected import guarded
from leadgate.wiring.showing import FieldShown, Judged, LeadShown, Outcome, RowShown, Where
from leadgate.wiring.showing import show_lead as read_lead

_LONGEST = 200
"""Characters of a value that are shown to people; with --json all of them are."""


@guarded
def print_lead(config: Path, lead_id: str, *, as_json: bool) -> None:
    """Read a lead and print all of it; no error quotes a value."""
    shown = read_lead(config, read_block, lead_id, longest=None if as_json else _LONGEST)
    if as_json:
        say_json(_document(shown))
        return
    for line in _lines(shown):
        say(line)


def _document(shown: LeadShown) -> dict[str, object]:
    document = asdict(shown)
    judged = document["judged"]
    if judged:
        judged["decision"] = {name: judged["decision"][name] for name in _DECISION}
    return {"lead_id": document["lead_id"], **document.pop("where"), **document}


_DECISION = ("verdict", "rule", "reason", "late", "policy_version")


def _lines(shown: LeadShown) -> Iterator[str]:
    yield from _of_place(shown.lead_id, shown.where)
    yield from _of_row("source.leads", shown.lead, shown.absent)
    yield from _of_row("source.enrichment", shown.enrichment, "there is no row of it")
    if shown.judged:
        yield from _of_rules(shown.judged)
        yield from _of_fields(shown.judged)
    else:
        yield "No run decides the lead without a row in source.leads."


def _of_place(lead_id: str, where: Where) -> Iterator[str]:
    why = f": {in_short(where.reason, _LONGEST)}" if where.reason else ""
    yield f"lead {lead_id}: {where.state} since {clock_time(where.since)}{why}"
    if where.link:
        yield f"  {where.link}"
    if where.act_in_doubt:
        yield f"  Its {where.act_in_doubt} may have been taken, since {clock_time(where.doubt_since)}."
    if decision := where.override:
        yield f"  {decision.decided_by} decided {decision.verdict}, which the next run follows: {decision.reason}"


def _of_row(relation: str, row: RowShown | None, absent: str | None) -> Iterator[str]:
    if row is None:
        yield f"{relation}: {absent}."
        return
    yield f"{relation}:"
    for name, value in row.columns.items():
        if name not in row.unreadable:
            others = [_written(each) for each in row.several.get(name, ())[1:]]
            also = f", on {'another row' if len(others) == 1 else 'other rows'} {', '.join(others)}" if others else ""
            yield f"  {name}: {_written(row.own.get(name, value))}{also}"
    for name, why in row.unreadable.items():
        yield f"  {name}: unreadable: {why}"


def _of_rules(judged: Judged) -> Iterator[str]:
    waits = " A run would not decide the lead yet: it is not late." if judged.waits else ""
    late = " The lead is late: the rules decide it with `late` = true." if judged.decision.late else ""
    yield f"missing of wait.require: {'; '.join(judged.missing) or 'nothing'}.{waits}{late}"
    yield "rules:"
    for rule in judged.rules:
        why = f", then {rule.then}" if rule.outcome is Outcome.MATCHED else f": {rule.why}" if rule.why else ""
        yield f"  {rule.rule}: {rule.outcome}{why}"
    decision = judged.decision
    reason = in_short(decision.reason, _LONGEST)
    yield f"the rules would decide: {decision.verdict} by {decision.rule or 'otherwise'}: {reason}"


def _of_fields(judged: Judged) -> Iterator[str]:
    if not judged.written:
        yield "would be written: nothing, since the file has no `update:`."
        return
    taken = " (LeadByte has taken all of it already)" if judged.is_written else ""
    yield f"would be written{taken}:"
    for field in judged.written:
        yield f"  {field.field}: {_value(field)} ({field.made})"


def _value(field: FieldShown) -> str:
    return f"left out: {field.problem}" if field.problem else _written(field.value)


def _written(value: object) -> str:
    """Write a value so that a text is told from what is none."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f'"{in_short(value, _LONGEST)}"'
        case date() | datetime():
            return value.isoformat()
        case _:
            return in_short(str(value), _LONGEST)
