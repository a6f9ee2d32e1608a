"""The values that travel along a lead's way. Frozen, without I/O, the same words as the ledger and the docs.

Instants are aware UTC datetimes and end in `_at`; spans are timedeltas. A lead id is text everywhere inside,
whatever type the source and LeadByte give it.
"""

from leadgate.model.leads import (
    Columns,
    Decision,
    Enrichment,
    Lead,
    Look,
    Reading,
    Shadow,
    Waiting,
    fingerprint,
)
from leadgate.model.people import Overridden, Override, Pause, Planned, Resolved, Review
from leadgate.model.sending import (
    Answer,
    Attempt,
    Claim,
    Conclusion,
    Decided,
    InDoubt,
    LeadRequest,
    Outcome,
    Wave,
)
from leadgate.model.words import (
    FINAL_STATES,
    Action,
    Certainty,
    ColumnType,
    RequestKind,
    Resolution,
    Result,
    State,
    Verdict,
)

__all__ = [
    "FINAL_STATES",
    "Action",
    "Answer",
    "Attempt",
    "Certainty",
    "Claim",
    "ColumnType",
    "Columns",
    "Conclusion",
    "Decided",
    "Decision",
    "Enrichment",
    "InDoubt",
    "Lead",
    "LeadRequest",
    "Look",
    "Outcome",
    "Overridden",
    "Override",
    "Pause",
    "Planned",
    "Reading",
    "RequestKind",
    "Resolution",
    "Resolved",
    "Result",
    "Review",
    "Shadow",
    "State",
    "Verdict",
    "Waiting",
    "Wave",
    "fingerprint",
]
