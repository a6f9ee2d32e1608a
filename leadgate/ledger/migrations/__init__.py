"""The ledger's migrations, run by themselves when a ledger is opened (see leadgate/ledger/engine.py)."""
