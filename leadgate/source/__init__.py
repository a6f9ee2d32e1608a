"""The user's own database, read and never written: who waits, what has arrived for them, and how fresh it is."""

from leadgate.source.known import KnownColumns as KnownColumns
from leadgate.source.known import know_columns as know_columns
from leadgate.source.reader import Source as Source
