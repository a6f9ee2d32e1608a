"""The page of `leadgate report`: what it says of a ledger, that it needs nothing else, and that it is put in place."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from leadgate.config import PipelineConfig, parse_config
from leadgate.ledger import Ledger, claims, people, sending, waiting
from leadgate.ledger.pauses import keep_pause
from leadgate.ledger.reviews import ForPerson, read_for_people
from leadgate.ledger.source_health import keep_reading
from leadgate.ledger.source_progress import Mark, Relation, keep_mark
from leadgate.model import Action, Chosen, Conclusion, Decision, Look, Resolution, Result, SourceReading, State, Verdict
from leadgate.readable import share, span
from leadgate.report import Facts, read_facts
from leadgate.report.file import render
from leadgate.wiring.identity import create_ledger
from tests.delivery.world import release_brake
from tests.ledger.steps import NOW, REJECT, attempt, claim, intend, leads, outcome, send, taken
from tests.support.command import leadgate
from tests.support.ledgers import new_engine
from tests.support.pipelines import PIPELINE

WEEK = timedelta(days=7)
LATER = NOW + timedelta(minutes=2)
CONFIG = PIPELINE.format(leadbyte="http://127.0.0.1:1", key="k", source="sqlite:///s.db", ledger="sqlite:///l.db")
REVIEW = Decision(Verdict.REVIEW, "<b>odd & long</b>", "For a person.", "v2")


@pytest.fixture
def config() -> PipelineConfig:
    """The pipeline file whose ledger is shown."""
    return parse_config(CONFIG, "leadgate.yaml", {})


@pytest.fixture
def ledger(database_url: str, tmp_path: Path) -> Iterator[Ledger]:
    """The ledger of that pipeline, on SQLite and on PostgreSQL."""
    ledger = Ledger(new_engine(database_url, base_dir=tmp_path), pipeline="acme", owner="run-1")
    release_brake(ledger)
    yield ledger
    ledger.close()


def live(ledger: Ledger) -> None:
    """Let leads come to many ends, an hour after they were quarantined; a person decides one review of two."""
    for number in "1", "2", "3":
        sending.record(ledger, [taken(send(ledger, claim(ledger, number)))], now=LATER)
    rejected = attempt(claim(ledger, "4"), action=Action.REJECT)
    intend(ledger, rejected, decision=REJECT)
    sending.record(ledger, [taken(rejected)], now=LATER)
    lost = send(ledger, claim(ledger, "5"))
    sending.record(ledger, [outcome(lost, Result.IN_DOUBT, State.UNKNOWN, due_at=LATER)], now=LATER)
    release_brake(ledger)
    refused = send(ledger, claim(ledger, "6"))
    sending.record(ledger, [outcome(refused, Result.REFUSED, State.FAILED, note="no")], now=LATER)
    for number in "7", "8":
        asked = Conclusion(claim(ledger, number), REVIEW, State.REVIEW, note=REVIEW.reason)
        sending.conclude(ledger, [asked], now=NOW)
    people.resolve(ledger, Chosen(["8"]), Resolution.PROCESS, reason="I called.", by="ann", hold_for=WEEK, now=NOW)
    (again,) = claims.claim(ledger, limit=9, lease=WEEK, now=NOW)
    said = attempt(again, request="r2")
    intend(ledger, said, decision=Decision(Verdict.PROCESS, None, "I called.", "v2", decided_by="ann"), now=LATER)
    sending.record(ledger, [taken(said)], now=LATER)
    keep_reading(ledger, SourceReading(read_at=NOW, newest_at=NOW, healthy=True))


def read(ledger: Ledger, config: PipelineConfig) -> Facts:
    """What the page is made of, an hour later."""
    return read_facts(ledger, config, since=WEEK, now=NOW + timedelta(hours=1))


def text_of(page: str) -> str:
    """What can be read on the page, but for what is drawn."""
    bare = re.sub(r"<svg.*?</svg>|<style.*?</style>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def test_the_page_says_what_the_ledger_holds(ledger: Ledger, config: PipelineConfig) -> None:
    """Numbers on top, titles that say the finding, and the tables behind the pictures; all in one well-formed file."""
    live(ledger)
    keep_pause(ledger, by="ann", reason="<script>to see</script>", now=NOW)
    page = render(read(ledger, config))
    told = text_of(page)
    for sentence in (
        "Generated 2026-03-01 13:00 UTC.",
        "Newest decision by policy v2",
        "Paused. acme has been paused since 2026-03-01 12:00:00Z by ann: <script>to see</script>",
        "waiting 0",
        "oldest wait none",
        "needs a person 1",
        "1 lead is parked.",
        "1 lead is unknown: nothing proves what became of an act.",
        "unknown 1",
        "failed 1",
        "last healthy reading 1 h ago",
        "62 % of 8 leads are settled",
        "8 leads came and the data of 8 arrived; 4 were processed, 1 rejected",
        "Nine in ten leads were acted on within 4 h",
        "1 h to 4 h 5",
        "of 9 decisions: process by verified; 1 by people",
        "a person: process 1",
        "<b>odd & long</b>: review 2",
        "opted-out: reject 1",
        "LeadByte took 71 % of 7 requests, counted a lead at a time",
        "HTTP 200: refused 1",
        "HTTP 200: no clear answer 1",
    ):
        assert sentence in told, sentence
    # It needs nothing else: no script, nothing to load; every picture has words, and no two things share an id.
    assert "<script" not in page
    assert "<b>odd" not in page
    linked = re.findall(r"""(?:src|href)=["']([^"']*)|url\(([^)]*)\)|@import""", page)
    assert [found for found in linked if not found[1].startswith("#")] == []
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 10, "five pictures, each for a wide page and for a phone"
    assert all(ET.fromstring(drawing).tag.endswith("svg") for drawing in drawings)  # noqa: S314 - our own
    assert len(re.findall(r'role="img" aria-label="[^"]{20,}"', page)) == 10


def test_an_empty_ledger_says_so(ledger: Ledger, config: PipelineConfig) -> None:
    """In one sentence, with what to do; nothing is drawn."""
    page = render(read(ledger, config))
    assert "No lead is known yet: `leadgate run` finds them" in text_of(page)
    assert "last healthy reading never" in text_of(page)
    assert "<svg" not in page


def test_what_is_older_is_left_out(ledger: Ledger, config: PipelineConfig) -> None:
    """Where the leads are is now; what happened is since then."""
    live(ledger)
    told = text_of(render(read_facts(ledger, config, since=WEEK, now=NOW + 2 * WEEK)))
    assert "62 % of 8 leads are settled" in told
    assert "Nothing happened in the last 7 d" in told
    assert "Nothing was sent in the last 7 d" in told


def test_people_are_shown_some_of_each_state(ledger: Ledger) -> None:
    """However many reviews there are, what failed is not crowded out."""
    live(ledger)
    for number in range(100, 110):
        held = claim(ledger, str(number))
        sending.conclude(ledger, [Conclusion(held, REVIEW, State.REVIEW, note="For a person.")], now=NOW)
    found = read_for_people(ledger, limit=5)
    assert [lead.state for lead in found] == [State.FAILED, State.REVIEW, State.REVIEW, State.REVIEW, State.UNKNOWN]
    assert found[0] == ForPerson("6", State.FAILED, LATER, "verified", by_person=False, note="no", facts=found[0].facts)


def test_the_command_writes_the_page_and_names_what_is_wrong(tmp_path: Path) -> None:
    """A file where it was asked for; a folder that is not there is one message, and leaves nothing behind."""
    file = tmp_path / "leadgate.yaml"
    file.write_text(CONFIG, "utf-8")
    create_ledger(file, first_time=True)
    page = tmp_path / "page.html"
    done = leadgate("report", "--out", page, "--json", config=file)
    assert (done.code, done.json()) == (0, {"report": str(page)})
    assert page.read_text("utf-8").startswith("<!doctype html>")
    for out in (tmp_path / "no" / "page.html", tmp_path):
        wrong = leadgate("report", "--out", out, config=file)
        assert wrong.code == 2
        assert f"{out}: cannot be written" in wrong.stderr
        assert len(wrong.stderr.splitlines()) == 1
    assert leadgate("report", "--since", "soon", config=file).code == 2
    assert {path.name for path in tmp_path.iterdir()} >= {"page.html"}
    assert not [path for path in tmp_path.iterdir() if "page.html-" in path.name]


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 5, "0 %"), (5, 5, "100 %"), (1, 3, "33 %"), (1, 10**6, "0.1 %"), (10**6 - 1, 10**6, "99.9 %")],
)
def test_a_share_is_all_or_nothing_only_where_it_is(part: int, whole: int, told: str) -> None:
    """One lost lead in a million is not 0 %."""
    assert share(part, whole) == told


def test_spans_have_two_units() -> None:
    """Large ones first."""
    assert [span(timedelta(seconds=s)) for s in (0, 61, 90_000, 10**8)] == [
        "0 s",
        "1 min 1 s",
        "1 d 1 h",
        "1,157 d 9 h",
    ]


def test_when_data_came_is_a_picture_for_each_deadline(ledger: Ledger, config: PipelineConfig) -> None:
    """A band for each required column, by its real name; the title says what the deadlines keep, the table how many."""
    began_at, day = NOW - timedelta(days=5), timedelta(days=1)
    names = [f"{number:03}" for number in range(120)]
    came = {at: int((began_at + timedelta(hours=at)).timestamp()) for at in (1, 2, 20)}
    arrivals = {
        name: {"postcode": (came[1], came[2]), "phone_verified": (came[1], came[2]), "score": (came[1], came[20])}
        for name in names
    }
    waiting.register(ledger, leads(*names, quarantined_at=began_at), now=began_at)
    looks = [Look(name, [], "hash", due=True, deadline=day / 4 if name < "020" else None) for name in names]
    waiting.note_looks(ledger, looks, now=NOW, arrivals=arrivals)
    keep_mark(ledger, Relation.ENRICHMENT, Mark(read_at=NOW, position=NOW, moved_at=NOW))
    page = render(read(ledger, config))
    told = text_of(page)
    assert "Too few leads are old enough to judge the deadline of 6h: 20, and 100 are needed" in told
    assert "6h keeps 0 to 100 %, 18h keeps 0 to 100 %, 24h (now) 100 %" in told
    assert "all that is required 24h 100 100 %" in told
    assert "score 18h 100 0 to 100 %" in told
    drawn = " ".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    labels = set(re.findall(r">([^<>]+)</text>", drawn))
    assert labels >= {"postcode: 100 %", "score: 100 %", "72h", "6h"}
    assert "score: 0 to 100 %" not in labels, "too few leads make no picture"
