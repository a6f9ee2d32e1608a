"""Files that are not quite pipeline files: one error that names the file, quickly, whatever they are."""

import os
import random
import time
from pathlib import Path

import pytest

from leadgate.config import load_config, parse_config
from leadgate.errors import ConfigError
from tests.support.cases import CASES, SECONDS
from tests.support.pipelines import PIPELINE

SECRET = "s3cr3t-K3Y"
TEXT = PIPELINE.format(
    leadbyte="https://acme.leadbyte.com",
    key="${KEY}",
    source="sqlite:///source.db",
    ledger="sqlite:///leadgate.db",
)
LAUGHS = "x0: &a0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"x{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 11)
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a: &a [*a]\n",
        LAUGHS.encode(),
        b"a: \x00\n",
        b"a: \x07\n",
        b'a: "\\ud800"\n',
        b'a: "\\U99999999"\n',
        TEXT.encode("utf-16"),
        b"a: \xe4\n",
        b"a: " + b"[" * 10_000,
        b"a: " + b"9" * 5_000,
        b"a: 2026-02-30\n",
        b"a: !!binary x\n",
        b"a: !!set {b}\n",
        b"<<: 5\n",
        b"a: &x 1\nb: &x 2\n",
        b"a: 1\n---\nb: 2\n",
        b"5: 6\n",
        b"null: 6\n",
        b"? [a]\n: 6\n",
        b"? {a: b}\n: 6\n",
        b"a: " + b"b" * 2_000_000,
        b"a: [" + b"1," * 400_000 + b"]",
        TEXT.replace("requests_per_second: 0", "requests_per_second: .inf").encode(),
        TEXT.replace("requests_per_second: 0", "requests_per_second: .nan").encode(),
    ],
    ids=lambda content: repr(content[:14]),
)
def test_a_file_that_is_not_quite_yaml_is_one_error(tmp_path: Path, content: bytes) -> None:
    """It names the file, and comes within seconds."""
    file = tmp_path / "leadgate.yaml"
    file.write_bytes(content)
    started = time.monotonic()
    with pytest.raises(ConfigError, match=r"leadgate\.yaml"):
        load_config(file, {"KEY": "key"})
    assert time.monotonic() - started < 5


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device without end, a folder."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(ConfigError, match=f"{path}: is "):
            load_config(path, {})


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Some editors write one before UTF-8."""
    file = tmp_path / "leadgate.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load_config(file, {"KEY": "key"}).pipeline == "acme"


_PIECES = ("${KEY}", "\n", "  ", ":", "- ", "[", "{", "}", "*a", "&a ", "!", "'", '"', "\t", "null", "1e999", "<<: ")


def mutate(seed: int) -> str:
    """The text of a pipeline file with a few odd changes, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    text = TEXT
    for _ in range(chance.randint(1, 4)):
        at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        end = min(end, at + 12)
        match chance.randrange(4):
            case 0:
                text = text[:at] + chance.choice(_PIECES) + text[at:]
            case 1:
                text = text[:at] + text[end:]
            case 2:
                text = text[:at] + chance.choice(_PIECES) + text[end:]
            case _:
                lines = text.split("\n")
                number = chance.randrange(len(lines))
                lines[number] = lines[number].partition(":")[0] + ": " + chance.choice(_PIECES)
                text = "\n".join(lines)
    return text


def test_a_mutated_file_is_read_or_is_one_error() -> None:
    """Nothing else is raised, nothing takes long, and the key stands in no message."""
    for seed in range(CASES):
        started = time.monotonic()
        said = ""
        try:
            parse_config(mutate(seed), "leadgate.yaml", {"KEY": SECRET})
        except ConfigError as error:
            said = str(error)
        except Exception as error:  # noqa: BLE001 - the seed is what is wanted
            pytest.fail(f"seed {seed}: {error!r}")
        assert SECRET not in said, seed
        assert not said or "leadgate.yaml" in said, seed
        assert time.monotonic() - started < SECONDS, seed
