"""`leadgate sandbox` as a program of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.process import reserve_port

ROOT = Path(__file__).parents[2]
PROGRAM = "import typer; from cli.sandbox import sandbox; app = typer.Typer(); app.command()(sandbox); app()"
Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts the command with the arguments given; it is ended after the test at the latest."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        env = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield begin
    for program in started:
        program.kill()
        program.communicate()


def read_json(program: subprocess.Popen[str]) -> dict[str, Any]:
    """The one line that --json prints."""
    assert program.stdout is not None
    return dict(json.loads(program.stdout.readline()))


def act(url: str, key: str) -> httpx.Response:
    """Process one lead."""
    body = {"quarantineId": 8419715, "action": "process"}
    return httpx.post(f"{url}/restapi/v1.3/quarantine/process", json=body, headers={"X_KEY": key})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_cleanly(run: Run, number: signal.Signals) -> None:
    """The address, the key with how to stop it, what a rehearsal needs; Ctrl-C and SIGTERM end it with 0."""
    program = run()
    assert program.stdout is not None
    address, key = program.stdout.readline(), program.stdout.readline()
    url = address.split(" answers at ")[1].split()[0]
    assert key == "Use the key practice-key. Ctrl-C stops it.\n"
    assert "a ledger of its own" in program.stdout.readline()
    assert "`leadgate ledger create --first-time`" in program.stdout.readline()
    assert act(url, "practice-key").status_code == 200
    program.send_signal(number)
    assert program.communicate(timeout=20) == ("", "")
    assert program.returncode == 0


def test_json_is_one_object_and_options_reach_the_server(run: Run) -> None:
    """Key, permission, faults, strictness and the record are as told; standard output holds the one object."""
    program = run(
        *("--json", "--key", "mine", "--permission", "process-only", "--strict", "--record", "acts", "--seed", "3"),
        *("--fault", "429=1", "--fault", "retry-after=9", "--latency", "1ms", "--lag", "1h"),
    )
    told = read_json(program)
    assert (told["key"], told["pid"], sorted(told)) == ("mine", program.pid, ["key", "pid", "url"])
    assert act(told["url"], "practice-key").status_code == 401
    assert act(told["url"], "mine").headers["Retry-After"] == "9"
    assert act(told["url"], "mine").json()["details"] == {"8419715": "Not found in quarantine"}
    httpx.post(f"{told['url']}/sandbox/leads", json={"ids": [8419715]})
    assert act(told["url"], "mine").json()["details"] == {"8419715": "Queued for processing"}
    assert (
        httpx.put(f"{told['url']}/restapi/v1.3/leads", json={"leads": []}, headers={"X_KEY": "mine"}).status_code == 403
    )
    assert httpx.get(f"{told['url']}/sandbox/state").json()["leads"]["queued"] == 1
    assert httpx.get(f"{told['url']}/sandbox/requests").json() == []
    program.terminate()
    assert program.communicate(timeout=20) == ("", "")


def test_verbose_prints_one_line_a_request(run: Run) -> None:
    """The line names call, key label, leads, status and faults, and stands on standard error."""
    program = run("--json", "--verbose", "--fault", "5xx-after=1")
    told = read_json(program)
    act(told["url"], told["key"])
    act(told["url"], "wrong-key")
    program.terminate()
    out, err = program.communicate(timeout=20)
    first, second = err.splitlines()
    assert out == ""
    assert first.endswith(" key-1 POST /restapi/v1.3/quarantine/process 1 lead 502 [5xx-after]")
    assert second.endswith(" wrong POST /restapi/v1.3/quarantine/process 1 lead 401")
    assert told["key"] not in err


def test_a_slow_request_does_not_hold_up_the_end(run: Run) -> None:
    """A request that is being slow on purpose is not waited for."""
    program = run("--json", "--latency", "1h")
    told = read_json(program)
    with pytest.raises(httpx.ReadTimeout):
        httpx.put(f"{told['url']}/restapi/v1.3/leads", json={"leads": []}, timeout=0.2)
    program.terminate()
    assert program.communicate(timeout=20) == ("", "")
    assert program.returncode == 0


def test_a_port_in_use_is_one_clear_error(run: Run) -> None:
    """The message names the port and what to type, and the exit code is 2."""
    with reserve_port() as taken:
        port = taken.getsockname()[1]
        taken.listen()
        out, err = (program := run("--port", str(port))).communicate(timeout=20)
    assert (program.returncode, out) == (2, "")
    assert err == (f"leadgate: 127.0.0.1:{port} is in use. Name another with --port, or --port 0 for a free one.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "drop-aftr=1"], "did you mean drop-after?"),
        (["--fault", "slow"], "--fault slow: write --fault NAME=VALUE"),
        (["--fault", "429=1", "--fault", "429=2"], "--fault 429: is given 2 times"),
        (["--fault", "429=5%"], "fault 429: '5%' is not a switch"),
        (["--lag", "soon"], "soon"),
        (["--permission", "root"], "root"),
        (["--host", "256.0.0.1"], "256.0.0.1:0 cannot be listened on"),
    ],
)
def test_a_wrong_option_is_an_error_with_exit_code_2(run: Run, arguments: list[str], said: str) -> None:
    """The message names the option's value; there is no traceback."""
    program = run(*arguments)
    out, err = program.communicate(timeout=20)
    assert (program.returncode, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
