-- A source leadgate can read, on MariaDB or MySQL: who waits, and what arrives for them.
-- mariadb DATABASE < source_mariadb.sql, then `source.url: mysql://leadgate_reader:PASSWORD@HOST/DATABASE`.

CREATE TABLE quarantined_leads (
    quarantine_id BIGINT PRIMARY KEY,
    quarantined_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    campaign VARCHAR(64)
);

CREATE TABLE lead_enrichment (
    quarantine_id BIGINT PRIMARY KEY,
    -- It must move with every change, whoever makes it.
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    postcode VARCHAR(10),
    mobile VARCHAR(20),
    phone_verified BOOLEAN,
    score DOUBLE,
    opted_out BOOLEAN
);

-- "How fresh is the source?" then reads one entry of an index.
CREATE INDEX lead_enrichment_updated_at ON lead_enrichment (updated_at);

-- A user that can read these two tables and nothing else:
-- CREATE USER leadgate_reader IDENTIFIED BY '...';
-- GRANT SELECT ON quarantined_leads TO leadgate_reader;
-- GRANT SELECT ON lead_enrichment TO leadgate_reader;
