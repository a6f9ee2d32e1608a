"""Files: those that people hand in are read so that none can block or fill the memory; ours are their owner's alone.

What is written is written whole, and never through a link that somebody has put there.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from leadgate.errors import ConfigError

LARGEST = 1024 * 1024
"""Bytes; what people write for leadgate is a hundredth of it."""
_PRIVATE = 0o600
_FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def read_file(path: Path, *, missing: str, largest: int = LARGEST) -> str:
    """Read a text file in UTF-8, with or without a byte order mark; `missing` says what to do if there is none.

    Raises ConfigError, which names the file, for one that is missing, too large, no regular file or no such text.
    """
    try:
        # A pipe without a writer would block here, and a device would never end.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ConfigError(f"{path}: is no file but a folder, a pipe or a device. Name a file.")
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file. {missing}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder. Name a file in it.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). Check the path and its permissions.") from None
    except ValueError:
        raise ConfigError("a path holds a character that no path can have: name another file") from None
    if len(content) > largest:
        raise ConfigError(
            f"{path}: is larger than {largest // 1024} KiB, and so not a file for leadgate. Name another."
        )
    try:
        text = content.decode("utf-8-sig")
        odd = content.find(b"\0")  # as UTF-16 has them
    except UnicodeDecodeError as error:
        text, odd = "", error.start
    if odd < 0:
        return text
    line = content.count(b"\n", 0, odd) + 1
    raise ConfigError(f"{path}, line {line}: is not text in UTF-8: save the file in that encoding")


def write_whole(path: Path, text: str, *, keep_mode: bool = False) -> None:
    """Write a file; whoever reads an older one meanwhile never sees half of it. Raise ConfigError if it cannot be.

    Nobody but its owner may read it, unless it is to `keep_mode`: then what a person has set for an older one stays.
    """
    with _errors(path):
        found = _plain_file(path)
        mode = stat.S_IMODE(found.st_mode) if found and keep_mode else _PRIVATE
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}-", delete=False
        ) as half:
            half.write(text)
        try:
            Path(half.name).chmod(mode)
            Path(half.name).replace(path)
        except OSError:
            Path(half.name).unlink(missing_ok=True)
            raise


def make_empty(path: Path) -> None:
    """Make an empty file that only its owner may read; an empty one that is there becomes so, any other is left."""
    with _errors(path):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FOLLOW_NO_LINK, _PRIVATE))
        except FileExistsError:
            found = _plain_file(path)
            if found and found.st_size == 0:
                path.chmod(_PRIVATE)


def open_log(path: Path) -> BinaryIO:
    """Open a file to write at its end; it is made for its owner alone."""
    with _errors(path):
        _plain_file(path)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FOLLOW_NO_LINK, _PRIVATE), "ab")


def read_wide_mode(path: Path) -> str | None:
    """The permissions of a file that others than its owner may read or write, such as 644; None for any other."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:o}" if mode & 0o077 else None


def _plain_file(path: Path) -> os.stat_result | None:
    """What is in a file's place; raise OSError unless that is a plain file, or nothing."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise OSError(None, "it is a link, and no link is followed")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(None, "something else than a file is there")
    return found


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror if path.parent.is_dir() else f"there is no folder {path.parent}"
        raise ConfigError(f"{path}: cannot be written ({why}): name another file") from None
