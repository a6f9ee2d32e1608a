"""Where the command begins: whatever else is on the path, leadgate's packages are those it was installed with."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_BESIDE = str(Path(__file__).resolve().parents[1])
_PACKAGES = {"cli", "deployments", "flows", "tasks"}


class _OwnPackages:
    """Finds them beside this one: a project of Prefect's usual layout has `flows` and `tasks` of its own."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [_BESIDE]) if fullname in _PACKAGES else None


def main() -> None:
    """Run the command line."""
    sys.meta_path.insert(0, _OwnPackages())
    from cli.main import main as command  # noqa: PLC0415 - found as said above

    command()


if __name__ == "__main__":
    main()
