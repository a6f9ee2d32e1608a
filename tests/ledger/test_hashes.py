"""Hashes of values: made with a key that stays in the ledger, so that nobody can try which values they are of."""

from sqlalchemy import Engine, select

from leadgate.ledger import Ledger
from leadgate.ledger.schema import pipelines
from leadgate.model import fingerprint
from tests.ledger.steps import PIPELINE

PHONE = {"phone1": "07700900123"}


def test_a_hash_is_of_its_ledger_alone(ledger: Ledger, engine: Engine) -> None:
    """The same for all runs of a pipeline, and not what anybody can make of the same value."""
    told = ledger.fingerprint(PHONE)
    assert told == Ledger(engine, pipeline=PIPELINE, owner="second").fingerprint(PHONE)
    assert told != fingerprint(PHONE)
    with engine.connect() as connection:
        keys = set(connection.scalars(select(pipelines.c.hash_key)))
    assert all(len(bytes.fromhex(key)) == 32 for key in keys)
    assert len(keys) == pipelines_known(engine)
    assert told in {fingerprint(PHONE, bytes.fromhex(key)) for key in keys}


def pipelines_known(engine: Engine) -> int:
    """How many pipelines the ledger knows."""
    with engine.connect() as connection:
        return len(connection.execute(select(pipelines.c.pipeline)).all())
