"""Every error a user can meet, as one tree. Nothing here knows how an error is shown.

LeadgateError
├── ConfigError            the pipeline file, the environment or the rules are wrong: exit code 2
│   └── PolicyError        a rule is wrong
├── BlockUnavailable       a Prefect server that keeps a secret cannot be reached right now: worth another try
├── SourceError            the user's database: a table, column or value is not as the file says: exit code 2
│   └── SourceUnavailable  it cannot be reached right now: worth another try
├── LedgerError            the ledger cannot be used (newer version, wrong address): exit code 2
│   └── LedgerUnavailable  it cannot be reached right now: worth another try
├── PrefectServerError     the Prefect server that a run needs did not start, or does not answer: worth another try
├── UnexpectedError       something that nobody foresaw, by its type and place: exit code 1
└── LeadByteError          LeadByte refused the whole key or address, or cannot be reached
    ├── KeyRefused         401 or 403: nothing more is sent with this key
    └── LeadByteUnavailable  no connection, or asked to come back later: worth another try

The message of each names the file, path, rule, column or lead, and ends with what to do next.
"""

from collections.abc import Sequence


class LeadgateError(Exception):
    """Something the user can act on; the message says what and how."""


class ConfigError(LeadgateError):
    """The pipeline file (or what it names) is wrong; `problems` lists every fault found."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class PolicyError(ConfigError):
    """A rule does not parse, reads a column that does not exist, or compares what cannot be compared."""


class BlockUnavailable(LeadgateError):
    """The Prefect server that keeps a block cannot be reached right now."""


class SourceError(LeadgateError):
    """A table, column or value of the source database is not what the pipeline file says."""


class SourceUnavailable(SourceError):
    """The source database cannot be reached right now."""


class LedgerError(LeadgateError):
    """The ledger cannot be used as it is."""


class LedgerUnavailable(LedgerError):
    """The ledger's database cannot be reached right now."""


class PrefectServerError(LeadgateError):
    """The Prefect server that a run needs did not start, does not answer any more, or wants another password."""


class UnexpectedError(LeadgateError):
    """Something that nobody foresaw, a defect of leadgate; the message names its type and place."""


class LeadByteError(LeadgateError):
    """LeadByte did not take a request for a reason that concerns every lead."""


class KeyRefused(LeadByteError):
    """LeadByte refused the API key or a permission of it (401 or 403)."""


class LeadByteUnavailable(LeadByteError):
    """LeadByte cannot be reached, or asked us to come back later."""


def problems_of(error: LeadgateError) -> list[str]:
    """The faults an error names, one by one."""
    if isinstance(error, ConfigError):
        return error.problems
    return str(error).splitlines() if isinstance(error, SourceError) else [str(error)]
