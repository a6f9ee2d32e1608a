"""What sampled rows say of a pipeline before its first run: a sentence each, with what to write. Pure.

No sentence holds a person's value. A text is named only if many rows share it and it looks like nobody's own.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from leadgate.clock import CLOCKS_AGREE
from leadgate.model import MANY_LATE, ColumnType, Enrichment, Lead
from leadgate.readable import counted
from leadgate.source.date_formats import ISO, guess_form
from leadgate.source.faults import shape_of
from leadgate.source.sampling import Sample, SampledColumn

_ENOUGH = 20
"""Rows from which a share says something."""
_SUSPICIOUS = 0.2
_KNOWN = 0.05
"""The share from which a known placeholder is told: it is nobody's value in any number, but one may be a slip."""
_CATEGORIES = 5
"""A column with no more different texts than this is a category, whatever its name."""
_CATEGORY = re.compile(
    "status|type|source|origin|stage|campaign|country|county|region|gender|title|categor|kind|channel|currency"
    "|language|medium|product|segment|reason|result|flag",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset(
    {"", "select", "please select", "choose", "n/a", "na", "n.a.", "none", "null", "nil", "nan", "unknown", "undefined"}
    | {"-", "--", "?", ".", "tbc", "tba", "test", "not known", "not provided", "not specified", "#n/a"}
)
_ID = re.compile(r"[1-9][0-9]{0,8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A whole number too short for a telephone number, or a UUID."""
_ONE_DIGIT = re.compile(r"(\d)\1{2,}")


class Finding(NamedTuple):
    """One sentence on the rows; a warning if leads would be held back, or wrong data sent."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What the pipeline file expects of the rows."""

    columns: Collection[tuple[str, str]]
    """The columns that are used, as (source.leads, campaign)."""
    stamps: Collection[tuple[str, str]]
    """The columns that say when a row was written or a lead quarantined."""
    missing_of: Callable[[Lead, Enrichment | None], Sequence[str]]
    """The columns that a lead still lacks."""
    deadline_of: Callable[[Lead, Enrichment | None], timedelta]
    can_act: Callable[[str], bool]
    """Whether LeadByte can process or reject a lead of this id."""
    assumed_zone: str | None
    """The zone of dates and times which name none, if the file does not say."""
    null_values: Sequence[str]
    """The texts that mean no value, as the file has them."""
    is_first_run: bool


def judge_sample(sample: Sample, expected: Expected, *, now: datetime) -> list[Finding]:
    """Say what the rows would do to a run at `now`: warnings first."""
    used = [column for column in sample.columns if (column.path, column.name) in expected.columns]
    dated = [
        column
        for column in sample.columns
        if column.type is ColumnType.TIMESTAMP and (column in used or (column.path, column.name) in expected.stamps)
    ]
    findings = [
        *(Finding(line, is_warning=True) for line in sample.faults.lines(_shown)),
        *_about_ids(sample.leads, expected),
        *_about_unreadable(used, dated),
        *_about_placeholders(used, expected.null_values),
        *_about_matches(sample),
        *_about_stamps(dated, expected, now),
        *_about_order(dated, expected),
        *(Finding(line) for line in sample.remarks.lines(_shown)),
        *_about_complete(sample, expected, now),
        *_about_missing(used),
        *_about_zones(dated, expected),
    ]
    return sorted(findings, key=lambda finding: not finding.is_warning)


def _about_ids(leads: Sequence[Lead], expected: Expected) -> Iterator[Finding]:
    odd = [lead.lead_id for lead in leads if not expected.can_act(lead.lead_id)]
    if odd:
        yield Finding(
            f"source.leads.id: {_shown(odd[0])} is not a plain whole number, as LeadByte's quarantine ids are "
            f"({len(odd):,} of {_sampled(leads)}). Name the column that holds those, or let a `query:` write them so: "
            "a lead with another id cannot be processed or rejected where no field is left to update.",
            is_warning=True,
        )


def _about_unreadable(used: Sequence[SampledColumn], dated: Sequence[SampledColumn]) -> Iterator[Finding]:
    for column in [*used, *(column for column in dated if column not in used)]:
        for line in column.unreadable.lines(_shown):
            yield Finding(f"{line}{_how_written(column)}", is_warning=True)


def _how_written(column: SampledColumn) -> str:
    """Say what to write so that the texts of a column are read as dates and times, where it can be seen."""
    guessed = guess_form(column.written, may_be_digits=True)
    if not guessed or guessed.form == ISO:
        return ""
    doubt = "" if guessed.is_sure else " No value tells which is the day and which the month: only you know."
    return f' Write `{column.path}.types: {{{column.name}: {{timestamp: "{guessed.form}"}}}}`.{doubt}'


def _about_placeholders(used: Sequence[SampledColumn], null_values: Sequence[str]) -> Iterator[Finding]:
    found: list[tuple[SampledColumn, dict[str, int], int]] = []
    for column in used:
        texts = [value for value in column.values if value is not None]
        if column.type is ColumnType.STRING and len(texts) >= _ENOUGH and (many := _placeholders(column.name, texts)):
            found.append((column, many, len(texts)))
    known = sorted({text for _, many, _ in found for text in many if _is_known(text)})
    texts_for_none = ", ".join(map(_quoted, dict.fromkeys([*null_values, *known])))
    for column, many, total in found:
        if placeholders := {text: count for text, count in many.items() if _is_known(text)}:
            yield Finding(
                f"{_how_often(column, placeholders, total)}, which is likely no value, and counts as one: so that it "
                f"counts as missing, write `source.null_values: [{texts_for_none}]`.",
                is_warning=True,
            )
        if frequent := {text: count for text, count in many.items() if text not in placeholders}:
            # A large town, or a usual name, is in many rows too: told to be no value, its leads would wait for one.
            yield Finding(
                f"{_how_often(column, frequent, total)}. If that stands for no value, name it under "
                "`source.null_values`."
            )


def _how_often(column: SampledColumn, texts: Mapping[str, int], total: int) -> str:
    parts = [
        f"{_quoted(text) if _is_known(text) else f'one text, written like {shape_of(text)},'} in {count:,}"
        for text, count in texts.items()
    ]
    return f"{column.path}: `{column.name}` holds {' and '.join(parts)} of {total:,} sampled values"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _placeholders(name: str, texts: Sequence[str]) -> dict[str, int]:
    """The texts of a column that are likely no values, and how many rows have each, blanks around it left out."""
    counts = Counter(text.strip() for text in texts)
    known = {text: count for text, count in counts.items() if _is_known(text) and count > _KNOWN * len(texts)}
    if not _CATEGORY.search(name) and len(counts) > _CATEGORIES:
        text, count = counts.most_common(1)[0]
        if count > _SUSPICIOUS * len(texts):
            known[text] = count
    return known


def _is_known(text: str) -> bool:
    bare = text.strip().strip("<>()[]").casefold()
    return bare in _PLACEHOLDERS or _ONE_DIGIT.fullmatch(bare) is not None


def _about_matches(sample: Sample) -> Iterator[Finding]:
    without = [lead.lead_id for lead in sample.leads if lead.lead_id not in sample.enrichments]
    if len(without) == len(sample.leads) >= _ENOUGH and sample.newest_ids:
        yield Finding(
            f"source.enrichment.id: no row has arrived for any of {_sampled(sample.leads)}. Their ids are such as "
            f"{_some(without)}, those of the newest enrichment such as {_some(sample.newest_ids)}: "
            + (
                "they are the same but for leading zeros, blanks or case. Let a `query:` write both alike."
                if _bare(without) & _bare(sample.newest_ids)
                else "name the column that holds the id of source.leads."
            ),
            is_warning=True,
        )
        return
    if without:
        yield Finding(
            f"source.enrichment: has no row yet for {len(without):,} of {_sampled(sample.leads)}, such as "
            f"{_some(without)}."
        )
    if sample.without_lead:
        yield Finding(
            f"source.enrichment: {len(sample.without_lead):,} of the ids of its {len(sample.newest_ids):,} newest rows "
            f"are of no lead in source.leads, such as {_some(sample.without_lead)}. Such rows are left alone."
        )


def _about_stamps(dated: Sequence[SampledColumn], expected: Expected, now: datetime) -> Iterator[Finding]:
    for column in dated:
        if (column.path, column.name) not in expected.stamps:
            continue
        # Of a stamp of enrichment that lies in the future every reading says so.
        ahead = sum(value is not None and value > now + CLOCKS_AGREE for value in column.values)
        without = sum(value is None for value in column.values)
        if column.path == "source.leads" and ahead:
            yield Finding(
                f"source.leads: {ahead:,} of {len(column.values):,} sampled leads have a `{column.name}` of the "
                "future: put them right, or correct source.time_zone if all are ahead.",
                is_warning=True,
            )
        elif column.path == "source.enrichment" and without:
            yield Finding(
                f"{column.path}: {counted(without, 'sampled row has', 'sampled rows have')} no `{column.name}`: the "
                "whole comparison alone finds such rows, up to source.compare_every later. Let each have one."
            )


def _about_order(dated: Sequence[SampledColumn], expected: Expected) -> Iterator[Finding]:
    for column in dated:
        if not column.is_padded and (column.path, column.name) in expected.stamps:
            yield Finding(
                f"{column.path}: `{column.name}` is not written alike in all rows, such as 9:05 beside 10:05, so the "
                "newest cannot be told by its text: let a `query:` write it as 2026-03-01 09:05:00.",
                is_warning=True,
            )


def _about_complete(sample: Sample, expected: Expected, now: datetime) -> Iterator[Finding]:
    if not sample.leads:
        yield Finding("source.leads: no row of it is a lead yet, so a run would do nothing.")
        return
    missing = {lead.lead_id: expected.missing_of(lead, sample.enrichments.get(lead.lead_id)) for lead in sample.leads}
    lacking = Counter(name for names in missing.values() for name in dict.fromkeys(names))
    complete = sum(not names for names in missing.values())
    lack = ", ".join(
        f"{count:,} {'lacks' if count == 1 else 'lack'} {_named(name)}" for name, count in lacking.most_common()
    )
    are = "is" if len(sample.leads) == 1 else "are"
    yield Finding(
        f"wait.require: {complete:,} of {_sampled(sample.leads)} {are} complete now{lack and f'; {lack}'}.",
        is_warning=not complete and len(sample.enrichments) >= _ENOUGH,
    )
    waiting = [lead for lead in sample.leads if missing[lead.lead_id]]
    late = sum(
        lead.quarantined_at < now - expected.deadline_of(lead, sample.enrichments.get(lead.lead_id)) for lead in waiting
    )
    if late and expected.is_first_run and (sample.enrichments or late < MANY_LATE):
        yield Finding(
            f"wait.deadline: at least {counted(late, 'lead has', 'leads have')} waited for longer without being "
            "complete: the first run decides them at once, as late. `leadgate plan` shows how; with a longer "
            "wait.deadline they wait."
        )


def _named(missing: str) -> str:
    """Put a column between backticks, in which a condition stands already."""
    return f"`{missing}`" if missing.isidentifier() else missing


def _about_missing(used: Sequence[SampledColumn]) -> Iterator[Finding]:
    shares: dict[str, list[str]] = {}
    for column in used:
        missing = sum(value is None for value in column.values)
        if missing == len(column.values) >= _ENOUGH:
            yield Finding(
                f"{column.path}: `{column.name}` is missing in all of {len(column.values):,} sampled rows: name "
                "another column, or find out why nothing is written into it.",
            )
        elif missing:
            share = max(1, round(100 * missing / len(column.values)))
            shares.setdefault(column.path, []).append(f"`{column.name}` in {share} %")
    for path, parts in shares.items():
        yield Finding(f"{path}: of the sampled rows some have no value: {', '.join(parts)}.")


def _about_zones(dated: Sequence[SampledColumn], expected: Expected) -> Iterator[Finding]:
    local = [f"`{column.name}`" for column in dated if column.names_no_zone]
    if local and expected.assumed_zone:
        name = "names" if len(local) == 1 else "name"
        yield Finding(
            f"source.time_zone: is not set, and {', '.join(dict.fromkeys(local))} {name} "
            f"no zone: {expected.assumed_zone} is assumed. If they are local, write `source.time_zone: Europe/London`, "
            "or whichever it is."
        )


def _sampled(leads: Sequence[Lead]) -> str:
    return counted(len(leads), "sampled lead")


def _some(ids: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(map(_shown, ids[:3])))


def _shown(lead_id: str) -> str:
    """Write an id; by its shape where it may be a person's, of a column that was named by mistake."""
    zeros = len(lead_id) - len(lead_id.lstrip("0")) if lead_id.isdecimal() else 0
    return lead_id if _ID.fullmatch(lead_id) else f"one written like {'0' * zeros}{shape_of(lead_id[zeros:])}"


def _bare(ids: Sequence[str]) -> set[str]:
    return {lead_id.strip().lstrip("0").casefold() for lead_id in ids}
