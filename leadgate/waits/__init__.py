"""What waiting costs: when the data of leads came, and what other deadlines and requirements would have meant.

clock.py is the clock of deadlines, complete.py says between which spans a lead was complete, tally.py counts leads over
spans, count.py goes through the ledger once, words.py says what came out.
"""

from leadgate.waits.complete import Came as Came
from leadgate.waits.complete import Watch as Watch
from leadgate.waits.complete import complete_at as complete_at
from leadgate.waits.complete import of_need as of_need
from leadgate.waits.complete import whole as whole
from leadgate.waits.count import Waits as Waits
from leadgate.waits.count import count_waits as count_waits
from leadgate.waits.count import read_watch as read_watch
