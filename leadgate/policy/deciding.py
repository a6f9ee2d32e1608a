"""decide(): what the rules say of one lead, and why. Pure, and it never raises for what a row holds."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadgate.config import RuleConfig
from leadgate.model import Columns, ColumnType, Decision, Enrichment, Lead, Verdict
from leadgate.model.values import fit
from leadgate.policy.language import AS_WANTED, OPEN, Condition, Language
from leadgate.policy.names import Column, a, joined, spell
from leadgate.policy.reason import fact, render
from leadgate.policy.trace import NONE_OF_ANY, Failed


@dataclass(frozen=True, slots=True)
class Seen:
    """What conditions see of one lead: values by name, the same bound for CEL, and the names that are missing."""

    values: Mapping[str, Any]
    bound: Any
    lacking: AbstractSet[str]

    def gap(self, condition: Condition, error: str | None) -> str:
        """Say why a condition has no answer: the calculation that failed, or the missing values it reads."""
        if error is not None:
            return error
        lacking = sorted(spell(name) for name in condition.names if name not in self.values) or ["a value"]
        return f"{joined(lacking)} {'is' if len(lacking) == 1 else 'are'} missing"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule whose conditions compiled."""

    config: RuleConfig
    all: Sequence[Condition] = ()
    any: Sequence[Condition] = ()
    none: Sequence[Condition] = ()

    @property
    def conditions(self) -> Sequence[Condition]:
        """All its conditions, in the order in which they are numbered."""
        return (*self.all, *self.any, *self.none)

    @property
    def names(self) -> set[str]:
        """Every name its conditions read."""
        return {name for condition in self.conditions for name in condition.names}

    def ask(self, seen: Seen) -> list[str] | Failed:  # noqa: C901 - it runs for every lead, so it is not split
        """Say what leaves the rule open: an empty list means it holds.

        All else means that it does not hold whatever is open: what failed, in the numbers of a trace.
        """
        gaps: list[str] = []
        for first, conditions, wanted in ((0, self.all, True), (len(self.all) + len(self.any), self.none, False)):
            for number, condition in enumerate(conditions, first):
                way = condition.way(seen.bound, seen.lacking) if condition.ways else None
                if way is not None and way >= 0:
                    return number, way
                if way == AS_WANTED:
                    continue
                answer = None if way == OPEN else condition.answer(seen.bound)
                if not isinstance(answer, bool):
                    gaps.append(seen.gap(condition, answer))
                elif answer is not wanted:
                    way = condition.first_answered(seen.bound)
                    return number if way is None else (number, way)
        if not self.any:
            return gaps
        open_ones: list[str] = []
        for condition in self.any:
            answer = condition.answer(seen.bound)
            if answer is True:
                return gaps
            if not isinstance(answer, bool):
                open_ones.append(seen.gap(condition, answer))
        return gaps + open_ones if open_ones else NONE_OF_ANY


class Policy:
    """Compiled rules: `version` names them, `text` is their canonical JSON, `reads` the columns they need.

    `missing` holds the variable behind each missing.COLUMN that a condition reads.
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        version: str,
        text: str,
        rules: Sequence[Rule],
        otherwise: Verdict,
        kept: Mapping[str, Column],
        columns: Iterable[Column],
        missing: Mapping[str, str],
        language: Language,
    ) -> None:
        self.version, self.text = version, text
        self.rules, self.otherwise = rules, otherwise
        self._kept, self._language = kept, language
        names = {name for rule in rules for name in rule.names}
        self._reads_now, self._reads_waited = "now" in names, "waited" in names
        # decide() runs for every lead: what is the same for all of them is looked up here, once.
        self._columns = [(c, c.variable, c.relation == "lead") for c in columns]
        self._missing = missing
        self.reads = Columns(
            lead={c.name: c.type for c, _, of_lead in self._columns if of_lead},
            enrichment={c.name: c.type for c, _, of_lead in self._columns if not of_lead},
        )

    def decide(self, lead: Lead, enrichment: Enrichment | None, *, late: bool, now: datetime) -> Decision:
        """Give the verdict of the first rule that holds, its reason, and why those before it did not match."""
        seen, unanswered = self._see(lead, enrichment, late=late, now=now)
        verdict, name, reason = self.otherwise, None, "No rule matched."
        trace: list[Failed | None] = []
        kept = {name: seen.values.get(column.variable) for name, column in self._kept.items()}
        for rule in self.rules:
            gaps = rule.ask(seen)
            if not isinstance(gaps, list):
                trace.append(gaps)
                continue
            if not gaps:
                verdict, name, reason = rule.config.then, rule.config.name, render(rule.config.because, kept)
                break
            said = "; ".join(dict.fromkeys(gaps))
            if rule.config.on_missing == "review":
                reason = f"Rule {rule.config.name} could not be answered: {said}."
                verdict, name = Verdict.REVIEW, rule.config.name
                break
            unanswered.append(f"{rule.config.name}: {said}")
            trace.append(None)
        return Decision(
            verdict=verdict,
            rule=name,
            reason=reason,
            policy_version=self.version,
            late=late,
            facts={name: fact(value) for name, value in kept.items()},
            unanswered=tuple(unanswered),
            trace=tuple(trace),
        )

    @property
    def constants(self) -> Mapping[str, timedelta]:
        """The days(n) that conditions hold, by the names they have in their trees."""
        return self._language.constants

    def settled(self, rule: Rule) -> bool | None:
        """Say whether a rule holds whatever the lead's data: always, never, or None where it depends."""
        constants = self._language.constants
        asked = rule.ask(Seen(constants, self._language.bind(constants), rule.names - constants.keys()))
        return False if not isinstance(asked, list) else None if asked else True

    def _see(  # noqa: C901 - it runs for every lead, so it is not split
        self, lead: Lead, enrichment: Enrichment | None, *, late: bool, now: datetime
    ) -> tuple[Seen, list[str]]:
        """Collect what the rules read; the list says which values do not fit their columns."""
        values: dict[str, Any] = {"late": late, **self._language.constants}
        unfit: list[str] = []
        lacking: set[str] = set()
        arrived = enrichment.columns if enrichment else {}
        for column, variable, of_lead in self._columns:
            raw = (lead.columns if of_lead else arrived).get(column.name)
            value = None if raw is None else fit(raw, column.type)
            if value is not None:
                values[variable] = value
                continue
            lacking.add(variable)
            if raw is not None:
                unfit.append(f"{spell(variable)} does not hold {a(column.type)}, so it counts as missing")
        for name, variable in self._missing.items():
            values[name] = variable not in values
        since, at = fit(lead.quarantined_at, ColumnType.TIMESTAMP), fit(now, ColumnType.TIMESTAMP)
        if self._reads_now:
            values["now"] = at
        if self._reads_waited and since and at:
            values["waited"] = at - since
        elif self._reads_waited:
            lacking.add("waited")
        for name, variable in self._language.since.items():
            if at and variable in values:
                values[name] = (at - values[variable]).days
        if self._language.shares:
            place = _place_of(lead.lead_id)
            values |= {name: place < share for name, share in self._language.shares.items()}
        return Seen(values, self._language.bind(values), lacking), unfit


def _place_of(lead_id: str) -> float:
    """Give a lead's place from 0 to 1 among all, the same in every run and on every machine; 1 without an id."""
    if not lead_id:
        return 1.0
    return int.from_bytes(hashlib.blake2b(lead_id.encode("utf-8", "surrogatepass"), digest_size=6).digest()) / 2**48
