"""What a faulty pipeline file should get: the lines on standard error."""

from collections.abc import Mapping, Sequence

from leadgate.sandbox import Sandbox
from tests.support.command import leadgate
from tests.support.pipelines import Practice


def check_told(pipeline: Practice, leadbyte: Sandbox, edits: Mapping[str, str], lines: Sequence[str]) -> None:
    """Edit the file, and see that `leadgate run` ends with 2 and says these lines before anything is sent."""
    for old, new in edits.items():
        pipeline.edit(old, new)
    finished = leadgate("run", config=pipeline.file)
    assert finished.stderr == as_told(lines, pipeline)
    assert (finished.code, finished.stdout) == (2, "")
    assert leadbyte.requests == []


def as_told(lines: Sequence[str], pipeline: Practice) -> str:
    """The lines on standard error, with the place of the file filled in; a line that goes on is indented."""
    filled = (
        line.replace("{file}", str(pipeline.file)).replace("{folder}", str(pipeline.file.parent)) for line in lines
    )
    return "".join(f"{line}\n" if line.startswith("    ") else f"leadgate: {line}\n" for line in filled)
