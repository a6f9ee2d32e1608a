"""What a command is doing right now, on standard error, so that nobody takes slow work for a dead process.

A command begins its sign, the code that works calls `now_doing`, and what prints ends the sign first. A command that
ends soon shows nothing. The sign has a thread of its own: it also comes while one long SQL statement runs.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from leadgate.printable import on_one_line

if TYPE_CHECKING:
    from rich.live import Live

FIRST_AFTER = 0.8
"""Seconds since the process began, so that a person sees the sign within a second."""
LINES_AFTER = 4.0
"""Seconds after that, where standard error is no terminal: what is short prints its result alone."""
_NEXT_AFTER = 10.0
_DRAWN_EVERY = 0.125
_SECONDS_TO_END = 3
_NOBODY_READS = (OSError, ValueError)
"""What writing to a standard error raises that is closed, full or gone."""


class Sign:
    """Shows a text from a thread of its own: redrawn in place on a terminal, else as a line now and then."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        # What the process has computed so far is the time it has taken to start, where it began just now.
        self._first_after = max(0, FIRST_AFTER - time.process_time())
        self._ended = threading.Event()
        self._drawing = threading.Lock()
        self._live: Live | None = None
        self._thread = threading.Thread(target=self._show, name="sign-of-life", daemon=True)
        self._thread.start()

    def doing(self, text: str) -> None:
        """Show another text from now on."""
        self.text = text

    @property
    def is_alive(self) -> bool:
        """Whether it may still be shown."""
        return self._thread.is_alive()

    def end(self) -> None:
        """Take the sign off; nothing of it is written afterwards, unless standard error is held up."""
        self._ended.set()
        self._thread.join(_SECONDS_TO_END)

    @contextmanager
    def out_of_the_way(self) -> Iterator[None]:
        """Take the sign off while the body prints, and show it again afterwards."""
        with self._drawing:
            if self._live:
                with suppress(*_NOBODY_READS):
                    self._live.stop()
            try:
                yield
            finally:
                if self._live:
                    with suppress(*_NOBODY_READS):
                        self._live.start()

    def _show(self) -> None:
        if self._ended.wait(self._first_after) or sys.stderr is None:
            return
        with suppress(*_NOBODY_READS):
            if sys.stderr.isatty() and (live := self._live_display()):
                self._redraw(live)
            elif not self._ended.wait(LINES_AFTER):
                self._write_lines()

    def _live_display(self) -> "Live | None":
        # Loaded only now: a command that ends soon does without.
        from rich.console import Console  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415
        from rich.spinner import Spinner  # noqa: PLC0415

        console = Console(stderr=True)
        if not console.is_terminal or console.is_dumb_terminal:
            return None
        # Not `console.status`: what is printed on standard output meanwhile, it would print on standard error.
        return Live(
            Spinner("dots"),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _redraw(self, live: "Live") -> None:
        from rich.spinner import Spinner  # noqa: PLC0415 - loaded by now
        from rich.text import Text  # noqa: PLC0415 - as above

        spinner = live.renderable
        assert isinstance(spinner, Spinner)  # noqa: S101 - as it was made
        try:
            while not self._ended.wait(_DRAWN_EVERY):
                with self._drawing:
                    spinner.update(text=Text(on_one_line(self.text)))
                    if self._live is None:
                        live.start()
                        self._live = live
                    live.refresh()
        finally:
            with self._drawing:
                live.stop()
                self._live = None

    def _write_lines(self) -> None:
        shown = ""
        while True:
            if self.text != shown:
                shown = self.text
                _write(shown)
            if self._ended.wait(_NEXT_AFTER):
                return


def _write(text: str) -> None:
    """Write a line to standard error past its buffer: what cannot be written stays in none, to fail again at exit."""
    line = f"{on_one_line(text)}\n"
    try:
        number = sys.stderr.fileno()
    except _NOBODY_READS:  # one within this process, such as a test's
        sys.stderr.write(line)
    else:
        os.write(number, line.encode(sys.stderr.encoding, "backslashreplace"))


_PRESENT: ContextVar[Sign | None] = ContextVar("sign", default=None)


def begin_sign(text: str) -> Sign:
    """Show from soon on what this command does, until `end_sign`."""
    end_sign()
    sign = Sign(text)
    _PRESENT.set(sign)
    return sign


def now_doing(text: str) -> None:
    """Say what is being done from now on, if the command has a sign; cheap, but meant for pages and not for leads."""
    if sign := _PRESENT.get():
        sign.doing(f"{text} ...")


def end_sign() -> None:
    """Take the command's sign off, if it has one: before a result, and before an error."""
    if sign := _PRESENT.get():
        _PRESENT.set(None)
        sign.end()


@contextmanager
def sign_out_of_the_way() -> Iterator[None]:
    """Take the command's sign off, if it has one, while the body prints."""
    sign = _PRESENT.get()
    if sign is None:
        yield
        return
    with sign.out_of_the_way():
        yield
