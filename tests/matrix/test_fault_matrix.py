"""Every trouble at every step: at most one act a lead, none stuck, no attempt used for what is not its fault."""

from pathlib import Path

import pytest

from leadgate.model import RequestKind, State
from leadgate.sandbox.faults import FaultName
from tests.matrix.cells import STRIKES_NEVER, UNDER_WAY, Cell, Step, Trouble, cells
from tests.matrix.page import COMMAND, PAGE, page_of, shown_outcomes
from tests.matrix.play import play

ALL = list(cells())
UNCLEAR = {
    FaultName.POISON,
    FaultName.NOT_SUCCESS,
    FaultName.STATUS_ERROR,
    FaultName.NOT_JSON_BEFORE,
    FaultName.NOT_JSON_AFTER,
    FaultName.MISSING_BEFORE,
    FaultName.MISSING_AFTER,
}
"""What may be about the lead: an update that meets it again and again is not sent for ever."""
FOR_A_PERSON = {FaultName.POISON: {"2"}, FaultName.NOT_SUCCESS: {"2"}, FaultName.STATUS_ERROR: {"1", "2", "3"}}
"""Of which leads a probe is refused when it stands alone."""


def attempts_of(cell: Cell) -> int:
    """How many attempts a lead uses: one where the answer to its update may be about it; an act is in doubt then."""
    return int(cell.under_way is RequestKind.UPDATE and cell.trouble in UNCLEAR)


def must_be(cell: Cell, lead_id: str) -> State:
    """Where a lead has to be in the end."""
    if cell.under_way is RequestKind.PROBE and any(
        lead_id in refused for trouble, refused in FOR_A_PERSON.items() if trouble is cell.trouble
    ):
        return State.REVIEW
    moved = cell.trouble in {FaultName.MOVED, FaultName.MOVED_AFTER} and lead_id == "2"
    # Someone else took it out: by a probe nobody can tell that from the act.
    return State.GONE if moved and cell.under_way is not RequestKind.PROBE else State.PROCESSED


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: f"{cell.under_way}/{cell.step or 'switch'}/{cell.trouble}")
async def test_a_trouble_costs_no_lead_and_doubles_none(cell: Cell, tmp_path: Path) -> None:
    """At most one act each, every lead where it belongs, and the page says the same."""
    result = await play(cell, tmp_path)
    assert result.states == {lead_id: must_be(cell, lead_id) for lead_id in cell.leads}
    acted = {lead_id for lead_id, count in result.acts.items() if count}
    assert max(result.acts.values()) <= 1
    left_alone = cell.trouble in {FaultName.MOVED, FaultName.MOVED_AFTER} or State.REVIEW in result.states.values()
    assert acted | ({"2"} if left_alone else set()) == set(cell.leads)
    assert result.attempts == attempts_of(cell)
    assert result.run == cell.run
    assert result.as_cells() == shown_outcomes()[UNDER_WAY[cell.under_way]][cell.name], (
        f"{PAGE.name} says something else: write it with `{COMMAND}`"
    )


def test_the_page_has_every_cell_once() -> None:
    """And around them the text that the command writes, with the rows in the order of the cells."""
    shown = shown_outcomes()
    named = sorted((heading, name) for heading in shown for name in shown[heading])
    assert named == sorted((UNDER_WAY[cell.under_way], cell.name) for cell in ALL)
    in_order: dict[str, dict[str, str]] = {heading: {} for heading in UNDER_WAY.values()}
    for cell in ALL:
        heading = UNDER_WAY[cell.under_way]
        in_order[heading][cell.name] = shown[heading][cell.name]
    assert PAGE.read_text(encoding="utf-8") == page_of(in_order), f"write the page with `{COMMAND}`"


def test_the_matrix_is_whole() -> None:
    """Every step with every trouble, and every switch with each kind of request that it can strike."""
    assert {cell.trouble for cell in ALL} == {*Trouble, *FaultName}
    assert {cell.step for cell in ALL} == {*Step, None}
    for trouble in Trouble:
        assert {cell.step for cell in ALL if cell.trouble is trouble} == set(Step)
    for kind, never in STRIKES_NEVER.items():
        assert {cell.trouble for cell in ALL if cell.under_way is kind and cell.step is None} == set(FaultName) - never
