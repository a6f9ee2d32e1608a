"""What the verbs that only look load. Their time cannot be asserted, but what would take it can be named."""

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from leadgate.ledger import Ledger, open_engine, sending
from leadgate.ledger.policies import keep_policy
from tests.ledger.steps import NOW, PIPELINE, PROCESS, attempt, claim, intend, taken
from tests.support.pipelines import Practice

_ROOT = Path(__file__).parents[2]
_RUNS = {
    "prefect",
    "flows",
    "tasks",
    "leadgate.delivery",
    "leadgate.intake",
    "leadgate.source",
    "leadgate.wiring.pipeline",
}
_SENDS = {"httpx", "aiohttp", "leadgate.leadbyte", "leadgate.sandbox"}
_DECIDES = {"cel_expr_python", "leadgate.policy.compiling", "leadgate.policy.deciding"}
_SHOWS = {"altair", "vl_convert", "jinja2", "opentelemetry", "prometheus_client", "rich"}
_OTHER_LEDGERS = {"alembic", "leadgate.ledger.indexes", "psycopg", "pymysql", "sqlalchemy.dialects.postgresql"}
_NEVER = _RUNS | _SENDS | _DECIDES | _SHOWS | _OTHER_LEDGERS
_READS_THE_LEDGER = {"pydantic", "ruamel", "sqlalchemy", "leadgate.config", "leadgate.ledger"}
_PROGRAM = """
import json, sys
from cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def looked_into(tmp_path: Path) -> Path:
    """A pipeline file whose ledger tells of one lead that was processed, and of the rule that did not match before."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    practice.close()
    with closing(Ledger(open_engine(practice.ledger_url, base_dir=tmp_path), pipeline=PIPELINE, owner="one")) as ledger:
        rules = {"rules": [{"name": "opted-out", "when": "enrichment.opted_out"}, {"name": "verified", "when": "true"}]}
        keep_policy(ledger, version="v1", text=json.dumps(rules), now=NOW)
        sent = attempt(claim(ledger, "4711"))
        intend(ledger, sent, decision=replace(PROCESS, trace=[0]))
        sending.record(ledger, [taken(sent)], now=NOW)
    return practice.file


@pytest.mark.parametrize(
    ("arguments", "told", "unwanted"),
    [
        (["--help"], "where the leads are, the oldest wait", _NEVER | _READS_THE_LEDGER),
        (["status"], "1  processed", _NEVER),
        (["explain", "4711"], "rule 'opted-out' did not match: `enrichment.opted_out` is false", _NEVER),
    ],
)
def test_verbs_that_only_look_load_little(
    looked_into: Path, arguments: list[str], told: str, unwanted: set[str]
) -> None:
    """Prefect, the rules, clients, sources and other databases' drivers take a second, each time."""
    config = [] if arguments == ["--help"] else ["--config", str(looked_into)]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments, *config],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert sorted(unwanted & set(json.loads(done.stderr))) == []


def test_the_version_is_the_installed_one() -> None:
    """What somebody writes into a report of a fault."""
    ended = subprocess.run([sys.executable, "-m", "leadgate", "--version"], cwd=_ROOT, capture_output=True, check=True)
    assert ended.stdout.decode().strip() == f"leadgate {metadata.version('leadgate')}"
