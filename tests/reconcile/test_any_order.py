"""Runs that meet, crash, come late and answer late in any order: no lead is acted on twice, none is forgotten."""

from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pydantic import ValidationError
from sqlalchemy import Engine, event, or_, select

from leadgate.config import PipelineConfig, longest_exchange
from leadgate.ledger import Ledger, people, waiting
from leadgate.ledger.engine import reading
from leadgate.ledger.schema import entries
from leadgate.model import Lead, Look, State, Verdict
from tests.delivery.world import NOON, config_with
from tests.reconcile.simulated import Heard, SimulatedLeadByte, SimulatedRun
from tests.support.audit import audit_ledger
from tests.support.ledgers import forget_leads, new_engine

LONGEST = longest_exchange(timedelta(seconds=30))
SHORTEST = {"lease": "70s", "unknown_after": "70s"}
"""As short as the pipeline file allows with a time-out of 30 s."""
QUEUE_TIME = timedelta(minutes=10)
PATIENCE = timedelta(hours=3)
EVIDENCE = {"queue_time": QUEUE_TIME, "patience": PATIENCE}
LONG = timedelta(seconds=71)
"""Longer than a lease, a grace or an exchange."""
SETTLED = {State.PROCESSED, State.REJECTED, State.GONE, State.REVIEW, State.FAILED}
SENT_AGAIN = {State.WAITING, State.READY, State.FAILED}

spans = st.sampled_from([1, 30, 69, 71, 71, 400, 602, 3600]).map(lambda seconds: timedelta(seconds=seconds))
takes = st.sampled_from([0.0, 1.0, 30.0, LONGEST.total_seconds()]).map(lambda seconds: timedelta(seconds=seconds))
runs = st.sampled_from([0, 1])
answers = st.sampled_from([Heard.ANSWER, Heard.LOST, *Heard])
verdicts = st.sampled_from([*3 * [Verdict.PROCESS], *Verdict])


class AnyOrder(RuleBasedStateMachine):
    """Two runs, a few leads, one ledger and one LeadByte; each rule is one step of one of them."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        forget_leads(engine)
        self.engine = engine
        self.config = config_with(delivery=SHORTEST | EVIDENCE | {"attempts": 2})
        self.leadbyte = SimulatedLeadByte()
        self.ledger = Ledger(engine, pipeline="acme", owner="keeper")
        self.runs = [
            SimulatedRun(Ledger(engine, pipeline="acme", owner=name), self.leadbyte, self.config) for name in ("a", "b")
        ]
        self.looks = 0
        self.moved: set[str] = set()

    def states(self) -> dict[str, State]:
        """Where every lead is."""
        with reading(self.engine) as connection:
            return {row.lead_id: State(row.state) for row in connection.execute(select(entries))}

    def due(self) -> set[State]:
        """The states in which a lead is due, and free to be claimed."""
        e, now = entries.c, self.leadbyte.now
        query = select(e.state).where(e.due_at <= now, or_(e.lease_until.is_(None), e.lease_until < now))
        with reading(self.engine) as connection:
            return set(map(State, connection.scalars(query)))

    @initialize(
        longest=st.sampled_from([timedelta(), timedelta(seconds=90), QUEUE_TIME, QUEUE_TIME]),
        updates_all=st.sampled_from([False, False, False, True]),
    )
    def meet_leadbyte(self, longest: timedelta, updates_all: bool) -> None:
        """Its queue takes so long at most, for each lead something else; it may update leads that have left."""
        queue = cycle([longest, timedelta(), longest / 2, longest])
        self.leadbyte.queue, self.leadbyte.updates_all = lambda: next(queue), updates_all

    @initialize()
    def look_at_the_source(self) -> None:
        """Two more leads have come, and it has new data for each."""
        self.looks += 1
        ids = [str(n) for n in range(2 * self.looks)]
        waiting.register(self.ledger, [Lead(lead_id, NOON) for lead_id in ids], now=self.leadbyte.now)
        looks = [Look(lead_id, [], f"hash-{self.looks}", due=True) for lead_id in ids]
        waiting.note_looks(self.ledger, looks, now=self.leadbyte.now)

    # Few rules with many choices: Hypothesis leaves rules out of a story, and a lead's way needs all its steps.
    @rule(number=runs, steps=st.integers(1, 12), data=st.data())
    def work_on(self, number: int, steps: int, data: st.DataObject) -> None:
        """As `work`; twice, so that runs get on with their work in most stories."""
        self.work(number, steps, data)

    @rule(number=runs, steps=st.integers(1, 12), data=st.data())
    def work(self, number: int, steps: int, data: st.DataObject) -> None:
        """A run goes on for some steps of its way."""
        run = self.runs[number]
        for _ in range(steps):
            self.take_step(run, data)
            self.no_lead_is_acted_on_twice()

    def take_step(self, run: SimulatedRun, data: st.DataObject) -> None:
        """Take one of the steps that the run can take now."""
        busy = run.intended or run.sent
        possible: list[Callable[[], None]] = []
        if run.sent:
            which = data.draw(st.integers(0, len(run.sent) - 1))
            if run.sent[which].answers is None:
                possible += 2 * [lambda: run.hear(which, data.draw(answers))]
            possible += [lambda: run.record(which)]
        if run.intended:
            possible += 2 * [lambda: run.send(data.draw(takes))]
        if run.held:
            possible += 2 * [
                lambda: run.intend(
                    data.draw(st.integers(1, 3)), combined=data.draw(st.sampled_from([True, True, False]))
                )
            ]
        if run.doubts and not busy:
            possible += [run.intend_probes, run.intend_probes, run.give_to_person]
        if not possible:
            if data.draw(st.booleans()):
                run.rescue()
            due = self.due()
            if State.READY in due:
                possible += [lambda: run.claim(data.draw(st.integers(1, 3)), data.draw(verdicts))]
            if State.UNKNOWN in due:
                possible += [lambda: run.claim_unknown(data.draw(st.integers(1, 3)))]
        data.draw(st.sampled_from(possible or [lambda: self.leadbyte.advance(data.draw(spans))]))()

    @rule(number=runs, data=st.data())
    def meet_trouble(self, number: int, data: st.DataObject) -> None:
        """A run crashes, ends, holds on to what it has, or takes over what dead ones left."""
        run = self.runs[number]
        data.draw(st.sampled_from([run.renew, run.rescue, run.rescue, run.end, run.crash]))()

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        """Leases and graces end; what is on its way to LeadByte arrives."""
        self.leadbyte.advance(span)

    @rule(number=runs)
    def sleep(self, number: int) -> None:
        """A run is put to sleep with its machine, and the other does all its work meanwhile; then leads arrive."""
        self.work_in_peace(self.runs[1 - number])
        self.look_at_the_source()

    @rule(number=st.integers(0, 10))
    def others_step_in(self, number: int) -> None:
        """Someone takes a lead out of quarantine; or leads and data arrive, and parked ones go round again."""
        lead_id = str(number)
        if number > self.looks:
            self.look_at_the_source()
            people.retry_failed(self.ledger, None, now=self.leadbyte.now)
        elif lead_id not in self.leadbyte.gone:
            self.leadbyte.gone.add(lead_id)
            self.moved.add(lead_id)

    @invariant()
    def no_lead_is_acted_on_twice(self) -> None:
        """However often it was sent, and whatever is still on its way."""
        assert not {lead_id: count for lead_id, count in self.leadbyte.acts.items() if count > 1}

    @invariant()
    def no_lead_that_comes_up_again_was_acted_on(self) -> None:
        """Nor will it be by a request that is on its way."""
        for lead_id, state in self.states().items():
            if state in SENT_AGAIN:
                assert not self.leadbyte.acts[lead_id], f"{lead_id} is {state}, and was acted on"
                assert not self.leadbyte.may_still_act_on(lead_id), f"{lead_id} is {state}, and may still be acted on"

    @invariant()
    def the_ledger_is_sound_and_true(self) -> None:
        """By the audit that every other test has to pass too; what it calls acted on, was."""
        audit_ledger(self.engine, self.leadbyte.now)
        for lead_id, state in self.states().items():
            if state in {State.PROCESSED, State.REJECTED}:
                assert self.leadbyte.acts[lead_id] or lead_id in self.moved

    def teardown(self) -> None:
        """Nothing is stuck: when every run has crashed and a new one works in peace, each lead comes to an end."""
        for run in self.runs:
            run.crash()
        for _ in range(8):
            self.leadbyte.advance(timedelta(hours=1))
            self.look_at_the_source()
            self.work_in_peace(self.runs[0])
            self.runs[0].end()
            self.the_ledger_is_sound_and_true()
            self.no_lead_is_acted_on_twice()
        assert set(self.states().values()) <= SETTLED
        audit_ledger(self.engine, self.leadbyte.now, finished=True)

    def work_in_peace(self, run: SimulatedRun) -> None:
        """Let a run do all there is to do, with every lease and grace over and an answer to each request."""
        self.leadbyte.advance(LONG)
        run.rescue()
        self.leadbyte.advance(LONG)
        run.claim_unknown(10)
        while run.doubts:
            run.intend_probes()
            _send_all(run)
        run.claim(10, Verdict.PROCESS)
        while run.held:
            run.intend(1, combined=True)
            _send_all(run)


def _send_all(run: SimulatedRun) -> None:
    while run.intended:
        run.send(timedelta())
        run.hear(0, Heard.ANSWER)
        run.record(0)


def _any_order(engine: Engine, examples: int) -> None:
    run_state_machine_as_test(
        lambda: AnyOrder(engine),  # type: ignore[arg-type]  # it calls what it is given
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_any_order_of_steps_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    """Many stories; the disk is not waited for, since no power cut is among them."""
    engine = new_engine(sqlite_url, base_dir=tmp_path)
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute("pragma synchronous = off"))
    _any_order(engine, 30)
    engine.dispose()


def test_any_order_of_steps_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """Fewer: the statements are the same, the locks are not."""
    engine = new_engine(postgres_url, base_dir=tmp_path)
    _any_order(engine, 8)
    engine.dispose()


Story = Callable[..., int]


@pytest.fixture
def story(sqlite_url: str, tmp_path: Path) -> Story:
    """A run whose act is applied at the last moment, and leaves LeadByte's queue at the last; how often it was sent.

    It was sent `sent_after` its intent, and nobody heard its answer, or the run was `killed`. Another run probes all
    the time, beside a control that is gone.
    """

    def play(config: PipelineConfig, *, sent_after: timedelta = timedelta(), killed: bool = False) -> int:
        engine = new_engine(sqlite_url, base_dir=tmp_path)
        leadbyte = SimulatedLeadByte()
        ledger = Ledger(engine, pipeline="acme", owner="run")
        run = SimulatedRun(ledger, leadbyte, config)
        prober = SimulatedRun(Ledger(engine, pipeline="acme", owner="prober"), leadbyte, config)
        waiting.register(ledger, [Lead("0", NOON), Lead("1", NOON)], now=NOON)
        for lead_id in ("0", "1"):
            waiting.note_looks(ledger, [Look(lead_id, [], "hash", due=True)], now=leadbyte.now)
            run.claim(1, Verdict.PROCESS)
            run.intend(1, combined=True)
            if lead_id == "0":
                _send_all(run)
        leadbyte.queue = lambda: QUEUE_TIME
        leadbyte.advance(sent_after)
        run.send(LONGEST)
        if not killed:
            run.hear(0, Heard.LOST)
            run.record(0)

        def probe() -> None:
            prober.rescue()
            with engine.begin() as connection:
                connection.execute(entries.update().where(entries.c.state == State.UNKNOWN).values(due_at=NOON))
            prober.claim_unknown(1)
            while prober.doubts:
                prober.intend_probes()
                _send_all(prober)
            prober.claim(1, Verdict.PROCESS)
            prober.intend(1, combined=True)
            _send_all(prober)

        probe()  # the first one tells the time by LeadByte's clock
        leaves_at = leadbyte.now + LONGEST + QUEUE_TIME
        leadbyte.advance(QUEUE_TIME)
        while leadbyte.now <= leaves_at + config.delivery.lease:
            leadbyte.advance(timedelta(seconds=1))
            probe()
        assert leadbyte.acts["0"] == 1
        engine.dispose()
        return leadbyte.acts["1"]

    return play


@pytest.mark.parametrize("setting", ["unknown_after", "queue_time"])
def test_what_is_assumed_of_leadbyte_is_needed(story: Story, setting: str) -> None:
    """Where a request is applied later than `unknown_after`, or leaves later than `queue_time`, evidence is wrong."""
    allowed = config_with(delivery=SHORTEST | EVIDENCE)
    shorter = getattr(allowed.delivery, setting) - timedelta(seconds=3)
    delivery = allowed.delivery.model_copy(update={setting: shorter})
    assert story(allowed.model_copy(update={"delivery": delivery})) == 2


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("sent_after", [timedelta(), timedelta(seconds=69)])
def test_where_it_holds_a_lead_is_acted_on_once(story: Story, sent_after: timedelta, killed: bool) -> None:
    """With the shortest spans the file allows, also where the request left at the very end of its lease."""
    assert story(config_with(delivery=SHORTEST | EVIDENCE), sent_after=sent_after, killed=killed) == 1


@pytest.mark.parametrize("setting", ["lease", "unknown_after"])
def test_the_file_refuses_a_span_shorter_than_an_exchange(setting: str) -> None:
    """And says how long it must be."""
    with pytest.raises(ValidationError, match=f"delivery.{setting}: must be 70s at least"):
        config_with(delivery={setting: "69s"})
