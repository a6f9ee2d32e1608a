"""How leads come in: registering them, seeing their enrichment arrive, and comparing everything now and then.

Completeness is read from the source each time, never inferred from an event. A deadline falls due only by a healthy
reading of the source that was taken after it: a source that is down, empty or stale stops the clock.
"""

from leadgate.intake.compare import Compared, compare_all
from leadgate.intake.forward import PAGE
from leadgate.intake.look import Looked, look_at, look_for_arrivals, read_trusted
from leadgate.intake.register import Registered, register_leads

__all__ = [
    "PAGE",
    "Compared",
    "Looked",
    "Registered",
    "compare_all",
    "look_at",
    "look_for_arrivals",
    "read_trusted",
    "register_leads",
]
