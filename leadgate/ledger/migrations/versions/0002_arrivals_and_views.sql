-- When what a lead waits for came, and the views for other programs. Never edited once it is released.

ALTER TABLE leadgate_entries ADD COLUMN arrivals JSON;

CREATE TABLE leadgate_settled (
    pipeline VARCHAR(63) NOT NULL,
    state VARCHAR(12) NOT NULL,
    inferred BOOLEAN NOT NULL,
    leads BIGINT NOT NULL,
    CONSTRAINT leadgate_settled_pk PRIMARY KEY (pipeline, state, inferred)
);

INSERT INTO leadgate_settled (pipeline, state, inferred, leads)
SELECT pipeline, state, inferred, count(*) FROM leadgate_entries
WHERE settled_at IS NOT NULL GROUP BY pipeline, state, inferred;

DROP INDEX leadgate_entries_for_people;

CREATE INDEX leadgate_entries_for_people ON leadgate_entries (pipeline, state, lead_id)
WHERE state = 'review' or state = 'failed' or state = 'withdrawn';

DROP INDEX leadgate_entries_in_doubt;

CREATE INDEX leadgate_entries_in_doubt ON leadgate_entries (pipeline, state) WHERE doubt_since is not null;

CREATE INDEX leadgate_decisions_made ON leadgate_decisions (pipeline, decided_at);

ALTER TABLE leadgate_decisions RENAME TO leadgate_entry_decisions;

CREATE VIEW leadgate_leads AS
SELECT
    e.pipeline,
    e.lead_id,
    e.state,
    e.quarantined_at,
    e.registered_at,
    e.arrived_at AS complete_at,
    e.late,
    d.decided_at,
    d.verdict,
    d.rule,
    d.reason,
    d.policy_version,
    d.decided_by,
    e.settled_at,
    e.inferred,
    e.doubt_since IS NOT NULL AS in_doubt,
    o.verdict AS last_word,
    o.decided_by AS last_word_by,
    o.decided_at AS last_word_at
FROM leadgate_entries e
LEFT JOIN leadgate_entry_decisions d
    ON d.pipeline = e.pipeline AND d.lead_id = e.lead_id AND d.token = e.decided_token
LEFT JOIN leadgate_overrides o
    ON o.pipeline = e.pipeline AND o.lead_id = e.lead_id AND o.token = (
        SELECT max(w.token) FROM leadgate_overrides w WHERE w.pipeline = e.pipeline AND w.lead_id = e.lead_id
    );

CREATE VIEW leadgate_decisions AS
SELECT
    d.pipeline,
    d.lead_id,
    d.token AS decision,
    d.decided_at,
    d.verdict,
    d.rule,
    d.reason,
    d.policy_version,
    d.late,
    d.decided_by,
    d.paused,
    d.observed,
    d.capped,
    coalesce(e.decided_token = d.token, false) AS stands
FROM leadgate_entry_decisions d
JOIN leadgate_entries e ON e.pipeline = d.pipeline AND e.lead_id = d.lead_id;

CREATE VIEW leadgate_requests AS
SELECT
    a.pipeline,
    a.lead_id,
    a.request_id,
    a.token AS decision,
    a.kind,
    a.action,
    a.sent_at,
    a.answered_at,
    a.outcome,
    a.http_status
FROM leadgate_attempts a;
