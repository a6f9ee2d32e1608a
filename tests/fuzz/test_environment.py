"""Odd values of the variables that are read: exit codes as promised, one object under --json, and no riddle."""

import json
import os
import random
from pathlib import Path

import pytest

from tests.support.cases import CASES
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.pipelines import Practice

VARIABLES = (
    *("KEY", "SOURCE", "LEDGER", "BASE", "NAME", "ZONE", "RATE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy", "https_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "PREFECT_API_URL", "LEADGATE_TRACEBACK"),
    *("TZ", "LANG", "LC_ALL", "HOME", "USER", "LOGNAME", "PGHOST", "PGPORT", "PGSSLMODE", "PGOPTIONS", "PGTZ"),
    *("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"),
)
"""Those that a pipeline file names, and those that are read for a proxy, TLS, Prefect, the login and the databases."""
SECRET = "s3cr3t"
ODD = (
    *("", " ", "\n", "0", "-1", "1e999", "inf", "nan", "9" * 5000, "true", "null", "~", "*", "%", "$", "${KEY}", "a b"),
    *("::1/128", "[::1]", "[", "http://", "http://x:abc", "http://x:99999", "http://[::1", "socks5://h:1", "ftp://h"),
    *(
        "https://a@b@c",
        f"https://user:p@{SECRET}:w/rd@host",
        f"sk-{SECRET}",
        f"postgresql://u:{SECRET}@h/d?x={SECRET}",
        "https://acme.leadbyte.com\n",
        "mysql://h/d?ssl=true",
        "sqlite://",
    ),
    *(
        "mysql://h/d?charset=utf8mb5",
        "postgresql://h:x/d",
        "postgresql://h/d?connect_timeout=abc",
        "/nowhere",
        "/dev/zero",
    ),
    *("Europe/Nowhere", "../../etc/passwd", "\x1b[31m", "\u202e", "\u200b", "é", "\udcff", "x" * 100_000, ";", "'; --"),
)
FILE = {
    "api_key: practice-key": "api_key: ${KEY}",
    "pipeline: acme": "pipeline: ${NAME}",
    "per_second: 0": "per_second: ${RATE}",
    "url: sqlite:///source.db": "url: ${SOURCE}\n  time_zone: ${ZONE}",
    "http://127.0.0.1:9": "${BASE}",
    "sqlite:///leadgate.db": "${LEDGER}",
}
USUAL = {
    "KEY": "k",
    "NAME": "acme",
    "RATE": "0",
    "SOURCE": "sqlite:///source.db",
    "ZONE": "UTC",
    "BASE": "http://127.0.0.1:9",
    "LEDGER": "sqlite:///leadgate.db",
}
_LONGEST = 120_000
"""Characters of a variable that the system hands to a process."""
RIDDLES = ("unexpected", "Traceback", "defect")


def odd_value(chance: random.Random) -> str:
    """One of the odd values, or two of them."""
    value = "".join(chance.choice(ODD) for _ in range(chance.choice([1, 1, 1, 2])))
    return value.replace("\0", "")[:_LONGEST]


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    """A pipeline whose file names variables."""
    return Practice(tmp_path, "http://127.0.0.1:9")


def test_no_value_of_a_variable_is_a_riddle(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of verbs that read the file, the ledger and the source; a value that may be a secret is in no message."""
    monkeypatch.chdir(practice.file.parent)
    text = practice.file.read_text("utf-8")
    for old, new in FILE.items():
        text = text.replace(old, new)
    practice.file.write_text(text, "utf-8")
    for number in range(CASES):
        chance = random.Random(number)  # noqa: S311 - no secret
        name, value = VARIABLES[number % len(VARIABLES)], odd_value(chance)
        verb = chance.choice(["check", "status", "plan", "explain"])
        with monkeypatch.context() as patch:
            for known, usually in USUAL.items():
                patch.setenv(known, usually)
            patch.setenv(name, value)
            ended = leadgate(verb, *(["1"] if verb == "explain" else []), "--json", config=practice.file)
        case = f"{name}={value[:50]!r}, {verb}: {ended.stderr}"
        assert ended.code in {0, 1, 2}, case
        assert isinstance(json.loads(ended.stdout), dict), case
        assert not any(word in ended.stderr for word in RIDDLES), case
        assert "\x1b" not in ended.stderr, case
        assert name == "NAME" or SECRET not in ended.stderr + ended.stdout, case
    practice.close()


@pytest.mark.parametrize("name", ["PREFECT_API_URL", "PREFECT_HOME", "PREFECT_LOGGING_LEVEL", "TZ", "LANG", "HOME"])
def test_a_process_bears_it_too(practice: Practice, name: str) -> None:
    """Some variables are read when a process starts, before anything of ours."""
    for number in range(max(1, CASES // 50)):
        value = odd_value(random.Random(name + str(number)))  # noqa: S311 - no secret
        environment = os.environ | {name: value.replace("\udcff", "?")}
        for verb in ("status", "run") if number % 10 == 0 else ("status",):
            ended = wait_for(start_leadgate(verb, "--json", config=practice.file, env=environment))
            case = f"{name}={value[:50]!r}, {verb}: {ended.stderr}"
            assert ended.code in {0, 1, 2}, case
            assert isinstance(json.loads(ended.stdout), dict), case
            assert not any(word in ended.stderr for word in RIDDLES), case
    practice.close()
