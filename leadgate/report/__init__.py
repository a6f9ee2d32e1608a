"""The page that says how a pipeline does: one HTML file with its pictures inside, from the ledger alone.

Nothing heavy is imported until a page is made: drawing needs altair, which takes a second to load.
"""

from leadgate.report.facts import Facts as Facts
from leadgate.report.facts import read_facts as read_facts
from leadgate.report.file import write_report as write_report
