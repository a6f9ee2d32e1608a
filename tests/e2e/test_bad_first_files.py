"""`leadgate init --from` where no file can be guessed: one message, and nothing is written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command import leadgate


@pytest.mark.parametrize(
    ("address", "code", "problem"),
    [
        (
            "nonsense",
            2,
            (
                "--from: is no database address that SQLAlchemy knows. Write sqlite:///FILE, "
                "postgresql://USER:PASSWORD@HOST/DATABASE, mysql://USER:PASSWORD@HOST/DATABASE."
            ),
        ),
        (
            "postgresql://me:secret-word@127.0.0.1:1/leads",
            1,
            (
                "--from: its database, postgresql 127.0.0.1:1/leads, cannot be reached right now (connection refused). "
                "Check --from and that the database is up; then type the command again."
            ),
        ),
        (
            "postgresql://me:secret@word@host/leads",
            2,
            "--from: the address holds more than one @: in a password write @ as %40, / as %2F and : as %3A",
        ),
        (
            "sqlite:///nowhere.db",
            2,
            (
                "--from: there is no SQLite file {folder}/nowhere.db. "
                "A relative path starts at the pipeline file's folder."
            ),
        ),
        (
            "sqlite:///text.db",
            2,
            (
                "--from (sqlite): the file is not a SQLite database. Name another database, or see that its user may "
                "SELECT."
            ),
        ),
        (
            "sqlite:///recipes.db",
            2,
            (
                "--from: no table or view looks like one of leads, with an id (quarantine_id, lead_id, ...) and a date "
                "(created_at, received_on, ...); known here: recipes. Name another database, see that its user may "
                "SELECT, or write the file by hand: `leadgate init` without --from gives one to start from."
            ),
        ),
        (
            "${LEADGATE_TEST_UNSET}",
            2,
            "--from: the environment variable LEADGATE_TEST_UNSET is not set: export it first",
        ),
    ],
)
def test_an_address_from_which_no_file_can_be_guessed_is_told(
    tmp_path: Path, address: str, code: int, problem: str
) -> None:
    """The message is about --from, shows no password, and no file is left behind."""
    (tmp_path / "text.db").write_text("This is no database. " * 100, "utf-8")
    with closing(sqlite3.connect(tmp_path / "recipes.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT, minutes INTEGER)")
    finished = leadgate("init", tmp_path / "leadgate.yaml", "--from", address)
    assert finished.stderr == f"leadgate: {problem.replace('{folder}', str(tmp_path))}\n"
    assert (finished.code, finished.stdout) == (code, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recipes.db", "text.db"]


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    """The message says how to replace it; the file stays as it is, and the database is not asked."""
    file = tmp_path / "leadgate.yaml"
    file.write_text("mine", "utf-8")
    finished = leadgate("init", file, "--from", "sqlite:///nowhere.db")
    assert finished.stderr == f"leadgate: {file}: is there already. Name another path, or --force to replace it.\n"
    assert (finished.code, file.read_text("utf-8")) == (2, "mine")


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_folder_is_no_place_to_write_a_file(tmp_path: Path, options: list[str]) -> None:
    """The message names a file in it."""
    finished = leadgate("init", tmp_path, *options)
    assert (
        finished.stderr == f"leadgate: {tmp_path}: is a folder: name a file in it, such as {tmp_path}/leadgate.yaml\n"
    )
    assert (finished.code, list(tmp_path.iterdir())) == (2, [])
