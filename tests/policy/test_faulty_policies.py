"""What users are told when a rule is wrong: every message, word for word, and the place it points at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leadgate.policy
from leadgate.errors import PolicyError
from leadgate.model import Decision
from leadgate.policy.deciding import Policy

Compile = Callable[..., Policy]

NULL = "to test for a missing value write missing.COLUMN"
IN_LIST = "it takes a list of one type, such as ['a', 'b']; for part of a string write COLUMN.contains('a')"
QUOTES = "put quotes around what is text, or turn it into a number by int(), double() or the source's `types:`"
LEAD_COLUMNS = "lead.id, lead.campaign, lead.attempts, lead.`Phone Type`"
ONE = "write COLUMN == 1, or have 0 and 1 read as false and true by the source's `types: {COLUMN: bool}`"
ONE_OF = "to compare with several texts write COLUMN in ['a', 'b']"
FIXED = "two fixed texts are compared: a column is written lead.COLUMN or lead.`Column Name`"
SPAN = "write a duration as days(30) or duration('36h')"
READ_AS = "say under source.enrichment what to read it as, `types: {tags: string}`"
READ_RAW_AS = "say under source.leads what to read it as, `types: {raw: string}`"
AS_COLUMN = "rename the column in a view or a `query:`"

# The condition, the text the caret stands under (None: no caret), and the message.
FAULTS: list[tuple[str, str | None, str]] = [
    # Names.
    ("enrichment.scor >= 0.6", "enrichment", "unknown column enrichment.scor; did you mean enrichment.score?"),
    ("late && lead.score >= 0.6", "lead.", "unknown column lead.score; did you mean enrichment.score?"),
    ("score >= 0.6", "score", "unknown name score; did you mean enrichment.score?"),
    ("Enrichment.Score > 1", "Enrich", "unknown column Enrichment.Score; did you mean enrichment.score?"),
    ("missing.scor", "missing", "unknown column missing.scor; did you mean missing.score?"),
    (
        "lead.zzz > 1",
        "lead",
        f"unknown column lead.zzz; known here: {LEAD_COLUMNS}",
    ),
    ("enrichment.phone_type == 'a'", "enr", "unknown column enrichment.phone_type; did you mean lead.`Phone Type`?"),
    ("lead.Phone Type == 'a'", "lead", "a column like this is written lead.`Phone Type`"),
    ("lead.'Phone Type' == 'a'", "lead", "a column like this is written lead.`Phone Type`"),
    ("lead['Phone Type'] == 'a'", "lead", "a column like this is written lead.`Phone Type`"),
    ("lead['campaign'] == 'a'", "lead", "a column like this is written lead.campaign"),
    ("\"Phone Type\" == 'a'", "==", FIXED),
    ("'campaign'.contains('sol')", "contains", FIXED),
    ("late && missing['id']", "missing", "a column like this is written missing.id"),
    ("late && missing.Phone Type", "missing", "a column like this is written missing.`Phone Type`"),
    (
        "enrichment.tags.contains('a')",
        "enrichment",
        f"unknown column enrichment.tags; the source has it as ARRAY: {READ_AS}",
    ),
    (
        "late || missing.tags",
        "missing",
        f"unknown column missing.tags; the source has it as ARRAY: {READ_AS}",
    ),
    ("lead.raw == ''", "lead", f"unknown column lead.raw; the source has it as JSON: {READ_RAW_AS}"),
    ("waited > 24h", "24h", SPAN),
    ("enrichment.seen_at > 30d ago", "30d", SPAN),
    (
        "enrichment.seen_at > now - 30",
        "-",
        f"`-` cannot take a timestamp and a whole number (enrichment.seen_at is a timestamp): {SPAN}",
    ),
    ("late # good", "#", "a comment begins with //"),
    ("lead.campaign =~ '^s'", "=~", "`~` is not used in rules: write COLUMN.matches('...')"),
    (
        "lead.campaign contains 'x'",
        "contains",
        "write COLUMN.contains('...'), with a point and parentheses; likewise startsWith, endsWith and matches",
    ),
    (
        "lead.campaign == 'solar' || 'boiler'",
        "||",
        f"`||` takes conditions that are true or false, not a string (lead.campaign is a string): {ONE_OF}",
    ),
    (
        "enrichment.age && late",
        "&&",
        f"`&&` takes conditions that are true or false, not a whole number (enrichment.age is a whole number): {ONE}",
    ),
    (
        "enrichment.age == true",
        "==",
        f"`==` cannot compare a whole number with a bool (enrichment.age is a whole number): {ONE}",
    ),
    ("lat", "lat", "unknown name lat; did you mean late?"),
    ("True", "True", "unknown name True; did you mean true?"),
    ("lead.campaign == NULL", "NULL", f"NULL is not used in rules: {NULL}"),
    ("string", "string", "the name of a type is not used in rules: compare a column's value"),
    ("enrichment.score.value > 1", ".value", "a decimal number has no parts: nothing may follow it after a dot"),
    ("enrichment.größe > 1", "öße", f"only a to z, digits and _ can be read outside of quotes: {AS_COLUMN}"),
    ("enrichment.`größe` > 1", "`", f"only a to z, digits and _ can be read outside of quotes: {AS_COLUMN}"),
    ("lead.campaign.startWith('a')", "startW", "unknown function startWith(); did you mean startsWith()?"),
    ("contains(lead.campaign, 'a')", "contains", "contains() cannot be called like this: write COLUMN.contains('...')"),
    ("enrichment.score.double() > 1", "double", "double() cannot be called like this: write double(COLUMN)"),
    (
        "lead.campaign == solar",
        "solar",
        "unknown name solar: put quotes around what is text, 'solar'; did you mean enrichment.score?",
    ),
    ("yes", "yes", "unknown name yes; did you mean true?"),
    # Habits of other languages.
    ("lead.campaign == \u2018solar\u2019", "\u2018", "text stands in straight quotes, ' or \": these are curly ones"),
    ("enrichment.score >= 0,6", ",", "a decimal number is written with a point, such as 0.6"),
    (
        "enrichment.score >= 60%",
        "",
        "% takes the remainder of a division: a share is written as a decimal number, such as 0.6 for 60 %",
    ),
    ("if late then reject", "if", "a condition stands alone, without `if`: what follows from it is the rule's `then:`"),
    (
        "0.1 <= enrichment.score <= 0.9",
        "<= 0.9",
        (
            "`<=` cannot compare a bool with a decimal number (enrichment.score is a decimal number):"
            " write a range as COLUMN >= 1 && COLUMN <= 9"
        ),
    ),
    # Types.
    (
        "enrichment.postcode > 3",
        ">",
        f"`>` cannot compare a string with a whole number (enrichment.postcode is a string): {QUOTES}",
    ),
    (
        "enrichment.phone_verified == 1",
        "==",
        (
            "`==` cannot compare a bool with a whole number (enrichment.phone_verified is a bool):"
            " write the bool alone, or ! before it"
        ),
    ),
    (
        "enrichment.score == null",
        "==",
        f"`==` cannot compare a decimal number with null (enrichment.score is a decimal number): {NULL}",
    ),
    ("enrichment.seen_at == null", "null", f"null is not used in rules: {NULL}"),
    (
        "waited > 24",
        ">",
        "`>` cannot compare a duration with a whole number: write a duration as days(30) or duration('36h')",
    ),
    (
        "now > '2024-01-31'",
        ">",
        "`>` cannot compare a timestamp with a string: write a time as timestamp('2024-01-31T00:00:00Z')",
    ),
    (
        "enrichment.age * 1.5 > 3.0",
        "*",
        (
            "`*` cannot take a whole number and a decimal number (enrichment.age is a whole number):"
            " write double(COLUMN) around the whole number, and 1.0 for 1"
        ),
    ),
    (
        "enrichment.postcode && late",
        "&&",
        "`&&` takes conditions that are true or false, not a string (enrichment.postcode is a string)",
    ),
    (
        "'N1' in enrichment.postcode",
        "in ",
        f"`in` cannot take a string and a string (enrichment.postcode is a string): {IN_LIST}",
    ),
    ("enrichment.age in ['a', 3]", "['a'", "the list holds strings and whole numbers: write values of one type"),
    ("late ? 1 : 'a'", "?", "`? :` cannot take a bool, a whole number and a string"),
    (
        "lead.campaign && enrichment.postcode > 3",
        ">",
        (
            "`>` cannot compare a string with a whole number"
            f" (lead.campaign is a string, enrichment.postcode is a string): {QUOTES}"
        ),
    ),
    # No condition.
    (
        "enrichment.score",
        None,
        "gives a decimal number, not true or false: compare it, such as enrichment.score >= 1",
    ),
    (
        "lead.campaign",
        None,
        (
            "gives a string, not true or false: compare it, such as lead.campaign == 'a'; "
            "or write `types: {campaign: bool}` under source.leads"
        ),
    ),
    ("now", None, "gives a timestamp, not true or false: compare it, such as now - COLUMN > days(2)"),
    ("waited", None, "gives a duration, not true or false: compare it, such as waited > days(2)"),
    # SQL.
    ("enrichment.score => 0.6", "=", "write >= or <=: the = comes last"),
    ("enrichment.score = 0.6", "=", "`=` is SQL: write =="),
    ("late and true", "and", "`and` is SQL: write &&"),
    ("late OR true", "OR", "`or` is SQL: write ||"),
    ("not late", "not", "`not` is SQL: write !"),
    ("enrichment.age <> 3", "<>", "`<>` is SQL: write !="),
    ("lead.campaign is not null", "is", "`is null` is SQL: write missing.COLUMN, or !missing.COLUMN"),
    (
        "lead.campaign like 'N1%'",
        "like",
        "`like` is SQL: write COLUMN.contains('...') or COLUMN.startsWith('...')",
    ),
    ("lead.campaign in ('a', 'b')", "in", "a list stands in square brackets: COLUMN in ['a', 'b']"),
    ("late & late", "&", "write && for and"),
    # Syntax.
    ("(late", "", "`)` is missing here"),
    ("late)", ")", "is not readable from here on"),
    ("late &&", "", "ends too early: something must follow"),
    ("lead.campaign == 'N1", "'N1", "a string is opened here and never closed, or holds a \\ that must be doubled"),
    (
        "(" * 40 + "late" + ")" * 40,
        None,
        "is nested too deeply, or adds too much up: split it over several conditions under `all:`",
    ),
    # Literals.
    ("lead.campaign.matches('(')", "'('", "the pattern does not compile: missing ): ("),
    (
        "enrichment.postcode.matches(lead.campaign)",
        ".campaign",
        "the pattern of matches() must be written out as a string, such as '^07[0-9]{9}$'",
    ),
    (
        "lead.campaign.matches('(a{100}){100}')",
        "'(a",
        "the pattern is too large: shorten it, or lower the numbers in its { }",
    ),
    (
        "lead.campaign.matches('(\\\\pL\\\\pN?){40}')",
        "'(",
        "the pattern is too large: shorten it, or lower the numbers in its { }",
    ),
    (
        "timestamp('2024-01-31') < now",
        "'2024",
        "timestamp('2024-01-31') is not readable: write timestamp('2024-01-31T00:00:00Z')",
    ),
    (
        "duration('30d') < waited",
        "'30d",
        "duration('30d') is not readable: write hours, minutes or seconds, such as duration('36h'), or days(30)",
    ),
    (
        "waited > days(enrichment.age)",
        "days",
        "days() takes a whole number written out, such as days(30), up to days(100000)",
    ),
    (
        "waited > days('30')",
        "days",
        "days() cannot take a string: it takes a whole number written out, such as days(30)",
    ),
    ("now.getHours('Mars') > 9", "'Mars", "'Mars' is not a time zone: write one such as 'Europe/London'"),
    (
        "now.getHours(lead.campaign) > 9",
        ".campaign",
        "the time zone must be written out, such as 'Europe/London'",
    ),
    # Parts of CEL that rules do without.
    ("has(enrichment.opted_out)", "has", "has() is not used in rules: write !missing.COLUMN"),
    (
        "['a'].exists(x, x == lead.campaign)",
        ".exists",
        "all(), exists(), map() and filter() are not used in rules: write COLUMN in ['a', 'b']",
    ),
    ("dyn(enrichment.age) == 3", "dyn", "dyn() is not used in rules"),
    ("lead.campaign.replace('a', 'aa') == 'b'", "replace", "replace() is not used in rules"),
    ("lead.campaign + 'a' == 'b'", "+", "`+` does not join strings or lists in rules: compare the parts one by one"),
    ("{'a': 1}.size() == 1", "{", "{ } is not used in rules: compare columns one by one"),
    ("google.protobuf.Int32Value{value: 1} == 1", "google", "{ } is not used in rules: compare columns one by one"),
    ("['a'].size() == 1", "[", "a list stands only after `in`, such as COLUMN in ['a', 'b']"),
]


@pytest.mark.parametrize(("when", "place", "message"), FAULTS, ids=[when[:40] for when, _, _ in FAULTS])
def test_a_fault_is_named_with_its_rule_its_place_and_what_to_write(
    compile_rules: Compile, when: str, place: str | None, message: str
) -> None:
    """The message is complete: path, rule, what is wrong, what to do, the condition and a caret."""
    with pytest.raises(PolicyError) as caught:
        compile_rules("late", {"name": "verified", "when": when})
    column = len(when) if place == "" else when.index(place or "")
    caret = "" if place is None else f"\n    {' ' * column}^"
    assert str(caught.value) == f"policy.rules[2] 'verified', when: {message}\n    {when}{caret}"


def test_every_fault_of_every_rule_is_named_at_once(compile_rules: Compile) -> None:
    """One run of the checks is enough to find all there is to mend."""
    with pytest.raises(PolicyError) as caught:
        compile_rules(
            {"name": "a", "when": {"any": ["late", "enrichment.scor > 1"], "none": ["late or late and late"]}},
            {"name": "b", "when": "enrichment.scor > 1 && lead.campaign > 1", "because": "{campaign} {postcod} {}"},
            keep_facts=["postcode", "agee", "zzz"],
        )
    assert [problem.splitlines()[0] for problem in caught.value.problems] == [
        "policy.rules[1] 'a', when.any[2]: unknown column enrichment.scor; did you mean enrichment.score?",
        "policy.rules[1] 'a', when.none[1]: `or` is SQL: write ||",
        "policy.rules[1] 'a', when.none[1]: `and` is SQL: write &&",
        "policy.rules[2] 'b', when: unknown column enrichment.scor; did you mean enrichment.score?",
        "policy.rules[2] 'b', when: `>` cannot compare a string with a whole number (lead.campaign is a string): "
        + QUOTES,
        (
            "policy.rules[2] 'b', because: {campaign}: only columns in keep_facts may be named in `because`:"
            " values of others stay home; add campaign to policy.keep_facts, or leave it out"
        ),
        (
            "policy.rules[2] 'b', because: {postcod}: only columns in keep_facts may be named in `because`:"
            " values of others stay home; did you mean {postcode}?"
        ),
        (
            "policy.rules[2] 'b', because: {}: only columns in keep_facts may be named in `because`:"
            " values of others stay home; add a column to policy.keep_facts, or leave it out"
        ),
        "policy.keep_facts[2]: unknown column agee; did you mean age?",
        (
            "policy.keep_facts[3]: unknown column zzz; known here: id, campaign, attempts, Phone Type, score, age,"
            " phone_verified, opted_out, postcode, seen_at, größe"
        ),
    ]


def test_the_caret_finds_its_line_and_stays_on_the_screen(compile_rules: Compile) -> None:
    """Of a condition over several lines the line at fault is shown, of a long one the part around the place."""
    long = "late || " * 20 + "enrichment.scor > 1"
    with pytest.raises(PolicyError) as caught:
        compile_rules("late &&\n  enrichment.scor > 1", long)
    first, second = (problem.splitlines()[1:] for problem in caught.value.problems)
    assert first == ["      enrichment.scor > 1", "      ^"]
    assert len(second[0]) <= 110
    assert second[0].index("enrichment.scor") == second[1].index("^")


@pytest.mark.parametrize(
    "when",
    [
        "true" + " || late" * 245,
        "!" * 1900 + "late",
        "lead.campaign" + ".trim()" * 25 + " == 'a'",
        "lead.campaign.matches('^07[0-9]{9}$') && lead.campaign.matches('\\\\pL{1,40}')",
        "enrichment.age in [" + ", ".join(["1"] * 300) + "]",
    ],
    ids=["or", "not", "trim", "matches", "in"],
)
def test_long_but_harmless_conditions_are_taken(compile_rules: Compile, when: str) -> None:
    """The bounds are against memory and time, not against long lists of plain comparisons."""
    assert compile_rules(when).version


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa|a?)*b$", "(.*a){20}b", "(a?){30}a{30}b", "([^a]|a.{300})+b$"])
def test_no_pattern_goes_back_over_a_text(
    compile_rules: Compile, decide: Callable[..., Decision], pattern: str
) -> None:
    """RE2 reads a text once: an engine that tries every way through this one would never end."""
    policy = compile_rules(f"enrichment.postcode.matches('{pattern}')")
    assert decide(policy, {"postcode": "a" * 100_000 + "!"}).rule is None


def test_the_patterns_of_all_rules_together_are_bounded(compile_rules: Compile) -> None:
    """Patterns are compiled at every decision: many that are each small enough would make each one slow."""
    rules = ["lead.campaign.matches('(abc){900}')"] * 5
    assert compile_rules(*rules).version
    with pytest.raises(PolicyError) as caught:
        compile_rules(*rules, *rules[:1])
    assert str(caught.value) == (
        "policy.rules: the patterns of matches() are too large together: shorten them,"
        " or lower the numbers in their { }"
    )


def test_one_file_knows_the_library() -> None:
    """The engine can be exchanged: only language.py imports it."""
    files = Path(leadgate.policy.__file__).parents[1].rglob("*.py")
    assert [path.name for path in files if "cel_expr_python" in path.read_text().replace("cel-expr", "")] == [
        "language.py"
    ]


def test_a_column_named_twice_in_messages_is_named_once(compile_rules: Compile) -> None:
    """The types in brackets are each said once, however often the condition reads the column."""
    rule: dict[str, Any] = {"when": "lead.campaign > 3 && lead.campaign < 9"}
    with pytest.raises(PolicyError) as caught:
        compile_rules(rule)
    assert [problem.count("lead.campaign is a string") for problem in caught.value.problems] == [1, 1]
