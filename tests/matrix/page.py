"""docs/fault-matrix.md as the tests find it. `python -m tests.matrix.page` plays every cell and writes the page."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.matrix.cells import UNDER_WAY, cells
from tests.matrix.play import play

PAGE = Path(__file__).parents[2] / "docs" / "fault-matrix.md"
COMMAND = "python -m tests.matrix.page"
_HEAD = f"""\
# The fault matrix: what a run may meet, and what becomes of its leads

For whoever wants to know what happens when something breaks at the worst moment. Written by `{COMMAND}`, which plays
each line; a test plays each of them again and fails where this page says something else.

In each line a run meets one trouble; what it leaves is finished by clean runs, each six minutes after the last (a lease
and a grace are five, and this LeadByte's queue takes no time). A request is about three leads, or one where a POST can
carry no more; a lead that was acted on before is there as a control. *kill -9* is a process that ends without another
instruction; *the database is gone* from that step until the run has ended. A switch in `code` is a fault of the
[practice LeadByte](sandbox.md#switches): it strikes that kind of request as long as the run lasts, and lead 2 where it
is about one lead. Before a probe, two of the three leads were acted on and one was not, and nobody knows it.

- **acts a lead** is how often LeadByte was asked to act on a lead and had not refused: never more than once.
- **attempts** is the most that one of the leads has used; parked leads would be *failed*, stuck ones would be anything
  but `processed`, `rejected`, `gone` or `review`.
- **clean runs** is how many it took until every lead was settled.

A probe that LeadByte refuses when it stands alone goes to a person at once, with LeadByte's words.

A lead that someone else takes out of quarantine (`moved`, `moved-after`) while it is unknown is inferred to have been
acted on: LeadByte gives no sign by which the two could be told apart. Such a lead is marked as inferred, and no money
was moved twice.
"""
_TABLE = """
| what goes wrong | the run | right after | in the end | acts a lead | attempts | clean runs |
|---|---|---|---|---|---|---|
"""
Rows = Mapping[str, Sequence[str]]
"""The lines of each table, by its heading."""


def page_of(rows: Rows) -> str:
    """The whole page."""
    tables = [f"\n## {heading}\n{_TABLE}" + "".join(f"{row}\n" for row in rows[heading]) for heading in rows]
    return _HEAD + "".join(tables)


def shown_rows() -> Rows:
    """The lines of the tables as the page shows them."""
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    return {
        section.splitlines()[0]: [line for line in section.splitlines() if line.startswith("| ")][1:]
        for section in sections
    }


async def write() -> None:
    """Play every cell, and write what became of it."""
    rows: dict[str, list[str]] = {heading: [] for heading in UNDER_WAY.values()}
    for cell in cells():
        with tempfile.TemporaryDirectory(prefix="leadgate-matrix-") as folder:
            rows[UNDER_WAY[cell.under_way]].append((await play(cell, Path(folder))).as_row(cell))
    PAGE.write_text(page_of(rows), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write())
