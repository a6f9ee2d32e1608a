"""Taking in a page at a time: the first leads are decided and sent while others are still being registered.

Registering ten thousand new leads and looking at them takes seconds; a run that waited for the end of it would send
nothing meanwhile.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from leadgate.clock import Clock
from leadgate.config import PipelineConfig
from leadgate.intake.again import Again
from leadgate.intake.forward import PAGE
from leadgate.intake.look import look_early, look_in_pages
from leadgate.intake.looked import Looked
from leadgate.intake.register import Registered, register_pages
from leadgate.ledger import Ledger
from leadgate.model import Faults, SourceReading
from leadgate.source import Source

_AT_ONCE = 4
"""Pages of a step, so that few new leads, and few that have arrived, are taken in by one."""
_NO_READING = SourceReading(datetime.min.replace(tzinfo=UTC), newest_at=None, healthy=False)


class TakingIn:
    """Registers what is new and looks at the source once, in steps: `register` and `look` in turn until it `is_done`.

    After an error it begins anew, from what is in the ledger by then.
    """

    def __init__(self, source: Source, ledger: Ledger, config: PipelineConfig, *, clock: Clock, again: Again) -> None:
        self._parts, self._clock, self._again = (source, ledger, config), clock, again
        self.is_registered = self.is_done = False
        """Whether every new lead was registered, and whether all was looked at as well."""
        self._registering: Iterator[Registered] | None = None
        self._looking: Iterator[Looked] | None = None
        self._reading = _NO_READING

    def register(self) -> Registered:
        """Go through a few pages of leads that may be new, until there are enough for a wave."""
        pages = self._registering or register_pages(*self._parts, now=self._clock())
        self._registering = None
        taken = Registered(0, Faults())
        for _ in range(_AT_ONCE):
            page = next(pages, None)
            if page is None:
                self.is_registered = True
                return taken
            taken = taken.then(page)
            if taken.count >= PAGE:
                break
        self._registering = pages
        return taken

    def look(self) -> Looked:
        """Look at the leads that were just registered; once all are, at a few pages of all that a look must see."""
        if not self.is_registered:
            return look_early(*self._parts, now=self._clock())
        pages = self._looking or look_in_pages(*self._parts, now=self._clock(), again=self._again)
        self._looking = None
        found: list[Looked] = []
        while len(found) < _AT_ONCE and sum(one.due for one in found) < PAGE:
            one = next(pages, None)
            if one is None:
                self.is_done = True
                break
            found.append(one)
        self._looking = pages
        looked, *others = found or [Looked(self._reading)]
        for other in others:
            looked.add(other)
        self._reading = looked.reading
        return looked
