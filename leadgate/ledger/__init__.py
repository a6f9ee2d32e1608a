"""What leadgate remembers: a row a lead, its decisions and attempts; SQLite by default, PostgreSQL by URL."""

from leadgate.ledger.engine import open_engine
from leadgate.ledger.store import Ledger

__all__ = ["Ledger", "open_engine"]
