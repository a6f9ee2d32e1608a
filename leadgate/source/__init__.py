"""The user's own database, read and never written: who waits, what has arrived for them, and how fresh it is."""

from leadgate.source.findings import Expected as Expected
from leadgate.source.findings import Finding as Finding
from leadgate.source.findings import judge_sample as judge_sample
from leadgate.source.known import KnownColumns as KnownColumns
from leadgate.source.reader import Source as Source
from leadgate.source.sampling import Sample as Sample
