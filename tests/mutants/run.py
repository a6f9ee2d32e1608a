"""`make mutants`: change the core a little, thousands of times, and count how many changes a test notices.

mutmut makes the changes and runs the tests that reach each of them, in a copy of the tree under build/mutants. A change
that no test notices is a survivor: `cat` the file that is named in the end, and write the test that is missing, or see
that the change changes nothing. Takes from half an hour (policy) to several hours (ledger) on two cores; with
`--sample 10` ten changes of each module are tried, always the same ones.
"""

import ast
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

_ROOT = Path(__file__).parents[2]
_BUILD = _ROOT / "build" / "mutants"
_PACKAGES = ("policy", "leadbyte", "delivery", "intake", "ledger")
"""The packages of the core whose faults cost money; the tests that are to notice one are in a folder of that name."""
_ALSO = {
    "delivery": ("tests/reconcile", *(f"tests/people/test_{name}.py" for name in ("budgets", "plans", "pauses"))),
    "intake": ("tests/people/test_again.py", "tests/people/test_observing.py"),
    "ledger": ("tests/people",),
}
"""Other tests that are about a package."""
_NOT_REACHED = frozenset({5, 33, 34})
_SURVIVED = 0
_APPLIED_AFTER = frozenset({"writes", "contextmanager"})
_LEFT_OUT = frozenset({"cache"})
"""mutmut changes no function that is decorated; what a cached one returned before a change would hide it."""
_CONFIG = """

[tool.mutmut]
source_paths = ["leadgate/{package}"]
only_mutate = ["leadgate/{package}/{files}.py"]
pytest_add_cli_args_test_selection = [{tests}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", "not postgresql and not mariadb and not released_migrations"]
also_copy = [{copied}]
mutate_only_covered_lines = true
"""


@dataclass(frozen=True, slots=True)
class Score:
    """How many changes of a module were noticed, and the names of those that were not."""

    module: str
    noticed: int
    survived: list[str]
    not_reached: int
    not_tried: int

    @property
    def share(self) -> float:
        """The noticed ones among those that a test reaches."""
        return self.noticed / max(1, self.noticed + len(self.survived))


def run(
    packages: Annotated[list[str] | None, typer.Argument(help="Packages, or modules such as policy.deciding.")] = None,
    children: Annotated[int, typer.Option(help="Processes at once.")] = 2,
    sample: Annotated[int | None, typer.Option(help="Try so many changes of each module, drawn by lot.")] = None,
) -> None:
    """Change packages of the core (all five by default), and print the score of each module."""
    for name in packages or _PACKAGES:
        package, _, module = name.partition(".")
        if package not in _PACKAGES:
            raise typer.BadParameter(f"{package!r} is none of {', '.join(_PACKAGES)}")
        tree = _copy(package, module)
        mutmut = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
        if sample:
            # Nothing is called so: it makes the changes, finds which tests reach them, and tries none.
            subprocess.run([*mutmut, "none"], cwd=tree, check=False, stderr=subprocess.DEVNULL)
            mutmut += _drawn(tree, package, sample)
        subprocess.run(mutmut, cwd=tree, check=False)
        _show(package, list(_scores(tree, package)))


def _copy(package: str, module: str) -> Path:
    """Copy what is tracked, with functions undecorated so that mutmut changes them, and its settings."""
    tree = _BUILD / package
    if tree.exists():
        shutil.rmtree(tree)
    tracked = subprocess.run(["git", "ls-files"], cwd=_ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    names = tracked.splitlines()
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_ROOT / name, tree / name)
    for file in (tree / "leadgate" / package).rglob("*.py"):
        file.write_text(_undecorated(file.read_text("utf-8")), "utf-8")
    copied = sorted({name.split("/")[0] for name in names if not name.startswith((".", "pyproject"))})
    config = _CONFIG.format(
        package=package,
        tests=", ".join(f'"{name}"' for name in (f"tests/{package}", *_ALSO.get(package, ()))),
        files=module.replace(".", "/") or "*",
        copied=", ".join(f'"{name}"' for name in copied),
    )
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(config)
    return tree


def _undecorated(source: str) -> str:
    """Apply decorators of functions after them instead; what is cached is made anew each time."""
    lines = source.splitlines()
    for function in reversed(ast.parse(source).body):
        if not isinstance(function, ast.FunctionDef) or len(function.decorator_list) != 1:
            continue
        (decorator,) = function.decorator_list
        if not isinstance(decorator, ast.Name) or decorator.id not in _APPLIED_AFTER | _LEFT_OUT:
            continue
        if decorator.id in _APPLIED_AFTER:
            lines.insert(function.end_lineno or 0, f"\n\n{function.name} = {decorator.id}({function.name})")
        del lines[decorator.lineno - 1]
    return "\n".join(lines) + "\n"


def _drawn(tree: Path, package: str, sample: int) -> Iterator[str]:
    for file in _results(tree, package):
        names = sorted(json.loads(file.read_text("utf-8"))["exit_code_by_key"])
        yield from random.Random(file.name).sample(names, min(sample, len(names)))  # noqa: S311 - the same each time


def _results(tree: Path, package: str) -> list[Path]:
    return sorted((tree / "mutants" / "leadgate" / package).rglob("*.py.meta"))


def _scores(tree: Path, package: str) -> Iterator[Score]:
    for file in _results(tree, package):
        ended = json.loads(file.read_text("utf-8"))["exit_code_by_key"]
        tried = {name: code for name, code in ended.items() if code is not None and code not in _NOT_REACHED}
        if ended:
            survived = [name for name, code in tried.items() if code == _SURVIVED]
            module = str(file.relative_to(tree / "mutants")).removesuffix(".py.meta").replace("/", ".")
            not_tried = sum(code is None for code in ended.values())
            not_reached = len(ended) - len(tried) - not_tried
            yield Score(module, len(tried) - len(survived), survived, not_reached, not_tried)


def _show(package: str, scores: Sequence[Score]) -> None:
    typer.echo(f"\n{'module':40} {'noticed':>8} {'survived':>8} {'score':>6}  not reached, not tried")
    for score in scores:
        found = f"{score.noticed:8,} {len(score.survived):8,} {score.share:6.0%}"
        typer.echo(f"{score.module:40} {found}  {score.not_reached:11,}, {score.not_tried:,}")
    noticed, survived = sum(score.noticed for score in scores), sum(len(score.survived) for score in scores)
    whole = Score(package, noticed, [""] * survived, 0, 0)
    typer.echo(f"{package:40} {noticed:8,} {survived:8,} {whole.share:6.0%}")
    listed = _BUILD / f"{package}.txt"
    listed.write_text("".join(f"{name}\n" for score in scores for name in score.survived), "utf-8")
    typer.echo(f"Survivors: {listed}. In {_BUILD / package}, `python -m mutmut show NAME` prints what was changed.")


if __name__ == "__main__":
    typer.run(run)
