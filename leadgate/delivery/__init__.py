"""How decided leads reach LeadByte, each acted on at most once: prepare.py, then send.py by exchange.py's protocol.

reconcile.py settles what nobody answered.
"""

from leadgate.delivery.exchange import Exchange, raise_foremost
from leadgate.delivery.planned import PlanKeeper
from leadgate.delivery.prepare import Preparation
from leadgate.delivery.reconcile import Reconciled, Reconciliation
from leadgate.delivery.send import Delivery

__all__ = ["Delivery", "Exchange", "PlanKeeper", "Preparation", "Reconciled", "Reconciliation", "raise_foremost"]
