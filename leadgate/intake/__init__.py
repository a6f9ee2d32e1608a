"""How leads come in: registering them, seeing their enrichment arrive, and comparing everything now and then.

Completeness is read from the source each time, never inferred from an event. A deadline falls due only by a healthy
reading of the source that was taken after it: a source that is down, empty or stale stops the clock.
"""

from leadgate.intake.again import Again as Again
from leadgate.intake.compare import Compared as Compared
from leadgate.intake.compare import compare_all as compare_all
from leadgate.intake.forward import PAGE as PAGE
from leadgate.intake.look import Looker as Looker
from leadgate.intake.look import late_by_deadline as late_by_deadline
from leadgate.intake.look import look_for_arrivals as look_for_arrivals
from leadgate.intake.looked import Looked as Looked
from leadgate.intake.register import Registered as Registered
from leadgate.intake.register import find_elsewhere as find_elsewhere
from leadgate.intake.register import mind_odd_ids as mind_odd_ids
from leadgate.intake.register import register_leads as register_leads
from leadgate.intake.taking_in import TakingIn as TakingIn
