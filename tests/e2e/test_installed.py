"""The built wheel, installed beside a project with `flows` and `tasks` of its own, and without any extra."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Finished
from tests.support.pipelines import Practice

_ROOT = Path(__file__).parents[2]
_EXTRAS = ("aiohttp", "altair", "vl_convert")
_REPORT = "report: needs altair and vl_convert: pip install 'leadgate[report]'"

Command = Callable[..., Finished]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it, and nothing that leadgate depends on."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=_ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", folder / "packages", wheel], check=True)
    return folder / "packages"


@pytest.fixture
def command(installed: Path, tmp_path: Path) -> Command:
    """The installed command, called in a project whose packages have the names of leadgate's, and stand before them."""
    for package in ("cli", "deployments", "flows", "tasks"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('this is not of leadgate')")
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules.update(dict.fromkeys({_EXTRAS}))")

    def run(*arguments: str) -> Finished:
        path = os.pathsep.join([str(tmp_path), str(installed)])
        done = subprocess.run(
            [installed / "bin" / "leadgate", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


def test_a_pipeline_runs_beside_packages_of_the_same_names(pipeline: Practice, command: Command) -> None:
    """The command finds its own, whatever stands in the folder and in PYTHONPATH; and it needs no extra."""
    pipeline.quarantine(1)
    pipeline.enrich(1, postcode="TN25 6QD", phone_verified=True, score=0.9)
    checked = command("check", "--json")
    assert (checked.code, checked.json()["problems"], checked.stderr) == (0, [], "")
    ran = command("run", "--json")
    assert (ran.code, ran.json()["processed"], ran.stderr) == (0, 1, "")


@pytest.mark.parametrize(
    ("verb", "problem"),
    [
        ("report", _REPORT),
        ("sandbox", "sandbox: needs aiohttp: pip install 'leadgate[sandbox]'"),
        ("demo", "demo: needs aiohttp: pip install 'leadgate[sandbox]'"),
    ],
)
def test_without_its_extra_a_verb_says_what_to_install(command: Command, verb: str, problem: str) -> None:
    """In one line, and nothing is begun."""
    assert command(verb) == Finished(2, "", f"leadgate: {problem}\n")


def test_what_to_install_is_told_as_json(command: Command) -> None:
    """Where that was asked for."""
    told = command("report", "--json")
    assert (told.code, told.json()) == (2, {"error": _REPORT, "problems": [_REPORT]})
