"""What only reads or writes the ledger needs the ledger alone: no key, no source, no block and no LeadByte."""

from pathlib import Path

import pytest

from flows.maintain_ledger import maintain_ledger
from flows.pause_pipeline import pause_pipeline
from flows.resolve_reviews import resolve_reviews
from flows.resume_pipeline import resume_pipeline
from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice

BY = ("--by", "Kim")
WHY = ("--reason", "Looked at.", *BY)
VERBS: list[tuple[object, ...]] = [
    ("status",),
    ("status", "--json"),
    ("explain", 1),
    ("explain", 1, "--json"),
    ("report", "--out", "REPORT"),
    ("review", "list"),
    ("review", "list", "--json"),
    ("review", "examples"),
    ("review", "wait", 2, *WHY),
    ("review", "again", 3, *BY),
    ("review", "process", 4, *WHY),
    ("review", "reject", 5, *WHY),
    ("review", "settle", 6, "--was", "not-taken", *BY),
    ("failed", "list"),
    ("retry", "--failed"),
    ("discard", 7, *WHY),
    ("pause", *WHY),
    ("resume",),
    ("ledger", "restored"),
]
"""Every verb that asks nobody but the ledger; the last two leads are in no state for theirs, and are told so."""
REFUSED = {"settle", "discard"}


@pytest.fixture(params=["unset", "blocks", "down"])
def without_secrets(
    request: pytest.FixtureRequest, pipeline: Practice, leadbyte: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Practice:
    """A pipeline with leads in review, on a machine where neither the key nor the source is to be had."""
    pipeline.quarantine(*range(1, 8))
    pipeline.enrich(*range(1, 8), postcode="TN25 6QD", phone_verified=False, score=0.1)
    assert leadgate("run", config=pipeline.file).code == 0
    assert set(pipeline.states().values()) == {"review"}
    key, url = {
        "unset": ("${LEADBYTE_API_KEY}", "${SOURCE_URL}"),
        "blocks": ("{block: leadbyte-credentials/nowhere}", "{block: secret/nowhere}"),
        "down": ("practice-key", "postgresql://reader:secret@127.0.0.1:9/source.db"),
    }[request.param]
    for name in ("LEADBYTE_API_KEY", "SOURCE_URL"):
        monkeypatch.delenv(name, raising=False)
    text = pipeline.file.read_text("utf-8")
    text = text.replace("api_key: practice-key", f"api_key: {key}").replace("url: sqlite:///source.db", f"url: {url}")
    pipeline.file.write_text(text, "utf-8")
    return pipeline


def test_every_verb_of_the_ledger_works(without_secrets: Practice, tmp_path: Path) -> None:
    """None of them says a word of the key or the source."""
    for verb in VERBS:
        words = [tmp_path / "report.html" if word == "REPORT" else word for word in verb]
        done = leadgate(*words, config=without_secrets.file)
        said = done.stdout + done.stderr
        assert done.code == (2 if REFUSED & set(map(str, verb)) else 0) or done.code == 1, (verb, said)
        for secret in ("LEADBYTE_API_KEY", "SOURCE_URL", "nowhere", "cannot be reached", "api_key"):
            assert secret not in said, (verb, said)


async def test_every_form_and_the_maintenance_work(without_secrets: Practice) -> None:
    """A worker that runs these alone needs no key of LeadByte and no password of the source."""
    config = str(without_secrets.file)
    words = {"by": "Kim", "config": config}
    for flow, given in (
        (pause_pipeline, words | {"reason": "A look first."}),
        (resume_pipeline, words),
        (resolve_reviews, words | {"ids": "2", "verdict": "process", "reason": "Looked at."}),
        (maintain_ledger, {"config": config}),
    ):
        ended = await flow(**given, return_state=True)
        assert ended.is_completed(), (flow.name, ended.message)
