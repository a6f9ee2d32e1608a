"""The file of a SQLite ledger: it must stay the one that was opened."""

import os
from pathlib import Path
from typing import Any

from leadgate.errors import LedgerError
from leadgate.files import make_empty


class LedgerFile:
    """A SQLite file, made only where that was asked for and for its owner alone; nobody may replace it while open."""

    def __init__(self, path: str, *, create: bool) -> None:
        self._path = path
        if create and not self.is_there:
            make_empty(Path(path))  # SQLite gives its write-ahead log the permissions of this file
        self._opened = _numbers(path)

    @property
    def is_there(self) -> bool:
        """Whether there is a file that holds anything, or something else in its place."""
        found = Path(self._path)
        return found.exists() and not (found.is_file() and found.stat().st_size == 0)

    def connect(self, _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> None:
        """Let the driver open the file, and make none; a listener of `do_connect`."""
        self.check()
        arguments[0] = f"{Path(self._path).as_uri()}?mode=rw"
        options["uri"] = True

    def check(self, *_: object) -> None:
        """Raise LedgerError when the file is not the one that was opened; a listener of `begin`."""
        found = _numbers(self._path)
        if self._opened is None:
            self._opened = found
        elif found != self._opened:
            done = "was replaced by another one" if found else "was removed"
            raise LedgerError(
                f"ledger {self._path}: the file {done} while it was in use, so nothing more is sent. Stop every run "
                "and put the right file back; type `leadgate ledger restored` if it is an older copy."
            )


def _numbers(path: str) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - before every transaction: Path.stat takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino
