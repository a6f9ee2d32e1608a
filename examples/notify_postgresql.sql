-- Wake leadgate at once: put this on a PostgreSQL source that has the tables of source_postgresql.sql.
-- psql -f notify_postgresql.sql, as the owner of the tables. leadgate needs no more rights than before.
--
-- Once a statement, however many rows it writes, and told when its transaction commits. Of several in one transaction
-- PostgreSQL delivers one. A notification carries nothing: it makes leadgate look sooner, and none is ever needed.

CREATE FUNCTION leadgate_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY leadgate;
    RETURN NULL;
END
$$;

CREATE TRIGGER leadgate_notify AFTER INSERT OR UPDATE ON lead_enrichment
FOR EACH STATEMENT EXECUTE FUNCTION leadgate_notify();

CREATE TRIGGER leadgate_notify AFTER INSERT ON quarantined_leads
FOR EACH STATEMENT EXECUTE FUNCTION leadgate_notify();
