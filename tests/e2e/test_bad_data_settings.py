"""Faulty `wait:` and `update:`: one message that says where and what to do, exit code 2, and nothing is sent."""

import pytest

from leadgate.sandbox import Sandbox
from tests.support.bad_files import check_told
from tests.support.pipelines import Practice


def require(item: str) -> dict[str, str]:
    """A pipeline that waits for a postcode and something else."""
    return {"require: [postcode, phone_verified, score]": f"require: [postcode, {item}]"}


def deadlines(*rules: str) -> dict[str, str]:
    """A pipeline with deadlines of some leads."""
    return {"deadline: 24h": "deadline: 24h\n  deadlines:" + "".join(f"\n    - {rule}" for rule in rules)}


def update(value: str) -> dict[str, str]:
    """A pipeline that writes phone1 in some way."""
    return {"phone1: mobile": f"phone1: {value}"}


BAD_WAITS: dict[str, tuple[dict[str, str], *tuple[str, ...]]] = {
    "a column of the lead to wait for that does not exist": (
        require("lead.campain"),
        "{file}: wait.require[2]: source.leads has no column `campain`; did you mean lead.campaign?",
    ),
    "a number in place of a column to wait for": (
        require("5"),
        "{file}: wait.require[2]: 5 is no column: write its name, {any: [COLUMN, COLUMN]} or {when: CONDITION}",
    ),
    "an empty name of a column to wait for": (
        require("''"),
        "{file}: wait.require[2]: is empty: fill it in",
    ),
    "nothing to wait for": (
        {"require: [postcode, phone_verified, score]": "require: []"},
        "{file}: wait.require: is empty: write one item at least",
    ),
    "an unknown key of a thing to wait for": (
        require("{anny: [mobile, score]}"),
        "{file}: wait.require[2].anny: there is no such key; did you mean any?",
    ),
    "two ways to wait in one item": (
        require("{any: [mobile, score], when: enrichment.opted_out}"),
        (
            "{file}: wait.require[2]: needs only one of `any: [COLUMN, COLUMN]` and `when: CONDITION`: write each as "
            "an item of its own"
        ),
    ),
    "a choice of columns with one that does not exist": (
        require("{any: [mobile, landline]}"),
        (
            "{file}: wait.require[2].any[2]: source.enrichment has no column `landline`; known here: quarantine_id, "
            "postcode, phone_verified, opted_out, score, mobile, updated_at"
        ),
    ),
    "a choice of one column": (
        require("{any: [mobile]}"),
        "{file}: wait.require[2].any: leaves no choice: name two columns at least, or write the one alone",
    ),
    "a choice between a column and itself": (
        require("{any: [mobile, mobile]}"),
        "{file}: wait.require[2].any: leaves no choice: name two columns at least, or write the one alone",
    ),
    "a choice that names a column in two ways": (
        require("{any: [mobile, enrichment.mobile]}"),
        (
            "{file}: wait.require[2].any[2]: enrichment.mobile stands twice, also in wait.require[2].any[1]: leave "
            "one of the two out"
        ),
    ),
    "a choice that is no list": (
        require("{any: mobile}"),
        "{file}: wait.require[2].any: needs a list: one item a line, each after `- `",
    ),
    "a condition to wait for that is no bool": (
        require("{when: enrichment.score}"),
        (
            "{file}: wait.require[2].when: gives a decimal number, not true or false: compare it, such as "
            "enrichment.score >= 1"
        ),
        "    enrichment.score",
    ),
    "a condition to wait for that compares a text with a number": (
        require("{when: enrichment.mobile > 3}"),
        (
            "{file}: wait.require[2].when: `>` cannot compare a string with a whole number (enrichment.mobile is a "
            "string): put quotes around what is text, or turn it into a number by int(), double() or the source's "
            "`types:`"
        ),
        "    enrichment.mobile > 3",
        "                      ^",
    ),
    "a condition to wait for with an unknown column": (
        require("{when: enrichment.scor > 0.0}"),
        "{file}: wait.require[2].when: unknown column enrichment.scor; did you mean enrichment.score?",
        "    enrichment.scor > 0.0",
        "    ^",
    ),
    "a blank condition to wait for": (
        require("{when: '  '}"),
        "{file}: wait.require[2].when: is blank: fill it in",
    ),
    "a bool in place of a condition to wait for": (
        require("{when: true}"),
        "{file}: wait.require[2].when: needs text: put quotes around it",
    ),
    "a condition that never holds": (
        require("{when: 'false'}"),
        (
            "{file}: wait.require[2].when: can never hold: it is false whatever the data, so that every lead would "
            "become late"
        ),
    ),
    "a condition that always holds": (
        require("{when: 'true'}"),
        "{file}: wait.require[2].when: always holds, so that no lead waits for it: leave it out",
    ),
    "a condition to wait for that reads late": (
        require("{when: late}"),
        (
            "{file}: wait.require[2].when: `late` is not used here: a wait goes by the lead's data; how long it may "
            "take is said by wait.deadline and wait.deadlines"
        ),
    ),
    "a condition to wait for that reads waited": (
        require("{when: waited > days(3)}"),
        (
            "{file}: wait.require[2].when: `waited` is not used here: a wait goes by the lead's data; how long it "
            "may take is said by wait.deadline and wait.deadlines"
        ),
    ),
    "a condition to wait for that reads the days since a time": (
        require("{when: days_since(enrichment.updated_at) > 3}"),
        (
            "{file}: wait.require[2].when: `days_since()` is not used here: a wait goes by the lead's data; how long "
            "it may take is said by wait.deadline and wait.deadlines"
        ),
    ),
    "a deadline that reads now": (
        deadlines("{when: \"now > timestamp('2024-01-31T00:00:00Z')\", after: 6h}"),
        (
            "{file}: wait.deadlines[1].when: `now` is not used here: a wait goes by the lead's data; how long it may "
            "take is said by wait.deadline and wait.deadlines"
        ),
    ),
    "a deadline whose condition is false": (
        deadlines("{when: enrichment.opted_out && false, after: 6h}"),
        "{file}: wait.deadlines[1].when: can never match: it is false whatever the data",
    ),
    "a deadline that always holds": (
        deadlines("{when: 'true', after: 6h}"),
        "{file}: wait.deadlines[1].when: always holds: write its time as wait.deadline, and leave the rule out",
    ),
    "a deadline that stands twice": (
        deadlines("{when: enrichment.opted_out, after: 6h}", "{when: enrichment.opted_out, after: 7h}"),
        "{file}: wait.deadlines[2].when: can never match: wait.deadlines[1] holds wherever it does",
    ),
    "a deadline without a time": (
        deadlines("{when: enrichment.opted_out}"),
        "{file}: wait.deadlines[1].after: is missing",
    ),
    "a deadline of a time that is none": (
        deadlines("{when: enrichment.opted_out, after: 6 hours}"),
        (
            "{file}: wait.deadlines[1].after: '6 hours' is not a duration: write a whole number and s, m, h or d, "
            "such as 90s, 15m, 24h or 7d"
        ),
    ),
    "a deadline that is text": (
        deadlines("enrichment.opted_out"),
        "{file}: wait.deadlines[1]: needs keys of its own, one a line below it",
    ),
}

BAD_UPDATES: dict[str, tuple[dict[str, str], *tuple[str, ...]]] = {
    "a column of the lead to write that does not exist": (
        update("lead.campain"),
        "{file}: update.phone1: source.leads has no column `campain`; did you mean lead.campaign?",
    ),
    "a number in place of a column to write": (
        update("5"),
        (
            "{file}: update.phone1: 5 is no column: write its name, or one of {from: COLUMN}, {value: CALCULATION} "
            "and {text: TEXT}"
        ),
    ),
    "a field without anything behind it": (
        update(""),
        (
            "{file}: update.phone1: null is no column: write its name, or one of {from: COLUMN}, {value: "
            "CALCULATION} and {text: TEXT}"
        ),
    ),
    "a field from an empty name": (
        update("{from: ''}"),
        "{file}: update.phone1.from: is empty: fill it in",
    ),
    "a field from two places": (
        update("{from: mobile, text: hello}"),
        "{file}: update.phone1: needs only one of `from: COLUMN`, `value: CALCULATION` and `text: TEXT`",
    ),
    "a field from nowhere": (
        update("{when_null: hold}"),
        "{file}: update.phone1: needs one of `from: COLUMN`, `value: CALCULATION` and `text: TEXT`",
    ),
    "a field with an unknown key": (
        update("{fron: mobile}"),
        "{file}: update.phone1.fron: there is no such key; did you mean from?",
    ),
    "a field that begins with a digit": (
        {"phone1: mobile": "1phone: mobile"},
        (
            "{file}: update: '1phone' cannot be a LeadByte field: a letter, then letters, digits and _ only, such as "
            "phone1"
        ),
    ),
    "a field that is a number": (
        {"phone1: mobile": "5: mobile"},
        "{file}: update: a key is no text: put quotes around it",
    ),
    "fields as a list": (
        {"update:\n  postcode: postcode\n  phone1: mobile\n": "update: [postcode]\n"},
        "{file}: update: needs keys of its own, one a line below it",
    ),
    "an unknown way without a value": (
        update("{from: mobile, when_null: skip}"),
        "{file}: update.phone1.when_null: 'skip' is none of 'omit', 'blank' or 'hold'",
    ),
    "a bool as the way without a value": (
        update("{from: mobile, when_null: true}"),
        "{file}: update.phone1.when_null: true is none of 'omit', 'blank' or 'hold'",
    ),
    "a hold for a column that is waited for": (
        {
            "postcode: postcode": "postcode: {from: postcode, when_null: hold}",
            "when: enrichment.phone_verified && ": 'when: "!late && enrichment.phone_verified" # ',
        },
        (
            "{file}: update.postcode.when_null: `hold` never holds a lead: wait.require waits for postcode already, "
            "and no rule processes late leads. Leave one of the two out"
        ),
    ),
    "a way without a value of a text": (
        update("{text: hello, when_null: hold}"),
        "{file}: update.phone1: a text is the same for all, and never null: leave `when_null` out",
    ),
    "a text that is too long": (
        update(f"{{text: {'x' * 256}}}"),
        "{file}: update.phone1.text: has 256 characters, and LeadByte is likely to keep 255 at most: shorten it",
    ),
    "a blank text": (
        update("{text: ' '}"),
        "{file}: update.phone1: is blank: to empty a field write `{from: COLUMN, when_null: blank}`",
    ),
    "a text that is a number": (
        update("{text: 5}"),
        "{file}: update.phone1.text: needs text: put quotes around it",
    ),
    "a calculation that is the same for all": (
        update("{value: \"'hello'\"}"),
        (
            "{file}: update.phone1.value: is the same for all leads: write `text:` in place of `value:`, with what "
            "is to be written"
        ),
        "    'hello'",
    ),
    "a calculation that gives a duration": (
        update("{value: days(3)}"),
        (
            "{file}: update.phone1.value: gives a duration, which no field of LeadByte takes: make text of it, such "
            "as string(days(3))"
        ),
        "    days(3)",
    ),
    "a calculation with an unknown column": (
        update("{value: enrichment.mobil}"),
        "{file}: update.phone1.value: unknown column enrichment.mobil; did you mean enrichment.mobile?",
        "    enrichment.mobil",
        "    ^",
    ),
    "a calculation with an unknown function": (
        update("{value: enrichment.mobile.upper()}"),
        "{file}: update.phone1.value: unknown function upper(); did you mean upperAscii()?",
        "    enrichment.mobile.upper()",
        "                      ^",
    ),
    "a calculation that adds a number to a text": (
        update("{value: \"enrichment.mobile + ' ' + enrichment.score\"}"),
        (
            "{file}: update.phone1.value: `+` cannot take a string and a decimal number (enrichment.mobile is a "
            "string, enrichment.score is a decimal number): under `update:` write string(COLUMN) around what is no "
            "text; rules do not join texts"
        ),
        "    enrichment.mobile + ' ' + enrichment.score",
        "                            ^",
    ),
    "a calculation that reads late": (
        update("{value: late}"),
        (
            "{file}: update.phone1.value: `late` is not used here: what is written goes by the lead's data alone, so "
            "that it is the same whenever it is sent"
        ),
    ),
    "an empty calculation": (
        update("{value: ''}"),
        "{file}: update.phone1.value: is empty: fill it in",
    ),
}

BAD = BAD_WAITS | BAD_UPDATES


@pytest.fixture
def pipeline(lone_lead: Practice) -> Practice:
    """A pipeline with a lead that would be processed."""
    return lone_lead


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_setting_is_told_before_anything_is_sent(pipeline: Practice, leadbyte: Sandbox, case: str) -> None:
    """`leadgate run` exits with 2, and says where the setting is and what to write."""
    edits, *lines = BAD[case]
    check_told(pipeline, leadbyte, edits, lines)
