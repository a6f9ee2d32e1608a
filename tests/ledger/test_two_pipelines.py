"""A ledger of two pipelines tells each of its own leads alone: every function that reads is tried, new ones too."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

import leadgate.ledger
from leadgate.config import BudgetsConfig
from leadgate.ledger import Ledger, absent, again, budgets, claims, observed, unknown
from leadgate.ledger.alarms import Alarm, clear_alarm
from leadgate.ledger.doubts import Sentence, read_doubts
from leadgate.ledger.pauses import end_pause
from leadgate.ledger.pipelines import note_all_seen, note_restored
from leadgate.ledger.policies import policy_texts
from leadgate.ledger.pruning import prune
from leadgate.ledger.schema import metadata, policies
from leadgate.ledger.source_progress import Relation
from leadgate.model import Action, Resolution, State
from tests.ledger.test_upgrading import old
from tests.support.ledgers import new_engine

__all__ = ["old"]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
IDS = [str(number) for number in range(101, 112)]
ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(("now", "until", "before", "after"), LATER),
    **dict.fromkeys(("since",), LONG_AGO),
    **dict.fromkeys(("within", "deadline"), HOUR),
    **dict.fromkeys(("limit", "leads"), 100),
    **dict.fromkeys(("ids", "lead_ids"), IDS),
    "connection": None,
    "account": None,
    "lead_id": "101",
    "rule": None,
    "rules": "another",
    "relation": Relation.ENRICHMENT,
    "budgets": BudgetsConfig.model_validate({"reject": "10/hour", "process": "10/hour"}),
    "action": Action.PROCESS,
    "verdict": Resolution.PROCESS,
    "shape": "a sentence",
    "limits": [1.0],
}
"""What a parameter of that name gets."""
READS = ("read_", "count_", "find_", "all_", "open_ids", "newest_seen", "latest_late", "next_up", "never_looked_at")
MORE = (
    "UPDATE leadgate_entries SET state = 'failed', note = 'No.', due_at = NULL WHERE lead_id = '105'",
    "UPDATE leadgate_entries SET state = 'withdrawn', settled_at = NULL WHERE lead_id = '109'",
    "UPDATE leadgate_entries SET missing = '[\"score\"]', due_at = '2027-05-01 12:00:00' WHERE lead_id = '103'",
    "UPDATE leadgate_entry_decisions SET observed = true WHERE lead_id = '103'",
    "UPDATE leadgate_entries SET due_at = '2027-04-01 12:00:00' WHERE lead_id = '108'",
    "UPDATE leadgate_entry_decisions SET capped = true, verdict = 'hold' WHERE lead_id = '108'",
    "UPDATE leadgate_entries SET state = 'review', due_at = NULL WHERE lead_id = '107'",
    "UPDATE leadgate_entries SET absent_since = '2026-03-01 12:00:00' WHERE lead_id = '105'",
    "UPDATE leadgate_entries SET lease_owner = 'first', lease_until = '2027-02-01 12:00:00' WHERE lead_id = '111'",
    "UPDATE leadgate_pipelines SET has_seen_all = false WHERE pipeline = 'acme'",
    "UPDATE leadgate_attempts SET shape = 'a sentence' WHERE lead_id = '106' AND action IS NOT NULL",
    "INSERT INTO leadgate_alarms VALUES ('acme', 'parked', '2026-03-01 12:00:00', true)",
    "INSERT INTO leadgate_standstills (pipeline, began_at, problem) VALUES ('acme', '2026-03-01 12:00:00', 'Stale.')",
)
"""What the kept ledger lacks."""
OF_THE_LEDGER = {"read_pipelines", "read_known_pipeline"}
"""What is told of the whole ledger, or when the pipeline itself was made."""
QUIET = {
    *("find_open_and_forgotten", "never_looked_at", "read_brake", "read_elsewhere", "read_faults", "read_learned"),
    *("read_next_due", "read_rooms"),
}
"""Of which this ledger has nothing to tell."""


def readers() -> Iterator[Callable[..., Any]]:
    """Every public function of the ledger that reads for a pipeline."""
    for module in pkgutil.iter_modules(leadgate.ledger.__path__, "leadgate.ledger."):
        for name, function in vars(importlib.import_module(module.name)).items():
            is_own = inspect.isfunction(function) and function.__module__ == module.name
            if is_own and name.startswith(READS) and "ledger" in inspect.signature(function).parameters:
                yield function


READERS = {function.__name__: function for function in readers()}


def ask(function: Callable[..., Any], ledger: Ledger) -> Any:  # noqa: ANN401 - whatever it reads
    """What it says of a pipeline, with an argument for each parameter that has no default."""
    wanted = list(inspect.signature(function).parameters.values())[1:]
    arguments = {each.name: ARGUMENTS[each.name] for each in wanted if each.default is inspect.Parameter.empty}
    if function.__name__ == "read_ready_page":
        arguments["after"] = ""
    with ledger.reading() as connection:
        if "connection" in arguments:
            arguments["connection"] = connection
        found = function(ledger, **arguments)
        return list(found) if inspect.isgenerator(found) else found


@pytest.fixture
def acme(old: str, tmp_path: Path) -> Iterator[Ledger]:
    """A pipeline with leads in nearly every state."""
    engine = new_engine(old, base_dir=tmp_path, pipelines=("beta",))
    with engine.begin() as connection:
        for statement in MORE:
            connection.execute(text(statement))
    yield Ledger(engine, pipeline="acme", owner="first")
    engine.dispose()


def test_a_pipeline_without_leads_beside_one_with_many_has_none(acme: Ledger, tmp_path: Path) -> None:
    """As in a ledger where it is alone; of the other one nearly every function tells something."""
    alone = new_engine("sqlite:///alone.db", base_dir=tmp_path, pipelines=("beta",))
    silent = set()
    for name, function in READERS.items():
        nothing = ask(function, Ledger(alone, pipeline="beta", owner="second"))
        beside = ask(function, Ledger(acme.engine, pipeline="beta", owner="second"))
        assert name in OF_THE_LEDGER or beside == nothing, name
        silent |= {name} if ask(function, acme) == nothing else set()
    alone.dispose()
    assert silent <= QUIET


def test_only_what_is_in_doubt_tells_of_sentences_and_only_controls_of_controls(acme: Ledger) -> None:
    """One of the two acts in doubt had an answer; leads were settled, and none of them was a control."""
    doubts = read_doubts(acme)
    assert doubts.sentences == [Sentence("a sentence", Action.PROCESS, 1)]
    assert (doubts.control, doubts.unknown, doubts.brake.in_doubt) == (None, 1, 2)


def test_rules_are_read_by_their_version(acme: Ledger) -> None:
    """Of the pipeline itself."""
    beta = Ledger(acme.engine, pipeline="beta", owner="second")
    with acme.reading() as connection:
        version = connection.scalar(select(policies.c.version))
        assert version
        assert policy_texts(acme, connection, [version]).keys() == {version}
        assert (policy_texts(acme, connection, ["another"]), policy_texts(beta, connection, [version])) == ({}, {})


WRITERS: dict[str, Callable[[Ledger], object]] = {
    "note_restored": lambda ledger: note_restored(ledger, now=LATER),
    "note_all_seen": note_all_seen,
    "prune": lambda ledger: list(prune(ledger, before=LATER)),
    "decide_anew": lambda ledger: observed.decide_anew(ledger, rules=None, now=LATER),
    "decide_reviews_anew": lambda ledger: again.decide_reviews_anew(ledger, rules="another", now=LATER),
    "decide_parked_anew": lambda ledger: again.decide_parked_anew(ledger, IDS, now=LATER),
    "end_pause": lambda ledger: end_pause(ledger, now=LATER),
    "call_up": lambda ledger: budgets.call_up(ledger, 100, now=LATER),
    "withdraw": lambda ledger: absent.withdraw(ledger, left="withdraw", now=LATER),
    "bring_back": lambda ledger: absent.bring_back(ledger, IDS, now=LATER),
    "clear_alarm": lambda ledger: clear_alarm(ledger, Alarm.PARKED),
    "claim": lambda ledger: claims.claim(ledger, limit=100, lease=HOUR, now=LATER + 300 * HOUR * 24),
    "claim_unknown": lambda ledger: unknown.claim_unknown(ledger, limit=100, lease=HOUR, now=LATER),
    "release": lambda ledger: claims.release(ledger, now=LATER),
    "rescue": lambda ledger: claims.rescue(ledger, unknown_after=HOUR, now=LATER),
    "settle_kept": lambda ledger: unknown.settle_kept(ledger, IDS, State.PROCESSED, note="taught", now=LATER),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_done_for_one_pipeline_changes_nothing_of_the_other(acme: Ledger, name: str) -> None:
    """Whatever is the same for both, such as the ids."""
    before = rows_of(acme)
    WRITERS[name](Ledger(acme.engine, pipeline="beta", owner="first"))
    assert rows_of(acme) == before
    WRITERS[name](acme)
    assert rows_of(acme) != before, "it would change something here"


def rows_of(ledger: Ledger) -> dict[str, list[str]]:
    """Every row of a pipeline, by table."""
    mine = {
        table.name: table.c.pipeline == ledger.pipeline for table in metadata.sorted_tables if "pipeline" in table.c
    }
    with ledger.reading() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(metadata.tables[name]).where(condition))))
            for name, condition in mine.items()
        }
