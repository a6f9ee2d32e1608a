"""Taking in a page at a time: the first leads are decided and sent while others are still being registered.

Registering ten thousand new leads and looking at them takes seconds; a run that waited for the end of it would send
nothing meanwhile.
"""

from collections.abc import Iterator

from leadgate.clock import Clock
from leadgate.config import PipelineConfig
from leadgate.intake.again import Again
from leadgate.intake.forward import PAGE
from leadgate.intake.look import Looked, look_early, look_in_pages
from leadgate.intake.register import Registered, register_pages
from leadgate.ledger import Ledger
from leadgate.model import Faults
from leadgate.source import Source


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

    def register(self) -> Registered:
        """Register a page of new leads, or as many pages as have that many new ones."""
        taken = Registered(0, Faults())
        pages = self._registering or register_pages(*self._parts, now=self._clock())
        self._registering = None
        for page in pages:
            taken = taken.then(page)
            if taken.count >= PAGE:
                self._registering = pages
                return taken
        self.is_registered = True
        return taken

    def look(self) -> Looked:
        """Look at the leads that were just registered; once all are, at everything, as far as a wave has become due."""
        if not self.is_registered:
            return look_early(*self._parts, now=self._clock())
        pages = self._looking or look_in_pages(*self._parts, now=self._clock(), again=self._again)
        self._looking = None
        looked = next(pages)
        while looked.due < PAGE:
            try:
                looked.add(next(pages))
            except StopIteration:
                self.is_done = True
                return looked
        self._looking = pages
        return looked
