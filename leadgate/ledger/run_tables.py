"""The ledger's table about runs: which of them are at work, or to come."""

from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, String, Table

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
