"""The Dockerfile, which no test can build: what it installs is locked, and its process cannot change its own code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
STEPS = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def test_every_install_is_by_hash_or_asks_no_index() -> None:
    """A build of an editable install would fetch its backend otherwise."""
    installs = re.findall(r"pip install ([^&]+)", "\n".join(STEPS))
    assert installs
    for install in installs:
        assert "--require-hashes" in install or {"--no-index", "--no-build-isolation"} <= set(install.split())


def test_what_builds_is_locked() -> None:
    """Each package that is picked out of the lock is there, and is the same in both locks."""
    (picked,) = re.findall(r"\^\(([a-z|-]+)\)==", DOCKERFILE)
    locks = [(ROOT / name).read_text("utf-8") for name in ("requirements-dev.txt", "requirements.txt")]
    every, production = (dict(re.findall(r"^([a-z-]+)==(\S+)", lock, re.MULTILINE)) for lock in locks)
    for package in picked.split("|"):
        assert production.get(package, every[package]) == every[package]


def test_the_process_is_a_number_and_owns_no_code() -> None:
    """Kubernetes can tell that it is not root; it is given one folder to write to."""
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", [step for step in STEPS if step.startswith("USER")][-1])
    assert "chown" not in DOCKERFILE
