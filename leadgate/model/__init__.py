"""The values that travel along a lead's way. Frozen, without I/O, the same words as the ledger and the docs.

Instants are aware UTC datetimes and end in `_at`; spans are timedeltas. A lead id is text everywhere inside,
whatever type the source and LeadByte give it.
"""

from leadgate.model.arrivals import Arrivals as Arrivals
from leadgate.model.arrivals import Arrived as Arrived
from leadgate.model.arrivals import note_arrivals as note_arrivals
from leadgate.model.faults import MOST_IDS as MOST_IDS
from leadgate.model.faults import Fault as Fault
from leadgate.model.faults import Faults as Faults
from leadgate.model.ids import normal_id as normal_id
from leadgate.model.ids import read_ids as read_ids
from leadgate.model.leads import MANY_LATE as MANY_LATE
from leadgate.model.leads import Columns as Columns
from leadgate.model.leads import Decision as Decision
from leadgate.model.leads import Enrichment as Enrichment
from leadgate.model.leads import Fingerprint as Fingerprint
from leadgate.model.leads import Lead as Lead
from leadgate.model.leads import Look as Look
from leadgate.model.leads import Parked as Parked
from leadgate.model.leads import Seen as Seen
from leadgate.model.leads import Shadow as Shadow
from leadgate.model.leads import SourceReading as SourceReading
from leadgate.model.leads import Waiting as Waiting
from leadgate.model.leads import fingerprint as fingerprint
from leadgate.model.people import WHILE_PAUSED as WHILE_PAUSED
from leadgate.model.people import Chosen as Chosen
from leadgate.model.people import Group as Group
from leadgate.model.people import Overridden as Overridden
from leadgate.model.people import Override as Override
from leadgate.model.people import Pause as Pause
from leadgate.model.people import Planned as Planned
from leadgate.model.people import Resolved as Resolved
from leadgate.model.people import Review as Review
from leadgate.model.people import SentBy as SentBy
from leadgate.model.sending import Answer as Answer
from leadgate.model.sending import Attempt as Attempt
from leadgate.model.sending import Claim as Claim
from leadgate.model.sending import Conclusion as Conclusion
from leadgate.model.sending import Control as Control
from leadgate.model.sending import Decided as Decided
from leadgate.model.sending import InDoubt as InDoubt
from leadgate.model.sending import LeadRequest as LeadRequest
from leadgate.model.sending import Outcome as Outcome
from leadgate.model.sending import Tally as Tally
from leadgate.model.sending import Wave as Wave
from leadgate.model.words import ACTED as ACTED
from leadgate.model.words import FINAL_STATES as FINAL_STATES
from leadgate.model.words import OTHERWISE as OTHERWISE
from leadgate.model.words import Action as Action
from leadgate.model.words import Certainty as Certainty
from leadgate.model.words import ColumnType as ColumnType
from leadgate.model.words import RequestKind as RequestKind
from leadgate.model.words import Resolution as Resolution
from leadgate.model.words import Result as Result
from leadgate.model.words import State as State
from leadgate.model.words import Verdict as Verdict
