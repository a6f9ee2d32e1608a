"""docs/observability.md names every metric and every event of the log, and nothing that is not there."""

import ast
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from leadgate.ledger import Ledger
from leadgate.metrics import LedgerCollector
from tests.support.ledgers import new_engine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def lines_of_the_log() -> Iterator[tuple[str, str]]:
    """Every call that logs: where it stands, and the text it is given."""
    for folder in ("leadgate", "tasks", "flows"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                    to = ast.unparse(node.func.value)
                    if re.search(r"\b_?log(ger)?$|get_run_logger", to):
                        text = ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else ""
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def first_column(heading: str) -> set[str]:
    """The names in the tables below a heading, up to the next one."""
    _, _, below = PAGE.partition(f"## {heading}\n")
    rows = (row for row in below.partition("\n## ")[0].splitlines() if row.startswith("| `"))
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_a_line_of_the_log_is_one_event() -> None:
    """It begins with `event=`, and goes on with keys and values."""
    odd = [
        f"{where}: {text}"
        for where, text in lines_of_the_log()
        if not re.fullmatch(r"event=[a-z_]+( [a-z_]+=\S+)*( ?%s)?", text)
    ]
    assert odd == []


def test_every_event_is_on_the_page() -> None:
    """And the page names none that is no more."""
    assert first_column("Logs") == {text.split()[0].partition("=")[2] for _, text in lines_of_the_log()}


def test_every_metric_is_on_the_page(sqlite_url: str) -> None:
    """As it is scraped."""
    with closing(Ledger(new_engine(sqlite_url, base_dir=ROOT), pipeline="acme", owner="one")) as ledger:
        families = list(LedgerCollector(ledger).collect())
    scraped = {family.name + "_total" * (family.type == "counter") for family in families}
    assert first_column("Prometheus") == scraped
