"""What is known of a lead before anything is sent: its rows in the source, and what was decided of them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from leadgate.model.arrivals import Arrivals
from leadgate.model.faults import Faults
from leadgate.model.words import ColumnType, Verdict

MANY_LATE = 10
"""So many late leads at once are believed only if some lead has had enrichment."""
_ENCODER = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False)

Fingerprint = Callable[[Mapping[str, Any]], str]
"""From values to 16 hex digits that change when one of them does: the ledger's, which has the key for it."""


def fingerprint(values: Mapping[str, Any], key: bytes = b"") -> str:
    """Give 16 hex digits that change when a value does; without the key nobody can try which values they are of."""
    text = _ENCODER.encode(values)
    # JSON columns may hold half a character, which strict UTF-8 refuses.
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8, key=key).hexdigest()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns rules may read, as the real source types them, by relation."""

    lead: Mapping[str, ColumnType]
    enrichment: Mapping[str, ColumnType]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What the source says the other columns are, such as `enrichment.tags`: ARRAY."""
    known_from: str | None = None
    """The file that the columns are known from; None if the source itself was asked."""


class _Row:
    """What the two relations' rows have in common."""

    __slots__ = ()
    columns: Mapping[str, Any]
    own: Mapping[str, Any]
    unfit: Mapping[str, str]

    def to_write(self, column: str) -> Any:  # noqa: ANN401 - any column's
        """A value as it is written onto the lead: the source's own."""
        return self.own.get(column, self.columns.get(column))


@dataclass(frozen=True, slots=True)
class Lead(_Row):
    """A row of the source's leads: one lead in LeadByte's quarantine."""

    lead_id: str
    quarantined_at: datetime
    columns: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)
    """As those of `Enrichment`."""
    differing: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Of a lead on several rows, the values of all its rows by column, where they differ; this is the earliest."""


@dataclass(frozen=True, slots=True)
class Enrichment(_Row):
    """The outside data that has arrived for a lead: the latest row, by column."""

    lead_id: str
    updated_at: datetime | None
    columns: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    """Those that the source has in another form than rules see, in its own: a date that is an instant to rules."""
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Columns that hold something which is not of their type and counts as missing, and how it is written."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """What other rules say of the same lead, which nobody acts on; `agrees` with the verdict of the live ones."""

    verdict: Verdict
    rule: str | None
    policy_version: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of one lead, and why. `rule` is None when `otherwise` decided."""

    verdict: Verdict
    rule: str | None
    reason: str
    policy_version: str
    late: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    unanswered: Sequence[str] = ()
    """Rules before the matching one whose condition read a missing value, as `rule: column, column`."""
    trace: Sequence[int | Sequence[int] | None] | None = None
    """For each rule tried before, the number of the condition that failed; None where it had no answer.

    A pair where the condition can fail in several ways: the second number is that of the way, from 0.
    -1 where none under `any` held. Conditions are numbered from 0: those under `all`, `any`, then `none`.
    """
    decided_by: str | None = None
    """The person whose override it follows; None where the rules decided."""
    paused: bool = False
    """Held by a pause, not by a rule: the lead stays ready, and is decided again."""
    observed: bool = False
    """Made while `delivery.observe` was on: nothing was sent, and the lead is decided again when it is off."""
    capped: bool = False
    """For review or held, since budgets have no room for its act."""
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a decision went by: the columns that were read, such as enrichment.score, and a hash of their values."""

    columns: Sequence[str]
    data_hash: str


@dataclass(frozen=True, slots=True)
class Parked:
    """An entry in review or failed that is decided anew when what was `seen` has changed; None: not known."""

    lead_id: str
    had_data: bool
    """Whether enrichment was ever seen for it."""
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class SourceReading:
    """One look at the source: when, and how new its newest enrichment row was. `healthy` lets deadlines fall due."""

    read_at: datetime
    newest_at: datetime | None
    """Of the stamps that are not of the future."""
    healthy: bool
    problem: str | None = None
    """Why it is not healthy."""
    latest_at: datetime | None = None
    """The newest stamp of all."""
    faults: Faults = field(default_factory=Faults)
    """What is wrong with the stamps of rows."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that waits for its enrichment, or is held: then `held_until` says when it is decided again anyway."""

    lead_id: str
    quarantined_at: datetime
    missing: Sequence[str] | None
    data_hash: str | None
    held_until: datetime | None
    deadline: timedelta | None = None
    """Its own, by a rule of wait.deadlines; None: the pipeline's."""
    arrivals: Arrivals | None = None
    """When what it waits for came, as far as it was noted."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the source found for a waiting entry: complete, late, or still `missing` something."""

    lead_id: str
    missing: Sequence[str]
    data_hash: str | None
    due: bool
    """Whether the lead is to be decided now."""
    late: bool = False
    deadline: timedelta | None = None
    """As that of `Waiting`."""
