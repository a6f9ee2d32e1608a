"""What waiting costs: when the data of leads came, and what other deadlines and requirements would have meant.

clock.py is the clock of deadlines, complete.py says between which spans a lead was complete, tally.py counts leads over
spans, count.py goes through the ledger once, words.py says what came out.
"""

from leadgate.waits.count import Waits as Waits
from leadgate.waits.count import count_waits as count_waits
