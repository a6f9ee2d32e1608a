-- A role of PostgreSQL that may read leadgate's views and nothing else of the ledger (docs/warehouse.md).
-- Run it in the ledger's database as the ledger's owner or a superuser; write a password, and the schema if it is another.
CREATE ROLE leadgate_reader LOGIN PASSWORD 'change-me';
GRANT USAGE ON SCHEMA public TO leadgate_reader;
GRANT SELECT ON leadgate_leads, leadgate_decisions, leadgate_requests TO leadgate_reader;
ALTER ROLE leadgate_reader SET default_transaction_read_only = on;
