"""`leadgate review show`: a lead as its source has it now, and what the rules say of it. Nothing of it is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from leadgate.config import load_config
from leadgate.ledger.schema import entries
from leadgate.model import Result, State
from leadgate.wiring.ledger import ledger_of, open_ledger
from tests.e2e.test_policy_commands import GOOD, decide_all
from tests.reconcile.test_command_and_flows import end
from tests.support.command import Finished, leadgate
from tests.support.pipelines import Practice

LOW = GOOD | {"score": 0.3}
SOLAR = "{name: solar, when: lead.campaign == 'solar', then: process, because: Solar.}"
HOURS = [datetime.now(UTC) - timedelta(hours=4 - hour) for hour in range(3)]
CAMPAIGNS = list(enumerate(("solar", "wind", None)))


@pytest.fixture(params=["sqlite", "postgresql"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Practice]:
    """A pipeline with an empty source, on each kind of database; nobody answers at its LeadByte's address."""
    urls = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        urls = {"database_url": url, "ledger_url": url}
    practice = Practice(tmp_path, "http://127.0.0.1:1", **urls)
    yield practice
    practice.close()


def review(pipeline: Practice, lead_id: int = 1, **columns: object) -> None:
    """Let the rules send a lead to a person."""
    pipeline.quarantine(lead_id)
    pipeline.enrich(lead_id, **LOW | columns)
    decide_all(pipeline)


def change(pipeline: Practice, *statements: str, **values: object) -> None:
    """Change the source."""
    with pipeline.source.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def show(pipeline: Practice, *more: object, lead_id: object = 1) -> Finished:
    """Show a lead."""
    return leadgate("review", "show", lead_id, *more, config=pipeline.file)


def lines(finished: Finished) -> list[str]:
    """What was said of a lead that could be shown; times are those of the test."""
    assert (finished.code, finished.stderr) == (0, "")
    timed = ("  quarantined_at: ", "  updated_at: ")
    return [line for line in finished.stdout.splitlines() if not line.startswith(timed)]


def test_all_that_a_person_may_go_by_is_shown(pipeline: Practice) -> None:
    """Where the lead is, its rows, each rule with the part that failed, and what would be written."""
    pipeline.edit("pipeline: acme", "pipeline: acme\nreview: {link: 'https://crm.example/leads/{id}'}")
    review(pipeline)
    (since,) = (each["since"] for each in leadgate("review", "list", "--json", config=pipeline.file).json()["reviews"])
    first, *told = lines(show(pipeline))
    assert (
        first
        == f"lead 1: review since {datetime.fromisoformat(since):%Y-%m-%d %H:%M:%S}.{since[20:23]}Z: No rule matched."
    )
    assert told == [
        "  https://crm.example/leads/1",
        "source.leads:",
        "  quarantine_id: 1",
        "  campaign: null",
        "source.enrichment:",
        "  quarantine_id: 1",
        '  postcode: "N1"',
        "  phone_verified: true",
        "  opted_out: false",
        "  score: 0.3",
        "  mobile: null",
        "missing of wait.require: nothing.",
        "rules:",
        "  opted-out: did not match: `enrichment.opted_out` is false (opted_out=false)",
        "  verified: did not match: `enrichment.score >= 0.6` is false (score=0.3)",
        "  not-sure-yet: did not match: `enrichment.score >= 0.4` is false (score=0.3)",
        "  never-enriched: did not match: `late` is false",
        "the rules would decide: review by otherwise: No rule matched.",
        "would be written:",
        '  postcode: "N1" (from postcode)',
        "  phone1: left out: no value (from mobile)",
    ]


def test_the_same_for_machines(pipeline: Practice) -> None:
    """One object, its values whole."""
    review(pipeline, mobile="7" * 10_000)
    found = show(pipeline, "--json").json()
    assert list(found) == [
        *("lead_id", "state", "since", "reason", "act_in_doubt", "doubt_since", "override", "link"),
        *("lead", "enrichment", "absent", "judged"),
    ]
    assert (found["lead_id"], found["state"], found["link"], found["absent"]) == ("1", "review", None, None)
    assert found["enrichment"]["columns"]["mobile"] == "7" * 10_000
    assert found["enrichment"]["unreadable"] == {}
    judged = found["judged"]
    decision = judged["decision"]
    assert decision.pop("policy_version")
    assert decision == {"verdict": "review", "rule": None, "reason": "No rule matched.", "late": False}
    assert (judged["missing"], judged["waits"], judged["is_written"]) == ([], False, False)
    assert judged["rules"][1] == {
        "rule": "verified",
        "then": "process",
        "outcome": "did not match",
        "why": "`enrichment.score >= 0.6` is false (score=0.3)",
    }
    assert judged["written"] == [
        {"field": "postcode", "made": "from postcode", "value": "N1", "problem": None},
        {"field": "phone1", "made": "from mobile", "value": "7" * 10_000, "problem": None},
    ]


def test_the_rules_of_today_judge_the_data_of_now(pipeline: Practice) -> None:
    """Whatever sent the lead to a person; rules after the one that decides are not asked."""
    review(pipeline)
    change(pipeline, "UPDATE lead_enrichment SET score = 0.9, opted_out = NULL")
    told = lines(show(pipeline))
    assert told[told.index("rules:") :][:6] == [
        "rules:",
        "  opted-out: no answer: enrichment.opted_out is missing",
        "  verified: matched, then process",
        "  not-sure-yet: not asked",
        "  never-enriched: not asked",
        "the rules would decide: process by verified: Phone verified and a score of 0.9.",
    ]
    pipeline.edit("  phone1: mobile", "  phone1: {from: mobile, when_null: hold}")
    pipeline.edit("because: The person opted out.", "because: The person opted out.\n      on_missing: review")
    told = lines(show(pipeline))
    assert told[told.index("rules:") + 1 :][:2] == [
        "  opted-out: no answer: enrichment.opted_out is missing",
        "  verified: not asked",
    ]
    change(pipeline, "UPDATE lead_enrichment SET opted_out = 'false'")
    told = lines(show(pipeline))
    held, reason = "the rules would decide: hold by verified: Held", "Phone verified and a score of 0.9."
    assert [line for line in told if "would decide" in line or "phone1" in line] == [
        f"{held}: update.phone1 has no value, and `when_null: hold`. Otherwise it would be process: {reason}",
        "  phone1: left out: no value, which holds the lead (from mobile)",
    ]


def test_a_column_of_both_rows_is_told_with_both_values(pipeline: Practice) -> None:
    """A rule's part names one of them, and nobody takes the one for the other."""
    change(pipeline, "ALTER TABLE quarantined_leads ADD COLUMN score FLOAT")
    pipeline.edit("when: enrichment.score >= 0.4", "when: lead.score >= 0.7 || lead.campaign == 'tv'")
    pipeline.edit("keep_facts: [score]", "keep_facts: []")
    pipeline.edit("a score of {score}", "a good score")
    review(pipeline)
    change(pipeline, "UPDATE quarantined_leads SET score = 0.5, campaign = 'web'")
    assert (
        "  not-sure-yet: did not match: `lead.score >= 0.7` and `lead.campaign == 'tv'` are all false "
        "(campaign=web, score=0.3 in enrichment, 0.5 in lead)"
    ) in lines(show(pipeline))


@pytest.mark.parametrize("late", [False, True])
def test_what_is_missing_is_late_only_if_the_lead_is(pipeline: Practice, late: bool) -> None:
    """As a run has it: what is complete is never late."""
    review(pipeline)
    with ledger_of(pipeline.file) as (_, ledger), ledger.transaction() as connection:
        connection.execute(entries.update().values(late=late))
    assert "  never-enriched: did not match: `late` is false" in lines(show(pipeline))
    change(pipeline, "UPDATE lead_enrichment SET score = NULL, postcode = NULL")
    told = lines(show(pipeline))
    missing = "missing of wait.require: postcode; score."
    if late:
        assert f"{missing} The lead is late: the rules decide it with `late` = true." in told
        assert "the rules would decide: reject by never-enriched: No enrichment within the deadline." in told
    else:
        assert f"{missing} A run would not decide the lead yet: it is not late." in told
        assert "the rules would decide: review by otherwise: No rule matched." in told


def test_an_act_in_doubt_and_a_persons_word_are_told(pipeline: Practice) -> None:
    """Since when the act may have been taken; and what the next run follows in place of the rules."""
    now = datetime.now(UTC)
    review(pipeline, 2)
    ledger = open_ledger(pipeline.file, load_config(pipeline.file))
    end(ledger, ("1",), Result.IN_DOUBT, State.REVIEW, now, note="no answer came.")
    ledger.close()
    pipeline.quarantine(1)
    told = lines(show(pipeline))
    since = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03d}Z"
    assert told[:2] == [
        f"lead 1: review since {since}: no answer came.",
        f"  Its process may have been taken, since {since}.",
    ]
    assert "source.enrichment: there is no row of it." in told
    found = show(pipeline, "--json").json()
    assert (found["act_in_doubt"], datetime.fromisoformat(found["doubt_since"])) == ("process", now)
    leadgate("review", "process", 2, "--reason", "Called.", "--by", "ann", config=pipeline.file)
    told = lines(show(pipeline, lead_id=2))
    assert told[0].startswith("lead 2: ready since ")
    assert told[1].startswith("  ann (login ")
    assert told[1].endswith(") decided process, which the next run follows: Called.")


def test_a_row_with_odd_values_stays_on_its_lines(pipeline: Practice) -> None:
    """Control characters and marks of direction are shown and not obeyed; long values are shortened."""
    odd = "a\x1b[2J\r\n\u202e\u2066b\u2028c"
    review(pipeline, mobile="x" * 10_000, postcode=odd)
    pipeline.edit("when: enrichment.opted_out", "when: enrichment.mobile == 'y' || enrichment.postcode == 'y'")
    told = lines(show(pipeline))
    both = "`enrichment.mobile == 'y'` and `enrichment.postcode == 'y'`"
    escaped = r"a\x1b[2J\r\n\u202e\u2066b\u2028c"
    short = f"{'x' * 200}... (10,000 characters)"
    assert [line for line in told if "\\x1b" in line or "xxx" in line] == [
        f'  postcode: "{escaped}"',
        f'  mobile: "{short}"',
        f"  opted-out: did not match: {both} are all false (postcode={escaped}, mobile={short})",
        f'  postcode: "{escaped}" (from postcode)',
        f'  phone1: "{short}" (from mobile)',
    ]
    finished = show(pipeline, "--json")
    assert finished.stdout.isascii()
    assert finished.stdout.isprintable() is False  # the end of its one line
    assert finished.stdout.count("\n") == 1
    assert finished.json()["enrichment"]["columns"]["postcode"] == odd


def test_a_row_that_is_not_there_is_said(pipeline: Practice) -> None:
    """No run decides the lead then, unless the file keeps it."""
    review(pipeline)
    change(pipeline, "UPDATE quarantined_leads SET quarantined_at = NULL")
    assert "source.leads: its row has no `quarantined_at` that can be read." in lines(show(pipeline))
    change(pipeline, "DELETE FROM quarantined_leads")
    told = lines(show(pipeline))
    assert told[1] == "source.leads: there is no row of it."
    assert '  postcode: "N1"' in told
    assert told[-1] == "No run decides the lead without a row in source.leads."
    assert show(pipeline, "--json").json()["judged"] is None
    pipeline.edit("quarantined_at: quarantined_at}", "quarantined_at: quarantined_at, left: keep}")
    assert "the rules would decide: review by otherwise: No rule matched." in lines(show(pipeline))


def test_a_lead_that_nobody_knows_is_wrong_use(pipeline: Practice) -> None:
    """Said as `explain` says it, even if the source has it."""
    pipeline.quarantine(7)
    finished = show(pipeline, lead_id=7)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"leadgate: {pipeline.file}: the pipeline 'acme' knows no lead '7'. Leads are registered by a run; "
        "`leadgate status` counts those it knows, and `leadgate plan` names rows that are passed over.\n"
    )
    assert finished.stderr == leadgate("explain", 7, config=pipeline.file).stderr


def test_a_source_that_is_down_is_one_message(tmp_path: Path) -> None:
    """It will pass: exit code 1, and the ledger does not note it."""
    pipeline = Practice(tmp_path, "http://127.0.0.1:1")
    review(pipeline)
    pipeline.edit("sqlite:///source.db", "postgresql://who:secret-word@127.0.0.1:1/crm")
    before = (tmp_path / "leadgate.db").read_bytes()
    finished = show(pipeline)
    assert (finished.code, finished.stdout) == (1, "")
    assert finished.stderr.count("\n") == 1
    assert "postgresql" in finished.stderr
    assert "secret-word" not in finished.stderr
    assert (tmp_path / "leadgate.db").read_bytes() == before
    pipeline.close()


def test_the_source_is_needed_and_the_key_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever decides has no reason to hold LeadByte's key."""
    pipeline = Practice(tmp_path, "http://127.0.0.1:1")
    review(pipeline)
    monkeypatch.delenv("LEADBYTE_API_KEY", raising=False)
    pipeline.edit("api_key: practice-key", "api_key: ${LEADBYTE_API_KEY}")
    assert lines(show(pipeline))
    monkeypatch.delenv("SOURCE_URL", raising=False)
    pipeline.edit("url: sqlite:///source.db", "url: ${SOURCE_URL}")
    finished = show(pipeline)
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"leadgate: {pipeline.file}: source.url: the environment variable SOURCE_URL is not set: "
        "export SOURCE_URL=...\n"
    )
    pipeline.close()


def test_of_a_lead_on_several_rows_every_value_is_shown_where_they_differ(pipeline: Practice) -> None:
    """A person sees which one is right; for machines as well."""
    pipeline.edit("rules:\n", f"rules:\n    - {SOLAR}\n")
    pipeline.add_leads({"quarantine_id": 1, "quarantined_at": HOURS[n], "campaign": each} for n, each in CAMPAIGNS)
    pipeline.enrich(1, **GOOD)
    decide_all(pipeline)
    told = lines(show(pipeline))
    assert '  campaign: "solar", on other rows "wind", null' in told
    (decided,) = (line for line in told if line.startswith("the rules would decide: "))
    assert decided == (
        "the rules would decide: review by solar: The lead has several rows in source.leads, which differ in "
        "lead.campaign. By the earliest it would be process: Solar."
    )
    found = show(pipeline, "--json").json()
    assert (found["state"], found["lead"]["several"]) == ("review", {"campaign": ["solar", "wind", None]})
