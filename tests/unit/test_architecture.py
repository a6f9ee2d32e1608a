"""The house keeps its own rules: arrows, names, sizes, pins and locks."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGES = ["leadgate", "cli", "flows", "tasks", "deployments"]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
LOCKS = ["requirements.txt", "requirements-dev.txt"]


def python_files(*folders: str) -> list[Path]:
    """Every Python file below these folders of the checkout."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def flow_files() -> list[Path]:
    """Every file of flows/ that Prefect loads under its bare name."""
    return [path for path in python_files("flows") if path.name != "__init__.py"]


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of a checkout."""
    program = Path(sys.executable).with_name("lint-imports")
    # Wide, so that a contract and its verdict stand on one line.
    env = os.environ | {"COLUMNS": "200"}
    return subprocess.run([program, "--no-cache"], cwd=checkout, env=env, capture_output=True, text=True, check=False)


def locked(lock: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_the_import_contracts_hold() -> None:
    """No module imports against the arrows."""
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("leadgate/errors.py", "import tasks", "deployments | cli -> flows"),
        ("flows/__init__.py", "import cli", "deployments | cli -> flows"),
        ("leadgate/model.py", "import leadgate.policy", "Inside the core"),
        ("leadgate/utils.py", "", "Inside the core"),
        ("leadgate/config/__init__.py", "import prefect", "The core never imports Prefect"),
        ("leadgate/policy/__init__.py", "import sqlalchemy", "Rules and values do no I/O"),
        ("flows/release_leads.py", "import httpx", "Flows speak no HTTP"),
        ("tasks/act.py", "import tasks.wait", "Stages do not know each other"),
    ],
)
def test_an_import_against_the_arrows_breaks_its_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    """Each contract fails on the import it is there to forbid."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    with (tmp_path / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert re.search(rf"^{re.escape(contract)}.* BROKEN", result.stdout, re.MULTILINE), result.stdout


def test_there_are_flows() -> None:
    """The rules for flow files are checked on files that exist."""
    assert flow_files()


def test_flow_files_are_named_verb_noun() -> None:
    """A flow file says what it does to what."""
    assert [path.name for path in flow_files() if not re.fullmatch(r"[a-z]+(_[a-z]+)+", path.stem)] == []


def test_flow_files_define_no_classes() -> None:
    """A class of a flow file would be another class each time Prefect loads the file."""
    defining = [
        path.name
        for path in flow_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert defining == []


def test_flow_files_hide_no_other_module() -> None:
    """Prefect puts a flow's folder first on the path, so its name must be nobody else's."""
    taken = {*sys.stdlib_module_names, *packages_distributions(), *PACKAGES, "benchmarks", "docs", "examples", "tests"}
    assert [path.name for path in flow_files() if path.stem in taken] == []


def test_no_file_is_too_long_to_read() -> None:
    """A file over 300 lines (tests: 400) holds two things."""
    limits = [(300, python_files(*PACKAGES, "benchmarks", "examples")), (400, python_files("tests"))]
    long = [
        f"{path.relative_to(ROOT)}: {length} lines"
        for limit, paths in limits
        for path in paths
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert long == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    """Packages come from wherever the machine is set up to take them."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"^.*(?:://|--index-url|--extra-index-url|--find-links).*$", text, re.MULTILINE) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash(lock: str) -> None:
    """What is installed is what was locked, byte for byte."""
    entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_fit_the_project_file() -> None:
    """Every package the project asks for is locked, at a version it allows, and the same one in both locks."""
    project = tomllib.loads(PYPROJECT)
    everything = locked("requirements-dev.txt")
    assert locked("requirements.txt").items() <= everything.items()
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += chain.from_iterable(project["project"]["optional-dependencies"].values())
    for requirement in map(Requirement, wanted):
        version = everything.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not locked: run `make lock`"
        assert version in requirement.specifier, f"{requirement.name} is locked at {version}: run `make lock`"


def test_every_upper_bound_says_why() -> None:
    """A pin without a reason stays for ever."""
    lines = PYPROJECT.splitlines()
    bounds = [i for i, line in enumerate(lines) if re.match(r'\s*"[A-Za-z0-9_.\[\]-]+[^"]*(<|==|~=)[^"]*"', line)]
    assert bounds
    assert [lines[i].strip() for i in bounds if not ("#" in lines[i] or lines[i - 1].lstrip().startswith("#"))] == []
