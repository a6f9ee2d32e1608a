"""Whose ledger it is: a person makes it, and it knows the account, the source and what it may have missed."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from leadgate.config import SourceConfig
from leadgate.errors import LedgerError
from leadgate.identity import Identity, account_of, source_of
from leadgate.ledger import Ledger, open_engine, sending, waiting
from leadgate.ledger.claims import rescue
from leadgate.ledger.pipelines import (
    add_pipeline,
    check_pipeline,
    keep_first_place,
    note_all_seen,
    note_restored,
    read_pipelines,
    rebind_pipeline,
)
from leadgate.ledger.schema import entries
from tests.ledger.steps import LEASE, NOW, PIPELINE, UNKNOWN_AFTER, claim, entry, leads, make_ready, send, taken
from tests.ledger.together import together
from tests.support.ledgers import new_engine

HERE = Identity("acme", "source.db: leads")


@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("https://acme.leadbyte.com", "acme"),
        ("https://ACME.leadbyte.co.uk/", "acme"),
        ("https://acme.leadbyte.com:443", "acme"),
        ("https://acme.leadbyte.com:8443", "acme.leadbyte.com:8443"),
        ("https://user:secret@leads.acme.com/restapi", "leads.acme.com"),
        ("http://127.0.0.1:8765", "127.0.0.1:8765"),
        ("http://leadbyte.com.evil.org", "leadbyte.com.evil.org"),
    ],
)
def test_an_account_is_known_by_its_address(address: str, account: str) -> None:
    """Both domains of LeadByte lead to one account; a user is never part of it."""
    assert account_of(address) == account


@pytest.mark.parametrize(
    ("url", "leads_of", "source"),
    [
        ("postgresql://reader:secret@db.example:5433/crm", {"table": "public.leads"}, "crm: public.leads"),
        ("sqlite:////srv/data/crm.db", {"table": "leads"}, "crm.db: leads"),
        ("sqlite:///file:/srv/crm.db?mode=ro&uri=true", {"table": "leads"}, "crm.db: leads"),
        ("${SOURCE_URL}", {"table": "leads"}, None),
        ("postgresql://reader@db/${DB}", {"table": "leads"}, None),
    ],
)
def test_a_source_is_known_by_its_database_and_table(url: str, leads_of: dict[str, str], source: str | None) -> None:
    """Host, user and password are no part of it; a variable that is not set leaves it open."""
    assert source_of(_source(url, **leads_of)) == source


def test_a_query_is_known_by_its_fingerprint() -> None:
    """However it is broken into lines."""
    one = source_of(_source("sqlite:///crm.db", query="SELECT *  FROM leads\n"))
    assert one == source_of(_source("sqlite:///crm.db", query="SELECT * FROM leads"))
    assert one != source_of(_source("sqlite:///crm.db", query="SELECT * FROM others"))


def test_no_run_makes_a_ledger(database_url: str, tmp_path: Path) -> None:
    """The error says both ways, and looking leaves no file behind."""
    with pytest.raises(LedgerError, match=r"there is none.*`leadgate ledger create --first-time`.*`leadgate ledger cr"):
        open_engine(database_url, base_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_ledger_and_stays_empty(tmp_path: Path) -> None:
    """As `touch` leaves one, or a volume that was mounted anew."""
    (tmp_path / "leadgate.db").touch()
    with pytest.raises(LedgerError, match="there is none"):
        open_engine("sqlite:///leadgate.db", base_dir=tmp_path)
    assert (tmp_path / "leadgate.db").stat().st_size == 0


@pytest.mark.parametrize("done", ["removed", "replaced"])
def test_a_file_that_is_replaced_under_a_run_stops_it(done: str, tmp_path: Path) -> None:
    """Reading and writing alike; no new file is made in its place."""
    engine = new_engine("sqlite:///leadgate.db", base_dir=tmp_path)
    new_engine("sqlite:///other.db", base_dir=tmp_path).dispose()
    ledger, file = Ledger(engine, pipeline=PIPELINE, owner="first"), tmp_path / "leadgate.db"
    waiting.register(ledger, leads("1"), now=NOW)
    if done == "removed":
        file.unlink()
    else:
        (tmp_path / "other.db").replace(file)
    for step in (
        partial(waiting.register, ledger, leads("2"), now=NOW),
        partial(waiting.read_known, ledger, ["1"]),
        partial(together, *[partial(waiting.read_known, ledger, ["1"])] * 4),  # connections that are new
    ):
        with pytest.raises(LedgerError, match=f"the file was {done}.*`leadgate ledger restored`"):
            step()
    assert file.exists() == (done == "replaced")
    engine.dispose()


def test_another_account_or_source_is_refused(ledger: Ledger) -> None:
    """A rehearsal on the practice LeadByte, then the real one: the error names both."""
    check_pipeline(ledger, HERE)
    make_ready(ledger, "1")
    check_pipeline(ledger, HERE)
    check_pipeline(ledger, Identity("acme", None))
    for named, told in (
        (Identity("127.0.0.1:8765", HERE.source), r"account acme, and the file names the account 127\.0\.0\.1:8765"),
        (Identity("acme", "crm: leads"), r"source source\.db: leads, and the file names the source crm: leads"),
    ):
        with pytest.raises(LedgerError, match=f"{told}.*ledger of its own.*rebind --same-account"):
            check_pipeline(ledger, named)
        with pytest.raises(LedgerError, match=told):
            waiting.register(ledger, leads("2"), now=NOW)


def test_a_slip_can_be_corrected_until_a_run_has_looked_for_leads(ledger: Ledger) -> None:
    """A wrong table is no reason to make another ledger."""
    check_pipeline(ledger, Identity("acme", "crm: laeds"))
    check_pipeline(ledger, Identity("acme", "crm: leads"))
    make_ready(ledger, "1")
    with pytest.raises(LedgerError, match="crm: laeds"):
        check_pipeline(ledger, Identity("acme", "crm: laeds"))


def test_a_run_that_was_overtaken_registers_nothing(ledger: Ledger, rival: Ledger) -> None:
    """Two files with one pipeline name and two sources, run for the first time at once."""
    check_pipeline(ledger, HERE)
    check_pipeline(rival, Identity("acme", "crm: leads"))
    assert waiting.register(rival, leads("1"), now=NOW).new == 1
    with pytest.raises(LedgerError, match=r"source crm: leads, and the file names the source source\.db: leads"):
        waiting.register(ledger, leads("2"), now=NOW)


def test_a_pipeline_that_is_renamed_is_not_known(engine: Engine) -> None:
    """Its leads would be new; the error says what to type."""
    renamed = Ledger(engine, pipeline="renamed", owner="first")
    told = r"'renamed' \(it knows: 'acme', 'another', 'other'\).*old name.*`leadgate ledger create --first-time`"
    with pytest.raises(LedgerError, match=told):
        check_pipeline(renamed, HERE)
    with pytest.raises(LedgerError, match=told):
        waiting.register(renamed, leads("1"), now=NOW)


def test_the_first_pipeline_takes_the_place_that_init_keeps(database_url: str, tmp_path: Path) -> None:
    """Whatever it is called; the second one must be added."""
    engine = open_engine(database_url, base_dir=tmp_path, create=True)
    first, second = (Ledger(engine, pipeline=name, owner="first") for name in ("mine", "other"))
    assert keep_first_place(first, now=NOW)
    check_pipeline(first, HERE)
    assert read_pipelines(first) == []
    waiting.register(first, leads("1"), now=NOW)
    assert read_pipelines(first) == ["mine"]
    assert not keep_first_place(first, now=NOW)
    with pytest.raises(LedgerError, match="does not know the pipeline 'other'"):
        check_pipeline(second, HERE)
    engine.dispose()


def test_a_lead_of_one_account_belongs_to_one_pipeline(engine: Engine, ledger: Ledger) -> None:
    """The second is told whose it is, and registers the others."""
    second = _second_pipeline(engine)
    assert waiting.register(ledger, leads("1", "2"), now=NOW) == (2, {})
    assert waiting.register(second, leads("2", "3"), now=NOW) == (1, {"2": PIPELINE})
    assert waiting.register(second, leads("2", "3"), now=NOW) == (0, {"2": PIPELINE})


def test_two_pipelines_that_race_for_leads_share_none(engine: Engine, ledger: Ledger) -> None:
    """The database sees to it, whoever comes first."""
    second, ids = _second_pipeline(engine), [str(number) for number in range(300)]
    one, other = together(
        lambda: waiting.register(ledger, leads(*ids), now=NOW),
        lambda: waiting.register(second, leads(*reversed(ids)), now=NOW),
    )
    assert one.new + other.new == 300
    assert (len(one.elsewhere), len(other.elsewhere)) == (other.new, one.new)


def test_leads_older_than_a_ledger_are_in_doubt(database_url: str, tmp_path: Path) -> None:
    """Unless it was said to be the first time; clocks agree within two minutes.

    All that the first whole look at the source finds was there before, whatever the clocks say.
    """
    engine = open_engine(database_url, base_dir=tmp_path, create=True)
    ledger = Ledger(engine, pipeline=PIPELINE, owner="first")
    add_pipeline(ledger, HERE, first_time=False, now=NOW)
    waiting.register(ledger, leads("0", quarantined_at=NOW + timedelta(days=1)), now=NOW)
    assert entry(engine, "0")["doubt_since"] == NOW
    note_all_seen(ledger)
    older = leads("1") + leads("2", quarantined_at=NOW + timedelta(seconds=119))
    waiting.register(ledger, older + leads("3", quarantined_at=NOW + timedelta(minutes=2)), now=NOW)
    found = [entry(engine, lead_id) for lead_id in ("1", "2", "3")]
    assert [(each["doubt_since"], each["doubt_action"]) for each in found] == [(NOW, None), (NOW, None), (None, None)]
    with pytest.raises(LedgerError, match="nothing is to be created"):
        add_pipeline(ledger, HERE, first_time=True, now=NOW)
    engine.dispose()


def test_a_first_ledger_doubts_nothing(ledger: Ledger, engine: Engine) -> None:
    """`ledger` was made with --first-time."""
    waiting.register(ledger, leads("1"), now=NOW)
    assert entry(engine, "1")["doubt_since"] is None


def test_an_older_copy_doubts_every_lead_that_is_not_settled(ledger: Ledger, engine: Engine) -> None:
    """And the older ones that come later; what it shows as being sent can be taken over at once."""
    settled = send(ledger, claim(ledger, "settled"))
    sending.record(ledger, [taken(settled)], now=NOW)
    send(ledger, claim(ledger, "sending"))
    make_ready(ledger, "ready")
    waiting.register(ledger, leads("waiting"), now=NOW)
    later = NOW + LEASE / 2
    assert note_restored(ledger, now=later) == 3
    assert rescue(ledger, unknown_after=UNKNOWN_AFTER, now=later) == 1
    waiting.register(ledger, leads("found", quarantined_at=later + timedelta(hours=1)), now=later)
    note_all_seen(ledger)
    waiting.register(ledger, leads("late", quarantined_at=NOW), now=later)
    waiting.register(ledger, leads("new", quarantined_at=later + timedelta(hours=1)), now=later)
    with engine.connect() as connection:
        rows = connection.execute(select(entries.c.lead_id, entries.c.doubt_since)).all()
    assert {row.lead_id: row.doubt_since for row in rows} == {
        **dict.fromkeys(["sending", "ready", "waiting", "found", "late"], later),
        **dict.fromkeys(["settled", "new"]),
    }
    assert entry(engine, "sending")["state"] == "unknown"
    assert entry(engine, "sending")["doubt_action"] is None  # another act may have followed it


def test_a_pipeline_can_move(engine: Engine, ledger: Ledger) -> None:
    """While no run holds its leads; its leads are those of the new account from then on."""
    claim(ledger, "1")
    moved = Identity("leads.acme.com", HERE.source)
    with pytest.raises(LedgerError, match="a run is under way"):
        rebind_pipeline(ledger, moved, now=NOW)
    after = NOW + 2 * LEASE
    assert rebind_pipeline(ledger, moved, now=after).account == "acme"
    check_pipeline(ledger, moved)
    assert entry(engine, "1")["account"] == "leads.acme.com"
    other = Ledger(engine, pipeline="other", owner="first")
    waiting.register(other, leads("1"), now=after)
    with pytest.raises(LedgerError, match="its lead '1' belongs to the pipeline 'other' of the account other too"):
        rebind_pipeline(ledger, Identity("other", HERE.source), now=after)


def _source(url: str, **leads_of: str) -> SourceConfig:
    columns = {"id": "id", "quarantined_at": "at"}
    enrichment = {"table": "enrichment", "id": "id"}
    return SourceConfig.model_validate({"url": SecretStr(url), "leads": leads_of | columns, "enrichment": enrichment})


def _second_pipeline(engine: Engine) -> Ledger:
    """A pipeline of the account that `ledger` has."""
    second = Ledger(engine, pipeline="second", owner="first")
    add_pipeline(second, HERE, first_time=True, now=NOW)
    return second
