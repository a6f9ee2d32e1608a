"""decide(): what the rules say of one lead, and why. Pure, and it never raises for what a row holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgate.config import RuleConfig
from leadgate.model import Columns, Decision, Enrichment, Lead, Verdict
from leadgate.policy.language import Condition
from leadgate.policy.names import Column
from leadgate.policy.reason import fact, render
from leadgate.policy.seeing import Eyes, Seen
from leadgate.policy.trace import NONE_OF_ANY, Failed


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

    def ask(self, seen: Seen) -> list[str] | Failed:
        """Say what leaves the rule open: an empty list means it holds.

        All else means that it does not hold whatever is open: what failed, in the numbers of a trace.
        """
        gaps: list[str] = []
        for first, conditions, wanted in ((0, self.all, True), (len(self.all) + len(self.any), self.none, False)):
            for number, condition in enumerate(conditions, first):
                answer = condition.answer(seen.bound)
                if not isinstance(answer, bool):
                    gaps.append(seen.gap(condition, answer))
                elif answer is not wanted:
                    way = condition.first_failing(seen.bound)
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
    """Compiled rules: `version` names them, `text` is their canonical JSON, `reads` the columns they need."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        version: str,
        text: str,
        rules: Sequence[Rule],
        otherwise: Verdict,
        kept: Mapping[str, Column],
        eyes: Eyes,
    ) -> None:
        self.version, self.text = version, text
        self.rules, self.otherwise = rules, otherwise
        self._kept, self._eyes = kept, eyes
        self.reads = Columns(
            lead={c.name: c.type for c in eyes.columns if c.relation == "lead"},
            enrichment={c.name: c.type for c in eyes.columns if c.relation == "enrichment"},
        )

    def decide(self, lead: Lead, enrichment: Enrichment | None, *, late: bool, now: datetime) -> Decision:
        """Give the verdict of the first rule that holds, its reason, and why those before it did not match."""
        seen, unanswered = self._eyes.see(lead, enrichment, late=late, now=now)
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
            problems = "; ".join(dict.fromkeys(gaps))
            if rule.config.on_missing == "review":
                reason = f"Rule {rule.config.name} could not be answered: {problems}."
                verdict, name = Verdict.REVIEW, rule.config.name
                break
            unanswered.append(f"{rule.config.name}: {problems}")
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
        return self._eyes.constants

    def settled(self, rule: Rule) -> bool | None:
        """Say whether a rule holds whatever the lead's data: always, never, or None where it depends."""
        asked = rule.ask(self._eyes.nothing())
        return False if not isinstance(asked, list) else None if asked else True
