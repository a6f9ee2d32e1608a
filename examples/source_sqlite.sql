-- A source leadgate can read, on SQLite: who waits, and what arrives for them.
-- sqlite3 source.db < source_sqlite.sql, then `source.url: sqlite:///source.db`.

CREATE TABLE quarantined_leads (
    quarantine_id INTEGER PRIMARY KEY,
    quarantined_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    campaign TEXT
);

-- SQLite keeps no booleans or times of their own: the declared type says how a column is meant.
CREATE TABLE lead_enrichment (
    quarantine_id INTEGER PRIMARY KEY,
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    postcode TEXT,
    mobile TEXT,
    phone_verified BOOLEAN,
    score REAL,
    opted_out BOOLEAN
);

-- "How fresh is the source?" then reads one entry of an index.
CREATE INDEX lead_enrichment_updated_at ON lead_enrichment (updated_at);

-- updated_at must move with every change, whoever makes it.
CREATE TRIGGER lead_enrichment_touch AFTER UPDATE ON lead_enrichment
WHEN new.updated_at IS old.updated_at
BEGIN
    UPDATE lead_enrichment SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    WHERE quarantine_id = new.quarantine_id;
END;
