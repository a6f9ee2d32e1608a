"""The cells of the fault matrix: what is under way when which trouble comes, and what became of it in the end.

A cell is played with a real ledger on SQLite, a real source and the practice LeadByte on a socket; time is the test's.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from leadgate.model import RequestKind, State
from leadgate.sandbox.faults import FaultName

UNDER_WAY = {
    RequestKind.UPDATE_AND_ACT: "Update and act in one PUT",
    RequestKind.UPDATE: "The update that goes before its act",
    RequestKind.ACT: "The act by POST",
    RequestKind.PROBE: "A probe",
}
"""The kinds of requests, as the page's headings call them."""


class Step(StrEnum):
    """Where on its way the request is."""

    CLAIMED = "after the claim"
    INTENDED = "after the intent, before sending"
    SENT = "after sending, before the answer"
    ANSWERED = "after the answer, before it is recorded"
    RECORDED = "after it is recorded"


class Trouble(StrEnum):
    """What happens to the run there."""

    KILLED = "kill -9"
    EXCEPTION = "an exception nobody foresaw"
    LEDGER_GONE = "the ledger's database is gone"


class Cell(NamedTuple):
    """One cell of the matrix: a trouble at a step, or a fault switch of the practice LeadByte."""

    under_way: RequestKind
    step: Step | None
    trouble: Trouble | FaultName

    @property
    def leads(self) -> list[str]:
        """The leads of the request: three, or the one that a POST can carry."""
        return ["2"] if self.under_way is RequestKind.ACT else ["1", "2", "3"]

    @property
    def name(self) -> str:
        """What goes wrong, in the page's words."""
        return f"{self.step}: {self.trouble}" if self.step else f"`{self.trouble}`"

    @property
    def run(self) -> str:
        """What becomes of the run, as the page says of all kinds of requests."""
        if self.trouble is Trouble.KILLED:
            return "is dead"
        return "fails" if isinstance(self.trouble, Trouble) or self.trouble is FaultName.KEY_REFUSED else "goes on"


OF_ONE_LEAD = {
    FaultName.POISON,
    FaultName.MISSING_BEFORE,
    FaultName.MISSING_AFTER,
    FaultName.NOT_SUCCESS,
    FaultName.MOVED,
    FaultName.MOVED_AFTER,
    FaultName.RELEASE_REFUSED,
    FaultName.RELEASE_ANYWAY,
    FaultName.RELEASE_UNSAID,
}
"""Switches that are drawn for each lead: they strike lead 2."""
_WITHOUT_ACT = {FaultName.RELEASE_REFUSED, FaultName.RELEASE_ANYWAY, FaultName.RELEASE_UNSAID}
STRIKES_NEVER = {
    RequestKind.UPDATE_AND_ACT: {FaultName.MOVED_AFTER},
    RequestKind.UPDATE: _WITHOUT_ACT,
    RequestKind.ACT: {FaultName.MOVED_AFTER, FaultName.RELEASE_ANYWAY},
    RequestKind.PROBE: _WITHOUT_ACT,
}
"""Switches that are about acts, or about updates alone."""


def cells() -> Iterator[Cell]:
    """For every kind of request, every step with every trouble, then every switch."""
    for kind in UNDER_WAY:
        for step in Step:
            if step is Step.CLAIMED and kind in {RequestKind.UPDATE, RequestKind.ACT}:
                continue  # the claim is the same, whatever follows it
            for trouble in Trouble:
                yield Cell(kind, step, trouble)
        for fault in FaultName:
            if fault not in STRIKES_NEVER[kind]:
                yield Cell(kind, None, fault)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a cell's leads."""

    run: str
    right_after: Counter[State]
    states: dict[str, State]
    inferred: int
    acts: dict[str, int]
    attempts: int
    clean_runs: int

    def as_cells(self) -> str:
        """The outcome as the cells of the page behind the cell's name."""
        in_the_end = _counted(Counter(self.states.values()))
        if self.inferred:
            in_the_end += f" ({self.inferred} inferred)"
        acts = " or ".join(map(str, sorted(set(self.acts.values()))))
        return " | ".join([_counted(self.right_after), in_the_end, acts, str(self.attempts), str(self.clean_runs)])


def _counted(states: Counter[State]) -> str:
    return ", ".join(f"{states[state]} {state.value}" for state in State if states[state])
