"""A pipeline file that is wrong: one message that says where and what to do, exit code 2, and nothing is sent."""

from pathlib import Path

import pytest

from leadgate.sandbox import Sandbox
from tests.support.bad_files import as_told, check_told
from tests.support.command import leadgate
from tests.support.pipelines import Practice

BAD_FILES: dict[str, tuple[dict[str, str], *tuple[str, ...]]] = {
    "an unknown key": (
        {"otherwise: review": "otherwize: review"},
        "{file}: policy.otherwize: there is no such key; did you mean otherwise?",
    ),
    "text where a list is wanted": (
        {"keep_facts: [score]": "keep_facts: score"},
        "{file}: policy.keep_facts: needs a list: one item a line, each after `- `",
    ),
    "a number where text or keys are wanted": (
        {"api_key: practice-key": "api_key: 5"},
        "{file}: leadbyte.api_key: needs text: put quotes around it",
    ),
    "nothing where text is wanted": (
        {"api_key: practice-key": "api_key:"},
        "{file}: leadbyte.api_key: is empty: fill it in",
    ),
    "keys where text or other keys are wanted": (
        {"api_key: practice-key": "api_key: {blok: acme}"},
        "{file}: leadbyte.api_key.block: is missing",
        "{file}: leadbyte.api_key.blok: there is no such key; did you mean block?",
    ),
    "an environment variable that is not set": (
        {"api_key: practice-key": "api_key: ${LEADGATE_TEST_UNSET}"},
        (
            "{file}: leadbyte.api_key: the environment variable LEADGATE_TEST_UNSET is not set: "
            "export LEADGATE_TEST_UNSET=..."
        ),
    ),
    "a variable between braces": (
        {"api_key: practice-key": "api_key: {block: ${LEADGATE_TEST_BLOCK}}"},
        (
            "{file}, line 4, column 21: is not readable as YAML: inside { } or [ ] a variable stands in quotes: write "
            '"${NAME}".'
        ),
    ),
    "LeadByte's address without https://": (
        {"base_url: http://127.0.0.1:": "base_url: acme.leadbyte.com # "},
        ("{file}: leadbyte.base_url: is not an address: write https://YOUR-ACCOUNT.leadbyte.com (or .co.uk)"),
    ),
    "LeadByte's address with a password": (
        {"base_url: http://127.0.0.1:": "base_url: https://me:secret@acme.leadbyte.com # "},
        (
            "{file}: leadbyte.base_url: holds a user, a password or a query: "
            "write https://YOUR-ACCOUNT.leadbyte.com (or .co.uk), and no more"
        ),
    ),
    "an empty key": (
        {"api_key: practice-key": "api_key: ''"},
        "{file}: leadbyte.api_key: is empty, or holds characters that no key has: copy it again from LeadByte",
    ),
    "a source address that is none": (
        {"url: sqlite:///source.db": "url: source.db"},
        (
            "source.url: is no database address that SQLAlchemy knows. Write sqlite:///FILE, "
            "postgresql://USER:PASSWORD@HOST/DATABASE, mysql://USER:PASSWORD@HOST/DATABASE."
        ),
    ),
    "a source file that is not there": (
        {"url: sqlite:///source.db": "url: sqlite:///sauce.db"},
        "source.url: there is no SQLite file {folder}/sauce.db. A relative path starts at the pipeline file's folder.",
    ),
    "a ledger address that is none": (
        {"url: sqlite:///leadgate.db": "url: leadgate.db"},
        "ledger.url: is not a database address: write sqlite:///leadgate.db or postgresql://USER@HOST/DB",
    ),
    "a ledger on a database that cannot hold one": (
        {"url: sqlite:///leadgate.db": "url: mysql://me:secret@db/leads"},
        "ledger.url: the ledger is kept in SQLite or PostgreSQL: write sqlite:///FILE or postgresql://USER@HOST/DB",
    ),
    "a ledger whose password holds an @": (
        {"url: sqlite:///leadgate.db": "url: postgresql://me:sec@ret@db/leads"},
        "{file}: ledger.url: holds more than one @: in a password write @ as %40, / as %2F and : as %3A",
    ),
    "a ledger in a folder that is not there": (
        {"url: sqlite:///leadgate.db": "url: sqlite:////nowhere/leadgate.db"},
        "ledger.url: there is no folder /nowhere: create it, or name a file in another one",
    ),
    "two tables that do not exist": (
        {"table: quarantined_leads": "table: quarantined_lead", "table: lead_enrichment": "table: enrichment"},
        "source.leads.table: there is no table or view `quarantined_lead`; did you mean quarantined_leads?",
        "source.enrichment.table: there is no table or view `enrichment`; did you mean lead_enrichment?",
    ),
    "a column of the leads that does not exist": (
        {"quarantined_at: quarantined_at": "quarantined_at: quarantined_on"},
        (
            "source.leads.quarantined_at: source.leads (table quarantined_leads) has no column `quarantined_on`; "
            "did you mean quarantined_at?"
        ),
    ),
    "a required column that does not exist": (
        {"require: [postcode,": "require: [postcod,"},
        ("{file}: wait.require[1]: source.enrichment has no column `postcod`; did you mean postcode?"),
    ),
    "a column to write that does not exist": (
        {"phone1: mobile": "phone1: mobil"},
        "{file}: update.phone1: source.enrichment has no column `mobil`; did you mean mobile?",
    ),
    "a field that LeadByte cannot have": (
        {"phone1: mobile": "phone 1: mobile"},
        (
            "{file}: update: 'phone 1' cannot be a LeadByte field: a letter, then letters, digits and _ only, "
            "such as phone1"
        ),
    ),
    "a kept fact that does not exist": (
        {"keep_facts: [score]": "keep_facts: [score, mobil]"},
        "{file}: policy.keep_facts[2]: unknown column mobil; did you mean mobile?",
    ),
    "a rule that does not parse": (
        {"when: enrichment.opted_out\n": "when: enrichment.opted_out &&\n"},
        "{file}: policy.rules[1] 'opted-out', when: ends too early: something must follow",
        "    enrichment.opted_out &&",
        "                           ^",
    ),
    "a rule with an unknown column": (
        {"when: enrichment.opted_out\n": "when: enrichment.opt_out\n"},
        (
            "{file}: policy.rules[1] 'opted-out', when: unknown column enrichment.opt_out; "
            "did you mean enrichment.opted_out?"
        ),
        "    enrichment.opt_out",
        "    ^",
    ),
    "a rule that compares a string with a number": (
        {"enrichment.score >= 0.6": "enrichment.postcode >= 6"},
        (
            "{file}: policy.rules[2] 'verified', when: `>=` cannot compare a string with a whole number "
            "(enrichment.postcode is a string): put quotes around what is text, or turn it into a number by int(), "
            "double() or the source's `types:`"
        ),
        "    enrichment.phone_verified && enrichment.postcode >= 6",
        "                                                     ^",
    ),
    "two rules of one name": (
        {"name: verified": "name: opted-out"},
        "{file}: policy.rules: rules 1 and 2 have one name: rename one, since reasons and counts go by the name",
    ),
    "a verdict that is none": (
        {"then: process": "then: release"},
        "{file}: policy.rules[2] 'verified', then: 'release' is none of 'process', 'reject', 'hold' or 'review'",
    ),
    "a duration that is none": (
        {"deadline: 24h": "deadline: 1 day"},
        (
            "{file}: wait.deadline: '1 day' is not a duration: write a whole number and s, m, h or d, "
            "such as 90s, 15m, 24h or 7d"
        ),
    ),
    "a name that cannot be one": (
        {"pipeline: acme": "pipeline: acme leads"},
        "{file}: pipeline: 'acme leads' cannot be a name: letters, digits, _ and - only, 63 at most",
    ),
    "a condition that YAML reads as a tag": (
        {"when: late": "when: !late"},
        (
            "{file}, line 33, column 13: is not readable as YAML: a tag stands here. "
            "An unquoted ! starts a YAML tag: put conditions that begin with ! in quotes."
        ),
    ),
    "a key that is not where the others are": (
        {"  otherwise: review": " otherwise: review"},
        (
            "{file}, line 36, column 2: is not readable as YAML: the line does not go on as the "
            "lines above began. Its indentation does not fit the lines above (keys of one "
            "section begin in one column), or a text goes on behind its quotes or braces: put quotes around all of it."
        ),
    ),
    "a key that stands twice": (
        {"  otherwise: review": "  otherwise: review\n  otherwise: hold"},
        (
            "{file}, line 37, column 3: is not readable as YAML: the key `otherwise` stands twice, also in line 36: "
            "keep one of them."
        ),
    ),
}


@pytest.fixture
def pipeline(lone_lead: Practice) -> Practice:
    """A pipeline with a lead that would be processed; no Prefect server is needed to see that its file is wrong."""
    return lone_lead


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_wrong_file_is_told_before_anything_is_sent(pipeline: Practice, leadbyte: Sandbox, case: str) -> None:
    """`leadgate run` ends with 2 and says where the file is wrong and what to write, whatever is wrong."""
    edits, *lines = BAD_FILES[case]
    check_told(pipeline, leadbyte, edits, lines)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The message names the file, and the verb that writes one."""
    finished = leadgate("run", config=tmp_path / "nowhere.yaml")
    assert finished.stderr == (
        f"leadgate: {tmp_path}/nowhere.yaml: there is no such file. "
        "`leadgate init` writes one to start from, or name another.\n"
    )
    assert (finished.code, finished.stdout) == (2, "")


@pytest.mark.parametrize("text", ["", "- a\n- list\n"])
def test_a_file_that_holds_something_else_is_told(tmp_path: Path, text: str) -> None:
    """An empty file and a list are not pipeline files."""
    file = tmp_path / "leadgate.yaml"
    file.write_text(text, "utf-8")
    finished = leadgate("plan", config=file)
    assert finished.stderr == (
        f"leadgate: {file}: is not a pipeline file: it should hold keys such as `pipeline:`, `source:` and `policy:`\n"
    )
    assert finished.code == 2


def test_check_names_the_faults_of_every_part_at_once(pipeline: Practice, leadbyte: Sandbox) -> None:
    """Source, ledger and LeadByte are all tried, so that one look is enough to put the file right."""
    pipeline.edit("table: quarantined_leads", "table: quarantined_lead")
    pipeline.edit("table: lead_enrichment", "table: enrichment")
    pipeline.edit("url: sqlite:///leadgate.db", "url: mysql://db/leads")
    pipeline.edit("api_key: practice-key", "api_key: stale-key")
    problems = [
        "source.leads.table: there is no table or view `quarantined_lead`; did you mean quarantined_leads?",
        "source.enrichment.table: there is no table or view `enrichment`; did you mean lead_enrichment?",
        "ledger.url: the ledger is kept in SQLite or PostgreSQL: write sqlite:///FILE or postgresql://USER@HOST/DB",
        (
            f"LeadByte at {leadbyte.url} refused the API key (HTTP 401). It needs the permissions Leads > Update and "
            "Quarantine > Process (in newer accounts one, Leads > Update & Quarantine Process), and the account may "
            "allow listed IP addresses only. Correct leadbyte.api_key or its "
            "permissions, then run `leadgate check`."
        ),
    ]
    finished = leadgate("check", config=pipeline.file)
    assert finished.stderr == as_told(problems, pipeline)
    assert finished.code == 2
    as_json = leadgate("check", "--json", config=pipeline.file)
    assert as_json.json() == {"ok": False, "problems": problems, "warnings": [], "advice": []}
    assert [exchange.body for exchange in leadbyte.requests] == [{"leads": []}, {"leads": []}]


def test_check_names_every_fault_of_the_rules_at_once(pipeline: Practice) -> None:
    """Faulty rules, columns to wait for and columns to write are told together."""
    pipeline.edit("require: [postcode,", "require: [postcod,")
    pipeline.edit("phone1: mobile", "phone1: mobil")
    pipeline.edit("when: enrichment.opted_out\n", "when: enrichment.opt_out\n")
    pipeline.edit("when: late", "when: lat")
    problems = leadgate("check", "--json", config=pipeline.file).json()["problems"]
    assert [problem.removeprefix(f"{pipeline.file}: ").partition(":")[0] for problem in problems] == [
        "wait.require[1]",
        "update.phone1",
        "policy.rules[1] 'opted-out', when",
        "policy.rules[4] 'never-enriched', when",
    ]


def test_the_faults_of_shadow_rules_are_told_with_their_file(pipeline: Practice) -> None:
    """Both by `check` and before a run: rules that cannot be rehearsed are no rehearsal."""
    other = pipeline.file.with_name("next.yaml")
    other.write_text(pipeline.file.read_text("utf-8").replace("enrichment.opted_out", "enrichment.opt_out"), "utf-8")
    pipeline.edit("keep_facts: [score]", "keep_facts: [score]\n  shadow: next.yaml")
    for verb in ("check", "run"):
        finished = leadgate(verb, config=pipeline.file)
        assert finished.code == 2
        assert f"leadgate: {other}: policy.rules[1] 'opted-out', when" in finished.stderr


def test_check_says_that_all_is_well(pipeline: Practice, leadbyte: Sandbox) -> None:
    """A right file gets 0, and LeadByte was asked to update nothing."""
    finished = leadgate("check", config=pipeline.file)
    assert (finished.code, finished.stderr) == (0, "")
    first, *advice = finished.stdout.splitlines()
    assert first == f"{pipeline.file}: all is well. `leadgate plan` shows what a run would do."
    assert any("read forward by `updated_at`" in line for line in advice)
    assert [exchange.body for exchange in leadbyte.requests] == [{"leads": []}]


def test_a_fact_may_be_kept_of_the_leads_own_columns(pipeline: Practice) -> None:
    """`keep_facts` takes columns of both relations, as rules do."""
    pipeline.edit("keep_facts: [score]", "keep_facts: [score, campaign]")
    assert leadgate("check", config=pipeline.file).code == 0


def test_a_wrong_file_is_told_as_json_too(pipeline: Practice) -> None:
    """With --json the faults are one object on standard output, and the exit code is the same."""
    pipeline.edit("deadline: 24h", "deadline: soon")
    finished = leadgate("run", "--json", config=pipeline.file)
    assert finished.code == 2
    assert finished.json().keys() == {"error", "problems"}
    assert "'soon' is not a duration" in finished.json()["problems"][0]
