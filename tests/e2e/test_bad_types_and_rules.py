"""Faulty types, formats, texts without a value, rules and examples: one message, exit code 2, and nothing is sent."""

from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.bad_files import as_told, check_told
from tests.support.command import leadgate
from tests.support.pipelines import Practice


def types(types_of_enrichment: str) -> dict[str, str]:
    """A pipeline that says how columns of the enrichment are read."""
    return {"updated_at: updated_at}": f"updated_at: updated_at, types: {types_of_enrichment}}}"}


def null_values(texts: str) -> dict[str, str]:
    """A pipeline that names texts without a value."""
    return {"ledger:\n": f"  null_values: {texts}\nledger:\n"}


def delivery(setting: str) -> dict[str, str]:
    """A pipeline that says how it sends."""
    return {"keep_facts: [score]\n": f"keep_facts: [score]\ndelivery:\n  {setting}\n"}


def expects(fields: str) -> dict[str, str]:
    """A pipeline with an example of what is written."""
    example = f"  - given: {{score: 0.9}}\n    expect: {{verdict: hold, update: {fields}}}\n"
    return {"keep_facts: [score]\n": f"keep_facts: [score]\nexamples:\n{example}"}


def rule(condition: str) -> dict[str, str]:
    """A pipeline whose last rule has this condition."""
    return {"when: late": f"when: {condition}"}


BAD: dict[str, tuple[dict[str, str], *tuple[str, ...]]] = {
    "texts without a value that are no list": (
        null_values("N/A"),
        "{file}: source.null_values: needs a list: one item a line, each after `- `",
    ),
    "a number among the texts without a value": (
        null_values("['', 5]"),
        "{file}: source.null_values[2]: needs text: put quotes around it",
    ),
    "a type of an unknown column": (
        types("{scor: double}"),
        (
            "source.enrichment.types.scor: source.enrichment (table lead_enrichment) has no column `scor`; did you "
            "mean score?"
        ),
    ),
    "an unknown type": (
        types("{score: float}"),
        (
            "{file}: source.enrichment.types.score: 'float' is none of 'string', 'int', 'double', 'bool' or "
            "'timestamp'; or {timestamp: FORMAT}"
        ),
    ),
    "types as a list": (
        types("[score]"),
        "{file}: source.enrichment.types: needs keys of its own, one a line below it",
    ),
    "a number for a type": (
        types("{score: 5}"),
        (
            "{file}: source.enrichment.types.score: 5 is none of 'string', 'int', 'double', 'bool' or 'timestamp'; "
            "or {timestamp: FORMAT}"
        ),
    ),
    "a bool where the time of the row is wanted": (
        types("{updated_at: bool}"),
        (
            "source.enrichment.updated_at: column `updated_at` of source.enrichment (table lead_enrichment) is read "
            "as bool by its `types:`, not as a date and time: correct that, or leave it out."
        ),
    ),
    "a format in other codes": (
        types("{mobile: {timestamp: DD/MM/YYYY}}"),
        (
            "{file}: source.enrichment.types.mobile.timestamp: 'DD/MM/YYYY' gives no whole date: it needs year, "
            "month and day, such as %d/%m/%Y"
        ),
    ),
    "a format with a code that does not exist": (
        types("{mobile: {timestamp: '%d/%m/%Q'}}"),
        (
            "{file}: source.enrichment.types.mobile.timestamp: '%d/%m/%Q' is no format of Python's codes: write one "
            "such as %d/%m/%Y %H:%M, or epoch_ms"
        ),
    ),
    "a format without a year": (
        types("{mobile: {timestamp: '%d/%m %H:%M'}}"),
        (
            "{file}: source.enrichment.types.mobile.timestamp: '%d/%m %H:%M' gives no whole date: it needs year, "
            "month and day, such as %d/%m/%Y"
        ),
    ),
    "a format without the half of the day": (
        types("{mobile: {timestamp: '%d/%m/%Y %I:%M'}}"),
        (
            "{file}: source.enrichment.types.mobile.timestamp: '%d/%m/%Y %I:%M' does not say the hour: "
            "write %H for hours up to 24, or %I with %p for AM and PM"
        ),
    ),
    "an empty format": (
        types("{mobile: {timestamp: ''}}"),
        "{file}: source.enrichment.types.mobile.timestamp: is empty: fill it in",
    ),
    "a format that is a number": (
        types("{mobile: {timestamp: 5}}"),
        "{file}: source.enrichment.types.mobile.timestamp: needs text: put quotes around it",
    ),
    "observing, perhaps": (
        delivery("observe: maybe"),
        "{file}: delivery.observe: needs true or false",
    ),
    "a setting that is gone": (
        delivery("probe_with: data13"),
        (
            "{file}: delivery.probe_with: there is no such key any more; write the field under update:, such as "
            "`data13: {text: leadgate}`"
        ),
    ),
    "an example that expects fields as text": (
        expects("phone1"),
        "{file}: examples[1].expect.update: needs keys of its own, one a line below it",
    ),
    "an example that expects a list": (
        expects("{phone1: [a]}"),
        "{file}: examples[1].expect.update.phone1: is no value of a column: write one text, number, bool, time or null",
    ),
    "a share of more than all": (
        rule("share(2)"),
        (
            "{file}: policy.rules[4] 'never-enriched', when: share() takes a decimal number between 0 and 1 written "
            "out, such as share(0.1)"
        ),
        "    share(2)",
        "    ^",
    ),
    "a share by a column": (
        rule("share(enrichment.score)"),
        (
            "{file}: policy.rules[4] 'never-enriched', when: share() takes a decimal number between 0 and 1 written "
            "out, such as share(0.1)"
        ),
        "    share(enrichment.score)",
        "    ^",
    ),
    "a share of text": (
        rule("share('10%')"),
        (
            "{file}: policy.rules[4] 'never-enriched', when: share() cannot take a string: it takes a decimal number "
            "between 0 and 1 written out, such as share(0.1)"
        ),
        "    share('10%')",
        "    ^",
    ),
    "a share of nothing": (
        rule("share()"),
        "{file}: policy.rules[4] 'never-enriched', when: share() cannot be called like this: write share(0.1)",
        "    share()",
        "    ^",
    ),
    "days since a text": (
        rule("days_since(enrichment.mobile) > 3"),
        (
            "{file}: policy.rules[4] 'never-enriched', when: days_since() cannot take a string (enrichment.mobile is "
            "a string): it takes a timestamp column; a text that is a time becomes one by the source's `types:`"
        ),
        "    days_since(enrichment.mobile) > 3",
        "    ^",
    ),
    "days since nothing": (
        rule("days_since() > 3"),
        (
            "{file}: policy.rules[4] 'never-enriched', when: days_since() cannot be called like this: write "
            "days_since(lead.COLUMN)"
        ),
        "    days_since() > 3",
        "    ^",
    ),
    "days compared with a duration": (
        rule("days_since(enrichment.updated_at) > days(3)"),
        (
            "{file}: policy.rules[4] 'never-enriched', when: `>` cannot compare a whole number with a duration: "
            "days_since() counts whole days: write a number, such as 30"
        ),
        "    days_since(enrichment.updated_at) > days(3)",
        "                                      ^",
    ),
}


@pytest.fixture
def pipeline(lone_lead: Practice) -> Practice:
    """A pipeline with a lead that would be processed."""
    return lone_lead


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_setting_is_told_before_anything_is_sent(pipeline: Practice, leadbyte: Sandbox, case: str) -> None:
    """`leadgate run` exits with 2, and says where the setting is and what to write."""
    edits, *lines = BAD[case]
    check_told(pipeline, leadbyte, edits, lines)


def test_freshness_by_texts_that_are_not_in_the_order_of_time_is_told(pipeline: Practice) -> None:
    """`leadgate plan` names the setting, the column, and two ways out."""
    for old, new in types("{updated_at: {timestamp: '%d/%m/%Y'}}").items():
        pipeline.edit(old, new)
    pipeline.edit("deadline: 24h", "deadline: 24h\n  source_fresh_within: 3h")
    told = (
        "wait.source_fresh_within: how fresh the source is cannot be seen from `updated_at`, whose texts are not in "
        "the order of time: give a `query:` with a date, or leave source_fresh_within out."
    )
    finished = leadgate("plan", config=pipeline.file)
    assert (finished.code, finished.stderr) == (2, as_told([told], pipeline))


def test_an_example_of_a_field_that_is_not_written_is_told_by_check_and_test(pipeline: Practice) -> None:
    """The message names the example, and the field that may be meant."""
    for old, new in expects("{phone: '9'}").items():
        pipeline.edit(old, new)
    problem = "{file}: examples[1], expect.update: `update:` writes no field phone; did you mean phone1?"
    for verb in ("check", "test"):
        finished = leadgate(verb, config=pipeline.file)
        assert (finished.code, finished.stderr) == (2, as_told([problem], pipeline))


@pytest.mark.parametrize(
    ("column", "form", "why"),
    [
        ("updated_at", "'%d/%m/%Y'", "is TIMESTAMP already, and has no format: leave it out of `types:`."),
        ("updated_at", "epoch_ms", "is TIMESTAMP already, and has no format: leave it out of `types:`."),
        (
            "opted_out",
            "epoch_ms",
            (
                "is BOOLEAN, which cannot be read like this: a format is for text or whole numbers, epoch_s and "
                "epoch_ms for both."
            ),
        ),
    ],
)
def test_a_format_of_a_column_that_can_have_none_is_told(
    tmp_path: Path, postgres_url: str, leadbyte: Sandbox, column: str, form: str, why: str
) -> None:
    """PostgreSQL's columns have a type, so the fault is known before a row is read."""
    practice = Practice(tmp_path, leadbyte.url, database_url=postgres_url)
    for old, new in types(f"{{{column}: {{timestamp: {form}}}}}").items():
        practice.edit(old, new)
    told = f"source.enrichment.types.{column}: column `{column}` of source.enrichment (table lead_enrichment) {why}"
    finished = leadgate("plan", config=practice.file)
    practice.close()
    assert (finished.code, finished.stderr) == (2, as_told([told], practice))


TYPES_FILE_AGAIN = "write it anew with `leadgate check --write-types FILE` where the source can be reached"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no file of types"),
        ("- a\n", "is no file of types"),
        ("pipeline: acme\n", "leads: is not as leadgate writes it"),
        ("leads: {score: float}\nenrichment: {score: double}\n", "leads.score: is not as leadgate writes it"),
    ],
)
def test_a_file_of_types_that_is_none_is_told(pipeline: Practice, text: str, problem: str) -> None:
    """The message names the file of types, and the command that writes it."""
    types_file = pipeline.file.with_name("leadgate.types.yaml")
    types_file.write_text(text, "utf-8")
    finished = leadgate("check", "--offline", config=pipeline.file)
    assert finished.stderr == f"leadgate: {types_file}: {problem}: {TYPES_FILE_AGAIN}\n"
    assert finished.code == 2


def test_a_check_offline_without_types_says_how_to_get_them(pipeline: Practice) -> None:
    """The message names the command that writes them, and the settings that would do."""
    finished = leadgate("check", "--offline", config=pipeline.file)
    told = (
        "{file}: which columns there are is not known without the source. `leadgate check --write-types "
        "{folder}/leadgate.types.yaml` writes them where the source can be reached; or name each under "
        "source.leads.types and source.enrichment.types."
    )
    assert (finished.code, finished.stderr) == (2, as_told([told], pipeline))


def test_a_file_of_types_that_is_not_there_is_told(pipeline: Practice) -> None:
    """The message names the file, and the command that writes it."""
    finished = leadgate("check", "--offline", "--types", "nowhere.yaml", config=pipeline.file)
    assert finished.stderr == (
        "leadgate: nowhere.yaml: there is no such file. `leadgate check --write-types nowhere.yaml` writes it where "
        "the source can be reached.\n"
    )
    assert finished.code == 2
