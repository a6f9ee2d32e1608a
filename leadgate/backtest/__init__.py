"""Other rules, and another wait, tried on leads that were decided: what would have come out. Nothing is written.

past.py finds what is still known of each lead, verdicts.py decides it anew, reviews.py holds that against what people
decided, waits.py tells when it would have gone.
"""

from leadgate.backtest.backtest import Backtest as Backtest
from leadgate.backtest.backtest import run_backtest as run_backtest
from leadgate.backtest.reviews import Reviews as Reviews
from leadgate.backtest.waits import WaitChange as WaitChange
