"""What a faulty pipeline file should get: the lines on standard error."""

from collections.abc import Sequence

from tests.support.pipelines import Practice


def as_told(lines: Sequence[str], pipeline: Practice) -> str:
    """The lines on standard error, with the place of the file filled in; a line that goes on is indented."""
    filled = (
        line.replace("{file}", str(pipeline.file)).replace("{folder}", str(pipeline.file.parent)) for line in lines
    )
    return "".join(f"{line}\n" if line.startswith("    ") else f"leadgate: {line}\n" for line in filled)
