"""How possible LeadBytes differ from each other: the habits that one is drawn with.

What the habits lead to is in leadbyte.py and door.py. What leadgate assumes of LeadByte holds for all of them.
"""

from dataclasses import dataclass, replace
from random import Random

HOUR = 3600.0
DAY = 24 * HOUR
QUEUE_TIME = HOUR
"""delivery.queue_time: a taken act has left quarantine by then."""
UNKNOWN_AFTER = 300.0
"""delivery.unknown_after: a request is applied by then, or never."""
QUIET_AFTER = 1.1 * DAY
"""No request meets a fault any more, so that whatever is still open after the last day is stuck."""

KNOWN_GONE = ("Quarantine lead not found", "Lead is no longer in quarantine", "Lead has already been processed")
UNKNOWN_GONE = ("This item is with the buyer", "Status 7 does not allow this", "Moved on", None)
"""None: the answer does not name the lead at all."""
REMARKS = ("", ".", "; notification e-mail failed", " (the update was not accepted)", ", position 4")
ODD_TAKEN = (
    "Quarantine ID '{id}' added to the delivery queue",
    "Quarantine ID '{id}' will be sent at 12:00",
    "Lead '{id}': done",
    None,
)
PAGES = (
    "502",
    "503",
    "503 later",
    "504",
    "500 busy",
    "302",
    "303",
    "403 page",
    "404 page",
    "408",
    "200 page",
    "broken",
)
"""What may stand before them, also after an act was applied."""


@dataclass(frozen=True, slots=True)
class Habits:
    """One LeadByte's ways. Shares are of requests, or of leads."""

    queue_seconds: float = 0
    """A taken act leaves quarantine within this, each lead in its own time."""
    updates_released: bool = False
    acts_again: bool = False
    """A second act on a lead that has left is executed."""
    acts_while_queued: bool = True
    """A second act on a lead that is queued and has not left is executed."""
    gone: str | None = KNOWN_GONE[0]
    odd: str | None = ""
    """The words for a taken act; empty: the documented ones."""
    remark: str = ""
    refuses_all_for_one: bool = False
    """One lead that they do not have makes them refuse the whole batch."""
    applies_part: bool = False
    """Part of a batch is applied before the whole of it is refused."""
    key: str = "may process"
    """Or how they refuse acts: 403, words, silence."""
    clock_off: float = 0
    says_date: bool = True
    lost: float = 0
    """Requests whose answer is lost: applied at once, later, or never."""
    never: float = 0.3
    pages: float = 0
    applied_before_page: float = 0.5
    page_kinds: tuple[str, ...] = PAGES
    refused: float = 0
    """Requests refused as a whole, with LeadByte's JSON."""
    busy: float = 0
    """429, 401 and 403 with JSON, no connection: provably nothing is applied."""
    bad_leads: float = 0
    """Leads whose update is always refused, each by itself."""
    poison: float = 0
    """Leads for which every batch is refused as a whole."""
    outage: tuple[float, float] = (0, 0)
    """Every request in this time meets a page, or is lost."""

    @property
    def is_plain(self) -> bool:
        """Whether it is as documented and as we know it, however bad the line to it is."""
        known = self.gone in KNOWN_GONE and self.odd == "" and self.key == "may process"
        return known and not (self.updates_released or self.refuses_all_for_one or self.applies_part)

    @property
    def is_calm(self) -> bool:
        """Whether it is plain and so is the line: a twentieth of the answers is lost at most, no lead has a fault."""
        is_quiet = max(self.lost, self.pages) <= 0.05 and not (self.refused or self.bad_leads or self.poison)
        return self.is_plain and is_quiet


def draw_habits(random: Random) -> Habits:
    """Draw one possible LeadByte: four of ten are as documented and as we know them, with the faults of any network."""
    rough = random.random() < 0.6
    start = random.uniform(0, 6 * HOUR)
    habits = Habits(
        queue_seconds=random.choice((0, 1, 60, 600, 0.95 * QUEUE_TIME, 0.95 * QUEUE_TIME)),
        acts_again=random.random() < 0.3,
        acts_while_queued=random.random() < 0.7,
        gone=random.choice(KNOWN_GONE),
        remark=random.choice(REMARKS),
        clock_off=random.choice((0, 0, 1, -90, 3 * HOUR, -DAY)),
        lost=random.choice((0, 0.05, 0.3)) if rough else 0,
        never=random.choice((0, 0.3, 1)),
        pages=random.choice((0, 0.05, 0.2)) if rough else 0,
        applied_before_page=random.choice((0, 0.5, 1)),
        page_kinds=PAGES if random.random() < 0.5 else tuple(random.sample(PAGES, 2)),
        refused=random.choice((0, 0, 0.1)) if rough else 0,
        busy=random.choice((0, 0.05, 0.2)) if rough else 0,
        bad_leads=random.choice((0, 0, 0.1)),
        poison=random.choice((0, 0, 0.05)),
        outage=(start, start + random.uniform(60, 4 * HOUR)) if random.random() < 0.15 else (0, 0),
    )
    if random.random() < 0.4:
        return habits
    return replace(
        habits,
        updates_released=random.random() < 0.3,
        gone=random.choice((*KNOWN_GONE, *UNKNOWN_GONE)),
        odd=random.choice(ODD_TAKEN) if random.random() < 0.15 else "",
        refuses_all_for_one=random.random() < 0.25,
        applies_part=random.random() < 0.5,
        key=random.choice(("403", "words", "silence")) if random.random() < 0.06 else "may process",
    )
