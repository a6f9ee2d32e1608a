"""How decided leads reach LeadByte, each acted on at most once.

prepare.py claims a wave and decides it; send.py commits the intent, sends and records; outcomes.py says what each
answer makes of an entry.
"""

from leadgate.delivery.prepare import Preparation
from leadgate.delivery.send import Delivery

__all__ = ["Delivery", "Preparation"]
