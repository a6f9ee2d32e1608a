"""The ledger's tables that are about no lead: which runs are at work or to come, and how many leads are settled."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, PrimaryKeyConstraint, String, Table

from leadgate.ledger.instants import UtcDateTime
from leadgate.ledger.source_tables import metadata

seats = Table(
    "leadgate_seats",
    metadata,
    Column("pipeline", String(63), nullable=False),
    Column("seat", String(10), nullable=False, comment="of the run at work, or of the one to come"),
    Column("owner", String(100), nullable=False),
    Column("until", UtcDateTime, nullable=False, comment="renewed while the run lives; then the seat is free"),
    PrimaryKeyConstraint("pipeline", "seat", name="leadgate_seats_pk"),
    CheckConstraint("seat in ('at_work', 'to_come')", name="leadgate_seats_seat_is_known"),
)

settled = Table(
    "leadgate_settled",
    metadata,
    Column("pipeline", String(63), nullable=False),
    Column("state", String(12), nullable=False, comment="processed, rejected, gone or discarded"),
    Column("inferred", Boolean, nullable=False),
    Column("leads", BigInteger, nullable=False, comment="kept by triggers of leadgate_entries"),
    PrimaryKeyConstraint("pipeline", "state", "inferred", name="leadgate_settled_pk"),
)
