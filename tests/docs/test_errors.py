"""docs/commands.md names every error that a person can meet, with the exit code that the command ends with."""

from cli.output import exit_code
from leadgate.errors import LeadgateError
from leadgate.metrics import PortTaken
from leadgate.policy.language import ConditionFaults
from tests.docs.pages import page, rows


def below(error: type[LeadgateError]) -> set[type[LeadgateError]]:
    """Every kind of an error that the product defines."""
    found = {each for each in error.__subclasses__() if not each.__module__.startswith("tests")}
    return found.union(*(below(each) for each in found))


# It never leaves the policy: a PolicyError is made of it.
MET = below(LeadgateError) - {ConditionFaults}


def test_every_error_has_a_row_with_its_exit_code() -> None:
    """And every row is an error there is."""
    told = {name: int(cells[1]) for name, cells in rows(page("commands.md").partition("\n## Errors\n")[2]).items()}
    assert told == {error.__name__: exit_code(error("...")) for error in MET}


def test_the_port_for_metrics_is_one_of_them() -> None:
    """Errors outside leadgate/errors.py are found too."""
    assert PortTaken in MET
