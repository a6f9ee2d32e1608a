"""Other rules, and another wait, tried on leads that were decided: what would have come out. Nothing is written.

past.py finds what is still known of each lead, verdicts.py decides it anew, waits.py tells when it would have gone.
"""

from leadgate.backtest.backtest import Backtest, run_backtest
from leadgate.backtest.verdicts import Flip, Verdicts
from leadgate.backtest.waits import Wait, WaitChange

__all__ = ["Backtest", "Flip", "Verdicts", "Wait", "WaitChange", "run_backtest"]
