"""What leadgate remembers: a row a lead, its decisions and requests; SQLite by default, PostgreSQL by URL.

ledger.py has the value that all functions here take; every other module has one duty. A lead's way: waiting.py
(registered, looked at), claims.py (held by a run), sending.py (decided, intended, answered), unknown.py (not answered),
people.py (decided or retried by a person). For readers: status.py, reviews.py, history.py, report_counts.py,
past_decisions.py. Whose leads they are: pipelines.py.
Beside the leads: source_health.py, source_progress.py, policies.py, pauses.py, alarms.py, rate.py.
"""

from leadgate.ledger.engine import open_engine as open_engine
from leadgate.ledger.ledger import NOT_ASKED as NOT_ASKED
from leadgate.ledger.ledger import Ledger as Ledger
