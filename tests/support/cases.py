"""How much is tried at random: a little in every test run, 10,000 cases of each kind in `make fuzz`."""

import os

CASES = int(os.environ.get("CASES", "150"))
"""Cases of each kind; the same numbers give the same cases."""
SECONDS = 5
"""What no case may take longer than."""
