"""What drivers say of people's values, by the hundred: nothing of them is in our words."""

import random
import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from leadgate.driver_words import driver_words
from tests.fuzz.people import Search, make_person, spell
from tests.support.cases import CASES

POSTGRESQL = (
    *(
        f"SELECT cast(:said AS {type_})"
        for type_ in ("int", "date", "timestamptz", "uuid", "inet", "json", "xml", "bool")
    ),
    *(
        f"SELECT cast(:said AS {type_})"
        for type_ in ("numeric", "regclass", "regtype", "interval", "money", "int4range")
    ),
    "SELECT to_tsquery(:said)",
    "SELECT to_date(:said, 'YYYY')",
    "SELECT pg_read_file(:said)",
    "SELECT set_config(:said, '1', true)",
    "SELECT current_setting(:said)",
    "SELECT :said::text::jsonb -> 'a'",
    "SELECT regexp_replace('a', :said || '(', '')",
    "SELECT dblink(:said, 'select 1')",
    "SELECT tell(:said, '22023')",
    "SELECT tell(:said, '42703')",
    "SELECT tell(:said, '08006')",
    "SELECT tell(:said, 'P0001')",
    "SELECT tell(:said, '57P03')",
    "SELECT tell(:said, 'ZZ123')",
)
TELL = """
CREATE FUNCTION tell(said text, code text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = said, DETAIL = said, HINT = said, COLUMN = said, TABLE = said;
END $$
"""
SQLITE = (
    "SELECT json(:said || '{')",
    "SELECT tell(:said)",
    "SELECT load_extension(:said)",
    "SELECT 1 WHERE 'a' MATCH :said",
)
SENTENCES = (
    "{}",
    'column "{}" does not exist',
    'relation "{}" does not exist',
    "no such table: {}",
    'near "{}": syntax error',
    "permission denied for table {}",
    'violates check constraint "{}"',
    'violates check constraint "leadgate_{}"',
    "constraint failed: leadgate_{}",
    'column "leadgate_{}" does not exist',
    "connection refused: {}",
)


def said_of(number: int) -> str:
    """What a driver is made to quote."""
    chance = random.Random(number)  # noqa: S311 - no secret
    column, value = chance.choice(list(make_person(number).values.items()))
    return chance.choice(SENTENCES).format(spell(chance, column, value).replace("\0", ""))


def test_nothing_that_postgresql_quotes_is_passed_on(postgres_url: str) -> None:
    """Of values that cannot be converted, and of errors that a function raises with any text and code."""
    engine = create_engine(postgres_url)
    words = set()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(TELL))
        for number in range(CASES):
            try:
                connection.execute(text(POSTGRESQL[number % len(POSTGRESQL)]), {"said": said_of(number)}).all()
            except SQLAlchemyError as error:
                told = driver_words(error)
                assert Search([make_person(number)])(told) == [], number
                words.add(told)
    engine.dispose()
    assert len(words) < 50, "they are our words, and few"


def test_nothing_that_sqlite_quotes_is_passed_on() -> None:
    """Nor of what a function of the user's raises."""
    engine = create_engine("sqlite://")

    def fail(said: str) -> None:
        raise sqlite3.OperationalError(said)

    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.create_function("tell", 1, fail)
        for number in range(CASES):
            with pytest.raises(SQLAlchemyError) as caught:
                connection.execute(text(SQLITE[number % len(SQLITE)]), {"said": said_of(number)}).all()
            assert Search([make_person(number)])(driver_words(caught.value)) == [], number
            assert Search([make_person(number)])(driver_words(sqlite3.OperationalError(said_of(number)))) == []
    engine.dispose()
