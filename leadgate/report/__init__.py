"""The page that says how a pipeline does: one HTML file with its pictures inside, from the ledger alone.

Nothing heavy is imported until a page is made: drawing needs altair, which takes a second to load.
"""

from leadgate.report.facts import Facts, read_facts
from leadgate.report.file import write_report

__all__ = ["Facts", "read_facts", "write_report"]
