-- A source leadgate can read, on PostgreSQL: who waits, and what arrives for them.
-- psql -f source_postgresql.sql, then `source.url: postgresql://leadgate_reader:PASSWORD@HOST/DATABASE`.

CREATE TABLE quarantined_leads (
    quarantine_id bigint PRIMARY KEY,
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    campaign text
);

CREATE TABLE lead_enrichment (
    quarantine_id bigint PRIMARY KEY,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    postcode text,
    mobile text,
    phone_verified boolean,
    score double precision,
    opted_out boolean
);

-- "How fresh is the source?" then reads one entry of an index.
CREATE INDEX lead_enrichment_updated_at ON lead_enrichment (updated_at);

-- updated_at must move with every change, whoever makes it.
CREATE FUNCTION lead_enrichment_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.updated_at := clock_timestamp();
    RETURN new;
END
$$;
CREATE TRIGGER lead_enrichment_touch BEFORE UPDATE ON lead_enrichment
FOR EACH ROW EXECUTE FUNCTION lead_enrichment_touch();

-- A user that can read these two tables and nothing else:
-- CREATE ROLE leadgate_reader LOGIN PASSWORD '...';
-- GRANT USAGE ON SCHEMA public TO leadgate_reader;
-- GRANT SELECT ON quarantined_leads, lead_enrichment TO leadgate_reader;
