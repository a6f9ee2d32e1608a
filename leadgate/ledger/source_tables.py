"""The ledger's tables about the source: how it is, when it was not healthy, and how far it was read."""

from sqlalchemy import JSON, Boolean, Column, Integer, MetaData, PrimaryKeyConstraint, String, Table, Text

from leadgate.ledger.instants import UtcDateTime

metadata = MetaData()
"""All tables of the ledger: the others are in schema.py."""

readings = Table(
    "leadgate_readings",
    metadata,
    Column("pipeline", String(63), nullable=False),
    Column("read_at", UtcDateTime, nullable=False, comment="the newest reading only: one row a pipeline"),
    Column("newest_at", UtcDateTime, comment="of the source's newest enrichment row"),
    Column("healthy", Boolean, nullable=False),
    Column("healthy_at", UtcDateTime, comment="the newest healthy reading"),
    PrimaryKeyConstraint("pipeline", name="leadgate_readings_pk"),
)

standstills = Table(
    "leadgate_standstills",
    metadata,
    Column("pipeline", String(63), nullable=False),
    Column("began_at", UtcDateTime, nullable=False, comment="the first reading of the source that was not healthy"),
    Column("ended_at", UtcDateTime, comment="the healthy reading that ended it; null while it lasts"),
    Column("problem", Text, nullable=False),
    PrimaryKeyConstraint("pipeline", "began_at", name="leadgate_standstills_pk"),
)

marks = Table(
    "leadgate_marks",
    metadata,
    Column("pipeline", String(63), nullable=False),
    Column("relation", String(10), nullable=False),
    Column("position", UtcDateTime, comment="every row stamped before it has been read"),
    Column("moved_at", UtcDateTime, comment="when position last grew"),
    Column("read_at", UtcDateTime, nullable=False, comment="when the relation was last read forward"),
    Column("compared_to", Text, comment="where a comparison of everything has come to; null while none goes on"),
    Column("compared_at", UtcDateTime, comment="when the last whole comparison ended"),
    Column("compared_rows", Integer, nullable=False, server_default="0", comment="how many it went through"),
    Column("faults", JSON, nullable=False, comment="what was wrong with rows at the last whole comparison"),
    Column("growing", JSON, nullable=False, comment="the same of a comparison that goes on"),
    PrimaryKeyConstraint("pipeline", "relation", name="leadgate_marks_pk"),
)
