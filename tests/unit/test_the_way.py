"""The lead's way is told in several places; it is the same way in all of them."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@cache
def stages() -> list[str]:
    """The stages by their files' own words: "Stage 3, decide: ..."."""
    first_lines = [
        (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "") for file in (ROOT / "tasks").glob("*.py")
    ]
    numbered = [found for line in first_lines if (found := re.match(r"Stage (\d), (\w+):", line))]
    return [found[2] for found in sorted(numbered, key=lambda found: int(found[1]))]


def test_each_stage_is_a_file_of_its_name() -> None:
    """Six of them, numbered in order."""
    assert len(stages()) == 6
    assert all((ROOT / "tasks" / f"{stage}.py").is_file() for stage in stages())


@pytest.mark.parametrize("place", ["flows/release_leads.py", "README.md"])
def test_the_way_is_told_alike(place: str) -> None:
    """The flow's first line, the picture and the list of folders name every stage, in this order."""
    lines = (ROOT / place).read_text("utf-8").splitlines()
    told = [[word for word in re.findall(r"[a-z]+", line) if word in stages()] for line in lines]
    assert stages() in told


def test_the_flow_calls_every_stage() -> None:
    """Each stage's task is named as its file is, imported from there, and called."""
    tree = ast.parse((ROOT / "flows" / "release_leads.py").read_text("utf-8"))
    imported = {
        node.module.removeprefix("tasks."): {alias.name for alias in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tasks.")
    }
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert all(stage in imported[stage] & called for stage in stages())


def test_each_stage_is_kept_apart_from_the_others() -> None:
    """A stage that the contract of independence does not name would be free to import another."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    kept_apart = [each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "independence"]
    assert [each["modules"] for each in kept_apart] == [[f"tasks.{stage}" for stage in stages()]]


@pytest.mark.parametrize("file", sorted((ROOT / "flows").glob("[!_]*.py")), ids=lambda file: file.stem)
def test_each_flow_file_starts_telemetry(file: Path) -> None:
    """When it is loaded: within the flow it would be too late for the run's own span."""
    statements = [ast.unparse(each) for each in ast.parse(file.read_text("utf-8")).body]
    assert "observe()" in statements
