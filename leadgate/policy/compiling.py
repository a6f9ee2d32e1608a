"""compile_policy(): from the rules in the pipeline file to a Policy, or to everything that is wrong with them."""

from collections.abc import Callable, Iterator
from functools import partial

from leadgate.config import Conditions, PolicyConfig, RuleConfig
from leadgate.errors import PolicyError
from leadgate.model import Columns
from leadgate.policy.allowed import patterns_weight
from leadgate.policy.deciding import Policy, Rule
from leadgate.policy.faults import show
from leadgate.policy.language import Condition, ConditionFaults, Language
from leadgate.policy.names import Names
from leadgate.policy.reason import faults_of
from leadgate.policy.seeing import Eyes
from leadgate.policy.version import canonical_text, version_of
from leadgate.suggest import if_it_is_new, suggest

_ALL_PATTERNS = 5000
"""So that one decision takes a quarter of a second at most, with the texts that columns usually hold."""


def compile_policy(config: PolicyConfig, columns: Columns) -> Policy:
    """Check every rule against the real columns and make it ready to run; raise PolicyError with all faults at once."""
    names = Names(columns)
    language = Language(names, (text for rule in config.rules for _, text in _conditions(rule)))
    problems: list[str] = []
    rules = [_compile_rule(number, rule, config, language, problems) for number, rule in enumerate(config.rules, 1)]
    problems += _kept_faults(config, names)
    if sum(patterns_weight(condition.tree) for rule in rules for condition in rule.conditions) > _ALL_PATTERNS:
        problems.append(
            "policy.rules: the patterns of matches() are too large together: shorten them, or lower the numbers in "
            "their { }"
        )
    if problems:
        raise PolicyError(problems)
    kept = {name: names.by_name[name] for name in config.keep_facts}
    return Policy(
        version=version_of(config),
        text=canonical_text(config),
        rules=rules,
        otherwise=config.otherwise,
        kept=kept,
        eyes=Eyes(language, names, (condition for rule in rules for condition in rule.conditions), kept.values()),
    )


def _conditions(rule: RuleConfig) -> Iterator[tuple[str, str]]:
    """Give each condition of a rule with its path below the rule."""
    if isinstance(rule.when, str):
        yield "when", rule.when
        return
    for group in ("all", "any", "none"):
        for number, text in enumerate(getattr(rule.when, group), 1):
            yield f"when.{group}[{number}]", text


def _compile_rule(number: int, rule: RuleConfig, config: PolicyConfig, language: Language, problems: list[str]) -> Rule:
    where = f"policy.rules[{number}] {rule.name!r}"
    known = len(problems)
    compiled: dict[str, Condition] = {}
    for path, text in _conditions(rule):
        compile_ = partial(language.compile, wanted=not path.startswith("when.none"))
        if condition := try_compile(f"{where}, {path}", text, compile_, problems):
            compiled[path] = condition
    problems += [f"{where}, because: {fault}" for fault in faults_of(rule.because, config.keep_facts)]
    if rule.variable and len(problems) > known:
        # Any of the faults would quote what the variable holds.
        hidden = f"the value of ${{{rule.variable}}}, which is never shown: write the text into the file to see why"
        problems[known:] = [f"policy.rules[{number}]: is no rule with {hidden}"]
    if isinstance(rule.when, Conditions):
        groups = {
            group: [condition for path, condition in compiled.items() if path.startswith(f"when.{group}[")]
            for group in ("all", "any", "none")
        }
        return Rule(rule, **groups)
    return Rule(rule, all=list(compiled.values()))


def try_compile(where: str, text: str, compile_: Callable[[str], Condition], problems: list[str]) -> Condition | None:
    """Compile a text that stands at a place in the file; None where it cannot be, and `problems` says why."""
    try:
        return compile_(text)
    except ConditionFaults as error:
        problems += [f"{where}: {show(fault, text)}" for fault in error.faults]
        return None


def _kept_faults(config: PolicyConfig, names: Names) -> Iterator[str]:
    for number, name in enumerate(config.keep_facts, 1):
        if name not in names.by_name:
            meant = suggest(name.rpartition(".")[2], names.by_name)
            yield f"policy.keep_facts[{number}]: unknown column {name}; {meant}{if_it_is_new(names.known_from)}"
