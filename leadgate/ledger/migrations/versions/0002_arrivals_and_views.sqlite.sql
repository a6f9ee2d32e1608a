-- What SQLite keeps beside what is in the file for both databases.

CREATE TABLE leadgate_kept AS SELECT * FROM leadgate_overrides;

DROP TABLE leadgate_overrides;

CREATE TABLE leadgate_overrides (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    token INTEGER NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    reason TEXT NOT NULL,
    decided_by VARCHAR(250) NOT NULL,
    decided_at DATETIME NOT NULL,
    CONSTRAINT leadgate_overrides_pk PRIMARY KEY (pipeline, lead_id, token),
    CONSTRAINT leadgate_overrides_verdict_is_known CHECK (verdict in ('process', 'reject', 'wait', 'again', 'undo', 'was-processed', 'was-rejected', 'not-taken', 'discard'))
);

INSERT INTO leadgate_overrides SELECT * FROM leadgate_kept;

DROP TABLE leadgate_kept;

CREATE TRIGGER leadgate_entries_come AFTER INSERT ON leadgate_entries WHEN new.settled_at IS NOT NULL
BEGIN
    INSERT INTO leadgate_settled (pipeline, state, inferred, leads) VALUES (new.pipeline, new.state, new.inferred, 1)
    ON CONFLICT (pipeline, state, inferred) DO UPDATE SET leads = leads + 1;
END;

CREATE TRIGGER leadgate_entries_change AFTER UPDATE OF state, inferred, settled_at ON leadgate_entries
WHEN (old.settled_at IS NULL) <> (new.settled_at IS NULL)
OR new.settled_at IS NOT NULL AND (old.state <> new.state OR old.inferred <> new.inferred)
BEGIN
    UPDATE leadgate_settled SET leads = leads - 1 WHERE old.settled_at IS NOT NULL
    AND pipeline = old.pipeline AND state = old.state AND inferred = old.inferred;
    INSERT INTO leadgate_settled (pipeline, state, inferred, leads)
    SELECT new.pipeline, new.state, new.inferred, 1 WHERE new.settled_at IS NOT NULL
    ON CONFLICT (pipeline, state, inferred) DO UPDATE SET leads = leads + 1;
END;

CREATE TRIGGER leadgate_entries_go AFTER DELETE ON leadgate_entries WHEN old.settled_at IS NOT NULL
BEGIN
    UPDATE leadgate_settled SET leads = leads - 1
    WHERE pipeline = old.pipeline AND state = old.state AND inferred = old.inferred;
END;

-- How a large ledger's rows are spread, so that SQLite finds leads by the partial indexes whatever this one holds now:
-- what it would otherwise take for few is a pipeline's entries. https://www.sqlite.org/fileformat2.html#stat1tab

ANALYZE leadgate_settled;

DELETE FROM sqlite_stat1;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('leadgate_entries', 'sqlite_autoindex_leadgate_entries_1', '5000000 5000000 1'),
    ('leadgate_entries', 'leadgate_entries_account', '5000000 5000000 1'),
    ('leadgate_entries', 'leadgate_entries_taken', '5000000 5000000 2500000 10'),
    ('leadgate_entries', 'leadgate_entries_waiting', '20000 20000 1'),
    ('leadgate_entries', 'leadgate_entries_new', '1000 1000 1'),
    ('leadgate_entries', 'leadgate_entries_held', '10000 10000 100 1'),
    ('leadgate_entries', 'leadgate_entries_by_age', '10000 10000 5000 10 1'),
    ('leadgate_entries', 'leadgate_entries_ready', '1000 1000 100 1'),
    ('leadgate_entries', 'leadgate_entries_leased', '1000 1000 500'),
    ('leadgate_entries', 'leadgate_entries_unknown', '100 100 10'),
    ('leadgate_entries', 'leadgate_entries_for_people', '1000 1000 500 1'),
    ('leadgate_entries', 'leadgate_entries_absent', '100 100 10'),
    ('leadgate_entries', 'leadgate_entries_in_doubt', '1000 1000 500'),
    ('leadgate_entry_decisions', 'sqlite_autoindex_leadgate_entry_decisions_1', '6000000 6000000 2 1'),
    ('leadgate_entry_decisions', 'leadgate_decisions_made', '6000000 6000000 100'),
    ('leadgate_attempts', 'sqlite_autoindex_leadgate_attempts_1', '6000000 6000000 2 1'),
    ('leadgate_attempts', 'leadgate_attempts_acts', '5000000 5000000 2500000 100 100'),
    ('leadgate_attempts', 'leadgate_attempts_open', '1000 1000 1'),
    ('leadgate_attempts', 'leadgate_attempts_controls', '1000 1000 2');

ANALYZE sqlite_schema;
