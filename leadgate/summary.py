"""What one run did, in the numbers every report of it uses."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from leadgate.model import State


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of one run; `waiting` and `ready` are how many wait, or are due later, when it ended.

    `faults` counts what is wrong in the source's leads: `leadgate plan` and the run's log name each.
    """

    registered: int
    arrived: int
    processed: int
    rejected: int
    held: int
    review: int
    unknown: int
    failed: int
    gone: int
    waiting: int
    ready: int
    faults: int

    def as_dict(self) -> dict[str, int]:
        """The counts by name, in the order of a lead's way."""
        return asdict(self)

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: a lead was parked, or an answer is still open."""
        return bool(self.failed or self.unknown)


def summarize(
    *, registered: int, arrived: int, faults: int, went: Mapping[State, int], remaining: Mapping[State, int]
) -> Summary:
    """Build a summary from what came in, where this run's leads went, and what the ledger holds now."""
    return Summary(
        registered=registered,
        arrived=arrived,
        processed=went.get(State.PROCESSED, 0),
        rejected=went.get(State.REJECTED, 0),
        held=went.get(State.WAITING, 0),
        review=went.get(State.REVIEW, 0),
        unknown=went.get(State.UNKNOWN, 0),
        failed=went.get(State.FAILED, 0),
        gone=went.get(State.GONE, 0),
        waiting=remaining.get(State.WAITING, 0),
        ready=remaining.get(State.READY, 0),
        faults=faults,
    )
