"""The only place that builds the parts of a pipeline from its file, and the only one that reads the clock.

Each module imports what it builds, so that a verb that looks into the ledger loads the ledger and nothing else.
"""
