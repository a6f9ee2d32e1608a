"""What is odd about rules that are right as they stand: rules out of reach, columns nobody waits for, idle facts."""

import re
from collections.abc import Container, Iterator, Sequence

from leadgate.config import PolicyConfig
from leadgate.model import Verdict
from leadgate.policy.deciding import Policy, Rule
from leadgate.policy.demands import Demands, may_process_late
from leadgate.policy.names import joined, spell


def advise(
    policy: Policy, config: PolicyConfig, require: Sequence[str], without_value: Container[str] = ()
) -> list[str]:
    """Give a sentence for each oddity, with its place in the file; `require` is wait.require.

    `without_value` are columns such as `lead.opted_out` that some rows of the source have no value in.
    """
    unreachable = _unreachable(policy)
    return [
        *unreachable.values(),
        *_without_process(policy, unreachable),
        *_not_waited_for(policy, require),
        *_passed_over(policy, require, without_value),
        *(_needs_no_enrichment(policy) if require else ()),
        *_idle_facts(policy, config),
    ]


def _place(policy: Policy, rule: Rule) -> str:
    return f"policy.rules[{policy.rules.index(rule) + 1}] {rule.config.name!r}"


def _unreachable(policy: Policy) -> dict[str, str]:
    """The rules that can never match, by name, and why."""
    found: dict[str, str] = {}
    always: Rule | None = None
    before: list[tuple[Rule, Demands]] = []
    for rule in policy.rules:
        holds, demands = policy.settled(rule), Demands(rule.all, rule.any, rule.none, constants=policy.constants)
        # A rule with `on_missing: review` decides also where it has no answer.
        asked = rule.config.on_missing == "skip"
        same = next((earlier for earlier, others in before if asked and others.follow_from(demands)), None)
        if always:
            why = f"{always.config.name!r} before it always holds; put it before that rule, or delete it"
        elif holds is False:
            why = "its condition is false whatever the data"
        elif asked and demands.exclude_each_other():
            why = "its comparisons exclude each other"
        elif same:
            why = f"{same.config.name!r} before it holds wherever it does; put it before that rule, or delete it"
        else:
            before.append((rule, demands))
            always = rule if holds else None
            continue
        found[rule.config.name] = f"{_place(policy, rule)}: can never match: {why}."
    return found


def _without_process(policy: Policy, unreachable: dict[str, str]) -> Iterator[str]:
    verdicts = {rule.config.then for rule in policy.rules if rule.config.name not in unreachable}
    if Verdict.PROCESS not in verdicts | {policy.otherwise}:
        yield "policy: no lead is ever processed: no rule that can match says `then: process`, nor does `otherwise`."


def _not_waited_for(policy: Policy, require: Sequence[str]) -> Iterator[str]:
    for rule in policy.rules:
        read = sorted(name for name in rule.names if name.startswith("enrichment."))
        # A rule that asks for missing.COLUMN has thought of it.
        loose = [
            n for n in read if (column := n.partition(".")[2]) not in require and f"missing.{column}" not in rule.names
        ]
        if not loose:
            continue
        missing = "it is" if len(loose) == 1 else "one is"
        then = "sends the lead to a person" if rule.config.on_missing == "review" else "is skipped"
        yield (
            f"{_place(policy, rule)}: reads {joined(spell(name) for name in loose)}, which wait.require does not wait "
            f"for: if {missing} missing, the rule {then}."
        )


def _passed_over(policy: Policy, require: Sequence[str], without_value: Container[str]) -> Iterator[str]:
    """Rules that a lead gets past without a column that they ask for, and which rule may then process it."""
    late = may_process_late(policy)
    thought_of = {name for rule in policy.rules for name in rule.names if name.startswith("missing.")}
    takers = [number for number, rule in enumerate(policy.rules) if rule.config.then is Verdict.PROCESS]
    takers += [len(policy.rules)] if policy.otherwise is Verdict.PROCESS else []
    for place, rule in enumerate(policy.rules):
        if rule.config.then is Verdict.PROCESS or rule.config.on_missing == "review":
            continue
        columns = {name: name.partition(".")[2] for name in rule.names}
        asked = {name: column for name, column in columns.items() if f"missing.{column}" not in thought_of}
        required = {name for name, column in asked.items() if name.startswith("enrichment.") and column in require}
        empty = {name for name in asked if name.startswith("lead.") and name in without_value}
        for names, numbers, which in ((required, late, "a late lead"), (empty, takers, "a lead")):
            for number in numbers:
                taker = policy.rules[number] if number < len(policy.rules) else None
                if number > place and (loose := sorted(names - (taker.names if taker else set()))):
                    by = repr(taker.config.name) if taker else "policy.otherwise"
                    first = "put a rule with `when: late` before that, or " if which == "a late lead" else ""
                    yield (
                        f"{_place(policy, rule)}: does not match {which} without {joined(map(spell, loose))}, which "
                        f"{by} may then process: {first}give this one `on_missing: review`."
                    )
                    break


def _needs_no_enrichment(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        if rule.config.then is Verdict.REJECT and rule.names and all(name.startswith("lead.") for name in rule.names):
            yield (
                f"{_place(policy, rule)}: reads the lead's own row alone, and is asked no sooner than the others: when "
                "all of wait.require is there, or the lead is late."
            )


def _idle_facts(policy: Policy, config: PolicyConfig) -> Iterator[str]:
    read = {name.partition(".")[2] for rule in policy.rules for name in rule.names}
    in_reasons = {name for rule in config.rules for name in re.findall(r"\{([^{}]*)\}", rule.because)}
    for number, name in enumerate(config.keep_facts, 1):
        if name not in read | in_reasons:
            yield (
                f"policy.keep_facts[{number}]: {name} is stored with every decision, though no rule and no `because` "
                "reads it."
            )
