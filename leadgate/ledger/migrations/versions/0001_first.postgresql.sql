-- The ledger's tables as leadgate 0.1.0 made them. Released: never edited; what changes is a new migration.

CREATE TABLE leadgate_readings (
    pipeline VARCHAR(63) NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    newest_at TIMESTAMP WITH TIME ZONE,
    healthy BOOLEAN NOT NULL,
    healthy_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT leadgate_readings_pk PRIMARY KEY (pipeline)
);

COMMENT ON COLUMN leadgate_readings.read_at IS 'the newest reading only: one row a pipeline';

COMMENT ON COLUMN leadgate_readings.newest_at IS 'of the source''s newest enrichment row';

COMMENT ON COLUMN leadgate_readings.healthy_at IS 'the newest healthy reading';

CREATE TABLE leadgate_standstills (
    pipeline VARCHAR(63) NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    problem TEXT NOT NULL,
    CONSTRAINT leadgate_standstills_pk PRIMARY KEY (pipeline, began_at)
);

CREATE UNIQUE INDEX leadgate_standstills_open ON leadgate_standstills (pipeline) WHERE ended_at is null;

COMMENT ON COLUMN leadgate_standstills.began_at IS 'the first reading of the source that was not healthy';

COMMENT ON COLUMN leadgate_standstills.ended_at IS 'the healthy reading that ended it; null while it lasts';

CREATE TABLE leadgate_marks (
    pipeline VARCHAR(63) NOT NULL,
    relation VARCHAR(10) NOT NULL,
    position TIMESTAMP WITH TIME ZONE,
    moved_at TIMESTAMP WITH TIME ZONE,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    compared_to TEXT,
    compared_at TIMESTAMP WITH TIME ZONE,
    compared_rows INTEGER DEFAULT '0' NOT NULL,
    faults JSON NOT NULL,
    growing JSON NOT NULL,
    CONSTRAINT leadgate_marks_pk PRIMARY KEY (pipeline, relation)
);

COMMENT ON COLUMN leadgate_marks.position IS 'every row stamped before it has been read';

COMMENT ON COLUMN leadgate_marks.moved_at IS 'when position last grew';

COMMENT ON COLUMN leadgate_marks.read_at IS 'when the relation was last read forward';

COMMENT ON COLUMN leadgate_marks.compared_to IS 'where a comparison of everything has come to; null while none goes on';

COMMENT ON COLUMN leadgate_marks.compared_at IS 'when the last whole comparison ended';

COMMENT ON COLUMN leadgate_marks.compared_rows IS 'how many it went through';

COMMENT ON COLUMN leadgate_marks.faults IS 'what was wrong with rows at the last whole comparison';

COMMENT ON COLUMN leadgate_marks.growing IS 'the same of a comparison that goes on';

CREATE TABLE leadgate_seats (
    pipeline VARCHAR(63) NOT NULL,
    seat VARCHAR(10) NOT NULL,
    owner VARCHAR(100) NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT leadgate_seats_pk PRIMARY KEY (pipeline, seat),
    CONSTRAINT leadgate_seats_seat_is_known CHECK (seat in ('at_work', 'to_come'))
);

COMMENT ON COLUMN leadgate_seats.seat IS 'of the run at work, or of the one to come';

COMMENT ON COLUMN leadgate_seats.until IS 'renewed while the run lives; then the seat is free';

CREATE TABLE leadgate_pipelines (
    pipeline VARCHAR(63) NOT NULL,
    account VARCHAR(300),
    source TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    hash_key VARCHAR(64) NOT NULL,
    may_have_acted_before TIMESTAMP WITH TIME ZONE,
    has_seen_all BOOLEAN DEFAULT true NOT NULL,
    CONSTRAINT leadgate_pipelines_pk PRIMARY KEY (pipeline)
);

COMMENT ON COLUMN leadgate_pipelines.pipeline IS 'empty: made by init, for the first pipeline that runs';

COMMENT ON COLUMN leadgate_pipelines.account IS 'the LeadByte account; null until a run has found it in a block';

COMMENT ON COLUMN leadgate_pipelines.source IS 'the source''s database and leads'' table, without host and user; null as above';

COMMENT ON COLUMN leadgate_pipelines.hash_key IS 'of the hashes of values';

COMMENT ON COLUMN leadgate_pipelines.may_have_acted_before IS 'acts before it may be missing from this ledger; null: none';

COMMENT ON COLUMN leadgate_pipelines.has_seen_all IS 'whether every lead of the source was gone through since; leads registered before that count as older';

CREATE TABLE leadgate_entries (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    state VARCHAR(12) NOT NULL,
    quarantined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    missing JSON,
    deadline BIGINT DEFAULT '0' NOT NULL,
    data_hash VARCHAR(16),
    arrived_at TIMESTAMP WITH TIME ZONE,
    late BOOLEAN DEFAULT false NOT NULL,
    refusals INTEGER DEFAULT '0' NOT NULL,
    token INTEGER DEFAULT '0' NOT NULL,
    lease_owner VARCHAR(100),
    lease_until TIMESTAMP WITH TIME ZONE,
    decided_token INTEGER,
    updated_hash VARCHAR(16),
    note TEXT,
    inferred BOOLEAN DEFAULT false NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    absent_since TIMESTAMP WITH TIME ZONE,
    written_at TIMESTAMP WITH TIME ZONE,
    override_token INTEGER,
    doubt_since TIMESTAMP WITH TIME ZONE,
    doubt_action VARCHAR(8),
    doubt_theirs TIMESTAMP WITH TIME ZONE,
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

COMMENT ON COLUMN leadgate_entries.due_at IS 'not before: decide (ready), look again (waiting, held), probe (unknown)';

COMMENT ON COLUMN leadgate_entries.missing IS 'required columns that were still null when last looked at';

COMMENT ON COLUMN leadgate_entries.deadline IS 'in seconds, by a rule of wait.deadlines when last looked at; 0: the pipeline''s';

COMMENT ON COLUMN leadgate_entries.data_hash IS 'of the enrichment last seen: a change ends a hold';

COMMENT ON COLUMN leadgate_entries.arrived_at IS 'when the enrichment was first seen complete';

COMMENT ON COLUMN leadgate_entries.refusals IS 'refusals that were about this lead';

COMMENT ON COLUMN leadgate_entries.token IS 'grows with each claim: the fencing token';

COMMENT ON COLUMN leadgate_entries.decided_token IS 'the claim under which the standing decision was made';

COMMENT ON COLUMN leadgate_entries.updated_hash IS 'of the last payload LeadByte took: it is not sent again';

COMMENT ON COLUMN leadgate_entries.note IS 'why the entry is where it is, in LeadByte''s words where it has some';

COMMENT ON COLUMN leadgate_entries.inferred IS 'settled, and no answer says so';

COMMENT ON COLUMN leadgate_entries.absent_since IS 'since when a healthy source has had no row of the lead';

COMMENT ON COLUMN leadgate_entries.written_at IS 'when due_at and lease_until were last set: never ahead of the clock';

COMMENT ON COLUMN leadgate_entries.override_token IS 'the override that stands in place of the rules';

COMMENT ON COLUMN leadgate_entries.doubt_since IS 'since when an act may have been taken that nobody can vouch for';

COMMENT ON COLUMN leadgate_entries.doubt_action IS 'which act is in doubt; null: one that this ledger does not know of';

COMMENT ON COLUMN leadgate_entries.doubt_theirs IS 'doubt_since by LeadByte''s clock, where it was known';

COMMENT ON COLUMN leadgate_entries.seen IS 'review, failed: the columns read, and a hash of their values';

COMMENT ON COLUMN leadgate_entries.acted_again IS 'evidence freed it once';

COMMENT ON COLUMN leadgate_entries.account IS 'of its pipeline: no other pipeline of the account has the lead';

CREATE TABLE leadgate_decisions (
    pipeline VARCHAR(63) NOT NULL,
    lead_id VARCHAR(200) NOT NULL,
    token INTEGER NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
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

COMMENT ON COLUMN leadgate_decisions.rule IS 'null: no rule matched, `otherwise` decided';

COMMENT ON COLUMN leadgate_decisions.facts IS 'values of the columns in keep_facts, no others';

COMMENT ON COLUMN leadgate_decisions.unanswered IS 'rules that could not be answered, and the missing columns';

COMMENT ON COLUMN leadgate_decisions.trace IS 'for each rule tried before: the number of the failed condition';

COMMENT ON COLUMN leadgate_decisions.decided_by IS 'whose override it follows; null: the rules';

COMMENT ON COLUMN leadgate_decisions.paused IS 'held by a pause: the lead is ready, and is decided again';

COMMENT ON COLUMN leadgate_decisions.observed IS 'nothing was sent for it';

COMMENT ON COLUMN leadgate_decisions.capped IS 'one act too many for the budgets';

COMMENT ON COLUMN leadgate_decisions.shadow IS 'what the shadow rules said: verdict, rule, version, agrees';

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
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
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

COMMENT ON COLUMN leadgate_attempts.request_id IS 'the leads of one request share it';

COMMENT ON COLUMN leadgate_attempts.fields IS 'names of the LeadByte fields that were written; never values';

COMMENT ON COLUMN leadgate_attempts.sent_at IS 'committed before the request is sent';

COMMENT ON COLUMN leadgate_attempts.outcome IS 'null while the answer is awaited';

COMMENT ON COLUMN leadgate_attempts.shape IS 'the known words of a sentence of the act that nobody understood';

CREATE TABLE leadgate_policies (
    pipeline VARCHAR(63) NOT NULL,
    version VARCHAR(32) NOT NULL,
    first_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
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
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT leadgate_overrides_pk PRIMARY KEY (pipeline, lead_id, token),
    CONSTRAINT leadgate_overrides_verdict_is_known CHECK (verdict in ('process', 'reject', 'wait', 'again', 'was-processed', 'was-rejected', 'not-taken', 'discard'))
);

COMMENT ON COLUMN leadgate_overrides.token IS 'one of the entry''s: it fences off whoever held it before';

COMMENT ON COLUMN leadgate_overrides.verdict IS 'what should become of it, or what became of its act';

CREATE TABLE leadgate_pauses (
    pipeline VARCHAR(63) NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paused_by VARCHAR(250) NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT leadgate_pauses_pk PRIMARY KEY (pipeline)
);

CREATE TABLE leadgate_alarms (
    pipeline VARCHAR(63) NOT NULL,
    alarm VARCHAR(20) NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    told BOOLEAN NOT NULL,
    CONSTRAINT leadgate_alarms_pk PRIMARY KEY (pipeline, alarm)
);

COMMENT ON COLUMN leadgate_alarms.since IS 'when a run found it; the row is deleted when it is over';

COMMENT ON COLUMN leadgate_alarms.told IS 'whether an event was sent that somebody may have heard';

CREATE TABLE leadgate_rates (
    account VARCHAR(300) NOT NULL,
    next_at DOUBLE PRECISION NOT NULL,
    CONSTRAINT leadgate_rates_pk PRIMARY KEY (account)
);

COMMENT ON COLUMN leadgate_rates.account IS 'as in leadgate_pipelines';

COMMENT ON COLUMN leadgate_rates.next_at IS 'the next free slot, in seconds since 1970: one row an account';

CREATE TABLE leadgate_brakes (
    account VARCHAR(300) NOT NULL,
    is_on BOOLEAN NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    lone_until TIMESTAMP WITH TIME ZONE,
    in_vain INTEGER DEFAULT '0' NOT NULL,
    closed_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT leadgate_brakes_pk PRIMARY KEY (account)
);

COMMENT ON COLUMN leadgate_brakes.account IS 'one row an account, made with its first act';

COMMENT ON COLUMN leadgate_brakes.is_on IS 'the next act goes alone';

COMMENT ON COLUMN leadgate_brakes.since IS 'when is_on last changed';

COMMENT ON COLUMN leadgate_brakes.lone_until IS 'an act goes alone until then, or until it is answered';

COMMENT ON COLUMN leadgate_brakes.in_vain IS 'acts that went alone, and are in doubt';

COMMENT ON COLUMN leadgate_brakes.closed_until IS 'no act at all before';

CREATE TABLE leadgate_forgotten (
    pipeline VARCHAR(63) NOT NULL,
    hash VARCHAR(32) NOT NULL,
    CONSTRAINT leadgate_forgotten_pk PRIMARY KEY (pipeline, hash)
);

COMMENT ON COLUMN leadgate_forgotten.hash IS 'of the id, by the pipeline''s hash_key: all that is kept of it';
