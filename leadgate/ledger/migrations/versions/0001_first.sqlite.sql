-- The ledger's tables as leadgate 0.1.0 made them. Released: never edited; what changes is a new migration.

CREATE TABLE leadgate_readings (
    pipeline VARCHAR(63) NOT NULL,
    read_at DATETIME NOT NULL,
    newest_at DATETIME,
    healthy BOOLEAN NOT NULL,
    healthy_at DATETIME,
    CONSTRAINT leadgate_readings_pk PRIMARY KEY (pipeline)
);

CREATE TABLE leadgate_standstills (
    pipeline VARCHAR(63) NOT NULL,
    began_at DATETIME NOT NULL,
    ended_at DATETIME,
    problem TEXT NOT NULL,
    CONSTRAINT leadgate_standstills_pk PRIMARY KEY (pipeline, began_at)
);

CREATE UNIQUE INDEX leadgate_standstills_open ON leadgate_standstills (pipeline) WHERE ended_at is null;

CREATE TABLE leadgate_marks (
    pipeline VARCHAR(63) NOT NULL,
    relation VARCHAR(10) NOT NULL,
    position DATETIME,
    moved_at DATETIME,
    read_at DATETIME NOT NULL,
    compared_to TEXT,
    compared_at DATETIME,
    compared_rows INTEGER DEFAULT '0' NOT NULL,
    faults JSON NOT NULL,
    growing JSON NOT NULL,
    CONSTRAINT leadgate_marks_pk PRIMARY KEY (pipeline, relation)
);

CREATE TABLE leadgate_seats (
    pipeline VARCHAR(63) NOT NULL,
    seat VARCHAR(10) NOT NULL,
    owner VARCHAR(100) NOT NULL,
    until DATETIME NOT NULL,
    CONSTRAINT leadgate_seats_pk PRIMARY KEY (pipeline, seat),
    CONSTRAINT leadgate_seats_seat_is_known CHECK (seat in ('at_work', 'to_come'))
);

CREATE TABLE leadgate_pipelines (
    pipeline VARCHAR(63) NOT NULL,
    account VARCHAR(300),
    source TEXT,
    created_at DATETIME NOT NULL,
    hash_key VARCHAR(64) NOT NULL,
    may_have_acted_before DATETIME,
    has_seen_all BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT leadgate_pipelines_pk PRIMARY KEY (pipeline)
);

CREATE TABLE leadgate_entries (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    state VARCHAR(12) NOT NULL,
    quarantined_at DATETIME NOT NULL,
    registered_at DATETIME NOT NULL,
    due_at DATETIME,
    missing JSON,
    deadline BIGINT DEFAULT '0' NOT NULL,
    data_hash VARCHAR(16),
    arrived_at DATETIME,
    late BOOLEAN DEFAULT false NOT NULL,
    refusals INTEGER DEFAULT '0' NOT NULL,
    token INTEGER DEFAULT '0' NOT NULL,
    lease_owner VARCHAR(100),
    lease_until DATETIME,
    decided_token INTEGER,
    updated_hash VARCHAR(16),
    note TEXT,
    inferred BOOLEAN DEFAULT false NOT NULL,
    settled_at DATETIME,
    absent_since DATETIME,
    written_at DATETIME,
    override_token INTEGER,
    doubt_since DATETIME,
    doubt_action VARCHAR(8),
    doubt_theirs DATETIME,
    seen JSON,
    acted_again BOOLEAN DEFAULT false NOT NULL,
    account VARCHAR(300) NOT NULL,
    CONSTRAINT leadgate_entries_pk PRIMARY KEY (pipeline, lead_id),
    CONSTRAINT leadgate_entries_state_is_known CHECK (state in ('waiting', 'ready', 'sending', 'unknown', 'review', 'processed', 'rejected', 'gone', 'withdrawn', 'failed', 'discarded')),
    CONSTRAINT leadgate_entries_lease_is_whole CHECK ((lease_owner is null) = (lease_until is null)),
    CONSTRAINT leadgate_entries_sending_has_lease CHECK (state <> 'sending' or lease_owner is not null),
    CONSTRAINT leadgate_entries_lease_is_for_work CHECK (lease_owner is null or state in ('ready', 'sending', 'unknown')),
    CONSTRAINT leadgate_entries_settled_is_final CHECK ((settled_at is not null) = (state in ('discarded', 'gone', 'processed', 'rejected'))),
    CONSTRAINT leadgate_entries_acts_are_decided CHECK (state not in ('sending', 'unknown', 'processed', 'rejected') or decided_token is not null),
    CONSTRAINT leadgate_entries_decided_when_claimed CHECK (decided_token between 1 and token),
    CONSTRAINT leadgate_entries_override_has_token CHECK (override_token between 1 and token),
    CONSTRAINT leadgate_entries_work_is_due CHECK (state not in ('ready', 'unknown') or due_at is not null),
    CONSTRAINT leadgate_entries_inferred_is_acted CHECK (not inferred or state in ('processed', 'rejected')),
    CONSTRAINT leadgate_entries_failed_has_reason CHECK (state <> 'failed' or note is not null),
    CONSTRAINT leadgate_entries_unknown_is_doubted CHECK (state <> 'unknown' or doubt_since is not null),
    CONSTRAINT leadgate_entries_settled_is_not_doubted CHECK (settled_at is null or doubt_since is null),
    CONSTRAINT leadgate_entries_doubt_is_known CHECK (doubt_action in ('process', 'reject')),
    CONSTRAINT leadgate_entries_doubt_has_time CHECK (doubt_since is not null or doubt_action is null)
);

CREATE INDEX leadgate_entries_leased ON leadgate_entries (pipeline, lease_until) WHERE lease_until is not null;

CREATE INDEX leadgate_entries_for_people ON leadgate_entries (pipeline, state, lead_id) WHERE state in ('review', 'failed');

CREATE INDEX leadgate_entries_in_doubt ON leadgate_entries (state) WHERE doubt_action is not null;

CREATE INDEX leadgate_entries_by_age ON leadgate_entries (pipeline, deadline, quarantined_at, lead_id) WHERE state = 'waiting' and due_at is null;

CREATE INDEX leadgate_entries_waiting ON leadgate_entries (pipeline, lead_id) WHERE state = 'waiting';

CREATE INDEX leadgate_entries_absent ON leadgate_entries (pipeline, absent_since) WHERE absent_since is not null;

CREATE INDEX leadgate_entries_held ON leadgate_entries (pipeline, due_at, lead_id) WHERE state = 'waiting' and due_at is not null;

CREATE INDEX leadgate_entries_new ON leadgate_entries (pipeline, lead_id) WHERE state = 'waiting' and missing is null;

CREATE INDEX leadgate_entries_unknown ON leadgate_entries (pipeline, due_at) WHERE state = 'unknown';

CREATE UNIQUE INDEX leadgate_entries_account ON leadgate_entries (account, lead_id);

CREATE INDEX leadgate_entries_ready ON leadgate_entries (pipeline, due_at, lead_id) WHERE state = 'ready';

CREATE INDEX leadgate_entries_taken ON leadgate_entries (pipeline, state, settled_at) WHERE settled_at is not null;

CREATE TABLE leadgate_decisions (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    token INTEGER NOT NULL,
    decided_at DATETIME NOT NULL,
    policy_version VARCHAR(32) NOT NULL,
    verdict VARCHAR(8) NOT NULL,
    rule VARCHAR(100),
    reason TEXT NOT NULL,
    late BOOLEAN NOT NULL,
    facts JSON NOT NULL,
    unanswered JSON NOT NULL,
    trace JSON,
    decided_by VARCHAR(250),
    paused BOOLEAN DEFAULT false NOT NULL,
    observed BOOLEAN DEFAULT false NOT NULL,
    capped BOOLEAN DEFAULT false NOT NULL,
    shadow JSON,
    CONSTRAINT leadgate_decisions_pk PRIMARY KEY (pipeline, lead_id, token),
    CONSTRAINT leadgate_decisions_verdict_is_known CHECK (verdict in ('process', 'reject', 'hold', 'review')),
    CONSTRAINT leadgate_decisions_paused_is_held CHECK (not paused or verdict = 'hold'),
    CONSTRAINT leadgate_decisions_capped_is_no_act CHECK (not capped or verdict in ('review', 'hold'))
);

CREATE TABLE leadgate_attempts (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    request_id VARCHAR(32) NOT NULL,
    token INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    action VARCHAR(8),
    fields JSON NOT NULL,
    payload_hash VARCHAR(16),
    owner VARCHAR(100) NOT NULL,
    sent_at DATETIME NOT NULL,
    answered_at DATETIME,
    outcome VARCHAR(12),
    http_status INTEGER,
    message TEXT DEFAULT '' NOT NULL,
    shape VARCHAR(200),
    CONSTRAINT leadgate_attempts_pk PRIMARY KEY (pipeline, lead_id, request_id),
    CONSTRAINT leadgate_attempts_kind_is_known CHECK (kind in ('update', 'update_and_act', 'act', 'probe', 'control')),
    CONSTRAINT leadgate_attempts_action_is_known CHECK (action in ('process', 'reject')),
    CONSTRAINT leadgate_attempts_outcome_is_known CHECK (outcome in ('taken', 'refused', 'in_doubt', 'gone')),
    CONSTRAINT leadgate_attempts_outcome_has_time CHECK ((outcome is null) = (answered_at is null)),
    CONSTRAINT leadgate_attempts_act_has_action CHECK ((action is not null) = (kind in ('update_and_act', 'act')))
);

CREATE INDEX leadgate_attempts_acts ON leadgate_attempts (pipeline, action, answered_at, outcome) WHERE action is not null and (outcome is null or outcome in ('taken', 'in_doubt'));

CREATE UNIQUE INDEX leadgate_attempts_open ON leadgate_attempts (pipeline, lead_id) WHERE outcome is null;

CREATE INDEX leadgate_attempts_controls ON leadgate_attempts (pipeline, sent_at) WHERE kind = 'control';

CREATE TABLE leadgate_policies (
    pipeline VARCHAR(63) NOT NULL,
    version VARCHAR(32) NOT NULL,
    first_used_at DATETIME NOT NULL,
    text TEXT NOT NULL,
    CONSTRAINT leadgate_policies_pk PRIMARY KEY (pipeline, version)
);

CREATE TABLE leadgate_overrides (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    token INTEGER NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    reason TEXT NOT NULL,
    decided_by VARCHAR(250) NOT NULL,
    decided_at DATETIME NOT NULL,
    CONSTRAINT leadgate_overrides_pk PRIMARY KEY (pipeline, lead_id, token),
    CONSTRAINT leadgate_overrides_verdict_is_known CHECK (verdict in ('process', 'reject', 'wait', 'again', 'was-processed', 'was-rejected', 'not-taken', 'discard'))
);

CREATE TABLE leadgate_pauses (
    pipeline VARCHAR(63) NOT NULL,
    paused_at DATETIME NOT NULL,
    paused_by VARCHAR(250) NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT leadgate_pauses_pk PRIMARY KEY (pipeline)
);

CREATE TABLE leadgate_alarms (
    pipeline VARCHAR(63) NOT NULL,
    alarm VARCHAR(20) NOT NULL,
    since DATETIME NOT NULL,
    told BOOLEAN NOT NULL,
    CONSTRAINT leadgate_alarms_pk PRIMARY KEY (pipeline, alarm)
);

CREATE TABLE leadgate_rates (
    account VARCHAR(300) NOT NULL,
    next_at DOUBLE NOT NULL,
    CONSTRAINT leadgate_rates_pk PRIMARY KEY (account)
);

CREATE TABLE leadgate_brakes (
    account VARCHAR(300) NOT NULL,
    is_on BOOLEAN NOT NULL,
    since DATETIME NOT NULL,
    lone_until DATETIME,
    in_vain INTEGER DEFAULT '0' NOT NULL,
    closed_until DATETIME,
    CONSTRAINT leadgate_brakes_pk PRIMARY KEY (account)
);

CREATE TABLE leadgate_forgotten (
    pipeline VARCHAR(63) NOT NULL,
    hash VARCHAR(32) NOT NULL,
    CONSTRAINT leadgate_forgotten_pk PRIMARY KEY (pipeline, hash)
);
