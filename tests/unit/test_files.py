"""What leadgate writes: nobody else on the machine may read it, and no link leads a file astray."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.demo_source import DemoSource
from leadgate.clock import utc_now
from leadgate.errors import ConfigError
from leadgate.files import make_empty, open_log, write_whole
from leadgate.sandbox import Sandbox
from leadgate.wiring.identity import create_ledger
from tests.support.command import leadgate
from tests.support.pipelines import Practice


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """As on most machines: files that are made without a thought can be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """The permissions of a file, without its kind."""
    return path.stat().st_mode & 0o777


def _log(path: Path) -> None:
    open_log(path).close()


def _write(path: Path) -> None:
    write_whole(path, "text")


WRITERS = [_write, make_empty, _log]


@pytest.mark.parametrize("write", WRITERS)
def test_a_new_file_is_its_owners_alone(tmp_path: Path, write: Callable[[Path], None]) -> None:
    """Whatever the umask is."""
    write(tmp_path / "file")
    assert mode(tmp_path / "file") == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("is_there", [True, False])
def test_no_link_is_followed(tmp_path: Path, write: Callable[[Path], None], is_there: bool) -> None:
    """Neither to a file that is there nor to one that is not: the message names the link."""
    target, link = tmp_path / "target", tmp_path / "link"
    if is_there:
        target.write_text("mine", "utf-8")
    link.symlink_to(target)
    with pytest.raises(ConfigError, match=f"{link}: cannot be written \\(it is a link, and no link is followed\\)"):
        write(link)
    assert target.exists() == is_there
    assert not is_there or target.read_text("utf-8") == "mine"
    assert link.is_symlink()


@pytest.mark.parametrize("write", WRITERS)
def test_what_is_no_file_is_left(tmp_path: Path, write: Callable[[Path], None]) -> None:
    """A folder or a pipe in a file's place, and a folder that is not there, are one message each."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, tmp_path / "no" / "file"):
        with pytest.raises(ConfigError, match=f"{path}: cannot be written"):
            write(path)
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_file_that_is_replaced_keeps_its_permissions_only_if_asked(tmp_path: Path) -> None:
    """A report is let be read by a web server once; a plan is private each time."""
    file = tmp_path / "file"
    write_whole(file, "old")
    file.chmod(0o644)
    write_whole(file, "new", keep_mode=True)
    assert (mode(file), file.read_text("utf-8")) == (0o644, "new")
    write_whole(file, "newer")
    assert (mode(file), file.read_text("utf-8")) == (0o600, "newer")


def test_every_file_of_a_pipeline_is_its_owners_alone(tmp_path: Path, leadbyte: Sandbox) -> None:
    """The ledger with its write-ahead log, the plan, the report and what `init` writes, as the command makes them."""
    practice = Practice(tmp_path, leadbyte.url)
    (ledger,) = (each for each in tmp_path.iterdir() if each.name.startswith("leadgate.db"))
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("create table held (x)")  # makes the log, and keeps it while it is open
        found = [ledger, *ledger.parent.glob(f"{ledger.name}-*")]
        assert len(found) == 3
        assert {mode(each) for each in found} == {0o600}
    for arguments in (
        ("plan", "--out", tmp_path / "plan.json"),
        ("report", "--out", tmp_path / "page.html"),
    ):
        leadgate(*arguments, config=practice.file)
    new = tmp_path / "new"
    new.mkdir()
    assert leadgate("init", new / "leadgate.yaml").code == 0
    written = [tmp_path / "plan.json", tmp_path / "page.html", new / "leadgate.yaml", new / "leadgate.db"]
    assert {each.name: mode(each) for each in written} == {each.name: 0o600 for each in written}
    DemoSource(tmp_path / "demo.db", leads=4).create(now=utc_now())
    assert mode(tmp_path / "demo.db") == 0o600
    practice.close()


def test_a_ledger_is_not_made_through_a_link(tmp_path: Path) -> None:
    """One that is there may be reached by a link, which a person has set."""
    file, link = tmp_path / "leadgate.yaml", tmp_path / "leadgate.db"
    link.symlink_to(tmp_path / "elsewhere.db")
    assert leadgate("init", file).code == 2
    assert not (tmp_path / "elsewhere.db").exists()
    link.unlink()
    create_ledger(file, first_time=True)
    link.rename(tmp_path / "elsewhere.db")
    link.symlink_to(tmp_path / "elsewhere.db")
    assert leadgate("status", config=file).code == 0


def test_check_says_that_others_may_open_the_ledger(tmp_path: Path, leadbyte: Sandbox) -> None:
    """And changes nothing that a person has set."""
    practice = Practice(tmp_path, leadbyte.url)
    assert "others on this machine" not in leadgate("check", config=practice.file).stdout
    (tmp_path / "leadgate.db").chmod(0o640)
    told = leadgate("check", config=practice.file).stdout
    assert f"leadgate.db: others on this machine may open it (mode 640): chmod 600 {tmp_path}/leadgate.db*" in told
    assert mode(tmp_path / "leadgate.db") == 0o640
    practice.close()
