"""When a lead is complete, and how long it may take: `wait:` as it was checked against the real columns. Pure."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.config import Need, RequireConfig, WaitConfig, keys_of
from leadgate.errors import PolicyError
from leadgate.model import Columns, Enrichment, Lead
from leadgate.policy.compiling import try_compile
from leadgate.policy.demands import Demands
from leadgate.policy.language import Condition, Language
from leadgate.policy.names import Column, Names
from leadgate.policy.seeing import Eyes

_BY_DATA = "a wait goes by the lead's data; how long it may take is said by wait.deadline and wait.deadlines"


@dataclass(frozen=True, slots=True)
class _Need:
    """One thing that is waited for, how it is told while it is missing, and what its arrivals are kept under."""

    label: str
    keys: Sequence[str]
    columns: list[Column]
    """At least one of them: one for each of the keys."""
    condition: Condition | None = None


class Requirements:
    """What leads wait for. `hide` takes out of texts what may be a secret; raises PolicyError with every fault."""

    def __init__(self, config: WaitConfig, columns: Columns, hide: Callable[[str], str] = str) -> None:
        names = Names(columns)
        texts = [
            *(item.when for item in config.require if item.when),
            *(each.when for each in config.deadlines),
        ]
        language = Language(names, texts) if texts else None
        problems: list[str] = []
        needs = config.needs(hide)
        self._needs = [
            need
            for number, (item, of_file) in enumerate(zip(config.require, needs, strict=True), 1)
            if (need := _need(f"wait.require[{number}]", item, of_file, names, language, problems))
        ]
        self._deadlines: list[tuple[Condition, timedelta]] = []
        for number, rule in enumerate(config.deadlines, 1):
            where = f"wait.deadlines[{number}].when"
            if language and (condition := _compile(where, rule.when, language, problems)):
                self._deadlines.append((condition, rule.after))
        conditions = [need.condition for need in self._needs if need.condition]
        conditions += [condition for condition, _ in self._deadlines]
        self._eyes = Eyes(language, names, conditions) if language else None
        if not problems and self._eyes:
            problems += [*self._idle_needs(self._eyes), *self._idle_deadlines(self._eyes)]
        if problems:
            raise PolicyError(problems)
        read = [column for need in self._needs for column in need.columns]
        read += self._eyes.columns if self._eyes else []
        self.columns = list(dict.fromkeys(read))
        """Every column that is looked at."""
        self.watched = keys_of(needs)
        """What arrivals are kept of."""
        self.reads_lead = any(column.relation == "lead" for column in read)
        """Whether the lead's own row is looked at."""

    def missing(self, lead: Lead, enrichment: Enrichment | None) -> list[str]:
        """What is missing still, in the order of the file."""
        bound = self._bind(lead, enrichment) if any(need.condition for need in self._needs) else None
        return [
            need.label
            for need in self._needs
            if not (
                need.condition.answer(bound) is True
                if need.condition
                else any(_value(column, lead, enrichment) is not None for column in need.columns)
            )
        ]

    def present(
        self, lead: Lead, enrichment: Enrichment | None, missing: Collection[str]
    ) -> dict[str, datetime | None]:
        """Those of what is `watched` that are there, where this is `missing`; with its row's stamp, for enrichment."""
        found: dict[str, datetime | None] = {}
        stamp = enrichment.updated_at if enrichment else None
        for need in self._needs:
            if need.label in missing:
                continue
            if need.condition:
                found[need.keys[0]] = None
                continue
            for key, column in zip(need.keys, need.columns, strict=True):
                if len(need.keys) == 1 or _value(column, lead, enrichment) is not None:
                    found[key] = stamp if column.relation == "enrichment" else None
        return found

    def behind(self, missing: Sequence[str]) -> set[str]:
        """The variables of the columns that would end a wait for what is missing."""
        return {
            variable
            for need in self._needs
            if need.label in missing
            for variable in (need.condition.names if need.condition else (column.variable for column in need.columns))
        }

    def deadline(self, lead: Lead, enrichment: Enrichment | None) -> timedelta | None:
        """How long the lead may take, by the first rule that matches; None where none does."""
        if not self._deadlines:
            return None
        bound = self._bind(lead, enrichment)
        return next((after for condition, after in self._deadlines if condition.answer(bound) is True), None)

    def _bind(self, lead: Lead, enrichment: Enrichment | None) -> object:
        assert self._eyes  # noqa: S101 - there are conditions
        return self._eyes.see(lead, enrichment, late=False, now=None)[0].bound

    def _idle_needs(self, eyes: Eyes) -> Iterator[str]:
        """Name the conditions that no lead waits for, or that every lead waits for in vain."""
        for number, need in enumerate(self._needs, 1):
            settled = need.condition.answer(eyes.nothing().bound) if need.condition else None
            where = f"wait.require[{number}].when"
            if settled is False:
                yield f"{where}: can never hold: it is false whatever the data, so that every lead would become late"
            elif settled is True:
                yield f"{where}: always holds, so that no lead waits for it: leave it out"

    def _idle_deadlines(self, eyes: Eyes) -> Iterator[str]:
        """Name the rules of deadlines that can never match, or that always do."""
        before: list[Demands] = []
        for number, (condition, _) in enumerate(self._deadlines, 1):
            where = f"wait.deadlines[{number}].when"
            settled, demands = condition.answer(eyes.nothing().bound), Demands([condition], constants=eyes.constants)
            earlier = next((at for at, others in enumerate(before, 1) if others.follow_from(demands)), None)
            before.append(demands)
            if settled is False:
                yield f"{where}: can never match: it is false whatever the data"
            elif settled is True:
                yield f"{where}: always holds: write its time as wait.deadline, and leave the rule out"
            elif demands.exclude_each_other():
                yield f"{where}: can never match: its comparisons exclude each other"
            elif earlier:
                yield f"{where}: can never match: wait.deadlines[{earlier}] holds wherever it does"


def _need(  # noqa: PLR0913, PLR0917
    where: str,
    item: RequireConfig,
    need: Need,
    names: Names,
    language: Language | None,
    problems: list[str],
) -> _Need | None:
    if item.when and language:
        condition = _compile(f"{where}.when", item.when, language, problems)
        return _Need(need.label, need.keys, [], condition) if condition else None
    wanted = {where: item.column} if item.column else {f"{where}.any[{n}]": c for n, c in enumerate(item.any or (), 1)}
    found: dict[Column, str] = {}
    for place, name in wanted.items():
        column = names.column(name)
        if column is None:
            problems.append(f"{place}: {names.problem(name)}")
        elif column in found:
            problems.append(f"{place}: {name} stands twice, also in {found[column]}: leave one of the two out")
        else:
            found[column] = place
    return _Need(need.label, need.keys, list(found))


def _compile(where: str, text: str, language: Language, problems: list[str]) -> Condition | None:
    condition = try_compile(where, text, language.compile, problems)
    if condition and (of_time := language.time_in(condition)):
        problems.append(f"{where}: `{of_time}` is not used here: {_BY_DATA}")
        return None
    return condition


def _value(column: Column, lead: Lead, enrichment: Enrichment | None) -> object:
    row = lead if column.relation == "lead" else enrichment
    return row and row.columns.get(column.name)
