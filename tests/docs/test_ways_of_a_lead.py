"""The diagram of docs/ledger.md agrees with the tables of docs/delivery.md, which other tests hold to the code."""

import re

from leadgate.model import State
from tests.docs.pages import page

DELIVERY = page("delivery.md")


def arrows_from(state: State) -> set[str]:
    """Where the diagram lets a lead go from a state."""
    return set(re.findall(rf"^ +{state.value} --> (\w+):", page("ledger.md"), re.MULTILINE))


def becomes(heading: str) -> set[str]:
    """The states in the column "the lead becomes" of the table under a heading."""
    section = DELIVERY.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    column = [cell.strip() for cell in lines[0]].index("the lead becomes")
    return {word for cells in lines[2:] for word in re.findall(r"[a-z]+", cells[column]) if word in set(State)}


def test_what_an_answer_makes_of_a_lead_is_an_arrow() -> None:
    """Of a lead that is being sent: each state of the table, and no other."""
    assert arrows_from(State.SENDING) == becomes("What an answer makes of a lead") - {State.SENDING}


def test_what_a_probe_makes_of_a_lead_is_an_arrow() -> None:
    """Of a lead whose act got no answer."""
    assert arrows_from(State.UNKNOWN) == becomes("What an answer to a probe makes of a lead") - {State.UNKNOWN}
