"""Run a module of Python for as long as the process that asked for it lives: a program of its own, without imports.

Standard input is a pipe that only the owner holds. When it closes, because the owner said so or was killed by any
means, the module is ended with all that it has started.
"""

import os
import signal
import subprocess
import sys
import threading

SECONDS_TO_STOP = 15


def main() -> int:
    """Start the module that the arguments name; end it when the owner is gone, and end with it."""
    # This process leads the group of the server and its children, and has to outlive the signal to them.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _do_nothing)
    program = subprocess.Popen(  # noqa: S603 - named by the run
        [sys.executable, "-m", *sys.argv[1:]], stdin=subprocess.DEVNULL
    )
    threading.Thread(target=_end_with_owner, args=(program,), daemon=True).start()
    code = program.wait()
    _kill_rest()
    return code


def _do_nothing(*_: object) -> None:
    """Take a signal; ignoring it would be inherited by the server."""


def _end_with_owner(program: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1024):
        pass
    program.terminate()
    try:
        program.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        program.kill()


def _kill_rest() -> None:
    """Kill what the server has left behind in its process group, and this process with it."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
