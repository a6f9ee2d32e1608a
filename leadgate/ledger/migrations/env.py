"""How Alembic reaches the ledger: over the connection it is handed, inside that connection's transaction."""

from alembic import context

import leadgate.ledger.indexes  # noqa: F401 - the tables have them from then on
from leadgate.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table="leadgate_version"
)
context.run_migrations()
