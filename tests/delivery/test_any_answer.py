"""Whatever LeadByte answers, no lead is asked to act again after an act that was not provably refused."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from leadgate.delivery import Delivery, Exchange
from leadgate.errors import KeyRefused, LeadByteError, LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.leadbyte.wording import Sentences
from leadgate.ledger import Ledger, claims, waiting
from leadgate.ledger.status import read_status
from leadgate.model import Answer, Certainty, Decided, Lead, LeadRequest, Look, fingerprint
from leadgate.stopping import Stop
from tests.delivery.world import NOON, POSTCODE, Clock, config_with, decision_of, release_brake
from tests.support.ledgers import forget_leads, new_engine

IDS = [str(n) for n in range(1, 7)]
MINUTES = timedelta(minutes=5)
FLAG = st.sampled_from([True, False, None])
ANSWER = st.fixed_dictionaries(
    {
        "certainty": st.sampled_from(Certainty),
        "updated": FLAG,
        "acted": FLAG,
        "gone": st.sampled_from([False, False, False, True]),
        "whole_request": st.booleans(),
        "transient": st.booleans(),
        "retry_at": st.sampled_from([None, NOON, NOON + timedelta(hours=1)]),
        "http_status": st.sampled_from([None, 200, 400, 502]),
        "message": st.sampled_from(["", "{} in LeadByte's words"]),
    }
)
LIKELY = st.sampled_from(
    [
        {"certainty": Certainty.ANSWERED, "updated": True, "acted": True},
        {"certainty": Certainty.ANSWERED, "updated": True},
        {"certainty": Certainty.IN_DOUBT, "updated": True, "opposite": True},
        {"certainty": Certainty.REFUSED, "acted": False, "whole_request": True, "http_status": 400},
        {"certainty": Certainty.REFUSED, "transient": True},
        {"certainty": Certainty.IN_DOUBT},
    ]
)
VERDICTS = st.sampled_from(["process", "process", "reject", "hold", "review"])
WHOLE = st.sampled_from([None, None, None, None, KeyRefused, LeadByteUnavailable, ZeroDivisionError, "too few"])


SCRIPT = st.fixed_dictionaries(
    {
        "answers": st.lists(st.one_of(LIKELY, LIKELY, ANSWER), min_size=1, max_size=6),
        "whole": st.lists(WHOLE, min_size=1, max_size=6),
        "verdicts": st.lists(VERDICTS, min_size=1, max_size=4),
        "update": st.sampled_from([POSTCODE, POSTCODE, {}]),
    }
)
"""What one lead meets, over and over. Drawn beforehand, since the order of requests is up to the threads."""
Script = dict[str, Any]


class Scripted:
    """A LeadByte that answers what it is told, and keeps what each lead was asked and answered."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self._answers = {lead_id: cycle(script["answers"]) for lead_id, script in scripts.items()}
        self._whole = {lead_id: cycle(script["whole"]) for lead_id, script in scripts.items()}
        self.sentences = Sentences()
        self.acts: dict[str, list[Answer | None]] = defaultdict(list)
        """For each act that was asked of a lead its answer; None where there was none."""

    async def put(self, requests: Sequence[LeadRequest], *, before: datetime | None = None) -> list[Answer]:
        """Answer a batch, or fail as the script of its first lead says."""
        assert before is not None
        assert len({request.lead_id for request in requests}) == len(requests)
        acting = {request.lead_id: len(self.acts[request.lead_id]) for request in requests if request.action}
        for lead_id in acting:
            self.acts[lead_id].append(None)
        await asyncio.sleep(0)
        whole = next(self._whole[requests[0].lead_id])
        if isinstance(whole, type):
            if issubclass(whole, LeadByteError):
                # The client raises these only where nothing was applied.
                for lead_id, at in acting.items():
                    self.acts[lead_id][at] = Answer(lead_id, Certainty.REFUSED)
            raise whole
        if whole == "too few":
            return []
        answers = [Answer(request.lead_id, **next(self._answers[request.lead_id])) for request in requests]
        for answer in answers:
            if answer.lead_id in acting:
                self.acts[answer.lead_id][acting[answer.lead_id]] = answer
        return answers

    def their_now(self) -> datetime | None:
        """Tell no time."""
        return None

    async def act(self, request: LeadRequest, *, before: datetime | None = None) -> Answer:
        """Answer one act, or fail."""
        answers = await self.put([request], before=before)
        return answers[0]


class PassingTime(Stop):
    """Waits of a run that take no time, though the clock goes on: acts wait for one that goes alone."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def sleep(self, span: timedelta) -> None:  # noqa: ARG002
        """Let ten seconds pass by the clock."""
        self._clock.advance(seconds=10)
        await asyncio.sleep(0.001)


def provably_refused(answer: Answer | None) -> bool:
    """Whether an act that was answered so may be asked again: said here once more, apart from the code."""
    return bool(answer and answer.certainty is Certainty.REFUSED and not (answer.acted or answer.gone))


class Life(NamedTuple):
    """How one run goes: how often its wave is delivered, whether it gives back what it holds, and the time after it."""

    deliveries: int
    releases: bool
    minutes: int


LIFE = st.builds(Life, st.integers(1, 2), st.booleans(), st.sampled_from([1, 6, 120]))


class Story:
    """A ledger of six leads, and run after run over it, each under a name of its own."""

    def __init__(self, engine: Engine, scripts: dict[str, Script], sections: dict[str, Any]) -> None:
        self.engine, self.sections = engine, sections
        self.clock = Clock()
        self.leadbyte = Scripted(scripts)
        self._scripts = scripts
        self._verdicts = {lead_id: cycle(script["verdicts"]) for lead_id, script in scripts.items()}

    def wave(self, ledger: Ledger) -> list[Decided]:
        """Claim all that is due, decided by the script."""
        wave = []
        for claim in claims.claim(ledger, limit=10, lease=MINUTES, now=self.clock()):
            update = self._scripts[claim.lead_id]["update"]
            payload = fingerprint(update) if update else None
            is_written = payload is not None and payload == claim.updated_hash
            decision = decision_of(next(self._verdicts[claim.lead_id]))
            wave.append(Decided(claim, decision, update, payload, is_written=is_written))
        return wave

    async def deliver(self, owner: str, life: Life) -> None:
        """One run; it ends as runs do, or dies without giving anything back."""
        ledger = Ledger(self.engine, pipeline="acme", owner=owner, clock=self.clock)
        claims.rescue(ledger, unknown_after=MINUTES, now=self.clock())
        client = cast("LeadByteClient", self.leadbyte)
        config = config_with(**self.sections)
        exchange = Exchange(config=config, ledger=ledger, client=client, stop=PassingTime(self.clock))
        delivery = Delivery(config, exchange)
        wave = self.wave(ledger)
        for _ in range(life.deliveries):
            try:
                await delivery.act(await delivery.update(wave))
            except (LeadByteError, ZeroDivisionError, ValueError, IndexError):
                continue
        if life.releases:
            claims.release(ledger, now=self.clock())
        self.clock.advance(minutes=life.minutes)


@pytest.fixture
def engine(sqlite_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A ledger's database."""
    engine = new_engine(sqlite_url, base_dir=tmp_path)
    yield engine
    engine.dispose()


# No shrinking: with databases and threads it takes longer than a test may.
@settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    scripts=st.fixed_dictionaries(dict.fromkeys(IDS, SCRIPT)),
    lives=st.lists(LIFE, min_size=2, max_size=4),
    delivery=st.fixed_dictionaries(
        {"mode": st.sampled_from(["update_first", "combined", "separate"]), "attempts": st.integers(1, 4)}
    ),
    leadbyte=st.fixed_dictionaries({"batch_size": st.integers(1, 6), "concurrency": st.integers(1, 3)}),
    braked=st.booleans(),
)
def test_no_lead_is_asked_to_act_again_unless_it_was_refused(
    engine: Engine,
    scripts: dict[str, Script],
    lives: list[Life],
    delivery: dict[str, Any],
    leadbyte: dict[str, Any],
    braked: bool,
) -> None:
    """Over many runs, some of which die, whatever is answered and however often a wave is delivered."""
    forget_leads(engine)
    ledger = Ledger(engine, pipeline="acme", owner="first")
    waiting.register(ledger, [Lead(lead_id, NOON) for lead_id in IDS], now=NOON)
    waiting.note_looks(ledger, [Look(lead_id, [], "hash", due=True) for lead_id in IDS], now=NOON)
    if not braked:
        release_brake(ledger)
    story = Story(engine, scripts, {"delivery": delivery, "leadbyte": leadbyte})
    for number, life in enumerate(lives):
        asyncio.run(story.deliver(f"run-{number}", life))
    asked_again = {
        lead_id: answers
        for lead_id, answers in story.leadbyte.acts.items()
        if not all(provably_refused(answer) for answer in answers[:-1])
    }
    assert asked_again == {}
    assert sum(read_status(ledger).counts.values()) == len(IDS)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Answer("1", Certainty.ANSWERED),
        Answer("1", Certainty.ANSWERED, acted=False),
        Answer("1", Certainty.IN_DOUBT, acted=False),
        Answer("1", Certainty.REFUSED, acted=True),
        Answer("1", Certainty.REFUSED, gone=True),
    ],
)
def test_what_proves_nothing_is_no_refusal(answer: Answer | None) -> None:
    """The yardstick of this file says no where it should."""
    assert not provably_refused(answer)
    assert provably_refused(Answer("1", Certainty.REFUSED))
