"""Run one program for as long as the process that asked for it lives; stand-alone, started by process.py.

The order is one JSON object in argv. The program's pid goes to standard output. Standard input is the owner's
pipe: when it closes, because the owner said so or was killed by any means, the program is stopped and its folder
is removed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

SECONDS_TO_STOP = 10


def main() -> None:
    """Start the program, wait for the owner to go, stop the program."""
    # Ctrl-C, `timeout` and a closed terminal are for the tests: stopping here would leave the program behind.
    # A handler that does nothing, not SIG_IGN, which the program would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    order = json.loads(sys.argv[1])
    with Path(order["log"]).open("ab") as log:
        program = subprocess.Popen(
            order["argv"],
            cwd="/",
            env=order["env"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **order["identity"],
        )
    sys.stdout.write(f"{program.pid}\n")
    sys.stdout.flush()
    os.read(0, 1)
    program.send_signal(order["stop_signal"])
    try:
        program.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    shutil.rmtree(order["folder"], ignore_errors=True)


main()
