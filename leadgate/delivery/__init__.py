"""How decided leads reach LeadByte, each acted on at most once.

prepare.py claims a wave and decides it; planned.py holds it to a plan where there is one; routes.py says which requests
each lead needs; send.py sends a wave by them; exchange.py is the protocol: intent, request, record; journal.py writes
for many batches at once; outcomes.py says what each answer makes of an entry; reconcile.py settles what nobody
answered; controls.py chooses the leads that show what LeadByte does with one that has left, and evidence.py says
what that proves; outage.py notices that LeadByte is down, and waits.
"""

from leadgate.delivery.exchange import Exchange, raise_foremost
from leadgate.delivery.planned import PlanKeeper
from leadgate.delivery.prepare import Preparation
from leadgate.delivery.reconcile import Reconciled, Reconciliation
from leadgate.delivery.send import Delivery

__all__ = ["Delivery", "Exchange", "PlanKeeper", "Preparation", "Reconciled", "Reconciliation", "raise_foremost"]
