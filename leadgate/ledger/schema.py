"""The ledger's tables and what they refuse; their indexes are in indexes.py. Nothing here reads or writes.

An entry is a lead's row. `token` counts its claims: what a run records is accepted only under the token of its claim.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    and_,
    literal_column,
    text,
)
from sqlalchemy.schema import SchemaItem, conv
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from leadgate.ledger.instants import UtcDateTime as UtcDateTime  # noqa: PLC0414 - others take it from here
from leadgate.model import FINAL_STATES, Resolution, State

REVISION = "second"  # the newest migration; a test holds it equal to the migrations' head


def _listed(words: Iterable[StrEnum]) -> str:
    return f"({', '.join(repr(word.value) for word in words)})"


metadata = MetaData(naming_convention={"pk": "%(table_name)s_pk", "ck": "%(table_name)s_%(constraint_name)s"})


def _table(name: str, *columns_and_rules: SchemaItem) -> Table:
    """A table whose primary key begins with the pipeline."""
    return Table(name, metadata, Column("pipeline", String(63), primary_key=True), *columns_and_rules)


def _flag(name: str, comment: str | None = None, *, default: str = "false") -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text(default), comment=comment)


pipelines = Table(
    "leadgate_pipelines",
    metadata,
    Column("pipeline", String(63), primary_key=True, comment="empty: made by init, for the first pipeline that runs"),
    Column("account", String(300), comment="the LeadByte account; null until a run has found it in a block"),
    Column("source", Text, comment="the source's database and leads' table, without host and user; null as above"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("hash_key", String(64), nullable=False, comment="of the hashes of values"),
    Column("may_have_acted_before", UtcDateTime, comment="acts before it may be missing from this ledger; null: none"),
    _flag(
        "has_seen_all",
        "whether every lead of the source was gone through since; leads registered before that count as older",
        default="true",
    ),
)

entries = _table(
    "leadgate_entries",
    Column("lead_id", String(200), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("quarantined_at", UtcDateTime, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, comment="not before: decide (ready), look again (waiting, held), probe (unknown)"),
    Column("missing", JSON, comment="required columns that were still null when last looked at"),
    Column(
        "deadline",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="in seconds, by a rule of wait.deadlines when last looked at; 0: the pipeline's",
    ),
    Column("data_hash", String(16), comment="of the enrichment last seen: a change ends a hold"),
    Column("arrived_at", UtcDateTime, comment="when the enrichment was first seen complete"),
    _flag("late"),
    Column("refusals", Integer, nullable=False, server_default="0", comment="refusals that were about this lead"),
    Column("token", Integer, nullable=False, server_default="0", comment="grows with each claim: the fencing token"),
    Column("lease_owner", String(100)),
    Column("lease_until", UtcDateTime),
    Column("decided_token", Integer, comment="the claim under which the standing decision was made"),
    Column("updated_hash", String(16), comment="of the last payload LeadByte took: it is not sent again"),
    Column("note", Text, comment="why the entry is where it is, in LeadByte's words where it has some"),
    _flag("inferred", comment="settled, and no answer says so"),
    Column("settled_at", UtcDateTime),
    Column("absent_since", UtcDateTime, comment="since when a healthy source has had no row of the lead"),
    Column("written_at", UtcDateTime, comment="when due_at and lease_until were last set: never ahead of the clock"),
    Column("override_token", Integer, comment="the override that stands in place of the rules"),
    Column("doubt_since", UtcDateTime, comment="since when an act may have been taken that nobody can vouch for"),
    Column("doubt_action", String(8), comment="which act is in doubt; null: one that this ledger does not know of"),
    Column("doubt_theirs", UtcDateTime, comment="doubt_since by LeadByte's clock, where it was known"),
    Column("seen", JSON(none_as_null=True), comment="review, failed: the columns read, and a hash of their values"),
    _flag("acted_again", comment="evidence freed it once"),
    Column(
        "account", String(300), nullable=False, comment="of its pipeline: no other pipeline of the account has the lead"
    ),
    Column("arrivals", JSON(none_as_null=True), comment="by required column: [last not there, first seen], or null"),
    CheckConstraint(f"state in {_listed(State)}", name="state_is_known"),
    CheckConstraint("(lease_owner is null) = (lease_until is null)", name="lease_is_whole"),
    CheckConstraint("state <> 'sending' or lease_owner is not null", name="sending_has_lease"),
    CheckConstraint("lease_owner is null or state in ('ready', 'sending', 'unknown')", name="lease_is_for_work"),
    CheckConstraint(f"(settled_at is not null) = (state in {_listed(sorted(FINAL_STATES))})", name="settled_is_final"),
    CheckConstraint(
        "state not in ('sending', 'unknown', 'processed', 'rejected') or decided_token is not null",
        name="acts_are_decided",
    ),
    CheckConstraint("decided_token between 1 and token", name="decided_when_claimed"),
    CheckConstraint("override_token between 1 and token", name="override_has_token"),
    # Without an instant nobody would ever look at it again.
    CheckConstraint("state not in ('ready', 'unknown') or due_at is not null", name="work_is_due"),
    CheckConstraint("not inferred or state in ('processed', 'rejected')", name="inferred_is_acted"),
    CheckConstraint("state <> 'failed' or note is not null", name="failed_has_reason"),
    CheckConstraint("state <> 'unknown' or doubt_since is not null", name="unknown_is_doubted"),
    CheckConstraint("settled_at is null or doubt_since is null", name="settled_is_not_doubted"),
    CheckConstraint("doubt_action in ('process', 'reject')", name="doubt_is_known"),
    CheckConstraint("doubt_since is not null or doubt_action is null", name="doubt_has_time"),
)

decisions = _table(
    # leadgate_decisions is the view for others; the names of its rules are older.
    "leadgate_entry_decisions",
    Column("lead_id", String(200), primary_key=True),
    Column("token", Integer, primary_key=True),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("policy_version", String(32), nullable=False),
    Column("verdict", String(8), nullable=False),
    Column("rule", String(100), comment="null: no rule matched, `otherwise` decided"),
    Column("reason", Text, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("facts", JSON, nullable=False, comment="values of the columns in keep_facts, no others"),
    Column("unanswered", JSON, nullable=False, comment="rules that could not be answered, and the missing columns"),
    Column("trace", JSON(none_as_null=True), comment="for each rule tried before: the number of the failed condition"),
    Column("decided_by", String(250), comment="whose override it follows; null: the rules"),
    _flag("paused", comment="held by a pause: the lead is ready, and is decided again"),
    _flag("observed", comment="nothing was sent for it"),
    _flag("capped", comment="one act too many for the budgets"),
    Column("shadow", JSON(none_as_null=True), comment="what the shadow rules said: verdict, rule, version, agrees"),
    PrimaryKeyConstraint(name=conv("leadgate_decisions_pk")),
    CheckConstraint(
        "verdict in ('process', 'reject', 'hold', 'review')", name=conv("leadgate_decisions_verdict_is_known")
    ),
    CheckConstraint("not paused or verdict = 'hold'", name=conv("leadgate_decisions_paused_is_held")),
    CheckConstraint("not capped or verdict in ('review', 'hold')", name=conv("leadgate_decisions_capped_is_no_act")),
)

attempts = _table(
    "leadgate_attempts",
    Column("lead_id", String(200), primary_key=True),
    Column("request_id", String(32), primary_key=True, comment="the leads of one request share it"),
    Column("token", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("action", String(8)),
    Column("fields", JSON, nullable=False, comment="names of the LeadByte fields that were written; never values"),
    Column("payload_hash", String(16)),
    Column("owner", String(100), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False, comment="committed before the request is sent"),
    Column("answered_at", UtcDateTime),
    Column("outcome", String(12), comment="null while the answer is awaited"),
    Column("http_status", Integer),
    Column("message", Text, nullable=False, server_default=""),
    Column("shape", String(200), comment="the known words of a sentence of the act that nobody understood"),
    CheckConstraint("kind in ('update', 'update_and_act', 'act', 'probe', 'control')", name="kind_is_known"),
    CheckConstraint("action in ('process', 'reject')", name="action_is_known"),
    CheckConstraint("outcome in ('taken', 'refused', 'in_doubt', 'gone')", name="outcome_is_known"),
    CheckConstraint("(outcome is null) = (answered_at is null)", name="outcome_has_time"),
    CheckConstraint("(action is not null) = (kind in ('update_and_act', 'act'))", name="act_has_action"),
)

policies = _table(
    "leadgate_policies",
    Column("version", String(32), primary_key=True),
    Column("first_used_at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
)

overrides = _table(
    "leadgate_overrides",
    Column("lead_id", String(200), primary_key=True),
    Column("token", Integer, primary_key=True, comment="one of the entry's: it fences off whoever held it before"),
    Column("verdict", String(16), nullable=False, comment="what should become of it, or what became of its act"),
    Column("reason", Text, nullable=False),
    Column("decided_by", String(250), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    CheckConstraint(f"verdict in {_listed(Resolution)}", name="verdict_is_known"),
)

pauses = _table(
    "leadgate_pauses",
    Column("paused_at", UtcDateTime, nullable=False),
    Column("paused_by", String(250), nullable=False),
    Column("reason", Text, nullable=False),
)

alarms = _table(
    "leadgate_alarms",
    Column("alarm", String(20), primary_key=True),
    Column("since", UtcDateTime, nullable=False, comment="when a run found it; the row is deleted when it is over"),
    Column("told", Boolean, nullable=False, comment="whether an event was sent that somebody may have heard"),
)

rates = Table(
    "leadgate_rates",
    metadata,
    Column("account", String(300), primary_key=True, comment="as in leadgate_pipelines"),
    Column("next_at", Double, nullable=False, comment="the next free slot, in seconds since 1970: one row an account"),
)

brakes = Table(
    "leadgate_brakes",
    metadata,
    Column("account", String(300), primary_key=True, comment="one row an account, made with its first act"),
    Column("is_on", Boolean, nullable=False, comment="the next act goes alone"),
    Column("since", UtcDateTime, nullable=False, comment="when is_on last changed"),
    Column("lone_until", UtcDateTime, comment="an act goes alone until then, or until it is answered"),
    Column("in_vain", Integer, nullable=False, server_default="0", comment="acts that went alone, and are in doubt"),
    Column("closed_until", UtcDateTime, comment="no act at all before"),
)

forgotten = _table(
    "leadgate_forgotten",
    Column(
        "hash", String(32), primary_key=True, comment="of the id, by the pipeline's hash_key: all that is kept of it"
    ),
)

readings = _table(
    "leadgate_readings",
    Column("read_at", UtcDateTime, nullable=False, comment="the newest reading only: one row a pipeline"),
    Column("newest_at", UtcDateTime, comment="of the source's newest enrichment row"),
    Column("healthy", Boolean, nullable=False),
    Column("healthy_at", UtcDateTime, comment="the newest healthy reading"),
)

standstills = _table(
    "leadgate_standstills",
    Column("began_at", UtcDateTime, primary_key=True, comment="the first reading of the source that was not healthy"),
    Column("ended_at", UtcDateTime, comment="the healthy reading that ended it; null while it lasts"),
    Column("problem", Text, nullable=False),
)

marks = _table(
    "leadgate_marks",
    Column("relation", String(10), primary_key=True),
    Column("position", UtcDateTime, comment="every row stamped before it has been read"),
    Column("moved_at", UtcDateTime, comment="when position last grew"),
    Column("read_at", UtcDateTime, nullable=False, comment="when the relation was last read forward"),
    Column("compared_to", Text, comment="where a comparison of everything has come to; null while none goes on"),
    Column("compared_at", UtcDateTime, comment="when the last whole comparison ended"),
    Column("compared_rows", Integer, nullable=False, server_default="0", comment="how many it went through"),
    Column("faults", JSON, nullable=False, comment="what was wrong with rows at the last whole comparison"),
    Column("growing", JSON, nullable=False, comment="the same of a comparison that goes on"),
)

seats = _table(
    "leadgate_seats",
    Column("seat", String(10), primary_key=True, comment="of the run at work, or of the one to come"),
    Column("owner", String(100), nullable=False),
    Column("until", UtcDateTime, nullable=False, comment="renewed while the run lives; then the seat is free"),
    CheckConstraint("seat in ('at_work', 'to_come')", name="seat_is_known"),
)

settled = _table(
    "leadgate_settled",
    Column("state", String(12), primary_key=True, comment="processed, rejected, gone or discarded"),
    Column("inferred", Boolean, primary_key=True),
    Column("leads", BigInteger, nullable=False, comment="kept by triggers of leadgate_entries"),
)

ENTRY, DECISION, ATTEMPT, OVERRIDE = entries.c, decisions.c, attempts.c, overrides.c
"""The columns of the tables that statements are mostly about."""

Columns = ReadOnlyColumnCollection[str, Any]  # of a table, of an alias of one, or of rows that were handed over


def in_state(state: State) -> ColumnElement[bool]:
    """An entry's state, written into the statement: a partial index is only used where the database can see it fits."""
    return ENTRY.state == literal_column(f"'{state.value}'")


def same_lead(one: Columns, other: Columns) -> ColumnElement[bool]:
    """Whether two rows are about one lead of one pipeline.

    Rows that are handed over carry the pipeline too: SQLite, told it by a parameter, goes through all its entries.
    """
    return and_(one.pipeline == other.pipeline, one.lead_id == other.lead_id)


def stands_for(entry: Columns) -> ColumnElement[bool]:
    """Whether a decision is the one that stands for an entry."""
    return and_(same_lead(DECISION, entry), DECISION.token == entry.decided_token)
