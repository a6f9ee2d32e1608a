"""Days on which something is down, withdrawn or broken off: the run says so, and every lead keeps its place."""

from collections import Counter

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import create_engine, text

from leadgate.ledger.schema import REVISION
from leadgate.sandbox import PRACTICE_KEY, Permission, Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice
from tests.support.process import free_port

COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}
LEADS = 400
"""Eight requests' worth: more than are under way at once."""


@pytest.fixture
def pipeline(pipeline: Practice) -> Practice:
    """A pipeline whose leads would all be processed."""
    pipeline.quarantine(*range(1, LEADS + 1))
    pipeline.enrich(*range(1, LEADS + 1), **COMPLETE)
    return pipeline


@pytest.mark.parametrize("leads", [1, LEADS])
def test_leadbyte_being_down_is_told(pipeline: Practice, leadbyte: Sandbox, leads: int) -> None:
    """Whether one request was tried or several, the run exits with 1, and no lead is lost."""
    address = f"http://127.0.0.1:{free_port()}"
    pipeline.edit(leadbyte.url, address)
    finished = leadgate("run", "--json", "--limit", leads, config=pipeline.file)

    assert finished.code == 1
    assert finished.json()["error"] == (
        f"LeadByte at {address} is not accepting requests right now (LeadByte cannot be reached (ConnectError); "
        "All connection attempts failed). Every lead that was not sent stays ready: the next run goes on with it."
    )
    assert finished.stderr == f"leadgate: {finished.json()['error']}\n"
    assert finished.json()["ready"] == LEADS
    assert set(pipeline.states().values()) == {"ready"}


@pytest.mark.parametrize(
    ("permission", "status"), [(None, 401), (Permission.UPDATE_ONLY, 403), (Permission.PROCESS_ONLY, 403)]
)
def test_a_refused_key_stops_the_run_at_once(
    pipeline: Practice, leadbyte: Sandbox, permission: Permission | None, status: int
) -> None:
    """After the first refusal nothing more is sent with the key, and every lead stays ready."""
    leadbyte.faults.change({"permission": permission.value} if permission else {"401": "always"})
    finished = leadgate("run", "--json", config=pipeline.file)

    assert finished.code == 1
    assert finished.json()["error"] == (
        f"LeadByte at {leadbyte.url} refused the API key (HTTP {status}). It needs the permissions Leads > Update and "
        "Quarantine > Process (in newer accounts one, Leads > Update & Quarantine Process), and the account may allow "
        "listed IP addresses only. Correct leadbyte.api_key or its "
        "permissions, then run `leadgate check`."
    )
    assert PRACTICE_KEY not in finished.stdout + finished.stderr
    refused = [request for request in leadbyte.requests if request.status != 200]
    assert 1 <= len(refused) <= 4, "no more than were under way at once"
    assert set(pipeline.states().values()) == {"ready"}
    # The refusal was asked for here; the leads it was about were still acted on by nobody.
    assert all(not act.accepted for acts in leadbyte.quarantine.acts.values() for act in acts)


def test_a_key_without_the_right_to_act_still_updates(pipeline: Practice, leadbyte: Sandbox) -> None:
    """Updates that go alone are taken, the first act is refused, and the leads stay ready for a better key."""
    pipeline.edit("policy:\n", "delivery: {mode: separate}\npolicy:\n")
    leadbyte.faults.change({"permission": "update-only"})
    finished = leadgate("run", "--json", config=pipeline.file)
    assert finished.code == 1
    assert "(HTTP 403)" in finished.json()["error"]
    assert Counter(exchange.status for exchange in leadbyte.requests if exchange.method == "PUT") == {200: LEADS / 50}
    assert set(pipeline.states().values()) == {"ready"}


def test_a_refused_lead_is_told(pipeline: Practice, leadbyte: Sandbox) -> None:
    """It is sent again later, the others went through, and the run exits with 1: LeadByte's words are one verb away."""
    leadbyte.faults.change({"poison": ["17"]})
    finished = leadgate("run", config=pipeline.file)
    # A run that is slow says how far it is.
    assert (finished.code, [line for line in finished.stderr.splitlines() if " leads · " not in line]) == (1, [])
    assert f"{LEADS - 1:>8}  processed:" in finished.stdout
    assert f"{1:>8}  refused: not taken by LeadByte, and sent again later" in finished.stdout
    assert "LeadByte refused it, HTTP 400" in leadgate("explain", "17", config=pipeline.file).stdout


def test_a_source_that_is_down_is_told(pipeline: Practice, leadbyte: Sandbox) -> None:
    """The message names the address without its password; another try may help, so the exit code is 1."""
    port = free_port()
    pipeline.edit("url: sqlite:///source.db", f"url: postgresql+psycopg://reader:geheim@127.0.0.1:{port}/crm")
    finished = leadgate("run", config=pipeline.file)
    assert (finished.code, finished.stdout) == (1, "")
    assert finished.stderr.startswith(
        f"leadgate: source.leads (table quarantined_leads): its database, postgresql 127.0.0.1:{port}/crm, "
        "cannot be reached right now ("
    )
    assert finished.stderr.endswith("Check source.url and that the database is up; the next run tries again.\n")
    assert "geheim" not in finished.stderr
    assert leadbyte.requests == []


def test_a_ledger_that_is_down_is_told(pipeline: Practice, leadbyte: Sandbox) -> None:
    """As with the source: exit code 1, and no password."""
    port = free_port()
    pipeline.edit("url: sqlite:///leadgate.db", f"url: postgresql+psycopg://writer:geheim@127.0.0.1:{port}/ledger")
    finished = leadgate("run", config=pipeline.file)
    assert (finished.code, finished.stdout) == (1, "")
    assert finished.stderr.startswith(
        f"leadgate: ledger postgresql 127.0.0.1:{port}/ledger: cannot be used right now ("
    )
    assert finished.stderr.endswith("Nothing is lost: start the database again (or free the file) and run again.\n")
    assert "geheim" not in finished.stderr
    assert leadbyte.requests == []


def test_a_ledger_of_a_newer_leadgate_is_left_alone(pipeline: Practice, leadbyte: Sandbox) -> None:
    """A ledger whose rows this leadgate may misread is refused, until it is upgraded."""
    assert leadgate("status", config=pipeline.file).code == 0
    set_version(pipeline, "9999")
    finished = leadgate("run", config=pipeline.file)
    set_version(pipeline, REVISION)
    assert (finished.code, finished.stdout) == (2, "")
    assert "was written by another leadgate (revision 9999" in finished.stderr
    assert "Upgrade leadgate, or point `ledger.url` at another ledger." in finished.stderr
    assert leadbyte.requests == []


def set_version(pipeline: Practice, version: str) -> None:
    """Let the ledger say which revision it is."""
    engine = create_engine(f"sqlite:///{pipeline.file.parent / 'leadgate.db'}")
    with engine.begin() as connection:
        connection.execute(text("update leadgate_version set version_num = :version"), {"version": version})
    engine.dispose()


def test_a_prefect_server_that_does_not_answer_is_told(pipeline: Practice, leadbyte: Sandbox) -> None:
    """A configured server that is down is no defect of leadgate, and is not waited for."""
    address = f"http://127.0.0.1:{free_port()}/api"
    with temporary_settings({PREFECT_API_URL: address}):
        finished = leadgate("run", config=pipeline.file)
    assert (finished.code, finished.stdout) == (1, "")
    assert finished.stderr.startswith(f"leadgate: The Prefect server at {address} does not answer (")
    assert finished.stderr.endswith("then a server is started for each run.\n")
    assert leadbyte.requests == []
