"""A real MariaDB for the tests that want one: named by the environment, or Debian's binaries started by hand.

No wheel carries MariaDB, so a machine without it skips these tests, with the line that installs it as the reason.
"""

import os
import shutil
import signal
import socket
from pathlib import Path

import pymysql
from sqlalchemy import URL, make_url

from tests.support.process import Identity, Supervised, free_port, new_folder, run_once, unprivileged
from tests.support.waiting import wait_until

INSTALL = "apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core"
_SETTINGS = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--default-time-zone=+00:00",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    # The data is thrown away: nothing need survive a crash of the machine.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=128M",
]


class MariaDBMissing(Exception):
    """There is no MariaDB here; the message says how to get one."""


def find_server() -> Path:
    """Find the program `mariadbd`; raise MariaDBMissing when it is not installed."""
    # A user's PATH seldom has sbin, where Debian puts servers.
    found = shutil.which("mariadbd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin")
    if not found:
        raise MariaDBMissing(INSTALL)
    return Path(found)


class MariaDBServer:
    """A MariaDB of one's own on a free port; ends with this process at the latest."""

    def __init__(self) -> None:
        program = find_server()
        identity = unprivileged()
        self.folder = new_folder("mariadb", identity)
        try:
            self._start(program, identity)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _start(self, program: Path, identity: Identity) -> None:
        files = self.folder / "files"
        install = shutil.which("mariadb-install-db")
        if not install:
            raise MariaDBMissing(INSTALL)
        options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        # A server that starts clears away what others keep in a folder for temporary files that they share.
        env = os.environ | {"TMPDIR": str(self.folder)}
        run_once([install, "--no-defaults", f"--datadir={files}", *options], identity=identity, env=env)
        self.port = free_port()
        places = [f"--datadir={files}", f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid"]
        self.process = Supervised(
            [program, "--no-defaults", f"--port={self.port}", *places, *_SETTINGS],
            folder=self.folder,
            env=env,
            identity=identity,
            # The folder goes with the server, so there is nothing to close cleanly.
            stop_signal=signal.SIGKILL,
        )
        wait_until(self._answers, what="MariaDB takes connections")

    def _answers(self) -> bool:
        self.process.check_running()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def url(self, database: str) -> str:
        """The SQLAlchemy address of one of its databases."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self.process.stop()


def check_may_be_emptied(url: str) -> str:
    """Return the address if its database is plainly meant for tests, which drop all it holds; raise otherwise."""
    if "test" not in (make_url(url).database or ""):
        raise ValueError(
            "LEADGATE_TEST_MARIADB_URL: tests empty the database, so its name must hold `test`, as leadgate_test does"
        )
    return url


def empty_database(url: str) -> None:
    """Drop a database, if there is one, and create it anew."""
    address: URL = make_url(url)
    name = str(address.database)
    connection = pymysql.connect(
        host=address.host or "127.0.0.1",
        port=address.port or 3306,
        user=address.username,
        password=address.password or "",
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        quoted = name.replace("`", "``")
        cursor.execute(f"DROP DATABASE IF EXISTS `{quoted}`")
        cursor.execute(f"CREATE DATABASE `{quoted}`")
