"""Other rules, and another wait, tried on leads that were decided. Nothing is written.

verdicts.py decides each lead anew and compares, waits.py finds when it would have gone.
"""

from leadgate.backtest.backtest import Backtest as Backtest
from leadgate.backtest.backtest import run_backtest as run_backtest
from leadgate.backtest.verdicts import Reviews as Reviews
from leadgate.backtest.waits import WaitChange as WaitChange
