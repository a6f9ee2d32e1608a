"""What a look has found."""

from dataclasses import dataclass, field

from leadgate.model import SourceReading


@dataclass(slots=True)
class Looked:
    """How many waiting leads became complete or late, and the reading of the source that says so.

    `changed` counts settled leads whose enrichment changed afterwards, about which nothing is done; `again` leads in
    review or failed that are decided anew.
    """

    reading: SourceReading
    seen: int = 0
    arrived: int = 0
    late: int = 0
    changed: int = 0
    again: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def due(self) -> int:
        """How many leads are to be decided now."""
        return self.arrived + self.late + self.again

    def add(self, other: "Looked") -> None:
        """Count another look in; its reading is the newer one."""
        self.reading = other.reading
        self.seen += other.seen
        self.arrived += other.arrived
        self.late += other.late
        self.changed += other.changed
        self.again += other.again
        self.warnings = list(dict.fromkeys(self.warnings + other.warnings))
